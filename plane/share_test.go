package plane

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/gateway/sigv4"
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
	judge, stay := one, other
	if whose(other) {
		judge, stay = other, one
	}
	if whose(stay) || !whose(judge) {
		t.Fatal("both nodes read a share, or none does")
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
