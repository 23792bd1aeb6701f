package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sumun.dev/bench/detect/questions"
	"sumun.dev/engine/dga"
	"sumun.dev/engine/dga/learn"
	"sumun.dev/finding"
)

// kindOf says what kind the families in the shared folder are of; those that are not
// here, of characters.
var kindOf = map[string]string{"gozi": "words", "pitou": "spoken", "symmi": "spoken", "vawtrak": "spoken", "pykspa": "spoken", "qsnatch": "short"}

// A family is what an algorithm made.
type family struct {
	name, kind string
	domains    []string
}

// Of each family.
const (
	made      = 1000 // domains at most
	hostsEach = 200  // hosts, of hostAsks questions each
	hostAsks  = 30
)

// benign are the domains that the model was not made from: learn.Held says of each
// label by its hash whether it is kept for trial, as three in ten are.
func benign(data string) ([]string, error) {
	b, err := os.ReadFile(filepath.Join(data, "benign-domains.txt"))
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var out []string
	for _, d := range strings.Fields(string(b)) {
		registered, label := dga.Registered(strings.ToLower(d))
		if label != "" && !strings.HasPrefix(label, "xn--") && learn.Held(label) && !seen[label] {
			seen[label] = true
			out = append(out, registered)
		}
	}
	return out, nil
}

// recorded are the families of the shared folder.
func recorded(data string) ([]family, error) {
	files, err := filepath.Glob(filepath.Join(data, "dga", "*.txt"))
	if err != nil {
		return nil, err
	}
	var out []family
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(f), ".txt")
		domains := slices.DeleteFunc(strings.Fields(string(b)), func(d string) bool { return strings.Contains(d, "..") }) // one has an empty label
		kind := kindOf[name]
		if kind == "" {
			kind = "character"
		}
		out = append(out, family{name, kind, domains})
	}
	return out, nil
}

// described are the families of package questions.
func described(seed uint64) []family {
	var out []family
	for _, f := range questions.Families() {
		out = append(out, family{f.Name, f.Kind, f.Domains(seed, made)})
	}
	return out
}

func scores(domains []string) []float64 {
	out := make([]float64, len(domains))
	for i, d := range domains {
		_, label := dga.Registered(d)
		out[i] = dga.Default().Score(label)
	}
	return out
}

func above(scores []float64, threshold float64) (s share) {
	for _, x := range scores {
		s.add(x > threshold)
	}
	return s
}

// infected judges hosts that ask for domains, each for so many different ones, through
// the engine: how many are found. Of a hundred names missing do not exist; between
// them each host asks work questions of ordinary work.
func infected(seed uint64, domains []string, hosts, missing, work int) (found share, err error) {
	r := rand.New(rand.NewPCG(seed, 3<<32))
	others := slices.DeleteFunc(slices.Collect(questions.Ordinary(seed, 20_000)), func(a questions.Asked) bool { return a.Rcode != "NOERROR" || a.Type != "A" })
	e := newEar()
	for i := range hosts {
		host, told := fmt.Sprintf("i-0%016x", i), false
		at := questions.Start.Add(time.Duration(i) * time.Minute)
		ask := func(q questions.Question) error {
			at = at.Add(time.Duration(1+r.IntN(4000)) * time.Millisecond)
			return e.hear(q.Line(at, host, "10.0.0.7"), func(f finding.Suspicion) { told = told || f.Type == finding.DGADomain })
		}
		order := r.Perm(len(domains))
		for n := range hostAsks {
			q := questions.Question{Name: domains[order[n%len(order)]], Type: "A", Rcode: "NOERROR", Answers: []string{"198.51.100.7"}}
			if r.IntN(100) < missing {
				q.Rcode, q.Answers = "NXDOMAIN", nil
			}
			if err := ask(q); err != nil {
				return found, err
			}
			for range work / hostAsks {
				if err := ask(others[r.IntN(len(others))].Question); err != nil {
					return found, err
				}
			}
		}
		found.add(told)
	}
	return found, nil
}

// A tally adds up what families of a kind have in common.
type tally struct {
	domains     share // at one benign name in a thousand
	hosts, amid share
}

func familyTable(seed uint64, data string) error {
	names, err := benign(data)
	if os.IsNotExist(err) {
		fmt.Printf("\nNames that algorithms make: not judged, since there is no %s\n", filepath.Join(data, "benign-domains.txt"))
		return nil
	}
	if err != nil {
		return err
	}
	good := scores(names)
	slices.Sort(good)
	slices.Reverse(good)
	rates := []float64{0.0005, 0.001, 0.005, 0.01, 0.05}
	at := func(rate float64) float64 { return good[int(float64(len(good))*rate)] }
	fmt.Printf("\nNames that algorithms make. The model has learnt from no family, and not from the %d benign labels here (three in ten, by their hashes).\n", len(good))
	fmt.Printf("Share found at a share of benign names; hosts of %d questions through the engine: alone, and with nine of ten questions ordinary:\n", hostAsks)
	fmt.Printf("  %-24s %-10s %6s", "family", "kind", "names")
	for _, r := range rates {
		fmt.Printf(" %7.2f%%", 100*r)
	}
	fmt.Printf("   %s\n", "hosts alone, amid work")
	kinds := map[string]*tally{}
	var bad []float64
	for _, set := range []struct {
		title string
		of    func() ([]family, error)
	}{
		{"recorded", func() ([]family, error) { return recorded(data) }},
		{"described", func() ([]family, error) { return described(seed), nil }},
	} {
		all, err := set.of()
		if err != nil {
			return err
		}
		for _, f := range all {
			s := scores(f.domains)
			fmt.Printf("  %-24s %-10s %6d", f.name, f.kind, len(s))
			for _, r := range rates {
				n := above(s, at(r))
				fmt.Printf(" %8.3f", float64(n.of)/float64(n.all))
			}
			hosts, err := infected(seed, f.domains, hostsEach, 90, 0)
			if err != nil {
				return err
			}
			amid, err := infected(seed, f.domains, hostsEach, 90, 9*hostAsks)
			if err != nil {
				return err
			}
			fmt.Printf("   %.3f %.3f\n", float64(hosts.of)/float64(hosts.all), float64(amid.of)/float64(amid.all))
			k := set.title + " " + f.kind
			if kinds[k] == nil {
				kinds[k] = &tally{}
			}
			t, n := kinds[k], above(s, at(0.001))
			for to, from := range map[*share]share{&t.domains: n, &t.hosts: hosts, &t.amid: amid} {
				to.of, to.all = to.of+from.of, to.all+from.all
			}
			if f.kind == "character" {
				bad = append(bad, s...)
			}
		}
	}
	missed := false
	for _, k := range []string{"recorded character", "described character", "recorded short", "described short", "recorded spoken", "described spoken", "recorded words", "described words"} {
		if t := kinds[k]; t != nil {
			fmt.Printf("  %-20s domains at 0.1 %%: %v; hosts: %v; amid work: %v\n", k, t.domains, t.hosts, t.amid)
			missed = missed || strings.HasSuffix(k, "character") && (t.domains.less(75) || t.hosts.less(95))
		}
	}
	tp, fp := above(bad, dga.OneInThousand), above(good, dga.OneInThousand)
	fmt.Printf("  by domain, at the threshold in use (%.1f), character kind: TP %d, FN %d, FP %d, TN %d\n", dga.OneInThousand, tp.of, tp.all-tp.of, fp.of, fp.all-fp.of)
	quietHosts, err := infected(seed, names, 10*hostsEach, 10, 0)
	if err != nil {
		return err
	}
	tpHosts, fnHosts := 0, 0
	for k, t := range kinds {
		if strings.HasSuffix(k, "character") {
			tpHosts, fnHosts = tpHosts+t.hosts.of, fnHosts+t.hosts.all-t.hosts.of
		}
	}
	fmt.Printf("  by host, as the rule decides, character kind: TP %d, FN %d, FP %d, TN %d (benign hosts ask for %d held-out names, of which one in ten does not exist)\n", tpHosts, fnHosts, quietHosts.of, quietHosts.all-quietHosts.of, hostAsks)
	if missed {
		return errMissed
	}
	return nil
}
