package dga

import "math"

// Sizes of the tables, a trade of exactness for octets in the binary.
const (
	pairs    = alphabet * alphabet
	tris     = alphabet * pairs
	fourBits = 1 << 20
	fiveBits = 1 << 20
	wordBits = 1 << 18

	shortestWord = 4 // symbols; shorter words are in every random string
	longestKept  = 12
)

// quantum is what one step of a table of surprise means, in nats.
const quantum = float32(12) / 255

// A bloom is a set that may have more than was put in.
type bloom []byte

func (b bloom) at(x uint64) (i, j uint64) {
	x *= 0x9e3779b97f4a7c15
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	n := uint64(len(b)) * 8
	return x >> 40 & (n - 1), x >> 12 & (n - 1)
}

func (b bloom) has(x uint64) bool {
	i, j := b.at(x)
	return b[i/8]>>(i%8)&1 == 1 && b[j/8]>>(j%8)&1 == 1
}

func (b bloom) add(x uint64) {
	i, j := b.at(x)
	b[i/8] |= 1 << (i % 8)
	b[j/8] |= 1 << (j % 8)
}

// Tables are what is known of how names that people make are spelled.
type Tables struct {
	Pairs [pairs]byte // surprise at a symbol after another, in quanta
	Tris  [tris]byte  // … after two others
	Fours bloom       // runs of four symbols that names have
	Fives bloom       // … of five
	Words bloom       // words of four symbols or more
}

// NewTables counts in names and words. A name counts as much as several words,
// since words of a dictionary are what names are made of, but names are the matter.
func NewTables(names, words, common []string) *Tables {
	t := &Tables{Fours: make(bloom, fourBits/8), Fives: make(bloom, fiveBits/8), Words: make(bloom, wordBits/8)}
	var singles [alphabet]float64
	two, three := make([]float64, pairs), make([]float64, tris)
	four, five := map[uint32]float32{}, map[uint32]float32{}
	count := func(label string, weight float64) {
		var s [maxLabel + 2]byte
		end := symbols(label, &s)
		for i := 1; i < end; i++ {
			singles[s[i]] += weight
			g := uint32(s[i-1])*alphabet + uint32(s[i])
			two[g] += weight
			if i >= 2 {
				g += uint32(s[i-2]) * pairs
				three[g] += weight
			}
			if i >= 3 {
				g += uint32(s[i-3]) * tris
				four[g] += float32(weight)
			}
			if i >= 4 {
				five[g+uint32(s[i-4])*tris*alphabet] += float32(weight)
			}
		}
	}
	for _, n := range names {
		count(n, 1)
	}
	for _, w := range words {
		count(w, 0.1)
	}
	total := 0.0
	for _, x := range singles {
		total += x
	}
	// Each order leans on the one below it as much as five observations do.
	const lean = 5
	after := func(counts []float64, at int) (sum float64) {
		for _, x := range counts[at : at+alphabet] {
			sum += x
		}
		return
	}
	p2 := make([]float64, pairs)
	for a := range alphabet {
		sum := after(two, a*alphabet)
		for b := range alphabet {
			p1 := (singles[b] + 1) / (total + alphabet)
			p2[a*alphabet+b] = (two[a*alphabet+b] + lean*p1) / (sum + lean)
			t.Pairs[a*alphabet+b] = quanta(p2[a*alphabet+b])
		}
	}
	for ab := range pairs {
		sum := after(three, ab*alphabet)
		for c := range alphabet {
			p := (three[ab*alphabet+c] + lean*p2[ab%alphabet*alphabet+c]) / (sum + lean)
			t.Tris[ab*alphabet+c] = quanta(p)
		}
	}
	for g, n := range four {
		if n >= 0.95 {
			t.Fours.add(uint64(g))
		}
	}
	for g, n := range five {
		if n >= 0.95 {
			t.Fives.add(uint64(g))
		}
	}
	for _, w := range common {
		if len(w) >= shortestWord && len(w) <= longestKept {
			var s [maxLabel + 2]byte
			end := symbols(w, &s)
			t.Words.add(word(s[1 : end-1]))
		}
	}
	return t
}

func quanta(p float64) byte {
	return byte(min(255, math.Round(-math.Log(p)/float64(quantum))))
}

func word(s []byte) uint64 {
	h := uint64(1)
	for _, c := range s {
		h = h*alphabet + uint64(c)
	}
	return h
}

// cover returns how many of the symbols words cover, the longest taken first from
// the left, and how long the longest word is.
func (t *Tables) cover(s []byte) (covered, longest int) {
	for i := 0; i+shortestWord <= len(s); {
		h, n := uint64(1), 0
		for k := 0; k < longestKept && i+k < len(s) && s[i+k] < digit; k++ {
			h = h*alphabet + uint64(s[i+k])
			if k+1 >= shortestWord && t.Words.has(h) {
				n = k + 1
			}
		}
		if n == 0 {
			i++
			continue
		}
		covered += n
		longest = max(longest, n)
		i += n
	}
	return
}
