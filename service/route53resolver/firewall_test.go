package route53resolver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/engine/dns"
	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/memory"
)

func TestAnswerMeansThatTheResolverHasIt(t *testing.T) {
	w := newWorld(t)
	told := 0
	w.service.mirror.tell = func(*Firewall) { told++ }
	list, group := w.blocked("bad.test")
	got := rules(w.service)
	if len(got) != 1 || got[0].Action != "BLOCK" || got[0].BlockResponse != "NXDOMAIN" || got[0].ListID != list || !slices.Equal(names(got[0].List), []string{"bad.test"}) {
		t.Fatalf("the resolver is told %+v", got)
	}
	v := w.service.Firewall().VPCs[0]
	if v.ID != vpc || v.Account != account || v.Region != "us-east-1" || v.FailOpen || v.Groups[0].Priority != 101 || v.Groups[0].ID != group {
		t.Errorf("the VPC is %+v", v)
	}
	before := told
	w.update(list, "ADD", "worse.test")
	if told != before+1 || !slices.Equal(names(rules(w.service)[0].List), []string{"bad.test", "worse.test"}) {
		t.Errorf("an added domain is told %d times", told-before)
	}
	must(w, &api.UpdateFirewallConfig, &api.UpdateFirewallConfigRequest{ResourceId: vpc, FirewallFailOpen: "ENABLED"})
	if !w.service.Firewall().VPCs[0].FailOpen {
		t.Error("fail open is not told")
	}
	q := *must(w, &api.CreateResolverQueryLogConfig, &api.CreateResolverQueryLogConfigRequest{Name: "q", CreatorRequestId: "q", DestinationArn: "arn:aws:s3:::logs"}).ResolverQueryLogConfig.Id
	must(w, &api.AssociateResolverQueryLogConfig, &api.AssociateResolverQueryLogConfigRequest{ResolverQueryLogConfigId: q, ResourceId: vpc})
	if got := w.service.Firewall().VPCs[0].QueryLogs; len(got) != 1 || got[0] != (QueryLog{q, "arn:aws:s3:::logs"}) {
		t.Errorf("query logs are %+v", got)
	}
	must(w, &api.DeleteFirewallRule, &api.DeleteFirewallRuleRequest{FirewallRuleGroupId: group, FirewallDomainListId: &list})
	must(w, &api.DeleteFirewallDomainList, &api.DeleteFirewallDomainListRequest{FirewallDomainListId: list})
	if len(rules(w.service)) != 0 || len(w.service.mirror.lists) != 0 {
		t.Errorf("after deletion the resolver has %+v", rules(w.service))
	}
}

func TestRefusedCallsTellNothing(t *testing.T) {
	w := newWorld(t)
	list, _ := w.blocked("bad.test")
	w.service.mirror.tell = func(f *Firewall) { t.Errorf("told %+v", f) }
	_, _ = call(w, &api.UpdateFirewallDomains, &api.UpdateFirewallDomainsRequest{FirewallDomainListId: list, Operation: "REPLACE", Domains: []string{"a b"}})
	_, _ = call(w, &api.DeleteFirewallDomainList, &api.DeleteFirewallDomainListRequest{FirewallDomainListId: list})
}

// However many change a list at once, what is compiled is what is stored, on
// every node.
func TestConcurrentUpdates(t *testing.T) {
	w := newWorld(t)
	list, _ := w.blocked("bad.test")
	second := w.node()
	late := make(chan *Service, 1)
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for i := range 25 {
				on := []*Service{w.service, second}[rand.IntN(2)]
				in := &api.UpdateFirewallDomainsRequest{FirewallDomainListId: list, Operation: "ADD", Domains: []string{fmt.Sprintf("d%d.test", rand.IntN(40))}}
				switch {
				case i%3 == 1:
					in.Operation = "REMOVE"
				case i == 20:
					in.Operation = "REPLACE"
				}
				for {
					if _, err := callOn(w, on, &api.UpdateFirewallDomains, in); err == nil {
						break
					}
				}
				if n == 0 && i == 10 {
					late <- w.node() // starts in the middle
				}
			}
		})
	}
	all.Wait()
	want := w.stored(list)
	for name, s := range map[string]*Service{"first": w.service, "second": second, "late": <-late} {
		if got := names(rules(s)[0].List); !slices.Equal(got, want) {
			t.Errorf("the %s node has %v, stored are %v", name, got, want)
		}
	}
	if l := must(w, &api.GetFirewallDomainList, &api.GetFirewallDomainListRequest{FirewallDomainListId: list}).FirewallDomainList; int(*l.DomainCount) != len(want) {
		t.Errorf("%d domains are counted of %d", *l.DomainCount, len(want))
	}
}

func TestOtherNodesFollow(t *testing.T) {
	w := newWorld(t)
	second := w.node()
	list, group := w.blocked("bad.test")
	w.update(list, "ADD", "worse.test") // told by the list's row
	w.update(list, "ADD", many(500)...) // too much for it: read again
	w.update(list, "REMOVE", many(500)...)
	if got := names(rules(second)[0].List); !slices.Equal(got, []string{"bad.test", "worse.test"}) {
		t.Errorf("the other node has %v", got)
	}
	must(w, &api.UpdateFirewallRule, &api.UpdateFirewallRuleRequest{FirewallRuleGroupId: group, FirewallDomainListId: &list, Action: new(api.ActionAlert)})
	if got := rules(second); got[0].Action != "ALERT" {
		t.Errorf("the other node has %+v", got)
	}
	// The notifications were lost: everything can have changed.
	second.mirror.lists = map[at]*compiled{}
	second.mirror.listChanged(store.Change{Table: "route53resolver.lists"})
	if got := names(rules(second)[0].List); !slices.Equal(got, []string{"bad.test", "worse.test"}) {
		t.Errorf("after lost news the other node has %v", got)
	}
}

// A failing database does not answer as long as it is told to.
type failing struct {
	*memory.Backend
	broken atomic.Bool
}

var errBroken = errors.New("the database does not answer")

func (f *failing) Get(ctx context.Context, k store.Key) (store.Row, error) {
	if f.broken.Load() {
		return store.Row{}, errBroken
	}
	return f.Backend.Get(ctx, k)
}

func (f *failing) ScanAll(ctx context.Context, table string, after store.Key, limit int) ([]store.Row, error) {
	if f.broken.Load() {
		return nil, errBroken
	}
	return f.Backend.ScanAll(ctx, table, after, limit)
}

// When the store cannot be read, the resolver keeps the rules it has, until it can.
func TestRulesOutliveAStoreThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &failing{Backend: memory.New()}
		w := &world{t: t, store: store.Open(db, seal.NewRoot(seal.GenerateKey())), account: account}
		defer w.store.Close()
		w.service = w.node()
		list, _ := w.blocked("bad.test")
		second := w.node()
		second.mirror.mu.Lock()
		second.mirror.lists[at{store.Place{Account: account, Region: "us-east-1"}, list}].version = 0 // as if news had been missed
		second.mirror.mu.Unlock()
		db.broken.Store(true)
		second.mirror.listChanged(store.Change{Table: "route53resolver.lists"})
		if got := rules(second); len(got) != 1 || !got[0].List.Match(name(t, "bad.test")) {
			t.Errorf("left are %+v", got)
		}
		time.Sleep(5 * time.Second)
		db.broken.Store(false)
		time.Sleep(10 * time.Second)
		second.mirror.mu.Lock()
		version := second.mirror.lists[at{store.Place{Account: account, Region: "us-east-1"}, list}].version
		second.mirror.mu.Unlock()
		if version != 1 {
			t.Errorf("when the store can be read again, the list has version %d", version)
		}
	})
}

func name(t testing.TB, s string) dns.Name {
	t.Helper()
	n, err := dns.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAccountsSpeakForThemselves(t *testing.T) {
	w := newWorld(t)
	w.blocked("bad.test")
	w.in(other).blocked("good.test")
	for _, v := range w.service.Firewall().VPCs {
		want := map[bool]string{true: "bad.test", false: "good.test"}[v.Account == account]
		if got := names(v.Groups[0].Rules[0].List); !slices.Equal(got, []string{want}) {
			t.Errorf("%s says %v of %s", v.Account, got, v.ID)
		}
	}
	if n := len(w.service.Firewall().VPCs); n != 2 {
		t.Errorf("%d accounts speak of the VPC", n)
	}
}
