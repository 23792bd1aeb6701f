package dga_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sumun.dev/engine/dga"
	"sumun.dev/engine/dga/learn"
)

var start = time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)

// asks asks for labels, of which missing do not exist, and returns how many were asked
// for before the client was known; -1 when it never was.
func asks(w *dga.Watch, kind dga.Kind, labels []string, missing func(int) bool) int {
	at := start
	for i, l := range labels {
		at = at.Add(2 * time.Second)
		h := uint32(i + 1)
		if w.Ask(1, h, dga.ScoresOf(l), at)[kind] {
			return i
		}
		if missing(i) {
			w.Missing(1, h, at)
		}
	}
	return -1
}

// TestClientsAreKnown prints after how many domains clients are known that ask for
// those of a family, all but one in ten of which do not exist.
func TestClientsAreKnown(t *testing.T) {
	files, err := filepath.Glob(data + "dga/*.txt")
	if err != nil || len(files) == 0 {
		t.Skip("no families in " + data)
	}
	families := map[string]func(*rand.Rand) string{}
	for _, f := range files {
		names := read(t, f)
		families[strings.TrimSuffix(filepath.Base(f), ".txt")] = func(r *rand.Rand) string {
			_, l := dga.Registered(names[r.IntN(len(names))])
			return l
		}
	}
	const clients, each = 200, 60
	try := func(name string, kind dga.Kind, make func(*rand.Rand) string, least float64) {
		known, after := 0, 0
		for n := range clients {
			r := rand.New(rand.NewPCG(uint64(n), 5))
			var labels []string
			for range each {
				labels = append(labels, make(r))
			}
			if k := asks(dga.NewWatch(64), kind, labels, func(i int) bool { return i%10 != 9 }); k >= 0 {
				known++
				after += k
			}
		}
		t.Logf("%-16s %.3f of clients are known, after %d domains in the mean", name, float64(known)/clients, after/max(known, 1))
		if float64(known)/clients < least {
			t.Errorf("%s: too few", name)
		}
	}
	for name, make := range families {
		least := 0.95
		if name == "gozi" {
			least = 0
		}
		try(name, dga.OfLetters, make, least)
	}
	words := everyday(t)
	for _, parts := range []int{2, 3} {
		try(fmt.Sprintf("%d words", parts), dga.OfWords, func(r *rand.Rand) string {
			var s string
			for range parts {
				s += words[r.IntN(len(words))]
			}
			return s
		}, 0.9)
	}
}

// Clients that ask for people's domains, of which some do not exist, are not known.
func TestOrdinaryClientsAreNotKnown(t *testing.T) {
	var benign []string
	above := [2]float64{}
	for _, l := range learn.Labels(read(t, data+"benign-domains.txt")) {
		if learn.Held(l) {
			benign = append(benign, l)
			for k, s := range dga.ScoresOf(l) {
				if s > 0 {
					above[k]++
				}
			}
		}
	}
	t.Logf("of benign labels, %.3f score above 0 by letters, %.3f by words", above[0]/float64(len(benign)), above[1]/float64(len(benign)))
	for n := range 200 {
		r := rand.New(rand.NewPCG(uint64(n), 6))
		var labels []string
		for range 500 {
			labels = append(labels, benign[r.IntN(len(benign))])
		}
		for kind := dga.OfLetters; kind <= dga.OfWords; kind++ {
			for _, gone := range []int{1, 4, 10, 1 << 30} {
				if k := asks(dga.NewWatch(64), kind, labels, func(i int) bool { return i%gone == gone/2 }); k >= 0 {
					t.Errorf("client %d is known after %d benign domains, one in %d missing", n, k, gone)
				}
			}
		}
	}
}

func TestClientsAreForgotten(t *testing.T) {
	w := dga.NewWatch(64)
	at, scores := start, dga.Scores{4, -4}
	for i := range 12 {
		if w.Ask(1, uint32(i), scores, at)[dga.OfLetters] != (i == 11) {
			t.Errorf("domain %d", i)
		}
		w.Ask(1, uint32(i), scores, at) // once more tells nothing more
	}
	at = at.Add(59 * time.Minute)
	if !w.Ask(1, 1, scores, at)[dga.OfLetters] || w.Ask(2, 1, scores, at)[dga.OfLetters] || w.Ask(1, 1, scores, at)[dga.OfWords] {
		t.Error("forgotten too early, or known of others")
	}
	if at = at.Add(61 * time.Minute); w.Ask(1, 1, scores, at)[dga.OfLetters] {
		t.Error("never forgotten")
	}
	for i := range 10_000 {
		w.Ask(uint64(i), 1, scores, at)
	}
	if n := w.Len(); n != 64 {
		t.Errorf("%d clients are remembered", n)
	}
	w.Forget()
	if w.Len() != 0 {
		t.Error("not all are forgotten")
	}
}

// With -race.
func TestWatchAtOnce(t *testing.T) {
	w := dga.NewWatch(64)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 3000 {
				w.Ask(uint64(i%100), uint32(i), dga.Scores{1, 1}, start)
				w.Missing(uint64(i%100), uint32(i), start)
				if n == 0 && i%1000 == 0 {
					w.Forget()
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkWatch(b *testing.B) {
	w := dga.NewWatch(1 << 14)
	for i := range dga.Recent {
		w.Ask(1, uint32(i), dga.Scores{-4, -4}, start)
	}
	for b.Loop() {
		w.Ask(1, 3, dga.Scores{-4, -4}, start)
	}
}
