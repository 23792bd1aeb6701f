package pattern

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

// The oracle is a second matcher, slow and obvious: it lists every value of the
// event and tries every combination.

type leaf struct {
	name   string
	text   string // as a string, or as spelled
	isText bool
	in     map[int]int // array → element
}

func leaves(event string) []leaf {
	dec := json.NewDecoder(strings.NewReader(event))
	dec.UseNumber()
	var all []leaf
	arrays := 0
	var read func(path string, root bool, in map[int]int, t json.Token)
	next := func() json.Token {
		t, err := dec.Token()
		if err != nil {
			panic(err)
		}
		return t
	}
	read = func(path string, root bool, in map[int]int, t json.Token) {
		switch t := t.(type) {
		case json.Delim:
			if t == '{' {
				for dec.More() {
					name := next().(string)
					if !root {
						name = path + "." + name
					}
					read(name, false, in, next())
				}
				next()
				return
			}
			array := arrays
			arrays++
			for i := 0; dec.More(); i++ {
				t := next()
				inner := in
				if _, ok := t.(json.Delim); ok {
					inner = maps.Clone(in)
					inner[array] = i
				}
				read(path, root, inner, t)
			}
			next()
		case string:
			all = append(all, leaf{path, t, true, in})
		case json.Number:
			all = append(all, leaf{path, t.String(), false, in})
		case bool:
			all = append(all, leaf{path, map[bool]string{true: "true", false: "false"}[t], false, in})
		case nil:
			all = append(all, leaf{path, "null", false, in})
		}
	}
	read("", true, map[int]int{}, next())
	return all
}

func agree(a, b map[int]int) bool {
	for k, v := range a {
		if w, ok := b[k]; ok && v != w {
			return false
		}
	}
	return true
}

func oracle(p *Pattern, all []leaf) bool {
	return slices.ContainsFunc(p.all, func(c conjunction) bool { return try(c, all, map[int]int{}) })
}

func try(c conjunction, all []leaf, in map[int]int) bool {
	if len(c) == 0 {
		return true
	}
	missing := true
	for _, l := range all {
		if l.name != c[0].name || !agree(in, l.in) {
			continue
		}
		missing = false
		both := maps.Clone(in)
		maps.Copy(both, l.in)
		if slices.ContainsFunc(c[0].any, func(x condition) bool { return x.holds(l) }) && try(c[1:], all, both) {
			return true
		}
	}
	return missing && slices.ContainsFunc(c[0].any, func(x condition) bool { return x.kind == kAbsent }) && try(c[1:], all, in)
}

func (c condition) holds(l leaf) bool {
	switch c.kind {
	case kExists:
		return true
	case kAbsent:
		return false
	case kAnythingBut:
		return !slices.ContainsFunc(c.not, func(n condition) bool { return n.holds(l) })
	case kLiteral:
		return !l.isText && l.text == c.text
	case kNumber, kRange:
		return !l.isText && between(l.text, c.low, c.high)
	}
	if !l.isText {
		return false
	}
	switch c.kind {
	case kExact:
		return l.text == c.text
	case kPrefix:
		return strings.HasPrefix(l.text, c.text)
	case kSuffix:
		return strings.HasSuffix(l.text, c.text)
	case kEqualFold:
		return foldAll(l.text) == foldAll(c.text)
	case kPrefixFold:
		return strings.HasPrefix(foldAll(l.text), foldAll(c.text))
	case kSuffixFold:
		return strings.HasSuffix(foldAll(l.text), foldAll(c.text))
	case kWildcard:
		return glob(c.text, l.text)
	case kCIDR:
		a, err := netip.ParseAddr(l.text)
		return err == nil && looksLikeAddress(l.text) && c.block.Contains(a)
	}
	panic("no such kind")
}

func foldAll(s string) string {
	return strings.Map(func(r rune) rune {
		if low := unicode.ToLower(r); unicode.ToUpper(low) == r {
			return low
		}
		return r
	}, s)
}

func glob(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		return glob(pattern[1:], s) || s != "" && glob(pattern, s[1:])
	case pattern[0] == '\\':
		pattern = pattern[1:]
	}
	return s != "" && s[0] == pattern[0] && glob(pattern[1:], s[1:])
}

// between compares exactly; an odd bound lies just beside its millionth.
func between(text string, low, high int64) bool {
	if i := strings.IndexAny(text, "eE"); i >= 0 && len(text)-i > 4 {
		return false // the oracle does not hold numbers of astronomic size; tests avoid them
	}
	v, ok := new(big.Rat).SetString(text)
	limit := big.NewRat(5_000_000_000, 1)
	if !ok || new(big.Rat).Abs(v).Cmp(limit) > 0 {
		return false
	}
	bound := func(b int64) (*big.Rat, int64) {
		even := b &^ 1
		return big.NewRat(even, 2_000_000), b & 1
	}
	l, above := bound(low)
	if c := v.Cmp(l); c < 0 || c == 0 && above == 1 {
		return false
	}
	h, beside := bound(high)
	if beside == 1 { // below the next millionth
		h.Add(h, big.NewRat(1, 1_000_000))
		return v.Cmp(h) < 0
	}
	return v.Cmp(h) <= 0
}

func valid(event []byte) bool {
	return json.Valid(event) && bytes.HasPrefix(bytes.TrimLeft(event, " \t\r\n"), []byte("{"))
}
