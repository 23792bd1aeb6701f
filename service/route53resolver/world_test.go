package route53resolver

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/aws"
	"sumun.dev/engine/dns"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/wire"
)

const (
	account, other = aws.Account("111122223333"), aws.Account("444455556666")
	vpc            = "vpc-0123456789abcdef0"
)

// A world is Route 53 Resolver over a real store.
type world struct {
	t       testing.TB
	store   *store.Store
	service *Service
	account aws.Account
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, store: store.Open(memory.New(), seal.NewRoot(seal.GenerateKey())), account: account}
	t.Cleanup(func() { w.store.Close() })
	w.service = w.node()
	return w
}

// node returns a further service over the same store, as another process has it.
func (w *world) node() *Service {
	w.t.Helper()
	s := New(service.Env{Store: w.store, Log: slog.New(slog.DiscardHandler)})
	if err := s.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// in returns the same world for callers of another account.
func (w *world) in(a aws.Account) *world {
	same := *w
	same.account = a
	return &same
}

func (w *world) ctx() context.Context {
	return aws.WithCall(w.t.Context(), &aws.Call{Partition: "aws", Account: w.account, Region: "us-east-1", Service: "route53resolver",
		Principal: &aws.Principal{Kind: aws.Root, Account: w.account}})
}

// call serves an operation in a unit of work, as the gate does.
func call[In, Out any](w *world, op *wire.Operation[In, Out], request In) (out Out, err error) {
	return callOn(w, w.service, op, request)
}

func callOn[In, Out any](w *world, s *Service, op *wire.Operation[In, Out], request In) (out Out, err error) {
	w.t.Helper()
	at := slices.IndexFunc(s.Routes(), func(r wire.Route) bool { return r.Operation == wire.AnyOperation(op) })
	if at < 0 {
		w.t.Fatalf("%s is not served", op.About())
	}
	route := s.Routes()[at]
	err = w.store.Update(w.ctx(), func(ctx context.Context) error {
		touches, err := route.Touches(ctx, request)
		if err != nil {
			return err
		}
		if len(touches) == 0 {
			return errors.New("nothing is touched")
		}
		answer, err := route.Serve(ctx, request)
		if err == nil {
			out = answer.(Out)
		}
		return err
	})
	return out, err
}

func must[In, Out any](w *world, op *wire.Operation[In, Out], request In) Out {
	w.t.Helper()
	out, err := call(w, op, request)
	if err != nil {
		w.t.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

// refused checks that a call fails with code and message.
func refused[In, Out any](w *world, op *wire.Operation[In, Out], request In, code, message string) {
	w.t.Helper()
	_, err := call(w, op, request)
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != code || e.Message != message {
		w.t.Errorf("%s: got %v, want %s: %s", op.Name, err, code, message)
	}
}

func (w *world) list(name string, domains ...string) string {
	w.t.Helper()
	id := *must(w, &api.CreateFirewallDomainList, &api.CreateFirewallDomainListRequest{Name: name, CreatorRequestId: name}).FirewallDomainList.Id
	if len(domains) > 0 {
		w.update(id, "ADD", domains...)
	}
	return id
}

func (w *world) update(id, operation string, domains ...string) {
	w.t.Helper()
	must(w, &api.UpdateFirewallDomains, &api.UpdateFirewallDomainsRequest{FirewallDomainListId: id, Operation: api.FirewallDomainUpdateOperation(operation), Domains: domains})
}

func (w *world) group(name string) string {
	w.t.Helper()
	return *must(w, &api.CreateFirewallRuleGroup, &api.CreateFirewallRuleGroupRequest{Name: name, CreatorRequestId: name}).FirewallRuleGroup.Id
}

// block makes a rule that answers NXDOMAIN for a list.
func block(group, list string, priority int32) *api.CreateFirewallRuleRequest {
	return &api.CreateFirewallRuleRequest{
		CreatorRequestId: "r" + number(&priority), FirewallRuleGroupId: group, FirewallDomainListId: &list, Priority: priority,
		Action: api.ActionBlock, BlockResponse: new(api.BlockResponseNxdomain), Name: "block",
	}
}

func tie(group, vpc string, priority int32) *api.AssociateFirewallRuleGroupRequest {
	return &api.AssociateFirewallRuleGroupRequest{CreatorRequestId: group + vpc, FirewallRuleGroupId: group, VpcId: vpc, Priority: priority, Name: "tie"}
}

// blocked sets up a list that a VPC's queries are checked against.
func (w *world) blocked(domains ...string) (list, group string) {
	w.t.Helper()
	list, group = w.list("bad", domains...), w.group("g")
	must(w, &api.CreateFirewallRule, block(group, list, 10))
	must(w, &api.AssociateFirewallRuleGroup, tie(group, vpc, 101))
	return list, group
}

// rules returns what a service tells the resolver of the VPC.
func rules(s *Service) []Rule {
	var all []Rule
	for _, v := range s.Firewall().VPCs {
		for _, g := range v.Groups {
			all = append(all, g.Rules...)
		}
	}
	return all
}

func names(l *dns.List) []string {
	all := []string{}
	for d := range l.All() {
		all = append(all, d.String())
	}
	slices.Sort(all)
	return all
}

// stored returns all domains of a list by the API, page by page.
func (w *world) stored(id string) []string {
	w.t.Helper()
	all := []string{}
	in := &api.ListFirewallDomainsRequest{FirewallDomainListId: id, MaxResults: new(int32(7))}
	for {
		out := must(w, &api.ListFirewallDomains, in)
		all = append(all, out.Domains...)
		if out.NextToken == nil {
			slices.Sort(all)
			return all
		}
		in.NextToken = out.NextToken
	}
}
