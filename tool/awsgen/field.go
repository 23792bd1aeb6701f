package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sumun.dev/wire"
)

// scalars are the Go types of shapes that hold one value.
var scalars = map[string]string{
	"string": "string", "character": "string", "integer": "int32", "long": "int64",
	"float": "float32", "double": "float64", "boolean": "bool", "timestamp": "time.Time",
}

// field returns the Go type and the tags of a member.
func (g *gen) field(owner string, parent *shape, name string, r *ref) (goType, tag string, err error) {
	s, err := g.model.shape(r)
	if err != nil {
		return "", "", err
	}
	required := slices.Contains(parent.Required, name)
	if goType, err = g.memberType(r, s, required); err != nil {
		return "", "", err
	}
	wireName := r.LocationName
	if wireName == "" {
		wireName = name
	}
	if strings.ContainsAny(wireName, ", ") {
		return "", "", fmt.Errorf("the name %q does not fit into a tag", wireName)
	}
	options := []string{wireName}
	option := func(on bool, text string) {
		if on {
			options = append(options, text)
		}
	}
	option(required, "required")
	option(s.Sensitive, "sensitive")
	place, err := place(parent, name, r)
	if err != nil {
		return "", "", err
	}
	option(place != "", "in="+place)
	ts, err := timestampFormat(r, s)
	if err != nil {
		return "", "", err
	}
	option(ts != "", "ts="+ts)
	option(r.Flattened || s.Flattened, "flat")
	option(r.XMLAttribute, "attr")
	option(r.IdempotencyToken, "token")
	option(r.JSONValue || s.JSONValue, "jsonvalue")
	option(r.HostLabel, "hostlabel")
	option(isStream(r, s), "stream")
	option(r.EventStream || s.EventStream, "eventstream")
	option(place == "uri" && g.greedy(owner, wireName), "greedy")

	var t tags
	t.add("aws", strings.Join(options, ","))
	if r.QueryName != "" {
		t.add("q", r.QueryName)
	}
	t.namespace(r.XMLNamespace)
	if err := g.constraints(&t, r, s, 0, "", nil); err != nil {
		return "", "", err
	}
	return goType, t.String(), nil
}

// place says where outside the body a member stands.
func place(parent *shape, name string, r *ref) (string, error) {
	switch r.Location {
	case "":
		if parent.Payload == name {
			return "payload", nil
		}
		return "", nil
	case "header", "headers", "uri":
		return r.Location, nil
	case "querystring":
		return "query", nil
	case "statusCode":
		return "status", nil
	}
	return "", fmt.Errorf("location %q is unknown", r.Location)
}

// greedy reports whether the path of an operation with this input takes the label with its slashes.
func (g *gen) greedy(input, label string) bool {
	return slices.ContainsFunc(g.operations, func(op *operation) bool {
		return op.Input != nil && op.Input.Shape == input && strings.Contains(op.HTTP.RequestURI, "{"+label+"+}")
	})
}

func timestampFormat(r *ref, s *shape) (string, error) {
	format := r.TimestampFormat
	if format == "" {
		format = s.TimestampFormat
	}
	switch format {
	case "", "iso8601", "rfc822", "unixTimestamp":
		return format, nil
	}
	return "", fmt.Errorf("timestamp format %q is unknown", format)
}

func isStream(r *ref, s *shape) bool { return s.Type == "blob" && (r.Streaming || s.Streaming) }

// memberType is the Go type of a member: see the package comment of wire.
func (g *gen) memberType(r *ref, s *shape, required bool) (string, error) {
	if isStream(r, s) {
		return "io.ReadCloser", nil
	}
	t, err := g.elementType(r, nil)
	if err != nil {
		return "", err
	}
	switch {
	case s.Document || s.Type == "list" || s.Type == "map" || s.Type == "blob":
		return t, nil
	case s.Type == "structure" || !required:
		return "*" + t, nil
	}
	return t, nil
}

// elementType is the Go type of a shape as it stands in a list or map.
func (g *gen) elementType(r *ref, within []string) (string, error) {
	s, err := g.model.shape(r)
	if err != nil {
		return "", err
	}
	if slices.Contains(within, r.Shape) {
		return "", fmt.Errorf("%s holds itself", r.Shape)
	}
	within = append(slices.Clip(within), r.Shape)
	switch s.Type {
	case "structure":
		if s.Document {
			return "any", nil
		}
		return g.goName[r.Shape], nil
	case "list":
		t, err := g.elementType(s.Member, within)
		return "[]" + t, err
	case "map":
		t, err := g.elementType(s.Value, within)
		return "map[string]" + t, err
	case "blob":
		return "[]byte", nil
	}
	if len(s.Enum) > 0 {
		return g.goName[r.Shape], nil
	}
	t, ok := scalars[s.Type]
	if !ok {
		return "", fmt.Errorf("%s: type %q is unknown", r.Shape, s.Type)
	}
	return t, nil
}

// constraints adds what must hold for a value, and for what it contains: level
// counts lists and maps around it, key is "k" for the keys of a map.
func (g *gen) constraints(t *tags, r *ref, s *shape, level int, key string, within []string) error {
	if slices.Contains(within, r.Shape) {
		return fmt.Errorf("%s holds itself", r.Shape)
	}
	within = append(slices.Clip(within), r.Shape)
	suffix := ""
	if level > 0 {
		suffix = strconv.Itoa(level)
	}
	if bounds := bounds(s); bounds != "" {
		kind := "len"
		if s.Type == "integer" || s.Type == "long" || s.Type == "float" || s.Type == "double" {
			kind = "range"
		}
		t.add(key+kind+suffix, bounds)
	}
	if s.Pattern != "" {
		p, err := g.pattern(s.Pattern)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Shape, err)
		}
		t.add(key+"pattern"+suffix, p)
	}
	if level > 0 {
		ts, err := timestampFormat(r, s)
		if err != nil {
			return err
		}
		if s.Sensitive {
			t.add(key+"sensitive"+suffix, "true")
		}
		if ts != "" {
			t.add(key+"ts"+suffix, ts)
		}
		if s.Flattened || r.Flattened {
			t.add(key+"flat"+suffix, "true")
		}
	}
	next := strconv.Itoa(level + 1)
	for _, in := range []struct {
		r           *ref
		key, naming string
	}{{s.Member, "", "el"}, {s.Key, "k", "mk"}, {s.Value, "", "mv"}} {
		if in.r == nil {
			continue
		}
		inner, err := g.model.shape(in.r)
		if err != nil {
			return err
		}
		if in.r.LocationName != "" {
			t.add(in.naming+next, in.r.LocationName)
		}
		if err := g.constraints(t, in.r, inner, level+1, in.key, within); err != nil {
			return err
		}
	}
	return nil
}

// pattern is what stands in the tag: the model's text, or the name of a
// predicate. A pattern that package wire cannot check stops the generator.
func (g *gen) pattern(p string) (string, error) {
	tag := tagOf(p, g.predicates)
	m := wire.Pattern(tag)
	if err := m.Err(); err != nil {
		return "", fmt.Errorf("%w: write a predicate", err)
	}
	if m.String() != p {
		return "", fmt.Errorf("%s stands for %q in package wire, not for %q", tag, m, p)
	}
	return tag, nil
}

// tagOf returns the tag for a pattern of a model.
func tagOf(pattern string, predicates []predicate) string {
	for _, x := range predicates {
		if x.Pattern == pattern {
			return "@" + x.Name
		}
	}
	return pattern
}

// bounds is "min:max", or nothing when the model bounds nothing.
func bounds(s *shape) string {
	if s.Min == "" && s.Max == "" {
		return ""
	}
	return s.Min.String() + ":" + s.Max.String()
}

// tags collects the tags of a field.
type tags []string

func (t *tags) add(key, value string) { *t = append(*t, key+":"+strconv.Quote(value)) }

func (t *tags) namespace(ns *xmlNamespace) {
	if ns == nil {
		return
	}
	t.add("ns", ns.URI)
	if ns.Prefix != "" {
		t.add("nspfx", ns.Prefix)
	}
}

// String returns the tags as a Go literal.
func (t tags) String() string {
	all := strings.Join(t, " ")
	if strings.Contains(all, "`") {
		return strconv.Quote(all)
	}
	return "`" + all + "`"
}
