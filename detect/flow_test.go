package detect

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/source/flow"
	"sumun.dev/finding"
)

// traffic returns the rules about flows.
func traffic() []*rule.Rule {
	return slices.DeleteFunc(Rules(), func(r *rule.Rule) bool { return r.Class != record.NetworkActivity })
}

// stories reads a fixture of flows, story by story.
func stories(t testing.TB, file string) [][]*record.Record {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]*record.Record
	for story := range bytes.SplitSeq(b, []byte("\n\n")) {
		in := flow.NewReader()
		var one []*record.Record
		line := 0
		for text := range bytes.Lines(story) {
			r, err := in.Read(text)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if line++; r != nil {
				r.Origin = record.Origin{File: file, Line: line}
				one = append(one, r)
			}
		}
		all = append(all, one)
	}
	return all
}

// A rule that is stopped and started in mid-stream finds what one finds that never was.
func TestFlowRulesStandARestart(t *testing.T) {
	known := lists(t)
	for _, r := range traffic() {
		if r.State == nil {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			alone := func() *Engine {
				return NewEngine(Options{Rules: []*rule.Rule{r}, Lists: func(aws.Account, aws.Region) intel.Lists { return known }})
			}
			for i, story := range stories(t, filepath.Join("rule", r.Name, "hit.jsonl")) {
				var one, other []finding.Suspicion
				e, again := alone(), alone()
				for n, rec := range story {
					e.See(rec, func(s finding.Suspicion) { one = append(one, s) })
					again.See(rec, func(s finding.Suspicion) { other = append(other, s) })
					if n%5 == 0 {
						b, err := again.Save(rec.Account)
						if err != nil {
							t.Fatal(err)
						}
						again = alone()
						if err := again.Load(rec.Account, b); err != nil {
							t.Fatal(err)
						}
					}
				}
				if len(one) == 0 || !reflect.DeepEqual(one, other) {
					t.Errorf("story %d: %d suspicions, and %d with restarts", i, len(one), len(other))
				}
				for _, s := range one {
					if len(s.Evidence) == 0 || s.Evidence[0].Line == 0 || s.Connection == nil && s.Probe == nil || s.Instance.ID == "" && s.Key == "" {
						t.Errorf("story %d: %+v", i, s)
					}
				}
			}
		})
	}
}

// What is no matter for one rule is none for the others either.
func TestOrdinaryTrafficIsQuiet(t *testing.T) {
	known := lists(t)
	for _, r := range traffic() {
		for i, story := range stories(t, filepath.Join("rule", r.Name, "miss.jsonl")) {
			e := NewEngine(Options{Lists: func(aws.Account, aws.Region) intel.Lists { return known }})
			told := map[string]int{}
			for _, rec := range story {
				e.See(rec, func(s finding.Suspicion) { told[s.Type]++ })
			}
			if len(told) > 0 {
				t.Errorf("%s, story %d: %v", r.Name, i, told)
			}
		}
	}
}

// BenchmarkFlow is what ordinary flows cost: reading them and trying all rules.
func BenchmarkFlow(b *testing.B) {
	var lines [][]byte
	for i := range 8192 {
		host, far, port := fmt.Sprintf("10.0.%d.%d", i%4, i%200+10), fmt.Sprintf("198.51.100.%d", i%250), 32768+i
		if i%2 == 0 {
			lines = append(lines, fmt.Appendf(nil, "2 111122223333 eni-0a1b2c3d4e5f6%04x %s %s %d 443 6 20 4249 1767261600 1767261660 ACCEPT OK", i%800, host, far, port))
		} else {
			lines = append(lines, fmt.Appendf(nil, "2 111122223333 eni-0a1b2c3d4e5f6%04x %s %s 443 %d 6 22 21249 1767261600 1767261660 ACCEPT OK", i%800, far, host, port))
		}
	}
	in, e, i := flow.NewReader(), engine(b), 0
	before := spent(b)
	in.Read([]byte("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"))
	b.ReportAllocs()
	for b.Loop() {
		r, err := in.Read(lines[i%len(lines)])
		if err != nil {
			b.Fatal(err)
		}
		e.See(r, func(s finding.Suspicion) { b.Fatal(s) })
		i++
	}
	b.ReportMetric(float64(i)/(spent(b)-before).Seconds(), "lines/core-s")
	b.ReportMetric(float64(len(Rules())), "rules")
}

// spent is the time that processors have worked for this process, collecting
// garbage included: what a core does does not depend on who else wants it.
func spent(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
