// Package bucket lists and reads the objects of S3 buckets, at any endpoint.
//
// It is a client for those who have to read logs where they lie: of AWS, of this
// plane's neighbours, of any store that speaks the protocol. Amazon S3 API Reference,
// ListObjectsV2 and GetObject.
package bucket

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"sumun.dev/gateway/sigv4"
)

// Bounds of a store that may be slow, broken or hostile.
const (
	maxAnswer = 16 << 20         // bytes of a listing's page: 1,000 keys of 1,024 characters, escaped
	maxPages  = 100_000          // of a listing: 100 million keys
	maxError  = 64 << 10         // bytes of an error
	maxTries  = 5                // of a request, and of a body without progress
	silence   = 60 * time.Second // without a byte, until a request is tried again

	pause = 200 * time.Millisecond // before another try; each further one doubles it
)

// A Store is where buckets are.
type Store struct {
	Endpoint *url.URL                  // nil: AWS, in the region
	Region   string                    // where requests are signed for; a bucket of another one of AWS is found
	Key      sigv4.Credentials         // KeyID empty: requests are not signed
	HTTP     *http.Client              // nil: one of this package's
	Now      func() time.Time          // nil: the clock
	Wait     func(time.Duration) error // nil: time passes

	mu    sync.Mutex
	homes map[string]string // region of buckets, where it is another
}

// An Object is one of a bucket.
type Object struct {
	Key  string
	Size int64
	ETag string
}

// An Error is what a store answered.
type Error struct {
	Status        int
	Code, Message string
}

// Error says it in a sentence.
func (e *Error) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("%s (HTTP %d): %s", cmp.Or(e.Code, http.StatusText(e.Status), "an error"), e.Status, e.Message), ": ")
}

// Endpoint reads the URL of a store.
func Endpoint(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the endpoint is no URL: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("the endpoint %q is not like https://s3.example.com", u.Redacted())
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the endpoint %q has a user, a query or a fragment", u.Redacted())
	}
	return u, nil
}

// nameForm is what names of buckets consist of: User Guide, "Bucket naming rules",
// with the capitals and underscores that old ones may have.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$`)

// Split takes s3://bucket/prefix apart.
func Split(path string) (bucket, prefix string, err error) {
	rest, ok := strings.CutPrefix(path, "s3://")
	bucket, prefix, _ = strings.Cut(rest, "/")
	if !ok || !nameForm.MatchString(bucket) || strings.Contains(bucket, "..") {
		return "", "", fmt.Errorf("%q is not like s3://bucket/prefix", path)
	}
	if len(prefix) > 1024 {
		return "", "", errors.New("the prefix is longer than 1,024 bytes")
	}
	return bucket, prefix, nil
}

// page is an answer of ListObjectsV2.
type page struct {
	Contents []struct {
		Key  string `xml:"Key"`
		Size int64  `xml:"Size"`
		ETag string `xml:"ETag"`
	} `xml:"Contents"`
	IsTruncated bool   `xml:"IsTruncated"`
	Next        string `xml:"NextContinuationToken"`
	Encoding    string `xml:"EncodingType"`
}

// List yields the objects of a bucket whose keys begin with prefix, in the store's
// order. It ends with an error when a page cannot be had.
func (s *Store) List(ctx context.Context, bucket, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		asked := map[[sha256.Size]byte]bool{} // tokens; one of them may be long
		for token := ""; ; {
			q := "list-type=2&encoding-type=url&prefix=" + escape(prefix, false)
			if token != "" {
				q += "&continuation-token=" + escape(token, false)
			}
			p, err := s.page(ctx, bucket, q)
			if err != nil {
				yield(Object{}, fmt.Errorf("list s3://%s/%s: %w", bucket, prefix, err))
				return
			}
			for _, o := range p.Contents {
				key := o.Key
				if p.Encoding == "url" {
					if key, err = url.QueryUnescape(o.Key); err != nil {
						yield(Object{}, fmt.Errorf("list s3://%s/%s: a key is not escaped as it should be", bucket, prefix))
						return
					}
				}
				if !strings.HasPrefix(key, prefix) || o.Size < 0 {
					yield(Object{}, fmt.Errorf("list s3://%s/%s: the store names what was not asked for", bucket, prefix))
					return
				}
				if !yield(Object{Key: key, Size: o.Size, ETag: o.ETag}, nil) {
					return
				}
			}
			switch {
			case !p.IsTruncated:
				return
			case p.Next == "" || p.Next == token:
				yield(Object{}, fmt.Errorf("list s3://%s/%s: there is more, and no token for it", bucket, prefix))
				return
			case asked[sha256.Sum256([]byte(p.Next))]:
				yield(Object{}, fmt.Errorf("list s3://%s/%s: the pages go round in a circle", bucket, prefix))
				return
			case len(asked) == maxPages-1:
				yield(Object{}, fmt.Errorf("list s3://%s/%s: there are more than %d pages; name a longer prefix", bucket, prefix, maxPages))
				return
			}
			token = p.Next
			asked[sha256.Sum256([]byte(token))] = true
		}
	}
}

func (s *Store) page(ctx context.Context, bucket, query string) (*page, error) {
	for try := 1; ; try++ {
		p, err := s.onePage(ctx, bucket, query)
		if err == nil || try == maxTries || !transient(err) {
			return p, err
		}
		if err := s.wait(ctx, try); err != nil {
			return nil, err
		}
	}
}

func (s *Store) onePage(ctx context.Context, bucket, query string) (*page, error) {
	in, err := s.get(ctx, bucket, "", query, nil)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, maxAnswer+1))
	if err != nil {
		return nil, &cutOff{err}
	}
	var p page
	if len(b) > maxAnswer {
		return nil, fmt.Errorf("the answer is larger than %d MiB", maxAnswer>>20)
	}
	if err := xml.Unmarshal(b, &p); err != nil {
		return nil, fmt.Errorf("the answer is no listing: %w", err)
	}
	return &p, nil
}

// Open reads an object. A connection that breaks is taken up where it broke, as long
// as the object is the same.
func (s *Store) Open(ctx context.Context, bucket string, o Object) (io.ReadCloser, error) {
	b := &body{ctx: ctx, store: s, bucket: bucket, object: o}
	if err := b.again(); err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", bucket, o.Key, err)
	}
	return b, nil
}

// A body is that of an object.
type body struct {
	ctx    context.Context
	store  *Store
	bucket string
	object Object
	in     io.ReadCloser
	at     int64
	tries  int // since the last byte
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	if b.at += int64(n); n > 0 {
		b.tries = 0
		if !errors.Is(err, io.EOF) {
			return n, nil // an error comes again
		}
	}
	if err == nil || errors.Is(err, io.EOF) || b.ctx.Err() != nil {
		return n, err
	}
	b.in.Close()
	if err := b.again(); err != nil {
		return 0, fmt.Errorf("read s3://%s/%s: %w", b.bucket, b.object.Key, err)
	}
	return 0, nil
}

// again asks for what is left of the object.
func (b *body) again() error {
	for {
		b.tries++
		head := http.Header{}
		if b.at > 0 {
			head.Set("Range", fmt.Sprintf("bytes=%d-", b.at))
		}
		if b.object.ETag != "" {
			head.Set("If-Match", b.object.ETag)
		}
		in, err := b.store.get(b.ctx, b.bucket, b.object.Key, "", head)
		if err == nil {
			b.in = in
			return nil
		}
		if b.tries >= maxTries || !transient(err) {
			b.in = gone{err}
			return err
		}
		if err := b.store.wait(b.ctx, b.tries); err != nil {
			b.in = gone{err}
			return err
		}
	}
}

func (b *body) Close() error { return b.in.Close() }

// gone gives its error to whoever reads on.
type gone struct{ err error }

func (g gone) Read([]byte) (int, error) { return 0, g.err }
func (g gone) Close() error             { return nil }

// cutOff is an answer whose end did not come.
type cutOff struct{ err error }

func (c *cutOff) Error() string { return c.err.Error() }
func (c *cutOff) Unwrap() error { return c.err }

// transient reports whether what went wrong may go well the next time.
func transient(err error) bool {
	var answered *Error
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &answered):
		switch answered.Status {
		case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
			return true
		}
		return answered.Code == "RequestTimeout"
	case errors.As(err, new(*cutOff)), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, errSilent):
		return true
	}
	return errors.As(err, &network)
}

// wait lets time pass before another try.
func (s *Store) wait(ctx context.Context, try int) error {
	d := pause << (try - 1)
	d += rand.N(d)
	if s.Wait != nil {
		return s.Wait(d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// plain is a client that sends what it is given, nothing else, and nowhere else.
var plain = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableCompression: true, ForceAttemptHTTP2: true,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: silence, MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second,
	},
}

// get sends one request, to another region of AWS when the bucket is there.
func (s *Store) get(ctx context.Context, bucket, key, query string, head http.Header) (io.ReadCloser, error) {
	region := s.home(bucket)
	for {
		ctx, stop := context.WithCancelCause(ctx)
		quiet := time.AfterFunc(silence, func() { stop(errSilent) })
		end := func() { quiet.Stop(); stop(nil) }
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address(bucket, key, query, region), nil)
		if err != nil {
			end()
			return nil, err
		}
		// net/http must not tidy what is signed.
		req.URL.RawPath = s.path(bucket, key)
		for name, values := range head {
			req.Header[name] = values
		}
		if s.Key.KeyID != "" {
			sigv4.Sign(req, nil, s.Key, sigv4.Scope{Region: region, Service: "s3"}, sigv4.S3, s.now())
		}
		res, err := cmp.Or(s.HTTP, plain).Do(req)
		if err != nil {
			err = cmp.Or(context.Cause(ctx), err)
			end()
			return nil, err
		}
		whole := head.Get("Range") == ""
		if res.StatusCode == http.StatusPartialContent && (whole || !rest(head.Get("Range"), res.Header.Get("Content-Range"))) {
			res.Body.Close()
			end()
			return nil, fmt.Errorf("the store gives another part of the object (%.100q) than was asked for", res.Header.Get("Content-Range"))
		}
		if res.StatusCode == http.StatusOK && whole || res.StatusCode == http.StatusPartialContent {
			return &watched{in: res.Body, ctx: ctx, quiet: quiet, end: end}, nil
		}
		other := res.Header.Get("X-Amz-Bucket-Region")
		err = answer(res)
		end()
		if s.Endpoint != nil || other == "" || other == region || !regionForm.MatchString(other) || !s.moved(bucket, other) {
			return nil, err
		}
		region = other
	}
}

// rest reports whether an answer is all that a Range of the form bytes=N- asks for: RFC
// 9110, "Content-Range".
func rest(asked, got string) bool {
	from, ok := strings.CutPrefix(got, strings.Replace(strings.TrimSpace(asked), "=", " ", 1))
	last, size, ok2 := strings.Cut(from, "/")
	n, err := strconv.ParseInt(last, 10, 64)
	return ok && ok2 && err == nil && n >= 0 && (size == "*" || size == strconv.FormatInt(n+1, 10))
}

var errSilent = errors.New("the store said nothing for a minute")

var regionForm = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-\d$`)

// moved notes in which region a bucket is; false when that was said before.
func (s *Store) moved(bucket, region string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.homes[bucket]; ok || len(s.homes) > 1000 {
		return false
	}
	if s.homes == nil {
		s.homes = map[string]string{}
	}
	s.homes[bucket] = region
	return true
}

func (s *Store) home(bucket string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cmp.Or(s.homes[bucket], s.Region, "us-east-1")
}

func (s *Store) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// answer reads an error of the store.
func answer(res *http.Response) error {
	defer res.Body.Close()
	if res.StatusCode < 300 {
		return errors.New("the store does not give parts of objects, and the connection broke")
	}
	e := &Error{Status: res.StatusCode}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxError))
	if err == nil {
		var said struct{ Code, Message string }
		if xml.Unmarshal(b, &said) == nil {
			e.Code, e.Message = said.Code, said.Message
		}
	}
	if len(e.Message) > 500 {
		e.Message = e.Message[:500]
	}
	return e
}

// watched ends a body that says nothing.
type watched struct {
	in    io.ReadCloser
	ctx   context.Context
	quiet *time.Timer
	end   func()
}

func (w *watched) Read(p []byte) (int, error) {
	w.quiet.Reset(silence)
	n, err := w.in.Read(p)
	w.quiet.Stop() // whoever reads may take time
	if err != nil && !errors.Is(err, io.EOF) {
		err = &cutOff{cmp.Or(context.Cause(w.ctx), err)}
	}
	return n, err
}

func (w *watched) Close() error {
	defer w.end()
	return w.in.Close()
}

// virtual reports whether a bucket is named in the host: as AWS wants it, where TLS
// can be had for it.
func (s *Store) virtual(bucket string) bool {
	return s.Endpoint == nil && !strings.ContainsAny(bucket, "._") && strings.ToLower(bucket) == bucket
}

// path is what is asked for, escaped as it is signed.
func (s *Store) path(bucket, key string) string {
	path := "/" + escape(key, true)
	if !s.virtual(bucket) {
		path = "/" + bucket + path
	}
	if s.Endpoint != nil {
		path = strings.TrimSuffix(s.Endpoint.EscapedPath(), "/") + path
	}
	return path
}

// suffixes are where the services of partitions are, by how names of their regions
// begin: the partitions of AWS SDKs, partitions.json.
var suffixes = []struct{ region, suffix string }{
	{"cn-", "amazonaws.com.cn"}, {"us-iso-", "c2s.ic.gov"}, {"us-isob-", "sc2s.sgov.gov"},
	{"us-isof-", "csp.hci.ic.gov"}, {"eu-isoe-", "cloud.adc-e.uk"}, {"eusc-", "amazonaws.eu"},
}

func suffix(region string) string {
	for _, s := range suffixes {
		if strings.HasPrefix(region, s.region) {
			return s.suffix
		}
	}
	return "amazonaws.com"
}

func (s *Store) address(bucket, key, query, region string) string {
	scheme, host := "https", "s3."+region+"."+suffix(region)
	if s.virtual(bucket) {
		host = bucket + "." + host
	}
	if s.Endpoint != nil {
		scheme, host = s.Endpoint.Scheme, s.Endpoint.Host
	}
	address := scheme + "://" + host + s.path(bucket, key)
	if query != "" {
		address += "?" + query
	}
	return address
}

// escape encodes as AWS does: all but letters, digits, - . _ ~, and slashes within a
// path.
func escape(s string, path bool) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0, c == '/' && path:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}
