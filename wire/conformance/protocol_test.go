package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sumun.dev/wire"
)

// The suites of aws-sdk-go v1, models/protocol_tests: small models with cases.

type suite struct {
	Description string
	Metadata    struct{ Protocol, APIVersion, JSONVersion, TargetPrefix string }
	Shapes      map[string]*shape
	Cases       []protocolCase
}

type shape struct {
	Type, LocationName, TimestampFormat, Payload, Location string
	Members                                                members
	Member, Key, Value                                     *ref
	Flattened, Streaming, Union                            bool
	Required                                               []string
	XMLNamespace                                           any
}

type ref struct {
	Shape, Location, LocationName, TimestampFormat, QueryName string
	Flattened, XMLAttribute, IdempotencyToken, JSONValue      bool
	Streaming                                                 bool
	XMLNamespace                                              any
}

// members keeps the model's order.
type members struct {
	names []string
	refs  map[string]*ref
}

func (m *members) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, &m.refs); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	depth := 0
	for {
		tok, err := dec.Token()
		if err != nil {
			return nil
		}
		switch tok := tok.(type) {
		case json.Delim:
			if tok == '{' || tok == '[' {
				depth++
			} else {
				depth--
			}
		case string:
			if depth == 1 {
				m.names = append(m.names, tok)
				var skip json.RawMessage
				if err := dec.Decode(&skip); err != nil {
					return err
				}
			}
		}
	}
}

type protocolCase struct {
	Given struct {
		Name          string
		Input, Output *struct {
			Shape, ResultWrapper, LocationName, Payload string
			XMLNamespace                                any
		}
		HTTP struct{ Method, RequestURI string }
	}
	Params, Result map[string]any
	Serialized     struct {
		URI, Method   string
		Body          any
		Headers       map[string]string
		ForbidHeaders []string
	}
	Response struct {
		StatusCode int `json:"status_code"`
		Headers    map[string]string
		Body       string
	}
}

// An operation is made at run time from a suite.
type operation struct {
	meta    wire.Meta
	in, out reflect.Type
}

func (o *operation) About() *wire.Meta     { return &o.meta }
func (o *operation) InType() reflect.Type  { return o.in }
func (o *operation) OutType() reflect.Type { return o.out }

// TestProtocols runs AWS's protocol suites over types that are made at run time
// in the form that tool/awsgen writes.
func TestProtocols(t *testing.T) {
	dir := filepath.Join(moduleDir(t, "github.com/aws/aws-sdk-go"), "models", "protocol_tests")
	var all []outcome
	for _, way := range []string{"input", "output"} {
		files, err := filepath.Glob(filepath.Join(dir, way, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no suites in %s: %v", dir, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var suites []suite
			if err := json.Unmarshal(text, &suites); err != nil {
				t.Fatal(err)
			}
			var list []outcome
			for _, s := range suites {
				for i := range s.Cases {
					o := outcome{id: fmt.Sprintf("%s/%s/%s/%d", way, s.Metadata.Protocol, strings.ReplaceAll(s.Description, " ", "_"), i)}
					if err := s.try(way, &s.Cases[i]); err != nil {
						o.why = err.Error()
					}
					list = append(list, o)
				}
			}
			report(t, way+"/"+strings.TrimSuffix(filepath.Base(file), ".json"), list)
			all = append(all, list...)
		}
	}
	report(t, "all", all)
	judge(t, "protocol", all)
}

func (s *suite) try(way string, c *protocolCase) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	if way == "input" {
		return s.input(c)
	}
	return s.output(c)
}

func (s *suite) operation(c *protocolCase) *operation {
	service := &wire.Service{Prefix: "test", SigningName: "test", EndpointPrefix: "test", Protocols: []wire.Protocol{wire.Protocol(s.Metadata.Protocol)},
		JSONVersion: s.Metadata.JSONVersion, TargetPrefix: or(s.Metadata.TargetPrefix, "Target"), APIVersion: s.Metadata.APIVersion}
	op := &operation{meta: wire.Meta{Service: service, Name: c.Given.Name}, in: reflect.TypeFor[struct{}](), out: reflect.TypeFor[struct{}]()}
	if strings.HasPrefix(s.Metadata.Protocol, "rest-") {
		op.meta.Method, op.meta.URI = c.Given.HTTP.Method, or(c.Given.HTTP.RequestURI, "/")
	}
	if in := c.Given.Input; in != nil {
		if in.Payload != "" {
			s.Shapes[in.Shape].Payload = in.Payload
		}
		op.in = s.structure(in.Shape, or(in.LocationName, in.Shape), in.XMLNamespace, 0)
	}
	if out := c.Given.Output; out != nil {
		op.out = s.structure(out.Shape, "", nil, 0)
		op.meta.ResultWrapper = out.ResultWrapper
	}
	return op
}

func (s *suite) input(c *protocolCase) error {
	op := s.operation(c)
	in := reflect.New(op.in)
	if c.Given.Input != nil {
		if err := s.fill(s.Shapes[c.Given.Input.Shape], in.Elem(), c.Params); err != nil {
			return err
		}
	}
	var body []byte
	switch b := c.Serialized.Body.(type) {
	case string:
		body = []byte(b)
	case nil:
	default:
		body, _ = json.Marshal(b)
	}
	want := &wire.Request{Method: c.Serialized.Method, Header: http.Header{}, Body: body, Scope: "test"}
	if want.Method == "" {
		want.Method = or(op.meta.Method, "POST")
	}
	for name, v := range c.Serialized.Headers {
		want.Header.Set(name, v)
	}
	want.RawPath, want.RawQuery, _ = strings.Cut(c.Serialized.URI, "?")
	got, err := wire.EncodeRequest(op, in.Interface(), "https://test.example.com")
	if err != nil {
		return err
	}
	if want.Header.Get("Content-Type") == "" && !strings.HasPrefix(s.Metadata.Protocol, "rest-") {
		want.Header.Set("Content-Type", got.Header.Get("Content-Type"))
	}
	if err := c.sameRequest(got, want); err != nil {
		return err
	}
	if c.Given.Input != nil { // streams are read by now
		if err := s.fill(s.Shapes[c.Given.Input.Shape], in.Elem(), c.Params); err != nil {
			return err
		}
	}
	if target := got.Header.Get("X-Amz-Target"); target != "" {
		want.Header.Set("X-Amz-Target", target)
	}
	m, err := wire.Recognise(want, wire.NewIndex(nil, op))
	if err != nil {
		return err
	}
	back, err := m.Decode(want, wire.Limits{})
	if err != nil {
		return err
	}
	return same(back, in.Interface())
}

func (c *protocolCase) sameRequest(got, want *wire.Request) error {
	g, w := requestMessage(got), requestMessage(want)
	for name := range g.headers {
		if _, ok := w.headers[name]; !ok {
			delete(g.headers, name) // the suites name only the headers they are about
		}
	}
	for _, name := range c.Serialized.ForbidHeaders {
		if got.Header.Get(name) != "" && len(want.Body) == 0 && name != "Content-Type" {
			return fmt.Errorf("header %s is written", name)
		}
	}
	if w.body == nil {
		if b, ok := g.body.(map[string]any); ok && len(b) == 0 {
			g.body = nil
		}
	}
	if d := differences(g, w); len(d) > 0 {
		return fmt.Errorf("%s", strings.Join(d, "; "))
	}
	return nil
}

func (s *suite) output(c *protocolCase) error {
	op := s.operation(c)
	want := reflect.New(op.out)
	if c.Given.Output != nil {
		if err := s.fill(s.Shapes[c.Given.Output.Shape], want.Elem(), c.Result); err != nil {
			return err
		}
	}
	resp := &wire.Response{Status: c.Response.StatusCode, Header: http.Header{}, Body: []byte(c.Response.Body)}
	for name, v := range c.Response.Headers {
		resp.Header.Set(name, v)
	}
	got, err := wire.DecodeResponse(op, resp)
	if err != nil {
		return err
	}
	if err := same(got, want.Interface()); err != nil {
		return err
	}
	m := wire.Match{Operation: op, Service: op.meta.Service, Protocol: wire.Protocol(s.Metadata.Protocol)}
	// Streams are read by now: fill them again.
	if c.Given.Output == nil {
		return nil
	}
	if err := s.fill(s.Shapes[c.Given.Output.Shape], want.Elem(), c.Result); err != nil {
		return err
	}
	again, err := m.Encode(want.Interface(), "id")
	if err != nil {
		return err
	}
	back, err := wire.DecodeResponse(op, again)
	if err != nil {
		return fmt.Errorf("read again: %w: %s", err, again.Body)
	}
	if err := s.fill(s.Shapes[c.Given.Output.Shape], want.Elem(), c.Result); err != nil {
		return err
	}
	return same(back, want.Interface())
}

// same compares structures; streams by what they hold, NaN with NaN.
func same(got, want any) error {
	a, b := dump(reflect.ValueOf(got)), dump(reflect.ValueOf(want))
	if a != b {
		return fmt.Errorf("read %s, want %s", a, b)
	}
	return nil
}

func dump(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		if r, ok := v.Interface().(io.ReadCloser); ok {
			b, _ := io.ReadAll(r)
			return fmt.Sprintf("%q", b)
		}
		return dump(v.Elem())
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			return t.UTC().Format(time.RFC3339Nano)
		}
		out := "{"
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "_" {
				continue
			}
			// An absent structure and an empty one are alike, too.
			if x := dump(v.Field(i)); x != "nil" && x != "{}" {
				out += v.Type().Field(i).Name + ":" + x + " "
			}
		}
		return out + "}"
	case reflect.Slice:
		if v.Len() == 0 {
			return "nil" // an absent list and an empty one are alike in most protocols
		}
		if b, ok := v.Interface().([]byte); ok {
			return fmt.Sprintf("%q", b)
		}
		out, full := "[", false
		for i := range v.Len() {
			x := dump(v.Index(i))
			full = full || x != "{}"
			out += x + " "
		}
		if !full {
			return "nil" // a query string cannot carry structures without content
		}
		return out + "]"
	case reflect.Map:
		if v.Len() == 0 {
			return "nil"
		}
		all := map[string]string{}
		for _, k := range v.MapKeys() {
			all[k.String()] = dump(v.MapIndex(k))
		}
		return fmt.Sprint(all)
	}
	return fmt.Sprintf("%#v", v.Interface())
}

// maxRecursion is how deep recursive shapes are unrolled: types made at run time cannot contain themselves.
const maxRecursion = 6

func (s *suite) structure(name, element string, ns any, depth int) reflect.Type {
	sh := s.Shapes[name]
	var fields []reflect.StructField
	blank := []string{element}
	if blank[0] == "" {
		blank[0] = sh.LocationName
	}
	if sh.Payload != "" {
		blank = append(blank, "payload="+sh.Payload)
	}
	if sh.Union {
		blank = append(blank, "union")
	}
	if ns == nil {
		ns = sh.XMLNamespace
	}
	if tag := fmt.Sprintf("aws:%q", strings.Join(blank, ",")) + namespace(ns); tag != `aws:""` {
		fields = append(fields, reflect.StructField{Name: "_", PkgPath: "sumun.dev/wire/conformance", Type: reflect.TypeFor[struct{}](), Tag: reflect.StructTag(tag)})
	}
	for _, m := range sh.Members.names {
		t, tag := s.field(sh, m, sh.Members.refs[m], depth)
		if t != nil {
			fields = append(fields, reflect.StructField{Name: strings.ToUpper(m[:1]) + m[1:], Type: t, Tag: reflect.StructTag(tag)})
		}
	}
	return reflect.StructOf(fields)
}

func namespace(ns any) string {
	switch ns := ns.(type) {
	case string:
		return fmt.Sprintf(" ns:%q", ns)
	case map[string]any:
		out := fmt.Sprintf(" ns:%q", ns["uri"])
		if prefix, ok := ns["prefix"].(string); ok {
			out += fmt.Sprintf(" nspfx:%q", prefix)
		}
		return out
	}
	return ""
}

var places = map[string]string{"header": "in=header", "headers": "in=headers", "uri": "in=uri", "querystring": "in=query", "statusCode": "in=status"}

func (s *suite) field(parent *shape, name string, r *ref, depth int) (reflect.Type, string) {
	sh := s.Shapes[r.Shape]
	t := s.typeOf(r, depth)
	if t == nil {
		return nil, ""
	}
	wireName := r.LocationName
	if sh.Location != "" {
		wireName = or(wireName, sh.LocationName)
	}
	options := []string{or(wireName, name)}
	add := func(on bool, o string) {
		if on {
			options = append(options, o)
		}
	}
	location := or(r.Location, sh.Location)
	add(places[location] != "", places[location])
	add(location == "" && parent.Payload == name, "in=payload")
	stream := sh.Type == "blob" && (r.Streaming || sh.Streaming)
	add(stream, "stream")
	if stream {
		t = reflect.TypeFor[io.ReadCloser]()
	}
	if ts := or(r.TimestampFormat, sh.TimestampFormat); ts != "" {
		options = append(options, "ts="+ts)
	}
	add(r.Flattened || sh.Flattened, "flat")
	add(r.XMLAttribute, "attr")
	add(r.IdempotencyToken, "token")
	add(r.JSONValue, "jsonvalue")
	tag := fmt.Sprintf("aws:%q", strings.Join(options, ","))
	if r.QueryName != "" {
		tag += fmt.Sprintf(" q:%q", r.QueryName)
	}
	tag += namespace(r.XMLNamespace) + s.below(sh, 1)
	switch t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Interface:
		return t, tag
	}
	return reflect.PointerTo(t), tag
}

// below writes the tags of elements, keys and values.
func (s *suite) below(sh *shape, level int) (tag string) {
	for _, in := range []struct {
		r      *ref
		naming string
	}{{sh.Member, "el"}, {sh.Key, "mk"}, {sh.Value, "mv"}} {
		if in.r == nil {
			continue
		}
		if in.r.LocationName != "" {
			tag += fmt.Sprintf(" %s%d:%q", in.naming, level, in.r.LocationName)
		}
		inner := s.Shapes[in.r.Shape]
		if ts := or(in.r.TimestampFormat, inner.TimestampFormat); ts != "" {
			tag += fmt.Sprintf(" ts%d:%q", level, ts)
		}
		if in.naming != "mk" && level < 4 {
			tag += s.below(inner, level+1)
		}
	}
	return tag
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (s *suite) typeOf(r *ref, depth int) reflect.Type {
	sh := s.Shapes[r.Shape]
	switch sh.Type {
	case "structure":
		if depth >= maxRecursion {
			return nil
		}
		return s.structure(r.Shape, "", nil, depth+1)
	case "list":
		if t := s.typeOf(sh.Member, depth); t != nil {
			return reflect.SliceOf(t)
		}
		return nil
	case "map":
		if t := s.typeOf(sh.Value, depth); t != nil {
			return reflect.MapOf(reflect.TypeFor[string](), t)
		}
		return nil
	case "blob":
		return reflect.TypeFor[[]byte]()
	case "timestamp":
		return reflect.TypeFor[time.Time]()
	case "integer":
		return reflect.TypeFor[int32]()
	case "long":
		return reflect.TypeFor[int64]()
	case "float":
		return reflect.TypeFor[float32]()
	case "double":
		return reflect.TypeFor[float64]()
	case "boolean":
		return reflect.TypeFor[bool]()
	}
	return reflect.TypeFor[string]()
}

// fill puts a case's values into v.
func (s *suite) fill(sh *shape, v reflect.Value, x any) error {
	if x == nil {
		return nil
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if v.Type() == reflect.TypeFor[io.ReadCloser]() {
		v.Set(reflect.ValueOf(io.NopCloser(strings.NewReader(x.(string)))))
		return nil
	}
	switch sh.Type {
	case "structure":
		for name, value := range x.(map[string]any) {
			r := sh.Members.refs[name]
			if r == nil {
				return fmt.Errorf("no member %s", name)
			}
			f := v.FieldByName(strings.ToUpper(name[:1]) + name[1:])
			if r.JSONValue {
				value = jsonText(value)
			}
			if err := s.fill(s.Shapes[r.Shape], f, value); err != nil {
				return err
			}
		}
	case "list":
		list := x.([]any)
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
		for i := range list {
			if sh.Member.JSONValue {
				list[i] = jsonText(list[i])
			}
			if err := s.fill(s.Shapes[sh.Member.Shape], v.Index(i), list[i]); err != nil {
				return err
			}
		}
	case "map":
		v.Set(reflect.MakeMap(v.Type()))
		for k, value := range x.(map[string]any) {
			e := reflect.New(v.Type().Elem()).Elem()
			if err := s.fill(s.Shapes[sh.Value.Shape], e, value); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(k), e)
		}
	case "blob":
		v.SetBytes([]byte(x.(string)))
	case "timestamp":
		v.Set(reflect.ValueOf(time.UnixMilli(int64(math.Round(x.(float64) * 1000))).UTC()))
	case "integer", "long":
		v.SetInt(int64(x.(float64)))
	case "float", "double":
		v.SetFloat(x.(float64))
	case "boolean":
		v.SetBool(x.(bool))
	default:
		v.SetString(fmt.Sprint(x))
	}
	return nil
}

// jsonText is the text that a jsonvalue carries; fill may meet it a second time.
func jsonText(x any) any {
	if text, ok := x.(string); ok && json.Valid([]byte(text)) {
		return text
	}
	text, _ := json.Marshal(x)
	return string(text)
}
