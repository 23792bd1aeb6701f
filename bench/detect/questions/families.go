package questions

import (
	"fmt"
	"slices"
	"strings"
)

// A Family is an algorithm that makes domains.
type Family struct {
	Name string
	// Kind is "character", "short" (of at most seven symbols), "spoken" (syllables) or
	// "words".
	Kind string
	make func(*source) string
}

// Families are those whose names' alphabets, lengths and endings malware researchers
// have published; the names here are drawn anew, not by malware's own seeds. None of
// them is known to the model of engine/dga.
func Families() []Family { return slices.Clone(families) }

// Domains makes n different domains of a family.
func (f *Family) Domains(seed uint64, n int) []string {
	r := newSource(seed, 2<<32+uint64(len(f.Name))<<8+uint64(f.Name[0]))
	seen := map[string]bool{}
	var out []string
	for range 20 * n { // a small family has no more
		if d := f.make(r); !seen[d] {
			seen[d] = true
			if out = append(out, d); len(out) == n {
				break
			}
		}
	}
	return out
}

const (
	aToZ       = "abcdefghijklmnopqrstuvwxyz"
	aToY       = "abcdefghijklmnopqrstuvwxy"
	figures    = "0123456789"
	vowels     = "aeiou"
	consonants = "bcdfghjklmnpqrstvwxz"
)

func drawn(alphabet string, least, most int, endings ...string) func(*source) string {
	return func(r *source) string {
		return r.from(alphabet, r.between(least, most)) + r.pick(endings...)
	}
}

var families = []Family{
	{"bazar loader, letters", "character", drawn(aToY, 12, 12, ".bazar")},
	{"conficker A", "character", drawn(aToZ, 8, 11, ".com", ".net", ".org", ".info", ".biz")},
	{"corebot", "character", drawn(aToZ+"012345678", 12, 22, ".ddns.net")},
	{"cryptolocker", "character", drawn(aToY, 12, 15, ".com", ".net", ".biz", ".ru", ".org", ".co.uk", ".info")},
	{"dircrypt", "character", drawn(aToZ, 8, 20, ".com")},
	{"dyre", "character", func(r *source) string {
		return r.from(aToZ, 1) + r.hex(33) + r.pick(".cc", ".ws", ".to", ".in", ".hk", ".cn", ".tk", ".so")
	}},
	{"emotet", "character", drawn(aToY, 16, 16, ".eu")},
	{"fobber", "character", drawn(aToZ, 10, 17, ".net", ".com")},
	{"murofet", "character", drawn(aToZ, 8, 16, ".com", ".net", ".org", ".info", ".biz", ".ru")},
	{"murofet 3", "character", drawn(aToZ+figures, 32, 47, ".com", ".net", ".org", ".info", ".biz", ".ru")},
	{"qakbot", "character", drawn(aToZ, 8, 25, ".com", ".net", ".org", ".info", ".biz")},
	{"ramnit", "character", drawn(aToY, 8, 19, ".com")},
	{"ranbyus", "character", drawn(aToY, 14, 14, ".in", ".me", ".cc", ".su", ".tw", ".net", ".com", ".pw", ".org")},
	{"rovnix", "character", drawn(aToZ+figures, 18, 18, ".com", ".net", ".ru", ".biz", ".cn")},
	{"shiotob", "character", drawn(aToZ+"123456789", 10, 15, ".net", ".com")},
	{"tinba", "character", drawn(aToY, 12, 12, ".com", ".net", ".in", ".ru")},
	{"wd", "character", func(r *source) string { return "wd" + r.hex(32) + r.pick(".win", ".pro") }},

	{"conficker C", "short", drawn(aToZ, 4, 7, ".ac", ".ch", ".cz", ".de", ".in", ".pl", ".ws", ".tw")},
	{"virut", "short", drawn(aToZ, 6, 6, ".com")},

	{"pushdo", "spoken", func(r *source) string {
		return spoken(r, r.between(9, 12)) + r.pick(".kz", ".com")
	}},
	{"simda", "spoken", func(r *source) string {
		return spoken(r, r.number(7, 11)) + r.pick(".com", ".info", ".eu")
	}},

	{"matsnu", "words", func(r *source) string { return r.english() + r.english() + r.english() + ".com" }},
	{"nymaim 2", "words", func(r *source) string {
		return r.english() + r.pick("", "-") + r.english() + r.pick(".com", ".net", ".me")
	}},
	{"suppobox", "words", func(r *source) string { return r.english() + r.english() + r.pick(".net", ".ru") }},
	{"counted word", "words", func(r *source) string { return fmt.Sprintf("%s%d.info", r.english(), r.IntN(1e4)) }},
}

func (r *source) number(numbers ...int) int { return numbers[r.IntN(len(numbers))] }

func (r *source) english() string { return english[r.IntN(len(english))] }

// spoken alternates consonants and vowels.
func spoken(r *source, n int) string {
	var s strings.Builder
	for i := range n {
		if i%2 == 0 {
			s.WriteByte(consonants[r.IntN(len(consonants))])
		} else {
			s.WriteByte(vowels[r.IntN(len(vowels))])
		}
	}
	return s.String()
}

var english = strings.Fields(`above across afternoon against alone although always amount anger answer apple arrive article author autumn balance
	because before begin behind believe belong beside better between beyond bottle branch bread breakfast breathe brother brought building business
	captain careful carry century certain children choose circle clothes company complete consider contain continue corner country course cross
	daughter decide degree desire destroy different difficult dinner direct distance doubt dress during either electric enough evening every
	example except family father favor figure follow foreign forget forward freedom friend further garden gather gentle glass govern heaven heavy
	history however hundred husband include increase indeed instead journey language laughter learn leather length listen little machine material
	measure member middle minute morning mother mountain narrow nature necessary neighbor neither nothing notice number object offer orderly paint
	people perhaps picture pleasant possible power prepare present problem produce promise provide quarter question rather reason receive remember
	report result season second separate several severe should simple sister society soldier spread station strange street strength strong student
	subject suffer suppose surprise thought thousand through together tomorrow training trouble twenty understand various village visit weather
	welcome whether without wonder yesterday`)
