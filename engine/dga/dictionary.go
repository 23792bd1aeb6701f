package dga

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
	"sync"
)

// A Dictionary tells names that an algorithm put together from the words of a list
// from names that people put together from words. It looks at which words there are:
// people take those that say what they offer (cloud, shop, game), of a list any will
// do. It is safe for concurrent use.
type Dictionary struct {
	Values [dictionaryValues]float32

	// The words, by hash: a power of two of places, the next one taken when one is.
	hashes  []uint32 // 0 for none
	weights []int8   // logarithms of how much oftener lists have the word than names of people, in steps
	known   bloom    // the hashes, in little memory
	words   int
}

//go:embed dictionary.bin
var embeddedDictionary []byte

// Words returns the built-in dictionary.
var Words = sync.OnceValue(func() *Dictionary {
	d, err := ParseDictionary(embeddedDictionary)
	if err != nil {
		panic(err) // a test reads it
	}
	return d
})

// Thresholds of Dictionary.Score, measured on benign names that the dictionary was not
// made from (TestDictionaryThresholdsAreThoseMeasured): what a share of them scores above.
const (
	WordsOneInFifty      = -0.1
	WordsOneInTwoHundred = 1.6
	WordsOneInThousand   = 2.5
)

// Of which words a name is.
const (
	shortestPart = 3
	longestPart  = 14
	fewestSigns  = 8 // of a name that can be judged
	perWeight    = 1.0 / 16
	knownBits    = 1 << 20
	mostWords    = 1 << 20
)

// What a Dictionary looks at, besides of its words.
const (
	always = iota
	sumOfTwo
	sumOfMore
	leastWeight
	twoWords
	threeWords
	moreWords
	notCovered
	meanLength
	shortWords
	hyphened
	dictionaryValues
)

// A Reading is how a label is read as words.
type Reading struct {
	Words  int
	Values [dictionaryValues]float32
}

const wordSeed, wordPrime = 2166136261, 16777619

// NewDictionary returns a Dictionary of words with their weights.
func NewDictionary(words map[string]float32) *Dictionary {
	byHash := make(map[uint32]int8, len(words))
	for w, weight := range words {
		h := uint32(wordSeed)
		for i := range len(w) {
			h = (h ^ uint32(w[i])) * wordPrime
		}
		byHash[max(h, 1)] = int8(max(-127, min(127, math.Round(float64(weight)/perWeight))))
	}
	d := &Dictionary{}
	d.make(len(byHash))
	for _, h := range slices.Sorted(maps.Keys(byHash)) {
		d.put(h, byHash[h])
	}
	return d
}

func (d *Dictionary) make(words int) {
	size := 1
	for size < 2*words {
		size *= 2
	}
	d.hashes, d.weights, d.known, d.words = make([]uint32, size), make([]int8, size), make(bloom, knownBits/8), words
}

func (d *Dictionary) put(h uint32, weight int8) {
	d.known.add(uint64(h))
	mask := uint32(len(d.hashes) - 1)
	at := h & mask
	for d.hashes[at] != 0 {
		at = (at + 1) & mask
	}
	d.hashes[at], d.weights[at] = h, weight
}

func (d *Dictionary) find(h uint32) (float32, bool) {
	h = max(h, 1)
	if !d.known.has(uint64(h)) {
		return 0, false
	}
	mask := uint32(len(d.hashes) - 1)
	for at := h & mask; d.hashes[at] != 0; at = (at + 1) & mask {
		if d.hashes[at] == h {
			return float32(d.weights[at]) * perWeight, true
		}
	}
	return 0, false
}

// A step is the best reading of what begins at a letter.
type step struct {
	cost   int16 // left over × 8 + words
	length int8  // of the word that begins here; 0 for a letter left over
	weight float32
}

// read finds the best reading.
func (d *Dictionary) read(label string, best *[maxLabel + 1]step) bool {
	n := len(label)
	for i := n - 1; i >= 0; i-- {
		c := label[i]
		if c == '-' {
			best[i] = step{cost: best[i+1].cost}
			continue
		}
		if c < 'a' || c > 'z' {
			return false
		}
		best[i] = step{cost: best[i+1].cost + 8}
		h := uint32(wordSeed)
		for k := i; k < n && k-i < longestPart && label[k] != '-'; k++ {
			h = (h ^ uint32(label[k])) * wordPrime
			if size := k - i + 1; size >= shortestPart && best[k+1].cost+1 < best[i].cost {
				if weight, ok := d.find(h); ok {
					best[i] = step{best[k+1].cost + 1, int8(size), weight}
				}
			}
		}
	}
	return true
}

// Split returns the words that a label is read as.
func (d *Dictionary) Split(label string) (out []string) {
	var best [maxLabel + 1]step
	if len(label) > maxLabel || !d.read(label, &best) {
		return nil
	}
	for i := 0; i < len(label); i += max(1, int(best[i].length)) {
		if best[i].length > 0 {
			out = append(out, label[i:i+int(best[i].length)])
		}
	}
	return out
}

// Read reads a label as words: so that the fewest letters are left over, and of these
// readings the one of the fewest words. It reports false when the label is not made of
// two words or more, with at most one letter in eight left over.
func (d *Dictionary) Read(label string, r *Reading) bool {
	n := len(label)
	if n < fewestSigns || n > maxLabel {
		return false
	}
	var best [maxLabel + 1]step
	if !d.read(label, &best) {
		return false
	}
	*r = Reading{}
	v := &r.Values
	letters, left, sum, least := 0, 0, float32(0), float32(math.MaxFloat32)
	for i := 0; i < n; {
		s := &best[i]
		switch {
		case s.length > 0:
			r.Words++
			letters += int(s.length)
			sum += s.weight
			least = min(least, s.weight)
			if s.length <= 3 {
				v[shortWords]++
			}
			i += int(s.length)
			continue
		case label[i] == '-':
			v[hyphened]++
		default:
			left++
		}
		i++
	}
	if r.Words < 2 || left*8 > letters {
		return false
	}
	v[always], v[leastWeight], v[notCovered] = 1, least, float32(left)
	v[meanLength] = float32(letters) / float32(r.Words) / 4
	switch r.Words {
	case 2:
		v[twoWords], v[sumOfTwo] = 1, sum
	case 3:
		v[threeWords], v[sumOfMore] = 1, sum/2
	default:
		v[moreWords], v[sumOfMore] = 1, sum/2
	}
	return true
}

// Score returns how likely it is that an algorithm put a label together from words,
// as the logarithm of the odds; Unknown for what is not made of words.
func (d *Dictionary) Score(label string) float64 {
	var r Reading
	if !d.Read(label, &r) {
		return Unknown
	}
	return d.Judge(&r)
}

// Judge returns the score of what was read.
func (d *Dictionary) Judge(r *Reading) float64 {
	z := float32(0)
	for i, v := range r.Values {
		z += v * d.Values[i]
	}
	return float64(z)
}

var magicDictionary = []byte("dga dictionary 1\n")

// Bytes writes the dictionary.
func (d *Dictionary) Bytes() []byte {
	b := append([]byte(nil), magicDictionary...)
	for _, v := range d.Values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(d.words))
	order := make([]int, 0, d.words)
	for at, h := range d.hashes {
		if h != 0 {
			order = append(order, at)
		}
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(d.hashes[i], d.hashes[j]) })
	for _, at := range order {
		b = binary.LittleEndian.AppendUint32(b, d.hashes[at])
		b = append(b, byte(d.weights[at]))
	}
	return b
}

// ParseDictionary reads what Bytes wrote.
func ParseDictionary(b []byte) (*Dictionary, error) {
	rest, ok := bytes.CutPrefix(b, magicDictionary)
	if !ok || len(rest) < 4*dictionaryValues+4 {
		return nil, errDictionary
	}
	d := &Dictionary{}
	for i := range d.Values {
		d.Values[i] = math.Float32frombits(binary.LittleEndian.Uint32(rest[4*i:]))
	}
	rest = rest[4*dictionaryValues:]
	words := binary.LittleEndian.Uint32(rest)
	if rest = rest[4:]; words > mostWords || len(rest) != 5*int(words) {
		return nil, errDictionary
	}
	d.make(int(words))
	last := uint32(0)
	for ; len(rest) > 0; rest = rest[5:] {
		h := binary.LittleEndian.Uint32(rest)
		if h <= last {
			return nil, errDictionary
		}
		last = h
		d.put(h, int8(rest[4]))
	}
	return d, nil
}

var errDictionary = errors.New("dga: not a dictionary of this version")
