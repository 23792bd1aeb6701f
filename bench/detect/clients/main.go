// Command clients measures how often what real clients do against a plane is taken for an attack.
//
//	cd bench/detect/clients && go run . [-days N] [-seed N] [-keep FOLDER]
//	cd bench/detect/clients && go run . -cli aws [-keep FOLDER]
//
// A plane works in this process, in virtual time. AWS's SDK for Go calls it as
// administrators, developers, pipelines, auditors and programs on instances do, and
// instances ask its resolver. With -cli the AWS CLI calls the built program. The logs
// that it wrote are judged as `sumun detect` judges folders.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/detect"
	"sumun.dev/detect/record"
	"sumun.dev/detect/source"
	"sumun.dev/detect/triage"
	"sumun.dev/finding"
)

func main() {
	days := flag.Int("days", 14, "of work")
	seed := flag.Uint64("seed", 1, "of it")
	keep := flag.String("keep", "", "lay the logs down in this `folder`")
	cli := flag.String("cli", "", "run this `program`, the AWS CLI, against the built binary in real time, instead of the SDK in virtual time")
	flag.Parse()
	if *cli != "" {
		if err := terminalAlone(*cli, *keep); err != nil {
			fmt.Fprintln(os.Stderr, "clients:", err)
			os.Exit(1)
		}
		return
	}
	os.Args = os.Args[:1] // package testing, which drives the bubble, reads the rest
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "clients", F: func(t *testing.T) {
		folder := *keep
		if folder == "" {
			folder = t.TempDir()
		}
		began := time.Now()
		synctest.Test(t, func(t *testing.T) { work(t, folder, *seed, *days) })
		fmt.Printf("worked for %v\n", time.Since(began).Round(time.Second))
		if err := judge(folder); err != nil {
			t.Error(err)
		}
	}}}, nil, nil)
}

func terminalAlone(cli, folder string) error {
	if folder == "" {
		var err error
		if folder, err = os.MkdirTemp("", "sumun-clients-"); err != nil {
			return err
		}
		defer os.RemoveAll(folder)
	}
	if err := shell(context.Background(), cli, folder); err != nil {
		return err
	}
	return judge(folder)
}

func work(t *testing.T, folder string, seed uint64, days int) {
	time.Sleep(time.Until(start))
	ctx := t.Context()
	zones, asked := questionsOf(seed, days)
	s, err := open(ctx, zones)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.plane.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	}()
	end, err := s.log(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := newFirm(s, seed).work(ctx, days, asked); err != nil {
		t.Error(err)
	}
	synctest.Wait()
	time.Sleep(time.Minute)
	synctest.Wait()
	trail, queries, err := end()
	if err != nil {
		t.Error(err)
	}
	fmt.Printf("%d days: %d records of CloudTrail, %d queries\n", days, trail, queries)
}

// judge prints what is found with nothing learnt, in two passes, and in the last
// third after learning from the first two.
func judge(folder string) error {
	fmt.Printf("%d rules\n", len(detect.Rules()))
	missed := false
	for _, m := range []struct {
		name        string
		learn, from float64 // shares of all records
		most        float64 // findings in 10,000
	}{{"nothing learnt", 0, 0, 20}, {"two passes, as sumun detect", 1, 0, 1}, {"the last third, the rest learnt", 2. / 3, 2. / 3, 1}} {
		var found []*finding.Finding
		judged := 0
		if m.learn == 1 {
			r, err := triage.Run(context.Background(), triage.Options{Paths: []string{folder}, Now: start.AddDate(1, 0, 0)})
			if err != nil {
				return err
			}
			found, judged = r.Findings, r.Judged
		} else {
			var err error
			if found, judged, err = apart(folder, m.learn, m.from); err != nil {
				return err
			}
		}
		severe := 0
		count := map[string]int{}
		for _, f := range found {
			if f.Level() >= 7 {
				severe++
			}
			who := ""
			if f.Caller != nil {
				who = f.Caller.Principal
			}
			count[fmt.Sprintf("%s %s (%.1f) %s", f.Type, f.Signal, f.Level(), who)]++
		}
		fmt.Printf("\n%s: %d findings on %d records, %.2f in 1,000, %.2f in 10,000; %d above Medium\n", m.name, len(found), judged, 1e3*float64(len(found))/float64(judged), 1e4*float64(len(found))/float64(judged), severe)
		for _, k := range slices.Sorted(maps.Keys(count)) {
			fmt.Printf("  %3d  %s\n", count[k], k)
		}
		missed = missed || severe > 0 || 1e4*float64(len(found)) > m.most*float64(judged)
	}
	if missed {
		return fmt.Errorf("a target is missed")
	}
	return nil
}

// apart learns from a first share of the records and judges those from another on.
func apart(folder string, learn, from float64) (found []*finding.Finding, judged int, err error) {
	var all []*record.Record
	files, err := source.Expand(context.Background(), []string{folder}, source.From{})
	if err != nil {
		return nil, 0, err
	}
	for r, err := range source.Records(context.Background(), files, &source.Report{}) {
		if err != nil {
			return nil, 0, err
		}
		all = append(all, r)
	}
	e := detect.NewEngine(detect.Options{})
	for _, r := range all[:int(learn*float64(len(all)))] {
		e.Learn(r)
	}
	byID := map[string]*finding.Finding{}
	for _, r := range all[int(from*float64(len(all))):] {
		judged++
		home := finding.Home{Partition: "aws", Account: r.Account, Region: r.Region, Detector: "0123456789abcdef0123456789abcdef"}
		e.See(r, func(s finding.Suspicion) {
			if f := byID[s.In(home)]; f != nil {
				f.Again(s, s.At)
				return
			}
			f := finding.Open(home, s, s.At)
			byID[s.In(home)] = f
			found = append(found, f)
		})
	}
	return found, judged, nil
}
