package plane

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/service"
	"sumun.dev/spine"
	"sumun.dev/store/postgres/postgrestest"
)

// Several nodes share what is to be judged. When the node that judges an account is
// gone, another goes on with what it knew: findings are counted once.
func TestAShareMovesWithItsState(t *testing.T) {
	one, other := cluster(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	account := one.Account()
	name := fmt.Sprintf("guardduty-trail-%d-%d", shareOf(account, manyShares), manyShares)
	whose := func(p *Plane) bool {
		c := p.current.Load()
		return c.mine(t.Context(), &share{name: name, of: manyShares})
	}
	for deadline := time.Now().Add(10 * time.Second); whose(one) == whose(other); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("both nodes read a share, or none does")
		}
	}
	judge, stay := one, other
	if whose(other) {
		judge, stay = other, one
	}

	made, err := byRoot(t, stay, &guarddutyapi.CreateDetector, &guarddutyapi.CreateDetectorRequest{Enable: true})
	must(err)
	found := func(typ string, severity float64) (count int32) {
		t.Helper()
		list, err := byRoot(t, stay, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: *made.DetectorId})
		must(err)
		if len(list.FindingIds) == 0 {
			return 0
		}
		all, err := byRoot(t, stay, &guarddutyapi.GetFindings, &guarddutyapi.GetFindingsRequest{DetectorId: *made.DetectorId, FindingIds: list.FindingIds})
		must(err)
		for _, f := range all.Findings {
			if f.Type == typ && f.Severity >= severity {
				count += *f.Service.Count
			}
		}
		return count
	}
	wait := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: not within a minute", what)
			}
		}
	}
	const escalation, persistence = "PrivilegeEscalation:IAM/AccountManipulation", "Persistence:IAM/AccountManipulation"
	for _, user := range []string{"alice", "backup"} {
		_, err = byRoot(t, stay, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: user})
		must(err)
	}
	const administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
	_, err = byRoot(t, stay, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "alice", PolicyArn: administrator})
	must(err)
	key, err := byRoot(t, stay, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: new("alice")})
	must(err)
	alice := sigv4.Credentials{KeyID: key.AccessKey.AccessKeyId, Secret: key.AccessKey.SecretAccessKey}
	do := func(call string) {
		t.Helper()
		if status, _ := ask(stay, alice, "iam", call+"&Version=2010-05-08&UserName=backup"); status != 200 {
			t.Fatalf("%s: %d", call, status)
		}
	}
	give := func() { t.Helper(); do("Action=AttachUserPolicy&PolicyArn=" + url.QueryEscape(administrator)) }
	give()
	wait("rights given away", func() bool { return found(escalation, 0) == 1 })
	if p, err := stay.current.Load().progressOf(t.Context(), &share{name: name}); err != nil || p.Owner == "" || p.Saved >= p.Counted {
		t.Fatalf("%+v, %v: nothing would be lost with the node", p, err)
	}

	gone := judge.current.Load()
	gone.end()
	gone.loops.Wait()
	must(gone.keys.leave(t.Context()))
	give()
	keys := found(persistence, 0)
	do("Action=CreateAccessKey")
	wait("the key of an administrator", func() bool { return found(persistence, 0) > keys })
	if n := found(escalation, 0); n != 2 {
		t.Errorf("%d calls are counted, there were two", n)
	}
}

// Shares are dealt out to all nodes, and accounts to all shares.
func TestSharesAreDealtOut(t *testing.T) {
	nodes, shares := map[string]int{}, map[int]int{}
	for i := range 300 {
		name, best := fmt.Sprint("s", i), ""
		for n := range 3 {
			if id := fmt.Sprint("node", n); best == "" || weight(id, name) > weight(best, name) {
				best = id
			}
		}
		nodes[best]++
		shares[shareOf(aws.Account(fmt.Sprintf("%012d", 111122220000+i)), manyShares)]++
	}
	for n, c := range nodes {
		if c < 60 {
			t.Errorf("%s has %d of 300 shares", n, c)
		}
	}
	if len(nodes) != 3 || len(shares) != manyShares {
		t.Errorf("%v %v", nodes, shares)
	}
}

// A witness is the memory of a follower: the events that it has seen.
type witness struct{ seen []string }

func (m *witness) Empty() bool { return len(m.seen) == 0 }

func (m *witness) Take(_ context.Context, b service.Batch) (uint64, error) {
	for _, e := range b.Events {
		m.seen = append(m.seen, e.ID)
	}
	return 0, nil
}

// Who stood by while another node read a share lacks what that one remembers, and
// must not go on as if nothing had been.
func TestStandingByIsNotRemembering(t *testing.T) {
	p := node(t, postgrestest.Schema(t), nil)
	c := p.current.Load()
	begin := func() *share {
		s := &share{Follower: service.Follower{Name: "witness", Stream: aws.IngestStream, New: func() service.Memory { return &witness{} }}, name: "witness", of: 1}
		if _, err := c.beginShare(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	take := func(s *share, n uint64) error {
		return c.take(t.Context(), s, []spine.Delivery{{Position: n, Event: aws.Event{ID: fmt.Sprint(n), Account: "111122223333"}}}, false)
	}
	reads, stood := begin(), begin()
	for n := range uint64(3) {
		if err := take(reads, n+1); err != nil {
			t.Fatal(err)
		}
	}
	if err := take(stood, 4); !errors.Is(err, errMoved) {
		t.Errorf("it goes on: %v", err)
	}
	if err := take(begin(), 4); err != nil { // as when the first is dead
		t.Error(err)
	}
	if err := take(reads, 4); !errors.Is(err, errMoved) {
		t.Errorf("the first goes on: %v", err)
	}
}

// Who says something runs, whatever its clock shows; who falls silent is gone.
func TestWhoRuns(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	said := func(host string, at time.Duration) Node { return Node{Host: host, Seen: start.Add(at)} }
	var r roster
	for _, step := range []struct {
		at    time.Duration
		nodes []Node
		err   error
		want  string
	}{
		{0, []Node{said("well", 0), said("dead", -time.Minute), said("slow", -time.Hour)}, nil, "well"},
		{3 * time.Second, []Node{said("well", 3*time.Second), said("dead", -time.Minute), said("slow", -time.Hour+3*time.Second)}, nil, "slow well"},
		{14 * time.Second, []Node{said("well", 14*time.Second), said("slow", -time.Hour+3*time.Second)}, nil, "slow well"},
		{16 * time.Second, []Node{said("well", 14*time.Second), said("slow", -time.Hour+3*time.Second)}, nil, "well"},
		{time.Minute, nil, errors.New("the store is out of reach"), "well"},
		{2 * time.Minute, nil, errors.New("the store is out of reach"), "well"},
		{2*time.Minute + time.Second, []Node{said("well", 14*time.Second)}, nil, "well"},
		{3 * time.Minute, []Node{said("well", 14*time.Second)}, nil, ""},
	} {
		r.take(start.Add(step.at), step.nodes, step.err)
		var got []string
		for _, host := range []string{"dead", "slow", "well"} {
			if slices.Contains(r.alive(), (Node{Host: host}).id()) {
				got = append(got, host)
			}
		}
		if strings.Join(got, " ") != step.want {
			t.Errorf("after %s %v run, want %s", step.at, got, step.want)
		}
	}
}
