package learn

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"sumun.dev/engine/dga"
)

const (
	composed  = 30_000 // names composed of words
	passes    = 40
	mostParts = 60_000
)

// Compose makes up n names of words, the most common of which come first: as malware's
// generators do that have lists of words, but not those of any malware. Each list has
// other words, of the few hundred most common or of all.
func Compose(n int, r *rand.Rand, words []string) []string {
	out := make([]string, 0, n)
	var list []string
	for len(out) < n {
		if len(out)%50 == 0 {
			list = draws(r, words)
		}
		out = append(out, compose(r, list))
	}
	return out
}

// draws draws a list.
func draws(r *rand.Rand, words []string) []string {
	of := words[:min(len(words), sizes[r.IntN(len(sizes))])]
	least := between(r, 3, 5)
	list := make([]string, 0, 200)
	for len(list) < 200 {
		if w := of[r.IntN(len(of))]; len(w) >= least {
			list = append(list, w)
		}
	}
	return list
}

func compose(r *rand.Rand, list []string) string {
	parts, between := []int{2, 2, 2, 3, 3, 4, 0}[r.IntN(7)], ""
	if r.IntN(6) == 0 {
		between = "-"
	}
	length := 14 + r.IntN(14)
	var all []string
	for n := 0; parts > 0 && len(all) < parts || parts == 0 && n < length; {
		w := list[r.IntN(len(list))]
		all = append(all, w)
		n += len(w)
	}
	s := strings.Join(all, between)
	return s[:min(len(s), 63)]
}

// FitDictionary makes a dictionary of labels of people, and of words in the order of
// how common they are. The same input gives the same dictionary.
func FitDictionary(benign, words []string) *dga.Dictionary {
	words = parts(words)
	r := rand.New(rand.NewPCG(2026, 11))
	shuffled := slices.Clone(benign)
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	made := Compose(composed, r, words)

	// What is learnt of words must come from other names than those that the rest is
	// learnt from.
	type example struct {
		dga.Reading
		made bool
	}
	var all []example
	for f := range folds {
		own, others := fold(shuffled, f)
		d := weigh(others, words)
		for _, label := range own {
			var e example
			if d.Read(label, &e.Reading) {
				all = append(all, e)
			}
		}
		for i := f; i < len(made); i += folds {
			e := example{made: true}
			if d.Read(made[i], &e.Reading) {
				all = append(all, e)
			}
		}
	}
	d := weigh(shuffled, words)
	people := 0
	for i := range all {
		if !all[i].made {
			people++
		}
	}
	worth := float32(len(all)-people) / float32(max(people, 1))
	var sums [len(d.Values)]float32
	for range passes {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for i := range all {
			e := &all[i]
			err := float32(1 / (1 + math.Exp(-d.Judge(&e.Reading))))
			if e.made {
				err--
			} else {
				err *= worth
			}
			for k, v := range e.Values {
				g := err * v
				sums[k] += g * g
				d.Values[k] -= 0.05 * g / (1e-2 + float32(math.Sqrt(float64(sums[k]))))
			}
		}
	}
	return d
}

// parts are the words that names are read as. Short ones are in many names by chance.
func parts(words []string) []string {
	var out []string
	for i, w := range words {
		if len(w) >= 3 && len(w) <= 14 && strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") == "" && (len(w) > 3 || i < 1500) && (len(w) > 4 || i < 15_000) {
			out = append(out, w)
		}
	}
	return out[:min(len(out), mostParts)]
}

// sizes are how many of the most common words lists are drawn from.
var sizes = []int{600, 1500, 4000, 10_000, mostParts}

// weigh compares how often lists have a word with how often people's names have it.
func weigh(benign, words []string) *dga.Dictionary {
	weights := make(map[string]float32, len(words))
	for _, w := range words {
		weights[w] = 0
	}
	d := dga.NewDictionary(weights)
	people, all := map[string]float64{}, 0.0
	for _, l := range benign {
		if read := d.Split(l); len(read) > 1 {
			for _, w := range read {
				people[w]++
				all++
			}
		}
	}
	// Words that were not seen share what the seldom ones suggest, the common ones
	// more of it.
	once := 0.0
	for _, n := range people {
		if n == 1 {
			once++
		}
	}
	prior, sum := make([]float64, len(words)), 0.0
	for i := range words {
		prior[i] = 1 / (float64(i) + 1000)
		sum += prior[i]
	}
	for i, w := range words {
		ofLists := 0.0
		for _, n := range sizes {
			if n = min(n, len(words)); i < n {
				ofLists += 1 / float64(n) / float64(len(sizes))
			}
		}
		ofPeople := (people[w] + (once+1)*prior[i]/sum) / (all + once + 1)
		weights[w] = float32(math.Log(ofLists / ofPeople))
	}
	return dga.NewDictionary(weights)
}
