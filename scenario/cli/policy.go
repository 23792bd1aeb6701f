package cli

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"

	"sumun.dev/wire"
)

// isPolicy reports whether a member is a policy document of IAM, which answers
// with them percent-encoded and which the CLI shows decoded.
// IAM API Reference, "GetUserPolicy": "Policies returned by this operation are URL-encoded".
func isPolicy(s *wire.Service, structure reflect.Type, f reflect.StructField) bool {
	if s.Name != "iam" {
		return false
	}
	return f.Name == "PolicyDocument" || f.Name == "AssumeRolePolicyDocument" || f.Name == "Document" && structure.Name() == "PolicyVersion"
}

// policy decodes a document; what is none stays text.
func (p *printer) policy(text string) any {
	plain, err := url.PathUnescape(text)
	if err != nil || !json.Valid([]byte(plain)) {
		return text
	}
	d := json.NewDecoder(strings.NewReader(plain))
	x, err := p.ordered(d)
	if err != nil {
		return text
	}
	return x
}

// ordered reads a JSON value and remembers the order of its members.
func (p *printer) ordered(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			x, err := p.ordered(d)
			if err != nil {
				return nil, err
			}
			list = append(list, x)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		m := map[string]any{}
		var names []string
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			x, err := p.ordered(d)
			if err != nil {
				return nil, err
			}
			if _, twice := m[name.(string)]; !twice {
				names = append(names, name.(string))
			}
			m[name.(string)] = x
		}
		p.order[pointer(m)] = names
		_, err = d.Token()
		return m, err
	}
	return t, nil
}
