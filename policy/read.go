package policy

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The document as it is written, before any rule but those of the grammar.
type rawDocument struct {
	version, id string
	statements  []rawStatement
}

type rawStatement struct {
	sid, effect  string
	principals   []rawPrincipal
	hasPrincipal bool
	notPrincipal bool
	actions      []string
	notActions   bool
	resources    []string
	notResources bool
	conditions   []condition // not compiled yet
	start, end   int
}

type rawPrincipal struct{ kind, value string }

// A reader takes JSON tokens one by one; its grammar is no deeper than five
// levels, so that depth needs no bound of its own. Duplicate names and bad
// UTF-8 are errors of the decoder. The first error ends all reading.
type reader struct {
	in     *jsontext.Decoder
	doc    []byte
	failed bool
	why    error // of a document that is JSON, when there are words for what is wrong
}

// read reads a document's grammar. IAM User Guide, "Grammar of the IAM JSON
// policy language".
func read(doc []byte) (*rawDocument, error) {
	if len(doc) > maxDocument {
		return nil, syntax()
	}
	r := &reader{in: jsontext.NewDecoder(bytes.NewReader(doc)), doc: doc}
	d := &rawDocument{}
	r.object(func(name string) {
		switch name {
		case "Version":
			d.version = r.text()
			r.want(d.version == "2012-10-17" || d.version == "2008-10-17")
		case "Id":
			d.id = r.text()
		case "Statement":
			r.each(func() { d.statements = append(d.statements, r.statement()) })
		default:
			r.failed = true
		}
	})
	_, err := r.in.ReadToken()
	if r.why != nil && jsontext.Value(doc).IsValid() {
		return nil, r.why
	}
	if r.failed || len(d.statements) == 0 || err != io.EOF { // something follows the document
		return nil, syntax()
	}
	return d, nil
}

func (r *reader) statement() rawStatement {
	s := rawStatement{}
	var seen []string
	before := int(r.in.InputOffset())
	s.start = before + max(0, bytes.IndexByte(r.doc[before:], '{'))
	r.object(func(name string) {
		seen = append(seen, strings.TrimPrefix(name, "Not"))
		switch name {
		case "Sid":
			s.sid = r.text()
		case "Effect":
			s.effect = r.text()
			r.want(strings.EqualFold(s.effect, "Allow") || strings.EqualFold(s.effect, "Deny"))
		case "Principal", "NotPrincipal":
			s.hasPrincipal, s.notPrincipal = true, name == "NotPrincipal"
			s.principals = r.principals()
		case "Action", "NotAction":
			s.actions, s.notActions = r.texts(false), name == "NotAction"
		case "Resource", "NotResource":
			s.resources, s.notResources = r.texts(false), name == "NotResource"
		case "Condition":
			r.conditions(&s)
		default:
			r.failed = true
		}
	})
	s.end = int(r.in.InputOffset())
	slices.Sort(seen)
	r.want(s.effect != "" && len(slices.Compact(seen)) == len(seen))
	return s
}

func (r *reader) principals() []rawPrincipal {
	if r.in.PeekKind() == '"' {
		s := r.text()
		r.want(s == "*")
		return []rawPrincipal{{"AWS", s}}
	}
	var all []rawPrincipal
	r.object(func(name string) {
		for _, value := range r.texts(false) {
			all = append(all, rawPrincipal{name, value})
		}
	})
	return all
}

func (r *reader) conditions(s *rawStatement) {
	r.object(func(written string) {
		c, known := readOperator(written)
		if !known {
			r.failed, r.why = true, Malformed.New("Invalid Condition type : %s", written)
			return
		}
		r.object(func(name string) {
			c := c
			c.name, c.key = name, strings.ToLower(name)
			c.values = r.texts(true)
			s.conditions = append(s.conditions, c)
		})
	})
}

// object reads an object and hands each name to member, which reads the value.
func (r *reader) object(member func(name string)) {
	if r.failed || r.next().Kind() != '{' {
		r.failed = true
		return
	}
	for !r.failed {
		t := r.next()
		if t.Kind() != '"' {
			r.want(t.Kind() == '}')
			return
		}
		member(t.String())
	}
}

// each reads a list, or one thing without a list around it.
func (r *reader) each(one func()) {
	if r.in.PeekKind() != '[' {
		one()
		return
	}
	r.next()
	for !r.failed && r.in.PeekKind() != ']' {
		one()
	}
	r.next()
}

// texts reads a string or a list of them; scalars lets numbers and booleans in.
func (r *reader) texts(scalars bool) []string {
	var all []string
	r.each(func() {
		t := r.next()
		switch k := t.Kind(); {
		case k == '"', scalars && (k == '0' || k == 't' || k == 'f'):
			all = append(all, t.String())
		default:
			r.failed = true
		}
	})
	return all
}

func (r *reader) text() string {
	t := r.next()
	if t.Kind() != '"' {
		r.failed = true
		return ""
	}
	return t.String()
}

func (r *reader) next() jsontext.Token {
	t, err := r.in.ReadToken()
	if err != nil {
		r.failed = true
		return jsontext.Null
	}
	return t
}

func (r *reader) want(ok bool) {
	if !ok {
		r.failed = true
	}
}
