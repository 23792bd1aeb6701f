package learn

import (
	"encoding/base32"
	"fmt"
	"math/rand/v2"
	"strings"
)

const (
	letters    = "abcdefghijklmnopqrstuvwxyz"
	figures    = "0123456789"
	vowels     = "aeiou"
	consonants = "bcdfghjklmnpqrstvwxyz"
)

// Made makes up n names with generators of different kinds in turn, as malware's
// do, but not those of any malware.
func Made(n int, r *rand.Rand, m *Markov) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = generators[i%len(generators)](r, m)
	}
	return out
}

// between draws from lo to hi, both included.
func between(r *rand.Rand, lo, hi int) int { return lo + r.IntN(hi-lo+1) }

func draw(r *rand.Rand, from string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(from[r.IntN(len(from))])
	}
	return b.String()
}

// some returns k distinct symbols of from.
func some(r *rand.Rand, from string, k int) string {
	b := []byte(from)
	r.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	return string(b[:k])
}

var generators = [...]func(*rand.Rand, *Markov) string{
	func(r *rand.Rand, _ *Markov) string { return draw(r, letters, between(r, 5, 9)) },
	func(r *rand.Rand, _ *Markov) string { return draw(r, letters, between(r, 4, 7)) },
	func(r *rand.Rand, _ *Markov) string { return draw(r, letters+figures, between(r, 4, 6)) },
	func(r *rand.Rand, _ *Markov) string { return draw(r, letters, between(r, 8, 14)) },
	func(r *rand.Rand, _ *Markov) string { return draw(r, letters, between(r, 12, 28)) },
	func(r *rand.Rand, _ *Markov) string { return draw(r, letters+figures, between(r, 5, 10)) },
	func(r *rand.Rand, _ *Markov) string { return draw(r, letters+figures, between(r, 10, 30)) },
	func(r *rand.Rand, _ *Markov) string { return draw(r, "0123456789abcdef", between(r, 8, 32)) },
	func(r *rand.Rand, _ *Markov) string {
		return draw(r, letters+letters+letters+figures, between(r, 7, 18))
	},
	base32Of, congruent, congruent, narrow, narrow, patterned, patterned, syllables, syllables, pseudo, mixed, weighted, dated,
}

func base32Of(r *rand.Rand, _ *Markov) string {
	b := make([]byte, between(r, 4, 18))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

// congruent takes letters from a linear congruential generator that a date seeds,
// with a bias that small moduli have.
func congruent(r *rand.Rand, _ *Markov) string {
	x := uint32(between(r, 2010, 2035)*10000 + between(r, 1, 12)*100 + between(r, 1, 28) + r.IntN(1000))
	size := uint32(between(r, 21, 26))
	b := make([]byte, between(r, 6, 18))
	for i := range b {
		x = x*1103515245 + 12345
		b[i] = letters[x>>16%size]
	}
	return string(b)
}

// narrow uses few symbols: half of the alphabet, the first letters …
func narrow(r *rand.Rand, _ *Markov) string {
	n := between(r, 7, 20)
	switch r.IntN(3) {
	case 0:
		return draw(r, letters[:between(r, 8, 16)], n)
	case 1:
		return draw(r, some(r, letters, between(r, 8, 14)), n)
	}
	return draw(r, some(r, letters+figures, between(r, 10, 18)), n)
}

// patterned follows a pattern of consonants, vowels and digits.
func patterned(r *rand.Rand, _ *Markov) string {
	pattern := []string{"cv", "cvc", "vc", "cvv", "ccv", "cvcd", "ccvd", "vcc", "cccv", "dcv"}[r.IntN(10)]
	var b strings.Builder
	for n := between(r, 7, 18); b.Len() < n; {
		switch pattern[b.Len()%len(pattern)] {
		case 'c':
			b.WriteByte(consonants[r.IntN(len(consonants))])
		case 'v':
			b.WriteByte(vowels[r.IntN(len(vowels))])
		default:
			b.WriteByte(figures[r.IntN(10)])
		}
	}
	return b.String()
}

// syllables puts pieces of a table together that was drawn before, as generators
// do that want their names to be spoken.
func syllables(r *rand.Rand, _ *Markov) string {
	var b strings.Builder
	for n := between(r, 7, 16); b.Len() < n; {
		if r.IntN(3) > 0 {
			b.WriteByte(consonants[r.IntN(len(consonants))])
		}
		b.WriteByte(vowels[r.IntN(len(vowels))])
		if r.IntN(3) == 0 {
			b.WriteByte(vowels[r.IntN(len(vowels))])
		}
		if r.IntN(3) == 0 {
			b.WriteByte(consonants[r.IntN(len(consonants))])
		}
	}
	return b.String()
}

func pseudo(r *rand.Rand, m *Markov) string { return m.Name(r, between(r, 8, 18)) }

// mixed has random symbols about a part that is spoken.
func mixed(r *rand.Rand, m *Markov) string {
	return draw(r, letters, between(r, 3, 6)) + m.Name(r, between(r, 3, 5)) + draw(r, letters, between(r, 2, 6))
}

// weighted draws letters as often as a language has them.
func weighted(r *rand.Rand, _ *Markov) string {
	return draw(r, "eeeeeeettttaaaaooooiiiinnnssshhhrrrdddlllcuumwfgypbvkjxqz", between(r, 8, 18))
}

// dated counts through a name, as those do that change a few symbols a day.
func dated(r *rand.Rand, _ *Markov) string {
	return draw(r, letters, between(r, 4, 9)) + fmt.Sprintf("%x", r.IntN(1<<16)) + draw(r, letters, between(r, 1, 4))
}

// A Markov makes names whose neighbouring letters are as those of other names.
type Markov struct{ after [256]string }

// NewMarkov learns from names.
func NewMarkov(names []string) *Markov {
	m := &Markov{}
	var after [256]strings.Builder
	for _, n := range names {
		for i := 1; i < len(n); i++ {
			if strings.IndexByte(letters, n[i]) >= 0 {
				after[n[i-1]].WriteByte(n[i])
			}
		}
	}
	for i := range after {
		m.after[i] = after[i].String()
	}
	return m
}

// Name makes a name of n letters.
func (m *Markov) Name(r *rand.Rand, n int) string {
	b := []byte{letters[r.IntN(26)]}
	for len(b) < n {
		next := m.after[b[len(b)-1]]
		if next == "" {
			next = letters
		}
		b = append(b, next[r.IntN(len(next))])
	}
	return string(b)
}

// Spoken returns words of two and three syllables of Chinese as pinyin writes it and
// of Japanese as romaji does, from the tables of their syllables' parts: names of
// services of there are made of them.
func Spoken(n int, r *rand.Rand) []string {
	initials := strings.Fields("b p m f d t n l g k h j q x zh ch sh r z c s y w")
	finals := strings.Fields("a o e ai ei ao ou an en ang eng ong i ia iao ie iu ian in iang ing iong u ua uo uai ui uan un uang")
	heads := strings.Fields("k s t n h m y r w g z d b p sh ch j ky ry ts")
	tails := strings.Fields("a i u e o a i u o an in on en ou uu")
	out := make([]string, n)
	for i := range out {
		for range between(r, 2, 3) {
			if i%3 == 0 {
				out[i] += heads[r.IntN(len(heads))] + tails[r.IntN(len(tails))]
			} else {
				out[i] += initials[r.IntN(len(initials))] + finals[r.IntN(len(finals))]
			}
		}
	}
	return out
}
