package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/bench/detect/attack"
	"sumun.dev/bench/detect/generate"
	"sumun.dev/detect"
	"sumun.dev/detect/record"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/detect/source/dns"
	"sumun.dev/detect/source/flow"
	"sumun.dev/detect/source/kube"
	"sumun.dev/finding"
)

// A score is how often a technique was found by what names its tactic, and what
// was found of it.
type score struct {
	attack.Technique
	right, any, tried int
	told              map[string]int // of each finding
}

// alone judges each technique by itself, in an account of which nothing is known.
func alone(seeds []uint64) ([]*score, error) {
	var out []*score
	for _, t := range attack.All() {
		s := &score{Technique: t, told: map[string]int{}}
		for _, seed := range seeds {
			records := t.Records(seed, attack.Victim{})
			read, err := readAll(t.Log, records)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.Name, err)
			}
			s.add(judged(detect.NewEngine(detect.Options{}), read))
		}
		out = append(out, s)
	}
	return out, nil
}

// inWork judges each technique that CloudTrail tells in the midst of ordinary work: the
// credentials are those of somebody who works there, stolen, the program in every
// other seed looks like the victim's own, and what happens is learnt with all the
// rest before.
func inWork(seeds []uint64) ([]*score, error) {
	all := map[string]*score{}
	for _, seed := range seeds {
		work := generate.Records(seed, 30)
		e := detect.NewEngine(detect.Options{})
		for _, b := range work {
			r, err := cloudtrail.Read(b)
			if err != nil {
				return nil, err
			}
			e.Learn(r)
		}
		learnt := map[aws.Account][]byte{}
		for _, a := range []aws.Account{generate.Account, generate.Sister} {
			b, err := e.Save(a)
			if err != nil {
				return nil, err
			}
			learnt[a] = b
		}
		victims, err := victims(work)
		if err != nil {
			return nil, err
		}
		for i, t := range attack.All() {
			if t.Log != attack.CloudTrail {
				continue
			}
			s := all[t.Name]
			if s == nil {
				s = &score{Technique: t, told: map[string]int{}}
				all[t.Name] = s
			}
			v := victims[(i+int(seed))%len(victims)]
			if seed%2 == 0 {
				v.Agent = "" // the attacker's own; else it looks like the victim's
			}
			read, err := readAll(t.Log, t.Records(seed, v))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.Name, err)
			}
			e := detect.NewEngine(detect.Options{})
			for a, b := range learnt {
				if err := e.Load(a, b); err != nil {
					return nil, err
				}
			}
			for _, r := range read {
				e.Learn(r)
			}
			s.add(judged(e, read))
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *score) int { return strings.Compare(a.Name, b.Name) }), nil
}

// victims are some of those who work: a user, an administrator, a program on an instance, and a function.
func victims(work [][]byte) ([]attack.Victim, error) {
	noon := timeOf(work[len(work)*3/4]).Truncate(24 * time.Hour).Add(12 * time.Hour)
	var out []attack.Victim
	for _, who := range []string{`:user/erik"`, `AWSReservedSSO_AdministratorAccess_`, `-web-`, `-fn-`} {
		i := slices.IndexFunc(work, func(b []byte) bool {
			return bytes.Contains(b, []byte(who)) && bytes.Contains(b, []byte(`"userIdentity":{"accessKeyId"`)) && bytes.Contains(b, []byte(`"recipientAccountId":"`+generate.Account))
		})
		if i < 0 {
			return nil, fmt.Errorf("nobody works there as %s", who)
		}
		var r struct {
			UserIdentity map[string]any
			UserAgent    string
		}
		if err := json.Unmarshal(work[i], &r); err != nil {
			return nil, err
		}
		out = append(out, attack.Victim{Account: generate.Account, Region: "eu-west-1", Identity: r.UserIdentity, Agent: r.UserAgent, At: noon})
	}
	return out, nil
}

func readAll(log attack.Log, records [][]byte) ([]*record.Record, error) {
	read := cloudtrail.Read
	switch log {
	case attack.Kubernetes:
		read = kube.Read
	case attack.Flow:
		read = flow.NewReader().Read
	case attack.DNS:
		read = dns.NewReader().Read
	}
	var out []*record.Record
	for _, b := range records {
		r, err := read(b)
		if err != nil {
			return nil, err
		}
		if r == nil {
			continue
		}
		r.Account = cmp.Or(r.Account, generate.Account)
		if c := *r; c.Flow != nil { // readers use their record again
			f := *c.Flow
			c.Flow = &f
			r = &c
		} else if c.DNS != nil {
			d := *c.DNS
			c.DNS = &d
			r = &c
		}
		out = append(out, r)
	}
	return out, nil
}

func judged(e *detect.Engine, all []*record.Record) map[string]*finding.Finding {
	found := map[string]*finding.Finding{}
	for _, r := range all {
		at := home(r)
		e.See(r, func(s finding.Suspicion) {
			if f := found[s.In(at)]; f != nil {
				f.Again(s, s.At)
				return
			}
			found[s.In(at)] = finding.Open(at, s, s.At)
		})
	}
	return found
}

func (s *score) add(found map[string]*finding.Finding) {
	s.tried++
	right := false
	names := map[string]bool{}
	for _, f := range found {
		names[strings.TrimSpace(f.Type+" "+f.Signal)] = true
		purpose, _, _ := strings.Cut(f.Type, ":")
		right = right || purpose == "AttackSequence" || slices.Contains(s.Tactics, purpose)
	}
	for n := range names {
		s.told[n]++
	}
	if right {
		s.right++
	}
	if len(found) > 0 {
		s.any++
	}
}

// table prints the scores, and what was taken for what: techniques by their first
// tactic, findings by their purpose.
func table(title string, all []*score, verbose bool) {
	fmt.Printf("\n%s\n", title)
	right, any, tried, whole := 0, 0, 0, 0
	confusion := map[string]map[string]int{}
	purposes := map[string]bool{}
	for _, s := range all {
		right, any, tried = right+s.right, any+s.any, tried+s.tried
		if s.right == s.tried {
			whole++
		}
		if verbose || s.right < s.tried {
			var told []string
			for _, n := range slices.Sorted(maps.Keys(s.told)) {
				told = append(told, fmt.Sprintf("%s ×%d", n, s.told[n]))
			}
			fmt.Printf("  %3d of %d  %-58s %s\n", s.right, s.tried, s.Name, cmp.Or(strings.Join(told, "; "), "MISSED"))
		}
		row := confusion[s.Tactics[0]]
		if row == nil {
			row = map[string]int{}
			confusion[s.Tactics[0]] = row
		}
		for n, times := range s.told {
			purpose, _, _ := strings.Cut(n, ":")
			row[purpose] += times
			purposes[purpose] = true
		}
		row["missed"] += s.tried - s.any
	}
	fmt.Printf("%d techniques: a right finding in %d of %d tries (%.1f %%), any finding in %.1f %%; %d techniques in every try\n", len(all), right, tried, 100*float64(right)/float64(tried), 100*float64(any)/float64(tried), whole)
	fmt.Println("tactic of the technique: what was found (kinds of findings in all tries)")
	for _, t := range slices.Sorted(maps.Keys(confusion)) {
		fmt.Printf("  %-20s", t)
		for _, p := range append(slices.Sorted(maps.Keys(purposes)), "missed") {
			if n := confusion[t][p]; n > 0 {
				fmt.Printf(" %s %d", p, n)
			}
		}
		fmt.Println()
	}
}
