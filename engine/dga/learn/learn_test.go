package learn

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// The same input gives the same model, and it has learnt something.
func TestFitIsReproducible(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	words := Spoken(2000, r)
	benign := make([]string, 600)
	for i := range benign {
		benign[i] = words[r.IntN(300)] + words[r.IntN(300)]
	}
	m := Fit(benign, words, words)
	if again := Fit(benign, words, words); !bytes.Equal(m.Bytes(), again.Bytes()) {
		t.Error("the second model differs")
	}
	if m.Score("qxkvzjwpqtbn") < 2 || m.Score(benign[0]) > 0 {
		t.Errorf("%.2f and %.2f", m.Score("qxkvzjwpqtbn"), m.Score(benign[0]))
	}
}

func TestMadeNamesAreLabels(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range Made(5000, r, NewMarkov([]string{"example", "harbour"})) {
		if len(n) < 4 || len(n) > 63 {
			t.Errorf("%q", n)
		}
	}
}

func TestLabels(t *testing.T) {
	if got := Labels([]string{"www.Example.com", "example.org", "com", "xn--80a.com", "b.co.uk "}); !slices.Equal(got, []string{"b", "example"}) {
		t.Errorf("%q", got)
	}
}
