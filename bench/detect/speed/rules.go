package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"sumun.dev/bench/detect/generate"
	"sumun.dev/detect"
	"sumun.dev/detect/baseline"
	"sumun.dev/detect/declared"
	"sumun.dev/detect/enrich"
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/finding"
	"sumun.dev/store"
)

// rulesRows measures how cost grows with the rules that users write.
func rulesRows(b *bench) error {
	work := generate.Records(1, 30)
	for _, with := range []struct {
		what    string
		builtin []*rule.Rule
	}{{"user rules alone", []*rule.Rule{}}, {"built-in and user rules", detect.Rules()}} {
		var first cost
		for _, n := range []int{100, 1000} {
			user, err := userRules(work, n)
			if err != nil {
				return err
			}
			all := append(slices.Clone(with.builtin), user...)
			c, err := b.measure(row{fmt.Sprintf("read and judge CloudTrail records: %s, %d", with.what, n), len(all), func() (int, int64, error) {
				return see(detect.NewEngine(detect.Options{Rules: all}), work)
			}})
			if err != nil {
				return err
			}
			if n == 100 {
				first = c
				continue
			}
			fmt.Printf("  from 100 to 1,000 user rules: %.2f ×\n", float64(c.record)/float64(first.record))
		}
	}
	return nil
}

// see judges records with nothing learnt.
func see(e *detect.Engine, work [][]byte) (n int, size int64, err error) {
	in := cloudtrail.NewReader()
	for _, body := range work {
		r, err := in.Read(body)
		if err != nil {
			return n, size, err
		}
		e.See(r, func(finding.Suspicion) {})
		n++
		size += int64(len(body))
	}
	return n, size, nil
}

// naiveRows measures the same rules one by one: each is asked of each record
// whether it is of its class and one of its calls, and then to judge it.
func naiveRows(b *bench) error {
	work := generate.Records(1, 30)
	for _, n := range []int{0, 100, 1000} {
		user, err := userRules(work, n)
		if err != nil {
			return err
		}
		all := append(detect.Rules(), user...)
		name := fmt.Sprintf("built-in and %d user rules", n)
		indexed, err := b.measure(row{"read and judge CloudTrail records: " + name, len(all), func() (int, int64, error) {
			return see(detect.NewEngine(detect.Options{Rules: all}), work)
		}})
		if err != nil {
			return err
		}
		some := work[:len(work)/(1+n/50)] // else it takes minutes
		naive, err := b.measure(row{"  the same in a loop over all rules", len(all), func() (int, int64, error) { return oneByOne(all, some) }})
		if err != nil {
			return err
		}
		fmt.Printf("  the loop costs %.1f × as much\n", float64(naive.record)/float64(indexed.record))
	}
	return nil
}

// oneByOne judges without an index: the loop that one would write first.
func oneByOne(rules []*rule.Rule, work [][]byte) (n int, size int64, err error) {
	book := intel.NewBook(intel.Builtin()...)
	states := make([]rule.State, len(rules))
	for i, r := range rules {
		if r.State != nil {
			states[i] = r.State()
		}
	}
	normal, net := baseline.New(), &enrich.Net{}
	in := cloudtrail.NewReader()
	for _, body := range work {
		r, err := in.Read(body)
		if err != nil {
			return n, size, err
		}
		n++
		size += int64(len(body))
		lists := book.At(store.Place{Account: r.Account, Region: r.Region})
		for i, one := range rules {
			if one.Class != r.Class || !names(one.Calls, r.API) {
				continue
			}
			one.See(&rule.Scene{Lists: lists, Net: net, Normal: normal, State: states[i], Report: func(finding.Suspicion) {}}, r)
		}
	}
	return n, size, nil
}

func names(calls []string, a *record.API) bool {
	return len(calls) == 0 || slices.ContainsFunc(calls, func(c string) bool {
		service, operation, _ := strings.Cut(c, ":")
		return (service == "*" || service == a.Service) && (operation == "*" || operation == a.Operation)
	})
}

// userRules writes n rules such as users write: of three in five one names a call
// that the records have, most with a condition on what was asked, who asked, or
// from where; some count, some are sequences, and one in six names no call.
func userRules(work [][]byte, n int) ([]*rule.Rule, error) {
	calls := map[string]bool{}
	for _, body := range work {
		var r struct{ EventSource, EventName string }
		if err := json.Unmarshal(body, &r); err != nil {
			return nil, err
		}
		calls[r.EventSource+":"+r.EventName] = true
	}
	var used []string
	for c := range calls {
		used = append(used, c)
	}
	slices.Sort(used)
	r := rand.New(rand.NewPCG(uint64(n), 0x401e))
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	call := func() string {
		if r.IntN(3) == 0 {
			return fmt.Sprintf("%s.amazonaws.com:%s%s%d", one("iam", "ec2", "s3", "rds", "glue", "sagemaker"), one("Create", "Update", "Delete", "Put"), one("Thing", "Policy", "Grant"), r.IntN(400))
		}
		return used[r.IntN(len(used))]
	}
	condition := func() string {
		return one(
			`not api.failed and actor.user.type == "Root"`,
			`api.denied and actor.user.type == "IAMUser"`,
			fmt.Sprintf(`request("bucketName")[0] startsWith "secret-%d"`, r.IntN(900)),
			fmt.Sprintf(`any(request("roleName", "userName"), # matches "^adm-%d")`, r.IntN(900)),
			fmt.Sprintf(`actor.user.name == "svc-%d" and not cidr(src_endpoint.ip, "10.%d.0.0/16")`, r.IntN(900), r.IntN(250)),
			fmt.Sprintf(`actor.session.issuer endsWith ":role/break-glass-%d" and not actor.session.is_mfa`, r.IntN(900)),
			fmt.Sprintf(`cloud.region not in ["eu-west-1", "us-east-1", "eu-central-%d"] and not api.failed`, r.IntN(9)),
			fmt.Sprintf(`lower(http_request.user_agent) contains "tool-%d"`, r.IntN(900)),
			fmt.Sprintf(`any(request("policyArn"), admin(#)) or any(request("principal"), external(#)) and first(request("statementId")) == "s%d"`, r.IntN(900)),
		)
	}
	// Without calls, an operation is named in the condition, or it is about who
	// calls from where, whatever the call is.
	anywhere := func() string {
		return one(
			fmt.Sprintf(`api.operation == "%s" and actor.user.type == "Root"`, strings.SplitN(call(), ":", 2)[1]),
			fmt.Sprintf(`api.operation in ["%s", "%s"] and not api.failed and actor.user.name == "u%d"`, strings.SplitN(call(), ":", 2)[1], strings.SplitN(call(), ":", 2)[1], r.IntN(900)),
			fmt.Sprintf(`api.service.name == "%s" and api.denied and actor.user.arn endsWith "/contractor-%d"`, strings.SplitN(call(), ":", 2)[0], r.IntN(900)),
			fmt.Sprintf(`actor.user.credential_uid in ["AKIACANARY%06d", "AKIACANARY%06d"]`, r.IntN(900), r.IntN(900)),
			fmt.Sprintf(`src_endpoint.ip == "203.0.113.%d" and not actor.by_service`, r.IntN(250)),
			fmt.Sprintf(`cidr(src_endpoint.ip, "185.%d.0.0/16")`, r.IntN(250)),
			fmt.Sprintf(`http_request.user_agent contains "kit-%d" or http_request.user_agent startsWith "scan-%d"`, r.IntN(900), r.IntN(900)),
			fmt.Sprintf(`actor.user.name matches "^(tmp|test)-%d-" and api.read_only == false`, r.IntN(900)),
			fmt.Sprintf(`any(api.resources, # contains ":secret:payroll-%d")`, r.IntN(900)),
		)
	}
	var out []*rule.Rule
	for i := range n {
		var text strings.Builder
		fmt.Fprintf(&text, "name: user-%d\ntype: Impact:IAMUser/AnomalousBehavior\nsignal: User%d\nclass: api\n", i, i)
		switch k := r.IntN(24); {
		case k < 4:
			fmt.Fprintf(&text, "when: |\n  %s\n", anywhere())
		case k < 6:
			fmt.Fprintf(&text, "calls: [%q]\nwhen: |\n  %s\ncount:\n  at-least: %d\n  within: 10m\n  by: actor.principal\n  distinct: first(request(\"secretId\", \"bucketName\", \"key\"))\n", call(), condition(), 5+r.IntN(50))
		case k < 8:
			fmt.Fprintf(&text, "sequence:\n  - calls: [%q]\n    when: |\n      %s\n  - calls: [%q]\nwithin: 1h\nby: actor.principal\n", call(), condition(), call())
		case k < 10:
			fmt.Fprintf(&text, "calls: [%q]\nwhen: |\n  %s\n", strings.SplitN(call(), ":", 2)[0]+":*", condition())
		case k < 14:
			fmt.Fprintf(&text, "calls: [%q, %q, %q]\nwhen: |\n  %s\n", call(), call(), call(), condition())
		default:
			fmt.Fprintf(&text, "calls: [%q]\nwhen: |\n  %s\n", call(), condition())
		}
		d, err := declared.Parse([]byte(text.String()))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text.String(), err)
		}
		out = append(out, d)
	}
	return out, nil
}
