package wire

import (
	"io"
	"net/http"
	"reflect"
	"testing"
	"time"

	"sumun.dev/aws"
)

type listsIn struct {
	Names  []string            `aws:"X-Names,in=header"`
	Dates  []time.Time         `aws:"X-Dates,in=header"`
	Counts []int32             `aws:"X-Counts,in=header"`
	JSON   *string             `aws:"X-Json,in=header,jsonvalue"`
	Note   *string             `aws:"X-Note,in=header"`
	On     *bool               `aws:"on,in=query"`
	Since  *time.Time          `aws:"since,in=query"`
	More   map[string][]string `aws:"more,in=query"`
}

type textIn struct {
	_    struct{} `aws:",payload=Text"`
	Text *string  `aws:"Text,in=payload"`
}

type blobIn struct {
	_    struct{} `aws:",payload=Blob"`
	Blob []byte   `aws:"Blob,in=payload"`
}

type treeIn struct {
	_    struct{} `aws:",payload=Tree"`
	Tree *tag     `aws:"Tree,in=payload"`
}

type documentIn struct {
	_        struct{} `aws:",payload=Anything"`
	Anything any      `aws:"Anything,in=payload"`
}

// TestRESTMessages sends requests there and back, the way they look in between shown beside them.
func TestRESTMessages(t *testing.T) {
	op := func(in reflect.Type) AnyOperation {
		return &dynamic{Meta{Service: guard, Name: "Op", Method: "PUT", URI: "/op?fixed=1"}, in}
	}
	for _, c := range []struct {
		name   string
		in     any
		query  string
		header http.Header
		body   string
	}{
		{"headers", &listsIn{Names: []string{"a", `b,"c`, "d e"}, Dates: []time.Time{when.Truncate(time.Second), when.Truncate(time.Second)}, Counts: []int32{1, -2},
			JSON: new(`{"a":1}`), Note: new("守")}, "fixed=1",
			http.Header{"X-Names": {`a,"b,\"c",d e`}, "X-Dates": {"Fri, 02 Jan 2026 03:04:05 GMT,Fri, 02 Jan 2026 03:04:05 GMT"}, "X-Counts": {"1,-2"}, "X-Json": {"eyJhIjoxfQ=="}, "X-Note": {"=?UTF-8?B?5a6I?="}}, ""},
		{"query", &listsIn{On: new(false), Since: &when, More: map[string][]string{"a": {"1", "2"}, "b": {"&="}}}, "fixed=1&on=false&since=2026-01-02T03%3A04%3A05.250Z&a=1&a=2&b=%26%3D", http.Header{}, ""},
		{"text", &textIn{Text: new("hello")}, "fixed=1", http.Header{"Content-Type": {"text/plain"}}, "hello"},
		{"blob", &blobIn{Blob: []byte{0, 255}}, "fixed=1", http.Header{"Content-Type": {"application/octet-stream"}}, "\x00\xff"},
		{"structure", &treeIn{Tree: &tag{Key: "k"}}, "fixed=1", http.Header{"Content-Type": {"application/json"}}, `{"Key":"k"}`},
		{"document", &documentIn{Anything: []any{"x", int64(1)}}, "fixed=1", http.Header{"Content-Type": {"application/json"}}, `["x",1]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := op(reflect.TypeOf(c.in).Elem())
			req, err := EncodeRequest(op, c.in, "http://x")
			if err != nil {
				t.Fatal(err)
			}
			if req.RawQuery != c.query || !reflect.DeepEqual(req.Header, c.header) || string(req.Body) != c.body {
				t.Errorf("got  %s %q %q\nwant %s %q %q", req.RawQuery, req.Header, req.Body, c.query, c.header, c.body)
			}
			m, err := Recognise(req, NewIndex(nil, op))
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Decode(req, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if l, ok := got.(*listsIn); ok { // the map takes what no other member is bound to
				delete(l.More, "fixed")
				delete(l.More, "on")
				delete(l.More, "since")
				if len(l.More) == 0 {
					l.More = nil
				}
			}
			if !reflect.DeepEqual(got, c.in) {
				t.Errorf("got  %+v\nwant %+v", got, c.in)
			}
		})
	}
}

// dynamic is an operation whose request type is chosen at run time.
type dynamic struct {
	meta Meta
	in   reflect.Type
}

func (d *dynamic) About() *Meta          { return &d.meta }
func (d *dynamic) InType() reflect.Type  { return d.in }
func (d *dynamic) OutType() reflect.Type { return reflect.TypeFor[nothing]() }

func TestTokensAreMadeOnBothSides(t *testing.T) {
	in := &detectorIn{DetectorId: "d"}
	req, err := EncodeRequest(updateDet, in, "http://x")
	if err != nil {
		t.Fatal(err)
	}
	if in.Token != nil {
		t.Error("the caller's structure was changed")
	}
	_, got, err := decode(t, req)
	if err != nil || len(*got.(*detectorIn).Token) != 36 {
		t.Errorf("got %+v, %v", got, err)
	}
	_, got, err = decode(t, rest("guardduty", "POST", "/detector/d", "{}"))
	if err != nil || len(*got.(*detectorIn).Token) != 36 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestStreamsPassThrough(t *testing.T) {
	stream, w := io.Pipe()
	r := rest("s3", "PUT", "/b/k", "")
	r.Stream = stream
	_, in, err := decode(t, r)
	if err != nil {
		t.Fatal(err)
	}
	if in.(*objectIn).Body != io.ReadCloser(stream) {
		t.Error("the stream was replaced")
	}
	w.Close()
}

func TestS3NamesTheParameterItCannotRead(t *testing.T) {
	_, _, err := decode(t, rest("s3", "PUT", "/b/k?partNumber=x&uploadId=u", ""))
	wantCode(t, err, "InvalidArgument")
	if got, want := err.(*aws.Error).Message, "Provided partNumber not an integer or within integer range"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTimes(t *testing.T) {
	for _, s := range []string{
		"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z", "2026-01-02T04:04:05+01:00", "2026-01-02T03:04:05", "20260102T030405Z",
		"Fri, 02 Jan 2026 03:04:05 GMT", "Fri, 2 Jan 2026 03:04:05 GMT", "Friday, 02-Jan-26 03:04:05 GMT", "Fri Jan  2 03:04:05 2026",
		"1767323045", "1767323045.0", "1.767323045E9", " 1767323045 ",
	} {
		if got, ok := parseTime(s); !ok || !got.Equal(when.Truncate(time.Second)) {
			t.Errorf("%s is read as %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "x", "NaN", "Inf", "1e300", "-1e300", "2026-13-01T00:00:00Z", "99999-01-01T00:00:00Z"} {
		if got, ok := parseTime(s); ok {
			t.Errorf("%q is read as %v", s, got)
		}
	}
	before := time.UnixMilli(-1500).UTC()
	for format, want := range map[string]string{iso8601: "1969-12-31T23:59:58.500Z", epoch: "-1.5", rfc822: "Wed, 31 Dec 1969 23:59:58 GMT"} {
		if got := formatTime(before, format); got != want {
			t.Errorf("%s: got %s, want %s", format, got, want)
		}
	}
}
