package main

import (
	"fmt"
	"strings"
)

func (g *gen) writeErrors() (map[string]string, error) {
	if len(g.errors) == 0 {
		return nil, nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "// The errors that %s declares.\nvar (\n", g.model.Metadata.ServiceID)
	for _, name := range g.errors {
		s := g.model.Shapes.values[name]
		v := g.errVar[name]
		if extra := fieldsOf(s); extra != "" {
			fmt.Fprintf(&b, "// %s carries %s.\n", v, extra)
		}
		fmt.Fprintf(&b, "%s = aws.ErrorKind{%s}\n", v, g.errorKind(name, s))
	}
	fmt.Fprintln(&b, ")")
	return map[string]string{"errors.go": b.String()}, nil
}

// errorKind writes the fields of an aws.ErrorKind. Query services and S3 put
// error.code on the wire; JSON services the shape's name, and error.code only
// for clients of their former query protocol.
func (g *gen) errorKind(name string, s *shape) string {
	code, query, status := name, "", 400
	fault := s.Fault
	if s.Error != nil {
		if s.Error.HTTPStatusCode != 0 {
			status = s.Error.HTTPStatusCode
		}
		switch {
		case s.Error.Code == "" || s.Error.Code == name:
		case g.model.Metadata.Query != nil:
			query = s.Error.Code
		case !strings.Contains(g.model.Metadata.Protocol, "json"):
			code = s.Error.Code
		}
	}
	if fault && status < 500 {
		status = 500
	}
	b := fmt.Sprintf("Code: %q, Status: %d", code, status)
	if query != "" {
		b += fmt.Sprintf(", Query: %q", query)
	}
	if status >= 500 {
		b += ", Fault: true"
	}
	for _, m := range s.Members.keys {
		r := s.Members.values[m]
		if wire := locationOr(r, m); strings.EqualFold(m, "message") && wire != "message" {
			b += fmt.Sprintf(", Sentence: %q", wire)
		}
	}
	if h := headersOf(s); h != "" {
		b += fmt.Sprintf(", Headers: %q", h)
	}
	return b
}

// headersOf lists the members of an error that stand in headers.
func headersOf(s *shape) string {
	var out []string
	for _, m := range s.Members.keys {
		if r := s.Members.values[m]; r.Location == "header" {
			out = append(out, m+"="+locationOr(r, m))
		}
	}
	return strings.Join(out, ",")
}

func locationOr(r *ref, name string) string {
	if r.LocationName != "" {
		return r.LocationName
	}
	return name
}

// fieldsOf names the members of an error beside its message.
func fieldsOf(s *shape) string {
	var fields []string
	for _, m := range s.Members.keys {
		if strings.EqualFold(m, "message") {
			continue
		}
		r := s.Members.values[m]
		switch {
		case r.Location == "header":
			m += " (header " + r.LocationName + ")"
		case r.LocationName != "" && r.LocationName != m:
			m += " (as " + r.LocationName + ")"
		}
		fields = append(fields, m)
	}
	return strings.Join(fields, ", ")
}
