package conformance

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/wire"
)

// A line is what testdata/client.py reads and writes.
type line struct {
	Service, Operation, Protocol string
	Method, Path, Query          string
	Status                       int
	Headers                      map[string]string
	Body                         []byte
	Params                       any
}

// python runs testdata/client.py, whose botocore must have the models that api/ was made of.
func python(t *testing.T, stdin io.Reader, args ...string) []line {
	t.Helper()
	if err := exec.Command("python3", "-c", "import botocore").Run(); err != nil {
		t.Skip("python3 with botocore is not to be had: requests of the AWS CLI are not checked")
	}
	cmd := exec.Command("python3", append([]string{"testdata/client.py"}, args...)...)
	cmd.Stdin = stdin
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, problems.Bytes())
	}
	var lines []line
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var l line
		if err := dec.Decode(&l); err == io.EOF {
			return lines
		} else if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
}

func byName() (map[string]service, []string) {
	m, names := map[string]service{}, []string{}
	for _, s := range services() {
		m[s.about.Name] = s
		names = append(names, s.about.Name)
	}
	return m, names
}

// TestRequestsOfBotocore decodes a request of every operation, as the AWS CLI
// writes it, and compares what we read with what botocore was given.
func TestRequestsOfBotocore(t *testing.T) {
	all, names := byName()
	n, missed := 0, 0
	indexes := map[string]*wire.Index{}
	for _, l := range python(t, nil, append([]string{"requests"}, names...)...) {
		s := all[l.Service]
		op := s.operation(l.Operation)
		if op == nil {
			continue // botocore is newer than our models
		}
		if indexes[l.Service] == nil {
			indexes[l.Service] = wire.NewIndex(nil, s.operations...)
		}
		n++
		if err := l.decoded(s, op, indexes[l.Service]); err != nil {
			missed++
			t.Errorf("%s: %v", op.About(), err)
		}
	}
	t.Logf("%d requests, %d missed", n, missed)
}

func (l line) decoded(s service, op wire.AnyOperation, x *wire.Index) error {
	req := &wire.Request{Method: l.Method, RawPath: l.Path, RawQuery: l.Query, Header: http.Header{}, Body: l.Body, Scope: s.about.SigningName}
	for name, v := range l.Headers {
		req.Header.Set(name, v)
	}
	m, err := wire.Recognise(req, x)
	if err != nil {
		return err
	}
	if m.Operation != op {
		if sameRoute(m.Operation, op) {
			return nil
		}
		return fmt.Errorf("taken for %s", m.Operation.About())
	}
	in, err := m.Decode(req, wire.Limits{})
	if in == nil {
		return err
	}
	return equal(plain(reflect.ValueOf(in)), l.Params)
}

// equal compares two values after both went through JSON.
func equal(got, want any) error {
	g, _ := json.Marshal(prune(got))
	w, _ := json.Marshal(prune(want))
	if !bytes.Equal(g, w) {
		return fmt.Errorf("\ngot  %s\nwant %s", g, w)
	}
	return nil
}

// prune drops what has no content: not every protocol can carry it.
func prune(x any) any {
	switch x := x.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, v := range x {
			if v = prune(v); v != nil {
				out[k] = v
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		var out []any
		for _, v := range x {
			if v = prune(v); v != nil {
				out = append(out, v)
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case string:
		switch x {
		case "":
			return nil
		case httpDate:
			return isoDate
		}
	}
	return x
}

// plain turns our structures into maps, with the names of the Go fields.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if r, ok := v.Interface().(io.Reader); ok {
			b, _ := io.ReadAll(r)
			return base64.StdEncoding.EncodeToString(b)
		}
		return plain(v.Elem())
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			return t.UTC().Format("2006-01-02T15:04:05Z")
		}
		out := map[string]any{}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				out[f.Name] = plain(v.Field(i))
			}
		}
		return out
	case reflect.Slice:
		if b, ok := v.Interface().([]byte); ok {
			return base64.StdEncoding.EncodeToString(b)
		}
		out := []any{}
		for i := range v.Len() {
			out = append(out, plain(v.Index(i)))
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[k.String()] = plain(v.MapIndex(k))
		}
		return out
	}
	return v.Interface()
}

// TestAnswersForBotocore lets botocore read an answer of every operation and
// every error that we write.
func TestAnswersForBotocore(t *testing.T) {
	all, _ := byName()
	var answers bytes.Buffer
	enc := json.NewEncoder(&answers)
	var want []any
	add := func(s service, op wire.AnyOperation, m *wire.Match, r *wire.Response, expected any) {
		body := r.Body
		if r.Stream != nil {
			body, _ = io.ReadAll(r.Stream)
		}
		headers := map[string]string{}
		for name, v := range r.Header {
			headers[name] = strings.Join(v, ",")
		}
		if err := enc.Encode(line{Service: s.about.Name, Operation: op.About().Name, Protocol: string(m.Protocol), Status: r.Status, Headers: headers, Body: body}); err != nil {
			t.Fatal(err)
		}
		want = append(want, expected)
	}
	for _, s := range all {
		told := map[string]bool{}
		for _, op := range s.operations {
			m := &wire.Match{Operation: op, Service: s.about, Protocol: s.about.Protocols[0]}
			out := reflect.New(op.OutType())
			fill(out.Elem(), "", 0)
			r, err := m.Encode(out.Interface(), "id")
			if err != nil {
				t.Fatal(err)
			}
			fill(out.Elem(), "", 0)
			// Two members of GetBucketNotification, which nobody should use any more, have one name.
			if r.Status != 204 && !streamsEvents(op) && op.About().String() != "s3:GetBucketNotification" {
				add(s, op, m, r, plain(out))
			}
			for _, k := range op.About().Errors {
				if told[k.Code] {
					continue
				}
				told[k.Code] = true
				code := k.Code
				if k.Query != "" {
					code = k.Query
				}
				e := &aws.Error{Code: k.Code, Status: k.Status, Message: "It <is> broken."}
				add(s, op, m, m.EncodeError(e, "id"), map[string]any{"Code": code, "Message": e.Message})
			}
		}
	}
	missed := 0
	for i, l := range python(t, &answers, "answers") {
		if problem, ok := l.Params.(map[string]any)["exception"].(string); ok && strings.Contains(problem, "one and only one member set") {
			continue // fill leaves unions empty where they stand too deep
		}
		if err := equal(l.Params, want[i]); err != nil {
			missed++
			t.Errorf("%s:%s: %v", l.Service, l.Operation, err)
		}
	}
	t.Logf("%d answers, %d missed", len(want), missed)
}

// streamsEvents reports whether the answer is an event stream, which wire does not carry yet.
func streamsEvents(op wire.AnyOperation) bool {
	for i := range op.OutType().NumField() {
		if strings.Contains(op.OutType().Field(i).Tag.Get("aws"), ",eventstream") {
			return true
		}
	}
	return false
}
