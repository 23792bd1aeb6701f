// Package learn makes the model of dga from names of well-known services, from words, and from names that generators of its own make up.
package learn

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"sumun.dev/engine/dga"
)

// Held reports whether a benign label is kept from learning, for evaluation: three
// in ten are.
func Held(label string) bool {
	h := fnv.New32a()
	h.Write([]byte(label))
	return h.Sum32()>>8%10 < 3
}

// Labels returns the distinct labels that were registered for domains, sorted.
func Labels(domains []string) []string {
	var out []string
	for _, d := range domains {
		if _, label := dga.Registered(strings.ToLower(strings.TrimSpace(d))); label != "" && !strings.HasPrefix(label, "xn--") {
			out = append(out, label)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

const (
	folds  = 5
	rounds = 24
	made   = 45_000 // names made up at most
)

// An example is a label as the model sees it, and what it is.
type example struct {
	look  dga.Look
	made  bool
	worth float32
}

// Fit makes a model of benign labels, of words, and of the common ones among them.
// The same input gives the same model.
func Fit(benign, words, common []string) *dga.Model {
	r := rand.New(rand.NewPCG(2026, 7))
	shuffled := slices.Clone(benign)
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })

	// A label must not be looked at with tables that know it: the model would take
	// unknown names for made-up ones. So each fold has tables of the others.
	generated := Made(min(made, 7*len(benign)), r, NewMarkov(benign))
	var all []example
	for f := range folds {
		own, others := fold(shuffled, f)
		t := dga.NewTables(others, words, append(slices.Clone(common), others...))
		add := func(label string, isMade bool) {
			var e example
			t.Look(label, &e.look)
			e.made, e.worth = isMade, 1
			if !isMade {
				e.worth = 3
			}
			all = append(all, e)
		}
		for _, label := range own {
			add(label, false)
		}
		for i := f; i < len(generated); i += folds {
			add(generated[i], true)
		}
	}
	m := fit(all, r)
	m.Tables = dga.NewTables(benign, words, append(slices.Clone(common), benign...))
	return m
}

// fit finds the weights by stochastic gradient descent with Adagrad's steps.
func fit(all []example, r *rand.Rand) *dga.Model {
	var dense, denseSum [dga.Classes][dga.Features]float32
	hashed, hashedSum := make([]float32, dga.Hashed), make([]float32, dga.Hashed)
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	const pull = 2e-5 // towards 0, of hashed weights more
	for range rounds {
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			e := &all[i]
			w, s := &dense[e.look.Class], &denseSum[e.look.Class]
			z := float32(0)
			for k, v := range e.look.Values {
				z += v * w[k]
			}
			for _, g := range e.look.Grams[:e.look.N] {
				z += hashed[g]
			}
			p := float32(1 / (1 + math.Exp(-float64(z))))
			err := p
			if e.made {
				err = p - 1
			}
			err *= e.worth
			for k, v := range e.look.Values {
				g := err*v + pull*w[k]
				s[k] += g * g
				w[k] -= 0.1 * g / (1e-4 + float32(math.Sqrt(float64(s[k]))))
			}
			for _, at := range e.look.Grams[:e.look.N] {
				g := err*0.3 + pull*20*hashed[at]
				hashedSum[at] += g * g
				hashed[at] -= 0.03 * g / (1e-1 + float32(math.Sqrt(float64(hashedSum[at]))))
			}
		}
	}
	m := &dga.Model{Dense: dense}
	most := float32(0)
	for _, w := range hashed {
		most = max(most, w, -w)
	}
	m.Step = most / 127
	for i, w := range hashed {
		m.Hashed[i] = int8(math.Round(float64(w / m.Step)))
	}
	return m
}

// fold parts labels into those of a fold and all others.
func fold(shuffled []string, f int) (own, others []string) {
	for i, label := range shuffled {
		if i%folds == f {
			own = append(own, label)
		} else {
			others = append(others, label)
		}
	}
	return own, others
}
