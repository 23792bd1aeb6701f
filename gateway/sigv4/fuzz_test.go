package sigv4

import (
	"net/http"
	"testing"
	"time"
)

// Whatever the header and the query hold, parsing neither panics nor accepts
// what Verify could then take for signed.
func FuzzParse(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", "20150830T123600Z", "/a/../b", "a=b&a=%20+")
	f.Add("", "", "/", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600&X-Amz-Signature=e93c")
	f.Add("AWS AKIA:x", "Mon, 02 Jan 2006 15:04:05 GMT", "//", "&&=&%")
	verifier := new(Verifier)
	f.Fuzz(func(t *testing.T, header, date, path, query string) {
		r := &Request{Method: "GET", Path: path, Query: query, Host: "h", Header: http.Header{}}
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		if date != "" {
			r.Header.Set("X-Amz-Date", date)
		}
		for _, rules := range []Rules{0, S3} {
			s, err := Parse(r, func(string) Rules { return rules })
			if err != nil {
				if e, ok := err.(*Error); !ok || e.For(AmazonS3).Code == "" || e.For(JSON).Status == 0 {
					t.Fatalf("not a refusal: %v", err)
				}
				continue
			}
			if s.KeyID == "" || s.Date == "" || s.Service == "" || !s.Signs("host") || s.Expires > 7*24*time.Hour {
				t.Fatalf("parsed as %+v", s)
			}
			var sum [32]byte
			if err := verifier.Verify(s, "some secret", &sum, s.Time); err == nil {
				t.Fatalf("verified: %q %q", header, query)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	r := posted(b, nil)
	r.Header.Set("User-Agent", "aws-cli/2")
	verifier := new(Verifier)
	b.ReportAllocs()
	for b.Loop() {
		s, err := Parse(r, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := verifier.Verify(s, alice.Secret, &emptyObject, noon); err != nil {
			b.Fatal(err)
		}
	}
}

// emptyObject is the hash of {}.
var emptyObject = [32]byte{
	0x44, 0x13, 0x6f, 0xa3, 0x55, 0xb3, 0x67, 0x8a, 0x11, 0x46, 0xad, 0x16, 0xf7, 0xe8, 0x64, 0x9e,
	0x94, 0xfb, 0x4f, 0xc2, 0x1f, 0xe7, 0x7e, 0x83, 0x10, 0xc0, 0x60, 0xf6, 0x1c, 0xaa, 0xff, 0x8a,
}
