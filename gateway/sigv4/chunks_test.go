package sigv4

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// The two examples of the Amazon S3 API Reference, "Signature Calculations for
// the Authorization Header: Transferring Payload in Multiple Chunks" and "…
// Including Trailing Headers": 66,560 times the letter a, in three chunks.
var (
	docs     = Credentials{KeyID: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	docsTime = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
)

const (
	docsSeed        = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
	docsTrailerSeed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
)

var docsBody = "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + strings.Repeat("a", 65536) + "\r\n" +
	"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + strings.Repeat("a", 1024) + "\r\n" +
	"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"

var docsTrailerBody = "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" + strings.Repeat("a", 65536) + "\r\n" +
	"400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" + strings.Repeat("a", 1024) + "\r\n" +
	"0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
	"x-amz-checksum-crc32c:sOO8/Q==\n\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"

// streamed is the examples' request.
func streamed(t testing.TB, payload string) *Request {
	t.Helper()
	r, err := http.NewRequest("PUT", "https://s3.amazonaws.com/examplebucket/chunkObject.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Storage-Class", "REDUCED_REDUNDANCY")
	r.Header.Set("Content-Encoding", "aws-chunked")
	r.Header.Set("X-Amz-Decoded-Content-Length", "66560")
	r.Header.Set("X-Amz-Content-Sha256", payload)
	if payload == StreamingSigned {
		r.Header.Set("Content-Length", "66824")
	} else {
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32c")
	}
	Sign(r, nil, docs, Scope{"us-east-1", "s3"}, S3, docsTime)
	return arrived(t, r)
}

func open(t testing.TB, payload, body string) (*Signature, *Body) {
	t.Helper()
	s, err := Parse(streamed(t, payload), func(string) Rules { return S3 })
	if err != nil {
		t.Fatal(err)
	}
	if err := new(Verifier).Verify(s, docs.Secret, nil, docsTime); err != nil {
		t.Fatal(err)
	}
	b, err := s.Body(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return s, b
}

func TestStreamedBodiesOfAWSDocumentation(t *testing.T) {
	for _, c := range []struct{ payload, body, seed string }{
		{StreamingSigned, docsBody, docsSeed},
		{StreamingSignedTrailer, docsTrailerBody, docsTrailerSeed},
		{StreamingTrailer, "10400\r\n" + strings.Repeat("a", 66560) + "\r\n0\r\nx-amz-checksum-crc32c:sOO8/Q==\r\n\r\n", ""},
	} {
		t.Run(c.payload, func(t *testing.T) {
			s, b := open(t, c.payload, c.body)
			if c.seed != "" && s.signature != c.seed {
				t.Errorf("seed signature %s, want %s", s.signature, c.seed)
			}
			got, err := io.ReadAll(iotest.OneByteReader(b))
			if err != nil || string(got) != strings.Repeat("a", 66560) {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
			if want := c.payload != StreamingSigned; (b.Trailer()["x-amz-checksum-crc32c"] == "sOO8/Q==") != want {
				t.Errorf("trailer %v", b.Trailer())
			}
		})
	}
}

// Nothing of a chunk is handed out before its signature is proven, and a body
// with any byte changed, dropped or added never ends in io.EOF.
func TestStreamedBodiesThatAreRefused(t *testing.T) {
	unsigned := "10400\r\n" + strings.Repeat("a", 66560) + "\r\n0\r\nx-amz-checksum-crc32c:sOO8/Q==\r\n\r\n"
	for name, c := range map[string]struct{ payload, body string }{
		"changed_first_chunk":      {StreamingSigned, strings.Replace(docsBody, "aaa", "aba", 1)},
		"changed_second_chunk":     {StreamingSigned, docsBody[:66000] + "b" + docsBody[66001:]},
		"chunk_dropped":            {StreamingSigned, docsBody[:87+65536+2] + docsBody[strings.LastIndex(docsBody, "0;chunk"):]},
		"cut_off":                  {StreamingSigned, docsBody[:len(docsBody)-2]},
		"cut_off_between_chunks":   {StreamingSigned, docsBody[:strings.LastIndex(docsBody, "0;chunk")]},
		"something_behind":         {StreamingSigned, docsBody + "x"},
		"no_signature":             {StreamingSigned, strings.Replace(docsBody, ";chunk-signature=", ";", 1)},
		"unsigned_chunks":          {StreamingSigned, unsigned},
		"huge_chunk":               {StreamingSigned, "fffffffffffffff;chunk-signature=" + emptyHash + "\r\n"},
		"trailer_changed":          {StreamingSignedTrailer, strings.Replace(docsTrailerBody, "sOO8", "sOO9", 1)},
		"trailer_unsigned":         {StreamingSignedTrailer, docsTrailerBody[:strings.Index(docsTrailerBody, "x-amz-trailer-sig")] + "\r\n"},
		"trailer_missing":          {StreamingTrailer, strings.Replace(unsigned, "x-amz-checksum-crc32c:sOO8/Q==\r\n", "", 1)},
		"trailer_not_announced":    {StreamingTrailer, strings.Replace(unsigned, "crc32c", "crc32", 1)},
		"trailer_twice":            {StreamingTrailer, strings.Replace(unsigned, "\r\n\r\n", "\r\nx-amz-checksum-crc32c:x\r\n\r\n", 1)},
		"shorter_than_announced":   {StreamingTrailer, "1\r\na\r\n0\r\nx-amz-checksum-crc32c:x\r\n\r\n"},
		"longer_than_announced":    {StreamingTrailer, "10401\r\n" + strings.Repeat("a", 66561) + "\r\n0\r\nx-amz-checksum-crc32c:x\r\n\r\n"},
		"chunk_longer_than_size":   {StreamingTrailer, strings.Replace(unsigned, "10400\r\n", "10400\r\na", 1)},
		"size_that_is_none":        {StreamingTrailer, "+10400\r\n"},
		"nothing":                  {StreamingTrailer, ""},
		"endless_line":             {StreamingTrailer, strings.Repeat("1", 100_000)},
		"small_chunk_in_the_midst": {StreamingSigned, docsBody[:0] + "400" + docsBody[5:]},
	} {
		t.Run(name, func(t *testing.T) {
			_, b := open(t, c.payload, c.body)
			var got bytes.Buffer
			_, err := io.Copy(&got, b)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%d bytes, %v, want a refusal", got.Len(), err)
			}
			if strings.Contains(got.String(), "b") {
				t.Error("an unproven chunk was handed out")
			}
		})
	}
}

func TestDeclaredHashHoldsTheBody(t *testing.T) {
	for body, ok := range map[string]bool{"hello": true, "hellO": false, "hell": false, "": false} {
		r, _ := http.NewRequest("PUT", "https://s3.amazonaws.com/b/k", nil)
		Sign(r, []byte("hello"), docs, Scope{"us-east-1", "s3"}, S3, docsTime)
		s, err := Parse(arrived(t, r), func(string) Rules { return S3 })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Body(strings.NewReader(body)); err == nil {
			t.Fatal("a body was opened before the signature was verified")
		}
		if err := new(Verifier).Verify(s, docs.Secret, nil, docsTime); err != nil {
			t.Fatal(err)
		}
		b, err := s.Body(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(b); (err == nil) != ok {
			t.Errorf("%q: %v", body, err)
		}
	}
}
