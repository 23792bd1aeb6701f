package main

import (
	"fmt"
	"slices"
	"strings"
)

func (g *gen) writeShapes() (map[string]string, error) {
	files := newSplit("shapes", len(g.structs))
	for _, name := range g.structs {
		s := g.model.Shapes.values[name]
		t := g.goName[name]
		b := files.of(t)
		fmt.Fprintf(b, "// %s is %s.\ntype %s struct {\n", t, g.about(name), t)
		if blank := g.blank(name, s); blank != "" {
			fmt.Fprintf(b, "_ struct{} %s\n", blank)
		}
		fields := scope{}
		for _, m := range memberOrder(s) {
			r := s.Members.values[m]
			goType, tag, err := g.field(name, s, m, r)
			if err != nil {
				return nil, fmt.Errorf("%s.%s: %w", name, m, err)
			}
			fmt.Fprintf(b, "%s %s %s\n", fields.take(exported(m), "Member"), goType, tag)
		}
		fmt.Fprint(b, "}\n\n")
	}
	for _, op := range g.operations {
		if in := g.empty[op.Name+"/in"]; in != "" {
			fmt.Fprintf(files.of(in), "// %s is the empty input of %s.\ntype %s struct{}\n\n", in, op.Name, in)
		}
		if out := g.empty[op.Name+"/out"]; out != "" {
			fmt.Fprintf(files.of(out), "// %s is the empty output of %s.\ntype %s struct{}\n\n", out, op.Name, out)
		}
	}
	return files.texts(), nil
}

func (g *gen) about(name string) string {
	if op := g.inputOf[name]; op != "" {
		return "the input of " + op
	}
	if op := g.outputOf[name]; op != "" {
		return "the output of " + op
	}
	return "a structure of " + g.model.Metadata.ServiceID
}

// memberOrder is the model's order, or the order that XML asks for.
func memberOrder(s *shape) []string {
	order := slices.Clone(s.XMLOrder)
	for _, m := range s.Members.keys {
		if !slices.Contains(order, m) {
			order = append(order, m)
		}
	}
	return slices.DeleteFunc(order, func(m string) bool { return s.Members.values[m] == nil })
}

// blank is the tag of the blank field: what holds for the structure as a whole.
func (g *gen) blank(name string, s *shape) string {
	element, ns := s.LocationName, s.XMLNamespace
	if r := g.root[name]; r != nil {
		if r.LocationName != "" {
			element = r.LocationName
		}
		if r.XMLNamespace != nil {
			ns = r.XMLNamespace
		}
	}
	options := []string{element}
	if s.Payload != "" {
		options = append(options, "payload="+s.Payload)
	}
	if s.Union {
		options = append(options, "union")
	}
	if len(options) == 1 && element == "" && ns == nil {
		return ""
	}
	var t tags
	t.add("aws", strings.Join(options, ","))
	t.namespace(ns)
	return t.String()
}
