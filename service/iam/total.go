package iam

import (
	"context"
	"errors"

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
	usersQuota = quota{"UsersPerAccount", 5000}
	rolesQuota = quota{"RolesPerAccount", 1000}
)

// total is how many things of a kind an account has. Counting them on each
// creation would make every creation wait for every change of one.
type total struct{ N int }

// count adds by to how many there are, and refuses more than the quota.
func count(ctx context.Context, totals *store.Table[total], q quota, by int) error {
	t, err := totals.Get(ctx, q.name)
	if errors.Is(err, store.ErrNotFound) {
		t = &total{}
	} else if err != nil {
		return err
	}
	if t.N += by; by > 0 && t.N > q.most {
		return iamapi.LimitExceededException.New("Cannot exceed quota for %s: %d", q.name, q.most)
	}
	return totals.Put(ctx, q.name, t)
}
