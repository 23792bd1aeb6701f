package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sumun.dev/bench/detect/questions"
	"sumun.dev/detect"
	"sumun.dev/detect/source/dns"
	"sumun.dev/finding"
)

// Of each seed.
const (
	sessions = 400     // of tunnels
	ordinary = 300_000 // questions, about a day
)

// errMissed says that a target was missed.
var errMissed = errors.New("a target is missed")

// dnsTables prints how tunnels, made-up names and ordinary questions are told.
func dnsTables(seed uint64, seeds int, data string) error {
	fmt.Printf("%d rules, seeds %d to %d\n", len(detect.Rules()), seed, seed+uint64(seeds)-1)
	return errors.Join(tunnelTable(seed, seeds), familyTable(seed, data))
}

// An ear lets an engine see questions as the query log has them.
type ear struct {
	engine *detect.Engine
	reader *dns.Reader
}

func newEar() *ear { return &ear{detect.NewEngine(detect.Options{}), dns.NewReader()} }

func (e *ear) hear(line []byte, yield func(finding.Suspicion)) error {
	r, err := e.reader.Read(line)
	if err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	e.engine.See(r, yield)
	return nil
}

// A share is so many of so many.
type share struct{ of, all int }

func (s share) String() string {
	if s.all == 0 {
		return "–"
	}
	return fmt.Sprintf("%d of %d (%.1f %%)", s.of, s.all, 100*float64(s.of)/float64(s.all))
}

func (s *share) add(is bool) {
	s.all++
	if is {
		s.of++
	}
}

func (s share) less(percent float64) bool { return float64(s.of) < percent/100*float64(s.all) }

// tunnels judges sessions, each by a host of its own: how many of each kind are
// told, and what those are like that are not.
func tunnels(seed uint64, n int) (kinds map[string]*share, missed []string, err error) {
	kinds = map[string]*share{}
	for i := range n {
		s := questions.Tunnel(seed, i)
		e, at, told := newEar(), questions.Start, false
		for _, q := range s.Questions {
			at = at.Add(q.After)
			if err := e.hear(q.Line(at, "i-0123456789abcdef0", "10.0.0.7"), func(f finding.Suspicion) {
				told = told || f.Type == finding.DNSDataExfiltration
			}); err != nil {
				return nil, nil, err
			}
		}
		if kinds[s.Kind] == nil {
			kinds[s.Kind] = &share{}
		}
		kinds[s.Kind].add(told)
		if !told {
			name := s.Questions[len(s.Questions)/2].Name
			missed = append(missed, fmt.Sprintf("seed %d, %d: %s: %s; %d questions, as %.60s…", seed, i, s.Kind, s.Says, len(s.Questions), name))
		}
	}
	return kinds, missed, nil
}

// quiet judges ordinary questions, and returns what was told of them, and how often.
func quiet(seed uint64, n int) (map[string]int, error) {
	told := map[string]int{}
	e := newEar()
	for a := range questions.Ordinary(seed, n) {
		if err := e.hear(a.Line(), func(f finding.Suspicion) {
			told[fmt.Sprintf("%s %s", f.Type, f.DNS.Domain)]++
		}); err != nil {
			return nil, err
		}
	}
	return told, nil
}

func tunnelTable(seed uint64, seeds int) error {
	fmt.Println("\nSessions of tunnels (TP, FN):")
	kinds, all := map[string]*share{}, share{}
	for i := range uint64(seeds) {
		of, missed, err := tunnels(seed+i, sessions)
		if err != nil {
			return err
		}
		for k, s := range of {
			if kinds[k] == nil {
				kinds[k] = &share{}
			}
			kinds[k].of, kinds[k].all = kinds[k].of+s.of, kinds[k].all+s.all
			all.of, all.all = all.of+s.of, all.all+s.all
		}
		for _, m := range missed {
			fmt.Println("  missed:", m)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Printf("  %-20s %v\n", k, *kinds[k])
	}
	fmt.Printf("  %-20s %v, FN %d\n", "all", all, all.all-all.of)
	fmt.Println("\nOrdinary questions (FP):")
	tunnel, other := 0, 0
	for i := range uint64(seeds) {
		told, err := quiet(seed+i, ordinary)
		if err != nil {
			return err
		}
		for _, k := range slices.Sorted(maps.Keys(told)) {
			fmt.Printf("  seed %d: %d × %s\n", seed+i, told[k], k)
			if strings.HasPrefix(k, finding.DNSDataExfiltration+" ") {
				tunnel += told[k]
			} else {
				other += told[k]
			}
		}
	}
	asked := seeds * ordinary
	fmt.Printf("  %d alerts for tunnels in %d questions, %.2f in 100,000; %d others\n", tunnel, asked, 1e5*float64(tunnel)/float64(asked), other)
	if all.less(95) || tunnel*100_000 > asked {
		return errMissed
	}
	return nil
}
