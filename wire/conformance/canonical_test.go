package conformance

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"sort"
	"strings"
)

// A message is what counts of a request or response when two are compared.
type message struct {
	start   string // method and path, or status
	query   []string
	headers map[string]string
	body    any // nil, a JSON value, an element, sorted form pairs, or text
}

func (m message) String() string {
	return fmt.Sprintf("%s ?%v %v\n%v", m.start, m.query, m.headers, m.body)
}

// differences tells what want has that got has not, and the reverse.
func differences(got, want message) []string {
	var out []string
	add := func(what string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			out = append(out, fmt.Sprintf("%s: got %v, want %v", what, a, b))
		}
	}
	add("start", got.start, want.start)
	add("query", got.query, want.query)
	for name, v := range want.headers {
		if g := got.headers[name]; g != v {
			out = append(out, fmt.Sprintf("header %s: got %q, want %q", name, g, v))
		}
	}
	for name, v := range got.headers {
		if _, ok := want.headers[name]; !ok {
			out = append(out, fmt.Sprintf("header %s: got %q, want none", name, v))
		}
	}
	add("body", got.body, want.body)
	return out
}

// transport are headers that no model speaks of.
var transport = map[string]bool{
	"Content-Length": true, "User-Agent": true, "X-Amzn-Requestid": true, "X-Amz-Request-Id": true, "X-Amz-Id-2": true,
	"Accept": true, "Accept-Encoding": true, "X-Amzn-Errortype": true, "X-Amzn-Query-Error": true,
}

func headersOf(h http.Header) map[string]string {
	out := map[string]string{}
	for name, values := range h {
		name = http.CanonicalHeaderKey(name)
		v := strings.Join(values, ",")
		if transport[name] {
			continue
		}
		if name == "Content-Type" {
			v, _, _ = strings.Cut(v, ";")
		}
		out[name] = v
	}
	return out
}

// pairsOf sorts the parameters of a query string or form. x-id is a hint of the
// SDKs that repeats the operation's name.
func pairsOf(s string) []string {
	values, err := url.ParseQuery(s)
	if err != nil {
		return []string{"malformed: " + s}
	}
	out := []string{}
	for name, list := range values {
		if name == "x-id" {
			continue
		}
		for _, v := range list {
			out = append(out, name+"="+v)
		}
	}
	sort.Strings(out)
	return out
}

func bodyOf(contentType string, body []byte) any {
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0:
		return nil
	case strings.HasPrefix(contentType, "application/x-www-form-urlencoded"):
		return pairsOf(string(body))
	case body[0] == '{' || body[0] == '[':
		var v any
		if json.Unmarshal(body, &v) == nil {
			return v
		}
	case body[0] == '<':
		if e := parseElement(body); e != nil {
			return e
		}
	}
	return string(body)
}

// An element is one XML element without its order among differently named ones,
// its namespace declarations and its prefix.
type element struct {
	name  string
	attrs []string
	text  string
	kids  []*element
}

func (e *element) String() string {
	return fmt.Sprintf("<%s %v>%s%v", e.name, e.attrs, e.text, e.kids)
}

func parseElement(body []byte) *element {
	dec := xml.NewDecoder(bytes.NewReader(body))
	root := &element{}
	stack := []*element{root}
	for {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		top := stack[len(stack)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			e := &element{name: tok.Name.Local}
			for _, a := range tok.Attr {
				if a.Name.Local != "xmlns" && a.Name.Space != "xmlns" {
					e.attrs = append(e.attrs, a.Name.Local+"="+a.Value)
				}
			}
			sort.Strings(e.attrs)
			top.kids = append(top.kids, e)
			stack = append(stack, e)
		case xml.EndElement:
			slices.SortStableFunc(top.kids, func(a, b *element) int { return strings.Compare(a.name, b.name) })
			if len(top.kids) > 0 {
				top.text = ""
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 1 {
				top.text += string(tok)
			}
		}
	}
	if len(root.kids) != 1 {
		return nil
	}
	return root.kids[0]
}
