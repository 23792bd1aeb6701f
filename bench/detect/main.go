// Command detect measures how often attacks are found, and ordinary work is taken for one.
//
//	go run ./bench/detect [-attacks FOLDER] [-seed N] [-days N]
//	go run ./bench/detect -techniques N [-seed N] [-all]
//	go run ./bench/detect -dns [-seed N] [-seeds N] [-data FOLDER]
//
// Ordinary work is package generate's. It is judged with nothing learnt, after
// learning from the very records, and in its last third after learning from the
// first two.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sumun.dev/bench/detect/generate"
	"sumun.dev/detect"
	"sumun.dev/detect/record"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/detect/triage"
	"sumun.dev/finding"
)

func main() {
	attacks := flag.String("attacks", "", "a folder with one file or folder of CloudTrail records for each technique")
	seed := flag.Uint64("seed", 1, "of the ordinary work")
	days := flag.Int("days", 30, "of ordinary work")
	tries := flag.Int("techniques", 0, "judge the techniques of package attack with so many seeds from seed on, instead of ordinary work")
	names := flag.Bool("dns", false, "judge questions to the resolver: tunnels, names that algorithms make, and ordinary ones")
	seeds := flag.Int("seeds", 10, "of -dns, from seed on")
	data := flag.String("data", "../shared/data", "the `folder` with benign domains, and with families in dga, for -dns")
	verbose := flag.Bool("all", false, "list the techniques that are always found, too")
	flag.Parse()
	do := func() error { return run(*attacks, *seed, *days) }
	if *tries > 0 {
		do = func() error { return techniques(*seed, *tries, *verbose) }
	}
	if *names {
		do = func() error { return dnsTables(*seed, *seeds, *data) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "detect:", err)
		os.Exit(1)
	}
}

func run(attacks string, seed uint64, days int) error {
	work := generate.Records(seed, days)
	fmt.Printf("%d rules, %d ordinary records of %d days, seed %d\n", len(detect.Rules()), len(work), days, seed)
	for _, m := range modes {
		began := time.Now()
		o, err := m.judge(work)
		if err != nil {
			return err
		}
		fmt.Printf("\n%s: %d findings on %d records, %.2f per 1,000, %.2f per 10,000; %d above Medium (%.1fs)\n", m.name, len(o.found), o.judged,
			1e3*float64(len(o.found))/float64(o.judged), 1e4*float64(len(o.found))/float64(o.judged), o.severe(), time.Since(began).Seconds())
		count := map[string]int{}
		for _, f := range o.found {
			count[fmt.Sprintf("%s %s (%.1f)", f.Type, f.Signal, f.Level())]++
		}
		for _, name := range slices.Sorted(maps.Keys(count)) {
			fmt.Printf("  %3d  %s\n", count[name], name)
		}
	}
	if attacks == "" {
		return nil
	}
	if err := recall(attacks); err != nil {
		return err
	}
	fmt.Println("\nThe same in the midst of ordinary work, all of it learnt first:")
	all, err := filepath.Glob(filepath.Join(attacks, "*.json"))
	if err != nil {
		return err
	}
	hits := 0
	for _, f := range all {
		told, err := among(work, f)
		if err != nil {
			return err
		}
		if len(told) > 0 {
			hits++
		}
		fmt.Printf("  %-60s %s\n", filepath.Base(f), cmp.Or(strings.Join(told, "; "), "MISSED"))
	}
	fmt.Printf("%d of %d techniques raise a finding\n", hits, len(all))
	return nil
}

// techniques prints what is found of each technique of package attack.
func techniques(seed uint64, tries int, verbose bool) error {
	var seeds []uint64
	for i := range uint64(tries) {
		seeds = append(seeds, seed+i)
	}
	fmt.Printf("%d rules, seeds %d to %d\n", len(detect.Rules()), seeds[0], seeds[len(seeds)-1])
	one, err := alone(seeds)
	if err != nil {
		return err
	}
	table("Alone, nothing learnt:", one, verbose)
	two, err := inWork(seeds)
	if err != nil {
		return err
	}
	table("In the midst of ordinary work, all of it learnt before:", two, verbose)
	return nil
}

// A mode is what is known before the judgement.
type mode struct {
	name  string
	learn func(n int) int // how many of n records are learnt from
	from  func(n int) int // from which on records are judged
}

var modes = []mode{
	{"nothing learnt", func(int) int { return 0 }, func(int) int { return 0 }},
	{"two passes", func(n int) int { return n }, func(int) int { return 0 }},
	{"the last third, the rest learnt", func(n int) int { return n * 2 / 3 }, func(n int) int { return n * 2 / 3 }},
}

type outcome struct {
	found  map[string]*finding.Finding
	judged int
}

// severe counts the findings above Medium.
func (o *outcome) severe() (n int) {
	for _, f := range o.found {
		if f.Level() >= 7 {
			n++
		}
	}
	return n
}

func (m *mode) judge(work [][]byte) (*outcome, error) {
	e := detect.NewEngine(detect.Options{})
	o := &outcome{found: map[string]*finding.Finding{}}
	learn, from := m.learn(len(work)), m.from(len(work))
	for _, b := range work[:learn] {
		r, err := cloudtrail.Read(b)
		if err != nil {
			return nil, err
		}
		e.Learn(r)
	}
	for _, b := range work[from:] {
		r, err := cloudtrail.Read(b)
		if err != nil {
			return nil, err
		}
		o.judged++
		home := home(r)
		e.See(r, func(s finding.Suspicion) {
			if f := o.found[s.In(home)]; f != nil {
				f.Again(s, s.At)
				return
			}
			o.found[s.In(home)] = finding.Open(home, s, s.At)
		})
	}
	return o, nil
}

func home(r *record.Record) finding.Home {
	return finding.Home{Partition: "aws", Account: r.Account, Region: r.Region, Detector: "0123456789abcdef0123456789abcdef"}
}

// recall prints what is found in each technique of a folder.
func recall(folder string) error {
	all, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	hits := 0
	fmt.Println()
	for _, f := range all {
		got, err := triage.Run(context.Background(), triage.Options{Paths: []string{filepath.Join(folder, f.Name())}})
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
		var told []string
		for _, f := range got.Findings {
			told = append(told, fmt.Sprintf("%s %s %.1f", f.Type, f.Signal, f.Level()))
		}
		if len(told) > 0 {
			hits++
		}
		fmt.Printf("  %-60s %s\n", f.Name(), cmp.Or(strings.Join(told, "; "), "MISSED"))
	}
	fmt.Printf("%d of %d techniques raise a finding\n", hits, len(all))
	return nil
}
