package dga

import "math"

// alphabet is how many symbols labels are spelled with here: a boundary, 26
// letters, and one for all digits, hyphens and the rest each.
const (
	boundary = 0
	digit    = 27
	hyphen   = 28
	alphabet = 29
)

// maxLabel bounds what of a label is looked at: a DNS label's length.
const maxLabel = 63

// Features of a label. Each has a weight of its own in each class of length.
const (
	one = iota
	length
	meanTri
	minTri
	sumTri
	unseen4
	count4
	unseen5
	count5
	consonants
	vowels
	digits
	switches
	entropy
	distinct
	vowelShare
	coverage
	longestWord
	hyphens
	pairMean
	rareLetters
	Features // how many there are
)

// Classes is how many classes of length there are.
const Classes = 7

// class returns the class of a label of n symbols.
func class(n int) int {
	switch {
	case n <= 4:
		return 0
	case n == 5:
		return 1
	case n <= 7:
		return 2
	case n <= 9:
		return 3
	case n <= 12:
		return 4
	case n <= 16:
		return 5
	}
	return 6
}

// Hashed is how many weights n-grams of one to three symbols share.
const Hashed = 1 << 14

// A Look is a label as the model sees it.
type Look struct {
	Class  int
	Values [Features]float32
	Grams  [3 * (maxLabel + 2)]uint16 // indices of weights
	N      int                        // how many of Grams
}

// symbols spells a label; it returns how many of to it filled, boundaries included.
func symbols(label string, to *[maxLabel + 2]byte) int {
	n := 1
	to[0] = boundary
	for i := 0; i < len(label) && n <= maxLabel; i++ {
		switch c := label[i] | 0x20; {
		case c >= 'a' && c <= 'z':
			to[n] = c - 'a' + 1
		case label[i] >= '0' && label[i] <= '9':
			to[n] = digit
		default:
			to[n] = hyphen
		}
		n++
	}
	to[n] = boundary
	return n + 1
}

// vowel has a bit for each symbol that is a vowel.
const vowel = 1<<1 | 1<<('e'-'a'+1) | 1<<('i'-'a'+1) | 1<<('o'-'a'+1) | 1<<('u'-'a'+1) | 1<<('y'-'a'+1)

// rare has a bit for each letter that is rare in names.
const rare = 1<<('j'-'a'+1) | 1<<('q'-'a'+1) | 1<<('x'-'a'+1) | 1<<('z'-'a'+1) | 1<<('w'-'a'+1) | 1<<('k'-'a'+1) | 1<<('v'-'a'+1)

// logs are p·log2(p) for p = count/length, so that entropy costs no logarithm.
var logs = func() (out [maxLabel + 1][maxLabel + 1]float32) {
	for n := 1; n <= maxLabel; n++ {
		for k := 1; k <= n; k++ {
			p := float64(k) / float64(n)
			out[n][k] = float32(-p * math.Log2(p))
		}
	}
	return
}()

// Look works out what the model looks at.
func (t *Tables) Look(label string, l *Look) {
	var s [maxLabel + 2]byte
	end := symbols(label, &s)
	n := end - 2 // symbols without boundaries
	l.N, l.Values = 0, [Features]float32{}
	l.Class = class(n)
	if n == 0 {
		return
	}
	v := &l.Values
	var seen [256]uint8
	var run, vrun, maxRun, maxVrun, nVowel, nDigit, nHyphen, nSwitch, nRare, nLetter int
	for i := 1; i <= n; i++ {
		c := s[i]
		seen[label[i-1]]++
		isVowel := vowel>>c&1 == 1
		switch {
		case c == digit:
			nDigit++
			run, vrun = 0, 0
		case c == hyphen:
			nHyphen++
			run, vrun = 0, 0
		case isVowel:
			nVowel++
			nLetter++
			run = 0
			vrun++
			maxVrun = max(maxVrun, vrun)
		default:
			nLetter++
			vrun = 0
			run++
			maxRun = max(maxRun, run)
		}
		nRare += int(rare >> c & 1)
		if i > 1 && (c == digit) != (s[i-1] == digit) {
			nSwitch++
		}
	}
	inverse := 1 / float32(n)
	different := 0
	for _, k := range seen {
		if k > 0 {
			different++
			v[entropy] += logs[n][k]
		}
	}
	v[one] = 1
	v[length] = float32(n) / 10
	v[consonants] = float32(maxRun) / 4
	v[vowels] = float32(maxVrun) / 4
	v[digits] = float32(nDigit) * inverse
	v[switches] = float32(nSwitch) / 4
	v[entropy] /= 4
	v[distinct] = float32(different) * inverse
	v[vowelShare] = float32(nVowel) / float32(max(nLetter, 1))
	v[hyphens] = float32(nHyphen) / 2
	v[rareLetters] = float32(nRare) * inverse * 2

	lowest, sum, pairs := float32(0), float32(0), float32(0)
	tris := 0
	l.gram(1, uint32(s[1]))
	for i := 1; i <= n+1; i++ {
		pair := uint32(s[i-1])*alphabet + uint32(s[i])
		l.gram(2, pair)
		pairs += quantum * float32(t.Pairs[pair])
		if i >= 2 {
			tri := uint32(s[i-2])*alphabet*alphabet + pair
			l.gram(3, tri)
			p := quantum * float32(t.Tris[tri])
			sum += p
			lowest = max(lowest, p)
			tris++
		}
	}
	v[meanTri] = sum / float32(tris) / 3
	v[minTri] = lowest / 8
	v[sumTri] = sum / 40
	v[pairMean] = pairs / float32(n+1) / 3

	four, five, all4, all5 := 0, 0, 0, 0
	for i := 3; i <= n+1; i++ {
		g := (uint32(s[i-3])*alphabet*alphabet*alphabet + uint32(s[i-2])*alphabet*alphabet + uint32(s[i-1])*alphabet + uint32(s[i]))
		all4++
		known := t.Fours.has(uint64(g))
		if !known {
			four++
		}
		if i >= 4 {
			all5++
			if !known || !t.Fives.has(uint64(s[i-4])*alphabet*alphabet*alphabet*alphabet+uint64(g)) {
				five++
			}
		}
	}
	v[unseen4] = float32(four) / float32(max(all4, 1))
	v[count4] = float32(four) / 8
	v[unseen5] = float32(five) / float32(max(all5, 1))
	v[count5] = float32(five) / 8
	covered, longest := t.cover(s[1 : n+1])
	v[coverage] = float32(covered) * inverse
	v[longestWord] = float32(longest) / 8
}

func (l *Look) gram(size int, g uint32) {
	h := (g*8 + uint32(size)) * 2654435761
	l.Grams[l.N] = uint16(h >> (32 - 14))
	l.N++
}
