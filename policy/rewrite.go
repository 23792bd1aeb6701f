package policy

import (
	"bytes"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Rewrite replaces the AWS principals that a document names and leaves
// everything else as it is, byte for byte. to is asked about every value of an
// AWS member of Principal and NotPrincipal except "*", in the order of the
// document: ARNs, account numbers, unique ids. Its error ends the rewriting and
// is returned as it is; what it returns unchanged stays as it was written.
//
// IAM keeps users and roles that policies name by unique id, so that a new user
// of the same name gets nothing that was meant for the old one, and shows them as
// ARNs. IAM User Guide, "AWS JSON policy elements: Principal".
func Rewrite(doc []byte, to func(principal string) (string, error)) ([]byte, error) {
	w := &rewriter{in: jsontext.NewDecoder(bytes.NewReader(doc)), doc: doc, to: to}
	if len(doc) > maxDocument {
		return nil, syntax()
	}
	w.object("Statement", func() { w.each(w.statement) })
	if w.err == nil {
		if _, err := w.in.ReadToken(); err != io.EOF {
			w.err = syntax()
		}
	}
	if w.err != nil {
		return nil, w.err
	}
	if w.done == 0 {
		return doc, nil
	}
	return append(w.out, doc[w.done:]...), nil
}

// A rewriter copies a document up to each principal that changes.
type rewriter struct {
	in   *jsontext.Decoder
	doc  []byte
	to   func(string) (string, error)
	out  []byte
	done int // how much of doc is in out
	err  error
}

func (w *rewriter) statement() {
	w.object("Principal", func() {
		if w.in.PeekKind() != '{' { // "*"
			w.skip()
			return
		}
		w.object("AWS", func() { w.each(w.principal) })
	})
}

// object reads an object and hands the values of its member name, or NotNAME,
// to read. What is no object is passed over: Parse says what is wrong with it.
func (w *rewriter) object(name string, read func()) {
	if w.in.PeekKind() != '{' {
		w.skip()
		return
	}
	w.token()
	for w.err == nil && w.in.PeekKind() != '}' {
		switch w.token() {
		case name, "Not" + name:
			read()
		default:
			w.skip()
		}
	}
	w.token()
}

func (w *rewriter) each(one func()) {
	if w.in.PeekKind() != '[' {
		one()
		return
	}
	w.token()
	for w.err == nil && w.in.PeekKind() != ']' {
		one()
	}
	w.token()
}

func (w *rewriter) principal() {
	if w.in.PeekKind() != '"' {
		w.skip()
		return
	}
	was := w.token()
	end := int(w.in.InputOffset())
	if w.err != nil || was == "*" {
		return
	}
	now, err := w.to(was)
	if err != nil || now == was {
		w.err = err
		return
	}
	quoted, err := jsontext.AppendQuote(nil, now)
	if err != nil {
		w.err = syntax()
		return
	}
	// A string has no bare quote inside, so that the last one that is not
	// escaped begins it.
	start := end - 1
	for start--; w.doc[start] != '"' || escaped(w.doc[:start]); start-- {
	}
	w.out = append(append(w.out, w.doc[w.done:start]...), quoted...)
	w.done = end
}

// escaped reports whether what follows before is escaped by its backslashes.
func escaped(before []byte) bool {
	return (len(before)-len(bytes.TrimRight(before, `\`)))%2 == 1
}

// token reads one token; of a string it returns the text.
func (w *rewriter) token() string {
	if w.err != nil {
		return ""
	}
	t, err := w.in.ReadToken()
	if err != nil {
		w.err = syntax()
		return ""
	}
	return t.String()
}

func (w *rewriter) skip() {
	if w.err == nil && w.in.SkipValue() != nil {
		w.err = syntax()
	}
}
