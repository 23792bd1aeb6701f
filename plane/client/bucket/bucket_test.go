package bucket

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sumun.dev/gateway/sigv4"
)

var key = sigv4.Credentials{KeyID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI", Token: "session"}

// A server is a store as S3 is one: it verifies signatures, gives pages of three
// keys, and does what spoil says instead.
type server struct {
	objects  map[string]string
	unsigned bool
	spoil    func(w http.ResponseWriter, r *http.Request, n int) bool // true: it has answered

	mu    sync.Mutex
	n     int
	hosts []string
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`, code, message)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.n++
	n := s.n
	s.hosts = append(s.hosts, r.Host)
	s.mu.Unlock()
	region := "eu-central-1"
	if strings.Contains(r.Host, ".us-east-1.") {
		region = "us-east-1"
	}
	if err := s.authentic(r, region); err != nil {
		refuse(w, http.StatusForbidden, "SignatureDoesNotMatch", err.Error())
		return
	}
	if s.spoil != nil && s.spoil(w, r, n) {
		return
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	path, err := url.PathUnescape(strings.TrimPrefix(path, "/store"))
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidURI", err.Error())
		return
	}
	name := strings.TrimPrefix(path, "/logs/")
	if strings.HasPrefix(r.Host, "logs.s3.") {
		name = strings.TrimPrefix(path, "/")
	}
	if name == "" {
		s.list(w, r.URL.Query())
		return
	}
	content, ok := s.objects[name]
	if !ok {
		refuse(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	if r.Header.Get("If-Match") != tag(content) {
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "")
		return
	}
	w.Header().Set("ETag", tag(content))
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
}

func tag(content string) string {
	return fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(content)))[:18] + `"`
}

func (s *server) authentic(r *http.Request, region string) error {
	if s.unsigned {
		if r.Header.Get("Authorization") != "" {
			return errors.New("it is signed")
		}
		return nil
	}
	got, err := sigv4.Received(r)
	if err != nil {
		return err
	}
	sig, err := sigv4.Parse(got, func(string) sigv4.Rules { return sigv4.S3 })
	if err != nil {
		return err
	}
	if err := sig.CheckScope("s3", region); err != nil {
		return err
	}
	sum := sha256.Sum256(nil)
	if sig.KeyID != key.KeyID || sig.Token != key.Token {
		return errors.New("another key")
	}
	return (&sigv4.Verifier{}).Verify(sig, key.Secret, &sum, time.Now())
}

func (s *server) list(w http.ResponseWriter, q url.Values) {
	var keys []string
	for k := range s.objects {
		if strings.HasPrefix(k, q.Get("prefix")) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	from, _ := strconv.Atoi(q.Get("continuation-token"))
	type content struct {
		Key, ETag string
		Size      int
	}
	out := struct {
		XMLName     xml.Name `xml:"ListBucketResult"`
		Contents    []content
		IsTruncated bool
		Next        string `xml:"NextContinuationToken,omitempty"`
		Encoding    string `xml:"EncodingType"`
	}{Encoding: q.Get("encoding-type")}
	for _, k := range keys[from:min(from+3, len(keys))] {
		out.Contents = append(out.Contents, content{url.QueryEscape(k), tag(s.objects[k]), len(s.objects[k])})
	}
	if from+3 < len(keys) {
		out.IsTruncated, out.Next = true, strconv.Itoa(from+3)
	}
	xml.NewEncoder(w).Encode(out)
}

// names are keys that are hard to sign and to escape.
var names = []string{"AWSLogs/1/a.json.gz", "AWSLogs/1/b c+d.json", "AWSLogs/1/ä€/x=1&y=2?z#h", "AWSLogs/1/dots/../x", "AWSLogs/1//double", "AWSLogs/1/per%25cent%", "AWSLogs/1/tab\there\"'()*!~", "AWSLogs/2/other"}

func open(t *testing.T, s *server) *Store {
	t.Helper()
	s.objects = map[string]string{}
	for i, n := range names {
		s.objects[n] = strings.Repeat(n, 1+1000*i)
	}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	at, err := Endpoint(web.URL + "/store/")
	if err != nil {
		t.Fatal(err)
	}
	return &Store{Endpoint: at, Region: "eu-central-1", Key: key, Wait: func(time.Duration) error { return nil }}
}

// all lists and reads.
func all(t *testing.T, s *Store, prefix string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for o, err := range s.List(t.Context(), "logs", prefix) {
		if err != nil {
			t.Fatal(err)
		}
		in, err := s.Open(t.Context(), "logs", o)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		if err != nil || int64(len(b)) != o.Size {
			t.Errorf("%s: %d bytes of %d, %v", o.Key, len(b), o.Size, err)
		}
		in.Close()
		got[o.Key] = string(b)
	}
	return got
}

func TestObjectsAreListedAndRead(t *testing.T) {
	for name, c := range map[string]struct {
		server *server
		key    sigv4.Credentials
	}{
		"signed":     {key: key, server: &server{}},
		"not signed": {server: &server{unsigned: true}},
		"a busy time": {key: key, server: &server{spoil: func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n%3 != 0 {
				refuse(w, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
			}
			return n%3 != 0
		}}},
		"a bad line": {key: key, server: &server{spoil: func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n%2 == 0 {
				return false
			}
			hijacked, out, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
				if r.URL.RawQuery == "" {
					out.Flush()
				}
				hijacked.Close()
			}
			return true
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, c.server)
			s.Key = c.key
			got := all(t, s, "AWSLogs/1/")
			if len(got) != len(names)-1 {
				t.Errorf("%d objects", len(got))
			}
			for k, content := range got {
				if content != c.server.objects[k] {
					t.Errorf("%q: other content", k)
				}
			}
		})
	}
}

// A body whose connection breaks is taken up where it broke.
func TestABrokenBodyIsTakenUp(t *testing.T) {
	const long = "AWSLogs/2/other"
	s := &server{}
	store := open(t, s)
	whole := s.objects[long]
	var ranges []string
	s.spoil = func(w http.ResponseWriter, r *http.Request, n int) bool {
		ranges = append(ranges, r.Header.Get("Range"))
		from := 0
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
		conn, out, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return true
		}
		status := "200 OK"
		if from > 0 {
			status = fmt.Sprintf("206 Partial Content\r\nContent-Range: bytes %d-%d/%d", from, len(whole)-1, len(whole))
		}
		fmt.Fprintf(out, "HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", status, len(whole)-from, whole[from:min(from+20_000, len(whole))])
		out.Flush()
		conn.Close()
		return true
	}
	in, err := store.Open(t.Context(), "logs", Object{Key: long, Size: int64(len(whole))})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	b, err := io.ReadAll(in)
	if err != nil || string(b) != whole || len(ranges) != (len(whole)+19_999)/20_000 || ranges[1] != "bytes=20000-" {
		t.Errorf("%d of %d bytes, %v, %v", len(b), len(whole), err, ranges)
	}
}

// Where another part comes than was asked for, it is not put in the place of that.
func TestAnotherPartIsRefused(t *testing.T) {
	const long = "AWSLogs/2/other"
	for _, part := range []string{"Content-Range: bytes 0-99/100\r\n", "Content-Range: bytes 50-98/100\r\n", "Content-Range: bytes 500-99/100\r\n", "Content-Range: bytes 50-\r\n", "", "Content-Range: bytes 50-99/100\r\n", "Content-Range: bytes 50-99/*\r\n"} {
		s := &server{}
		store := open(t, s)
		s.spoil = func(w http.ResponseWriter, r *http.Request, n int) bool {
			conn, out, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return true
			}
			if n == 1 {
				fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n%s", strings.Repeat("a", 50))
			} else {
				fmt.Fprintf(out, "HTTP/1.1 206 Partial Content\r\nContent-Length: 50\r\n%s\r\n%s", part, strings.Repeat("b", 50))
			}
			out.Flush()
			conn.Close()
			return true
		}
		in, err := store.Open(t.Context(), "logs", Object{Key: long, Size: 100})
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		in.Close()
		if good := strings.Contains(part, "50-99/"); good != (err == nil) || good != (len(b) == 100) || !good && !strings.Contains(err.Error(), "another part") {
			t.Errorf("%q: %d bytes, %v", part, len(b), err)
		}
	}
}

// Each partition has a domain of its own.
func TestWherePartitionsAre(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1": "amazonaws.com", "us-gov-west-1": "amazonaws.com", "cn-north-1": "amazonaws.com.cn", "us-iso-east-1": "c2s.ic.gov", "us-isob-east-1": "sc2s.sgov.gov",
		"us-isof-south-1": "csp.hci.ic.gov", "eu-isoe-west-1": "cloud.adc-e.uk", "eusc-de-east-1": "amazonaws.eu",
	} {
		if got := (&Store{}).address("logs", "k", "", region); got != "https://logs.s3."+region+"."+want+"/k" {
			t.Errorf("%s: %s", region, got)
		}
	}
}

func TestWhatAStoreRefusesIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(w http.ResponseWriter, r *http.Request, n int) bool
		want  string
		tries int
	}{
		"forbidden": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			refuse(w, 403, "AccessDenied", "Access Denied")
			return true
		}, "AccessDenied (HTTP 403): Access Denied", 1},
		"down": {func(w http.ResponseWriter, _ *http.Request, _ int) bool { w.WriteHeader(502); return true }, "Bad Gateway (HTTP 502)", maxTries},
		"a page of the web": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			io.WriteString(w, "<html><body>Hello")
			return true
		}, "no listing", 1},
		"elsewhere": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.Header().Set("Location", "http://169.254.169.254/")
			w.WriteHeader(301)
			return true
		}, "HTTP 301", 1},
		"too much": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			io.CopyN(w, zeros{}, maxAnswer+10)
			return true
		}, "larger than 16 MiB", 1},
		"other keys": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			io.WriteString(w, "<R><Contents><Key>etc/passwd</Key><Size>1</Size></Contents></R>")
			return true
		}, "not asked for", 1},
		"endless": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			io.WriteString(w, "<R><IsTruncated>true</IsTruncated></R>")
			return true
		}, "no token", 1},
		"a circle": {func(w http.ResponseWriter, r *http.Request, _ int) bool {
			next := "A"
			if r.URL.Query().Get("continuation-token") == "A" {
				next = "B"
			}
			fmt.Fprintf(w, "<R><IsTruncated>true</IsTruncated><NextContinuationToken>%s</NextContinuationToken></R>", next)
			return true
		}, "circle", 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{spoil: c.spoil}
			store := open(t, s)
			var err error
			for _, err = range store.List(t.Context(), "logs", "AWSLogs/") {
				if err != nil {
					break
				}
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "s3://logs/AWSLogs/") || s.n != c.tries {
				t.Errorf("%v after %d tries", err, s.n)
			}
		})
	}
	store := open(t, &server{})
	for _, o := range []Object{{Key: "none"}, {Key: names[0], ETag: `"old"`}} {
		if in, err := store.Open(t.Context(), "logs", o); err == nil {
			in.Close()
			t.Errorf("%+v is read", o)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Open(ctx, "logs", Object{Key: names[0]}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// At AWS the bucket stands in the host, and one of another region is found there.
func TestABucketOfAnotherRegionIsFound(t *testing.T) {
	s := &server{spoil: func(w http.ResponseWriter, r *http.Request, n int) bool {
		if strings.HasPrefix(r.Host, "logs.s3.us-east-1.") {
			w.Header().Set("X-Amz-Bucket-Region", "eu-central-1")
			refuse(w, http.StatusMovedPermanently, "PermanentRedirect", "")
			return true
		}
		return false
	}}
	open(t, s)
	web := httptest.NewTLSServer(s)
	defer web.Close()
	store := &Store{Key: key, HTTP: &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, web.Listener.Addr().String())
		},
	}}}
	if got := all(t, store, "AWSLogs/1/"); len(got) != len(names)-1 {
		t.Errorf("%d objects", len(got))
	}
	if s.hosts[0] != "logs.s3.us-east-1.amazonaws.com" || s.hosts[1] != "logs.s3.eu-central-1.amazonaws.com" || slices.Contains(s.hosts[1:], s.hosts[0]) {
		t.Errorf("%v", s.hosts)
	}
}

func TestSplit(t *testing.T) {
	for path, want := range map[string]string{
		"s3://logs": "logs ", "s3://logs/": "logs ", "s3://logs/a/b": "logs a/b", "s3://my.logs_1/x": "my.logs_1 x",
		"s3://": "", "s3:///x": "", "s3://a": "", "s3://../x": "", "s3://logs@evil/x": "", "s3://lo gs/x": "", "s3://logs:80/x": "", "file://logs": "", "s3://a..b/": "",
		"s3://logs/" + strings.Repeat("x", 1025): "",
	} {
		bucket, prefix, err := Split(path)
		if got := bucket + " " + prefix; (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	for _, bad := range []string{"", "s3.example.com", "ftp://x", "https://user:secret@x", "https://x/?y", "https://", "http://x\x7f"} {
		if u, err := Endpoint(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, %v", bad, u, err)
		}
	}
}

// FuzzPage holds that no answer of a store takes the program down.
func FuzzPage(f *testing.F) {
	f.Add([]byte("<R><Contents><Key>a</Key><Size>1</Size></Contents><IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken></R>"))
	f.Add([]byte("<R><EncodingType>url</EncodingType><Contents><Key>%zz</Key></Contents></R>"))
	var answer []byte
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(answer) }))
	f.Cleanup(web.Close)
	at, err := Endpoint(web.URL)
	if err != nil {
		f.Fatal(err)
	}
	store := &Store{Endpoint: at, Wait: func(time.Duration) error { return nil }}
	f.Fuzz(func(t *testing.T, b []byte) {
		answer = b
		n := 0
		for o, err := range store.List(t.Context(), "logs", "a") {
			if n++; err == nil && !strings.HasPrefix(o.Key, "a") || n > 100_000 {
				t.Errorf("%+v", o)
			}
			if n > 1000 {
				break
			}
		}
	})
}
