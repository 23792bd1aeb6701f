package policy

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/open-policy-agent/opa/v1/ast"
	opa "github.com/open-policy-agent/opa/v1/rego"

	"sumun.dev/aws"
	sumun "sumun.dev/policy"
)

// Each engine is prepared as far as it can be: policies compiled, the question in
// the engine's own form. What is measured is the decision alone.
type engine struct {
	name string
	ask  func(i int) bool
}

func engines(t testing.TB, rules []rule, asked []question) []engine {
	return []engine{{"sumun", ours(t, rules, asked)}, {"cedar", cedars(t, rules, asked)}, {"opa", opas(t, rules, asked)}}
}

// held is the context of one question.
type held struct{ q *question }

func (h held) Lookup(key string) sumun.Value {
	switch key {
	case "aws:securetransport":
		return sumun.Bool(h.q.secure)
	case "aws:sourceip":
		return sumun.IP(netip.MustParseAddr(h.q.ip))
	case "aws:resourcetag/team":
		return sumun.Text(h.q.owner)
	case "s3:max-keys":
		return sumun.Number(h.q.maxKeys)
	}
	return sumun.Value{}
}

func ours(t testing.TB, rules []rule, asked []question) func(int) bool {
	p := &sumun.Policies{}
	for _, r := range rules {
		d, err := sumun.Parse([]byte(iam(r)), sumun.Identity)
		if err != nil {
			t.Fatal(err)
		}
		p.Identity = append(p.Identity, &sumun.Attached{Document: d, Source: r.name})
	}
	requests := make([]*sumun.Request, len(asked))
	for i := range asked {
		who, err := sumun.PrincipalOf("arn:aws:iam::111122223333:user/alice", "")
		if err != nil {
			t.Fatal(err)
		}
		who.Tags = map[string]string{"team": asked[i].team}
		requests[i] = &sumun.Request{Principal: who, Action: asked[i].action, Resource: asked[i].resource, ResourceAccount: aws.Account("111122223333"), Context: held{&asked[i]}}
	}
	return func(i int) bool { return sumun.Authorize(requests[i], p).Allowed() }
}

func cedars(t testing.TB, rules []rule, asked []question) func(int) bool {
	set, err := cedar.NewPolicySetFromBytes("rules.cedar", []byte(cedarText(rules)))
	if err != nil {
		t.Fatal(err)
	}
	entities := types.EntityMap{}
	requests := make([]cedar.Request, len(asked))
	for i, q := range asked {
		ip, err := types.ParseIPAddr(q.ip)
		if err != nil {
			t.Fatal(err)
		}
		requests[i] = cedar.Request{
			Principal: cedar.NewEntityUID("User", "alice"), Action: cedar.NewEntityUID("Action", cedar.String(q.action)), Resource: cedar.NewEntityUID("Object", cedar.String(q.resource)),
			Context: cedar.NewRecord(cedar.RecordMap{
				"resource": cedar.String(q.resource), "principalTeam": cedar.String(q.team), "resourceTeam": cedar.String(q.owner),
				"ip": ip, "secure": cedar.Boolean(q.secure), "maxKeys": cedar.Long(q.maxKeys),
			}),
		}
	}
	return func(i int) bool {
		d, _ := cedar.Authorize(set, entities, requests[i])
		return d == cedar.Allow
	}
}

func opas(t testing.TB, rules []rule, asked []question) func(int) bool {
	ctx := context.Background()
	query, err := opa.New(opa.Query("data.s3.decision"), opa.Module("rules.rego", rego(rules))).PrepareForEval(ctx)
	if err != nil {
		t.Fatal(err)
	}
	inputs := make([]ast.Value, len(asked))
	for i, q := range asked {
		inputs[i], err = ast.InterfaceToValue(map[string]any{
			"action": q.action, "resource": q.resource, "principalTeam": q.team, "resourceTeam": q.owner, "ip": q.ip, "secure": q.secure, "maxKeys": q.maxKeys,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return func(i int) bool {
		got, err := query.Eval(ctx, opa.EvalParsedInput(inputs[i]))
		if err != nil {
			t.Fatal(err)
		}
		return got.Allowed()
	}
}

// The three must give the same answers, or their speed compares nothing.
func TestSameAnswers(t *testing.T) {
	asked := questions()
	for _, set := range sets {
		all := engines(t, set.rules, asked)
		allowed := 0
		for i, q := range asked {
			want := all[0].ask(i)
			if want {
				allowed++
			}
			for _, e := range all[1:] {
				if got := e.ask(i); got != want {
					t.Errorf("%s: %+v: %s says %t, %s says %t", set.name, q, all[0].name, want, e.name, got)
				}
			}
		}
		t.Logf("%s: %d policies, %d questions, %d of them allowed", set.name, len(set.rules), len(asked), allowed)
		if n := len(asked); allowed < n/20 || allowed > n*9/10 {
			t.Errorf("%s: %d of %d questions are allowed", set.name, allowed, n)
		}
	}
}

// askAll asks question after question.
func askAll(b *testing.B, e engine, questions int) {
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		e.ask(i)
		if i++; i == questions {
			i = 0
		}
	}
}

func BenchmarkDecision(b *testing.B) {
	asked := questions()
	for _, set := range sets {
		for _, e := range engines(b, set.rules, asked) {
			b.Run(set.name+"/"+e.name, func(b *testing.B) { askAll(b, e, len(asked)) })
		}
	}
}

// BenchmarkRatio says how many times as fast the evaluator is as the faster of the
// others; it is meant to be three times at least. The engines take turns, each being
// asked everything once a turn, and the best turn of each counts: on a busy machine
// some turns are still not interrupted.
func BenchmarkRatio(b *testing.B) {
	asked := questions()
	for _, set := range sets {
		b.Run(set.name, func(b *testing.B) {
			all := engines(b, set.rules, asked)
			best := make([]time.Duration, len(all))
			for b.Loop() {
				for k, e := range all {
					start := time.Now()
					for i := range asked {
						e.ask(i)
					}
					if d := time.Since(start); best[k] == 0 || d < best[k] {
						best[k] = d
					}
				}
			}
			ours, theirs := best[0], slices.Min(best[1:])
			b.ReportMetric(float64(theirs)/float64(ours), "times-as-fast")
			b.ReportMetric(0, "ns/op") // of all three together, which says nothing
		})
	}
}
