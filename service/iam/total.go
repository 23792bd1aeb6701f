package iam

import (
	"context"
	"errors"
	"hash/fnv"
	"strconv"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/store"
)

// A quota is how many things of a kind an account can have.
// IAM User Guide, "IAM and AWS STS quotas", "IAM object quotas".
type quota struct {
	name string // as AWS's errors have it
	most int
}

var (
	usersQuota    = quota{"UsersPerAccount", 5000}
	groupsQuota   = quota{"GroupsPerAccount", 300}
	rolesQuota    = quota{"RolesPerAccount", 1000}
	policiesQuota = quota{"PoliciesPerAccount", 1500}
	versionsQuota = quota{"PolicyVersionsInUse", 10_000}
	profilesQuota = quota{"InstanceProfilesPerAccount", 1000}
)

// total is how many things of a kind an account has, in part: were it one row,
// all who create things at once would fight over it. A thing's name says which
// part counts it.
type total struct{ N int }

const parts = 64

// count adds by to how many there are, name being the thing that is made or
// deleted, and refuses more than the quota.
func count(ctx context.Context, totals *store.Table[total], q quota, name string, by int) error {
	part := q.part(name)
	t, err := totals.Get(ctx, part)
	if errors.Is(err, store.ErrNotFound) {
		t = &total{}
	} else if err != nil {
		return err
	}
	if t.N += by; by > 0 {
		n, err := others(ctx, totals, q, part)
		if err != nil {
			return err
		}
		if n+t.N > q.most {
			return iamapi.LimitExceededException.New("Cannot exceed quota for %s: %d", q.name, q.most)
		}
	}
	return totals.Put(ctx, part, t)
}

// recount moves what was counted under an old name to a new one.
func recount(ctx context.Context, totals *store.Table[total], q quota, was, name string) error {
	if q.part(was) == q.part(name) {
		return nil
	}
	if err := count(ctx, totals, q, was, -1); err != nil {
		return err
	}
	return count(ctx, totals, q, name, 1)
}

// others adds up the other parts. They may change before the unit of work
// commits, so things made in the same instant may exceed the quota by their number.
func others(ctx context.Context, totals *store.Table[total], q quota, part string) (n int, err error) {
	all, err := totals.Page(store.Outside(ctx), store.Range{Prefix: q.name + "/", Limit: parts})
	for _, e := range all {
		if e.ID != part {
			n += e.Value.N
		}
	}
	return n, err
}

func (q quota) part(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(name))) // never fails
	return q.name + "/" + strconv.Itoa(int(h.Sum32()%parts))
}
