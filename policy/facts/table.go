package facts

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"strconv"
	"strings"
	"sync"
)

// compressed is the table that tool/iamfacts writes. Each line has fields with
// tabs between them; the first says what it is:
//
//	#NAME VERSION             where the facts are from
//	@PREFIX, NAME             a service begins; the first, "aws", has the global keys
//	k, KEY, TYPE              a condition key; the others count them from 0
//	o, PREFIX…                services with condition keys of other prefixes (saml:aud of sts)
//	r, NAME, ARN, KEY…        a resource type
//	a, NAME, LEVEL, KEY…, TYPE[*][:KEY…],…, ACTION…   an action: its keys, its resource types (* required), what it needs besides
//
//go:embed facts.gz
var compressed []byte

// maxTable bounds what the table may become, in bytes.
const maxTable = 16 << 20

// A table is all facts as text, cut into services, each read when it is asked for.
type table struct {
	source   string
	services map[string]*section
	order    []*section
	others   []string // services with keys of other prefixes
}

type section struct {
	text   string
	once   sync.Once
	parsed *ServiceFacts
}

// facts opens the table on first use.
var facts = sync.OnceValue(func() *table { return open(compressed) })

// open panics when the table is broken: it is part of the program.
func open(compressed []byte) *table {
	z, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		panic("facts: " + err.Error())
	}
	text, err := io.ReadAll(io.LimitReader(z, maxTable+1))
	if err != nil || len(text) > maxTable {
		panic("facts: the table cannot be read")
	}
	t := &table{services: map[string]*section{}}
	head, body, _ := strings.Cut(string(text), "\n@")
	t.source = strings.TrimPrefix(head, "#")
	for part := range strings.SplitSeq(body, "\n@") {
		prefix, _, _ := strings.Cut(part, "\t")
		s := &section{text: part}
		t.services[prefix] = s
		t.order = append(t.order, s)
	}
	for line := range strings.Lines(t.services["aws"].text) {
		if rest, found := strings.CutPrefix(line, "o\t"); found {
			t.others = strings.Fields(rest)
		}
	}
	return t
}

func (t *table) service(prefix string) *ServiceFacts {
	s := t.services[strings.ToLower(prefix)]
	if s == nil {
		return nil
	}
	return s.read()
}

func (s *section) read() *ServiceFacts {
	s.once.Do(func() { s.parsed = parse(s.text) })
	return s.parsed
}

func parse(text string) *ServiceFacts {
	head, body, _ := strings.Cut(text, "\n")
	f := strings.Split(head, "\t")
	s := &ServiceFacts{Prefix: f[0], Name: f[1], byName: map[string]*ActionFacts{}}
	for line := range strings.SplitSeq(body, "\n") {
		f := strings.Split(line, "\t")
		switch f[0] {
		case "k":
			s.Keys = append(s.Keys, &KeyFacts{Name: f[1], Type: f[2]})
		case "r":
			s.Resources = append(s.Resources, &ResourceFacts{Name: f[1], ARN: f[2], Keys: s.keys(f[3])})
		case "a":
			a := &ActionFacts{Service: s.Prefix, Name: f[1], Level: levels[f[2]], Keys: s.keys(f[3]), Depends: strings.Fields(f[5])}
			for text := range strings.SplitSeq(f[4], ",") {
				if text != "" {
					a.Resources = append(a.Resources, s.use(text))
				}
			}
			s.Actions = append(s.Actions, a)
			s.byName[strings.ToLower(a.Name)] = a
		}
	}
	return s
}

func (s *ServiceFacts) use(text string) ResourceUse {
	which, keys, _ := strings.Cut(text, ":")
	which, required := strings.CutSuffix(which, "*")
	return ResourceUse{ResourceFacts: s.Resources[number(which)], Required: required, Keys: s.keys(keys)}
}

func (s *ServiceFacts) keys(list string) []*KeyFacts {
	var all []*KeyFacts
	for text := range strings.FieldsSeq(list) {
		all = append(all, s.Keys[number(text)])
	}
	return all
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic("facts: " + err.Error())
	}
	return n
}
