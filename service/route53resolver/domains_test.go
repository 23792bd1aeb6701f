package route53resolver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/engine/dns"
	"sumun.dev/store"
)

func TestDomainsOfAList(t *testing.T) {
	w := newWorld(t)
	id := w.list("l")
	for _, step := range []struct {
		operation string
		domains   []string
		want      string
	}{
		{"ADD", []string{"Example.COM.", "*.b.test", "a.test"}, "*.b.test a.test example.com"},
		{"ADD", []string{"example.com", "a.test"}, "*.b.test a.test example.com"},
		{"REMOVE", []string{"A.TEST", "never.there"}, "*.b.test example.com"},
		{"REPLACE", []string{"c.test", "c.test.", "*"}, "* c.test"},
		{"REMOVE", []string{"*", "c.test"}, ""},
	} {
		w.update(id, step.operation, step.domains...)
		got := w.stored(id)
		if strings.Join(got, " ") != step.want {
			t.Errorf("%s %v: %v, want %s", step.operation, step.domains, got, step.want)
		}
		l := must(w, &api.GetFirewallDomainList, &api.GetFirewallDomainListRequest{FirewallDomainListId: id}).FirewallDomainList
		if int(*l.DomainCount) != len(got) || *l.Status != "COMPLETE" {
			t.Errorf("%s: the list says %d, %s", step.operation, *l.DomainCount, *l.Status)
		}
		if compiled := w.service.mirror.lists[at{store.Place{Account: account, Region: "us-east-1"}, id}]; !slices.Equal(names(compiled.list), got) {
			t.Errorf("%s: compiled are %v", step.operation, names(compiled.list))
		}
	}
}

func TestWrongDomainsChangeNothing(t *testing.T) {
	w := newWorld(t)
	id := w.list("l", "good.test")
	for _, d := range []string{"", "a b", "ä.test", "a..b", "*a.test", "a.*.b", strings.Repeat("a", 64) + ".test", strings.Repeat("a.", 130)} {
		refused(w, &api.UpdateFirewallDomains, &api.UpdateFirewallDomainsRequest{FirewallDomainListId: id, Operation: "ADD", Domains: []string{"new.test", d}},
			"ValidationException", "[RSLVR-02021] The domain \""+d+"\" is not valid: letters, digits, hyphens and dots are allowed, and a leading \"*.\".")
	}
	if got := w.stored(id); !slices.Equal(got, []string{"good.test"}) {
		t.Errorf("domains are %v", got)
	}
	refused(w, &api.UpdateFirewallDomains, &api.UpdateFirewallDomainsRequest{FirewallDomainListId: id, Operation: "ADD", Domains: many(1001)},
		"LimitExceededException", "[RSLVR-02023] A call can have at most 1000 domains.")
	w.update(id, "ADD", many(1000)...)
	if _, err := call(w, &api.ImportFirewallDomains, &api.ImportFirewallDomainsRequest{FirewallDomainListId: id}); !api.ValidationException.Is(err) {
		t.Errorf("import: %v", err)
	}
}

func many(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("d%07d.example", i)
	}
	return all
}

func TestDomainsArePagedOverBuckets(t *testing.T) {
	w := newWorld(t)
	want := many(3000)
	id := w.list("l")
	for some := range slices.Chunk(want, 1000) {
		w.update(id, "ADD", some...)
	}
	for _, size := range []int32{1, 3, 999, 1000, 5000} {
		if size == 1 && testing.Short() {
			continue
		}
		seen := map[string]int{}
		in := &api.ListFirewallDomainsRequest{FirewallDomainListId: id, MaxResults: &size}
		for {
			out := must(w, &api.ListFirewallDomains, in)
			for _, d := range out.Domains {
				seen[d]++
			}
			if out.NextToken == nil {
				break
			}
			if len(out.Domains) != int(size) {
				t.Fatalf("a page of %d has %d and says that more follow", size, len(out.Domains))
			}
			in.NextToken = out.NextToken
		}
		if len(seen) != len(want) {
			t.Errorf("pages of %d show %d domains of %d", size, len(seen), len(want))
		}
		for d, n := range seen {
			if n != 1 {
				t.Errorf("pages of %d show %s %d times", size, d, n)
			}
		}
	}
	first := must(w, &api.ListFirewallDomains, &api.ListFirewallDomainsRequest{FirewallDomainListId: id})
	if len(first.Domains) != 100 {
		t.Errorf("a page has %d domains when its size is not said", len(first.Domains))
	}
	const message = "The value of NextToken is not one that an earlier call with the same parameters has returned."
	refused(w, &api.ListFirewallDomains, &api.ListFirewallDomainsRequest{FirewallDomainListId: w.list("m"), NextToken: first.NextToken}, "InvalidNextTokenException", message)
	refused(w, &api.ListFirewallDomainLists, &api.ListFirewallDomainListsRequest{NextToken: first.NextToken}, "InvalidNextTokenException", message)
}

func TestQuotaOfAllDomains(t *testing.T) {
	w := newWorld(t)
	w.service.env.Quotas = true
	id := w.list("l")
	err := w.store.Update(w.ctx(), func(ctx context.Context) error {
		l, err := w.service.lists.Get(ctx, id)
		if err != nil {
			return err
		}
		l.Count = maxDomains - 1
		return w.service.lists.Put(ctx, id, l)
	})
	if err != nil {
		t.Fatal(err)
	}
	w.update(w.list("m"), "ADD", "one.test")
	refused(w, &api.UpdateFirewallDomains, &api.UpdateFirewallDomainsRequest{FirewallDomainListId: id, Operation: "ADD", Domains: []string{"two.test"}},
		"LimitExceededException", "[RSLVR-02024] You can have at most 100000 domains in all firewall domain lists.")
	w.service.env.Quotas = false
	w.update(id, "ADD", "two.test")
}

// What is kept, shown again and given back is the same domain.
func FuzzDomain(f *testing.F) {
	for _, s := range []string{"example.com", "*.example.com", "*", "A.b.", "xn--bcher-kva.example", "_dmarc.a", "a..b", "*.", "ſ.test"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		one, err := normal([]string{text})
		if err != nil {
			if !api.ValidationException.Is(err) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		two, err := normal(one)
		if err != nil || !slices.Equal(one, two) || len(one) != 1 {
			t.Fatalf("%q becomes %q, which becomes %q, %v", text, one, two, err)
		}
		if one[0] != strings.ToLower(one[0]) || len(one[0]) > 255 || strings.ContainsAny(one[0], " /\x00") {
			t.Fatalf("%q becomes %q", text, one[0])
		}
		if bucketOf(one[0]) >= bucketsOfList {
			t.Fatalf("%q is in no bucket", one[0])
		}
		if _, err := dns.NewList(slices.Values(one)); err != nil {
			t.Fatalf("%q does not compile: %v", one[0], err)
		}
	})
}
