package cli

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A printer turns answers into what the CLI prints.
type printer struct {
	cmd *Command
	out io.Writer

	// order holds the members of each object in the model's order: a query
	// passes objects on by reference, and what it makes anew is sorted.
	order map[uintptr][]string
}

func pointer(m map[string]any) uintptr { return reflect.ValueOf(m).Pointer() }

// document makes JSON's maps and slices of a response. Absent members are left out.
func (p *printer) document(v reflect.Value) any {
	switch {
	case v.Type() == timeType:
		return timeText(v.Interface().(time.Time))
	case v.Type() == bytesType:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	}
	switch v.Kind() {
	case reflect.Pointer:
		return p.document(v.Elem())
	case reflect.Struct:
		return p.structure(v)
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = p.document(v.Index(i))
		}
		return list
	case reflect.Map:
		m := map[string]any{}
		for key, value := range v.Seq2() {
			m[key.String()] = p.document(value)
		}
		return m
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Int32, reflect.Int64:
		if p.cmd.query != nil {
			return float64(v.Int()) // queries compare no other numbers
		}
		return v.Int()
	case reflect.Float32, reflect.Float64:
		return v.Float()
	}
	return v.Interface()
}

func (p *printer) structure(v reflect.Value) any {
	m := map[string]any{}
	var names []string
	service := p.cmd.Operation.About().Service
	for f, value := range v.Fields() {
		if f.Name == "_" || absent(value) {
			continue
		}
		name := memberName(service, f)
		if m[name] = p.document(value); isPolicy(service, v.Type(), f) {
			m[name] = p.policy(m[name].(string))
		}
		names = append(names, name)
	}
	p.order[pointer(m)] = names
	return m
}

func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	}
	return v.Type() == streamType
}

// timeText writes a timestamp as the CLI's ISO 8601: Python's isoformat.
func timeText(t time.Time) string {
	t = t.UTC()
	if t.Nanosecond()/1000 == 0 {
		return t.Format("2006-01-02T15:04:05") + "+00:00"
	}
	return t.Format("2006-01-02T15:04:05.000000") + "+00:00"
}

// print applies the query and prints.
func (p *printer) print(x any) error {
	if p.cmd.query != nil {
		var err error
		if x, err = p.cmd.query.Search(x); err != nil {
			//lint:ignore ST1005 the AWS CLI's own words
			return fmt.Errorf("Bad value for --query: %w", err)
		}
	} else if m, ok := x.(map[string]any); ok && len(m) == 0 {
		return nil
	}
	var b strings.Builder
	if p.cmd.output == "text" {
		text(&b, x, "", nil)
	} else {
		p.json(&b, x, "")
		b.WriteByte('\n')
	}
	_, err := io.WriteString(p.out, b.String())
	return err
}

const indent = "    "

// json writes x with four spaces of indentation.
func (p *printer) json(b *strings.Builder, x any, margin string) {
	switch x := x.(type) {
	case map[string]any:
		names := p.order[pointer(x)]
		if len(names) != len(x) {
			names = keys(x)
		}
		if len(names) == 0 {
			b.WriteString("{}")
			return
		}
		for i, name := range names {
			b.WriteString(comma(i, "{") + "\n" + margin + indent + quoteJSON(name) + ": ")
			p.json(b, x[name], margin+indent)
		}
		b.WriteString("\n" + margin + "}")
	case []any:
		if len(x) == 0 {
			b.WriteString("[]")
			return
		}
		for i, item := range x {
			b.WriteString(comma(i, "[") + "\n" + margin + indent)
			p.json(b, item, margin+indent)
		}
		b.WriteString("\n" + margin + "]")
	case string:
		b.WriteString(quoteJSON(x))
	case nil:
		b.WriteString("null")
	default:
		b.WriteString(scalar(x))
	}
}

func comma(i int, first string) string {
	if i == 0 {
		return first
	}
	return ","
}

func keys(m map[string]any) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func quoteJSON(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return strconv.Quote(s) // not reached: strings are always JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func scalar(x any) string {
	switch x := x.(type) {
	case bool:
		return strconv.FormatBool(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case int64:
		return strconv.FormatInt(x, 10)
	}
	return fmt.Sprint(x)
}
