package sigv4

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

var (
	alice = Credentials{KeyID: "AKIAALICE00000000000", Secret: "alices-secret-alices-secret-alices"}
	here  = Scope{Region: "eu-central-1", Service: "kms"}
	noon  = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
)

// posted is a signed call as the server receives it.
func posted(t testing.TB, change func(*http.Request)) *Request {
	t.Helper()
	r, err := http.NewRequest("POST", "https://kms.example/", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "TrentService.Encrypt")
	Sign(r, []byte("{}"), alice, here, 0, noon)
	if change != nil {
		change(r)
	}
	return arrived(t, r)
}

// presigned is a presigned call as the server receives it.
func presigned(t testing.TB, expires time.Duration, change func(*http.Request)) *Request {
	t.Helper()
	r, err := http.NewRequest("POST", "https://kms.example/?Action=List", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Presign(r, []byte("{}"), alice, here, 0, noon, expires); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	return arrived(t, r)
}

func arrived(t testing.TB, r *http.Request) *Request {
	t.Helper()
	r.RequestURI = r.URL.RequestURI()
	r.Host = r.URL.Host
	in, err := Received(r)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func verify(r *Request, secret, body string, rules Rules, at time.Time) (*Signature, error) {
	s, err := Parse(r, func(string) Rules { return rules })
	if err != nil {
		return nil, err
	}
	if err := s.CheckScope(here.Service, here.Region); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(body))
	return s, new(Verifier).Verify(s, secret, &sum, at)
}

func auth(change func(string) string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", change(r.Header.Get("Authorization"))) }
}

func swap(old, new string) func(*http.Request) {
	return auth(func(s string) string { return strings.Replace(s, old, new, 1) })
}

func query(f func(string) string) func(*http.Request) {
	return func(r *http.Request) { r.URL.RawQuery = f(r.URL.RawQuery) }
}

func TestWhatIsRefusedAndInWhichWords(t *testing.T) {
	get := func(change func(*http.Request)) func(testing.TB) *Request {
		return func(t testing.TB) *Request { return posted(t, change) }
	}
	pre := func(change func(*http.Request)) func(testing.TB) *Request {
		return func(t testing.TB) *Request { return presigned(t, time.Minute, change) }
	}
	for _, c := range []struct {
		name  string
		call  func(testing.TB) *Request
		after time.Duration
		want  Reason
		says  string
	}{
		{name: "nothing", call: get(func(r *http.Request) { r.Header.Del("Authorization") }), want: NoSignature, says: "Request is missing Authentication Token"},
		{name: "empty_header", call: get(auth(func(string) string { return Algorithm })), want: Incomplete,
			says: "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."},
		{name: "no_date", call: get(func(r *http.Request) { r.Header.Del("X-Amz-Date") }), want: Incomplete,
			says: "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		{name: "no_equal_sign", call: get(swap("Signature=", "Signature")), want: Incomplete, says: "not a valid key=value pair (missing equal-sign) in Authorization header"},
		{name: "credential_twice", call: get(auth(func(s string) string { return s + ", Credential=x" })), want: Incomplete, says: "more than one 'Credential'"},
		{name: "unknown_parameter", call: get(auth(func(s string) string { return s + ", Extra=x" })), want: Incomplete, says: "unknown parameter 'Extra'"},
		{name: "short_credential", call: get(swap("/aws4_request", "")), want: Incomplete, says: "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIAALICE00000000000/20260101/eu-central-1/kms'"},
		{name: "terminator", call: get(swap("/aws4_request", "/aws5_request")), want: WrongScope, says: "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."},
		{name: "other_day", call: get(swap("/20260101/", "/20260102/")), want: WrongScope,
			says: "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260102' != '20260101', from '20260101T120000Z'."},
		{name: "other_region", call: get(swap("/eu-central-1/", "/eu-west-1/")), want: WrongScope, says: "Credential should be scoped to a valid region, not 'eu-west-1'."},
		{name: "other_service", call: get(swap("/kms/", "/sts/")), want: WrongScope, says: "Credential should be scoped to correct service: 'kms'."},
		{name: "key_with_odd_bytes", call: get(swap("AKIA", "AK-A")), want: UnknownKey, says: "The security token included in the request is invalid."},
		{name: "sigv4a", call: get(swap(Algorithm, "AWS4-ECDSA-P256-SHA256")), want: Unsupported, says: "Signature Version 4A"},
		{name: "sigv2_header", call: get(auth(func(string) string { return "AWS AKIA:sig" })), want: Unsupported, says: "Signature Version 2"},
		{name: "sigv2_query", call: get(func(r *http.Request) {
			r.Header.Del("Authorization")
			r.URL.RawQuery = "AWSAccessKeyId=AKIA&Signature=x&SignatureVersion=2"
		}), want: Unsupported, says: "Signature Version 2"},
		{name: "other_algorithm", call: get(swap("SHA256", "SHA1")), want: Unsupported, says: "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'"},
		{name: "host_not_signed", call: get(swap("host;", "")), want: Unsigned, says: "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{name: "target_not_signed", call: get(swap(";x-amz-target", "")), want: Unsigned, says: "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."},
		{name: "header_added", call: get(func(r *http.Request) { r.Header.Set("X-Amz-Extra", "x") }), want: Unsigned, says: "'X-Amz-Extra' must be"},
		{name: "target_twice", call: get(func(r *http.Request) { r.Header.Add("X-Amz-Target", "TrentService.Decrypt") }), want: Mismatch},
		{name: "headers_out_of_order", call: get(swap("host;x-amz-date", "x-amz-date;host")), want: Mismatch},
		{name: "two_authorizations", call: get(func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }), want: Ambiguous},
		{name: "header_and_query", call: get(func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=x" }), want: Ambiguous},
		{name: "two_dates", call: get(func(r *http.Request) { r.Header.Add("X-Amz-Date", "20260101T120000Z") }), want: Ambiguous},
		{name: "unsigned_payload", call: get(func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", UnsignedPayload)
			Sign(r, []byte("{}"), alice, here, 0, noon)
		}), want: BadPayloadHash},
		{name: "streamed_payload", call: get(func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", StreamingSigned)
			Sign(r, []byte("{}"), alice, here, 0, noon)
		}), want: BadPayloadHash},
		{name: "too_old", call: get(nil), after: 15*time.Minute + time.Second, want: Skewed,
			says: "Signature expired: 20260101T120000Z is now earlier than 20260101T120001Z (20260101T121501Z - 15 min.)"},
		{name: "too_new", call: get(nil), after: -15*time.Minute - time.Second, want: Skewed,
			says: "Signature not yet current: 20260101T120000Z is still later than 20260101T115959Z (20260101T114459Z + 15 min.)"},
		{name: "date_that_is_none", call: get(func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260231T120000Z") }), want: Incomplete, says: "Date must be in ISO-8601 'basic format'. Got '20260231T120000Z'."},
		{name: "presigned_lapsed", call: pre(nil), after: time.Minute + time.Second, want: Lapsed, says: "Signature expired: 20260101T120000Z is now earlier than 20260101T120001Z (20260101T120101Z - 60 sec.)"},
		{name: "presigned_extended", call: pre(query(func(q string) string { return strings.Replace(q, "Expires=60", "Expires=600", 1) })), want: Mismatch},
		{name: "presigned_too_long", call: pre(query(func(q string) string { return strings.Replace(q, "Expires=60", "Expires=604801", 1) })), want: Incomplete, says: "604800"},
		{name: "presigned_negative", call: pre(query(func(q string) string { return strings.Replace(q, "Expires=60", "Expires=-60", 1) })), want: Incomplete, says: "X-Amz-Expires must be non-negative"},
		{name: "presigned_parameter_twice", call: pre(query(func(q string) string { return q + "&X-Amz-Expires=61" })), want: Ambiguous},
		{name: "presigned_parameter_twice_escaped", call: pre(query(func(q string) string { return q + "&X%2DAmz-Signature=61" })), want: Ambiguous},
		{name: "presigned_without_expiry", call: pre(query(func(q string) string { return strings.Replace(q, "X-Amz-Expires=60&", "", 1) })), want: Incomplete, says: "AWS query-string parameters must include 'X-Amz-Expires'."},
		{name: "presigned_parameter_added", call: pre(query(func(q string) string { return q + "&Action=Delete" })), want: Mismatch},
		{name: "broken_escape", call: pre(query(func(q string) string { return q + "&a=%2" })), want: MalformedTarget},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := verify(c.call(t), alice.Secret, "{}", 0, noon.Add(c.after))
			var e *Error
			if !errors.As(err, &e) || e.Reason != c.want {
				t.Fatalf("%v, want reason %d", err, c.want)
			}
			if got := e.For(Query).Message; !strings.Contains(got, c.says) {
				t.Errorf("message %q, want %q", got, c.says)
			}
		})
	}
}

func TestWhatIsAccepted(t *testing.T) {
	for name, r := range map[string]*Request{
		"header":     posted(t, nil),
		"presigned":  presigned(t, 7*24*time.Hour, nil),
		"plus_space": presigned(t, time.Minute, query(func(q string) string { return strings.Replace(q, "Action=List", "&Action=List&", 1) })),
		"date_header": posted(t, func(r *http.Request) {
			at := noon.Format(http.TimeFormat)
			r.Header.Set("Date", at)
			s := outgoing(r, alice, here, 0, noon)
			r.Header.Del("X-Amz-Date")
			s.signed = strings.Replace(s.signed, ";x-amz-date", "", 1)
			sum := "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // of {}
			signature, _ := s.compute(alice.Secret, sum)
			r.Header.Set("Authorization", Algorithm+" Credential="+alice.KeyID+"/20260101/eu-central-1/kms/aws4_request, SignedHeaders="+s.signed+", Signature="+signature)
		}),
	} {
		if _, err := verify(r, alice.Secret, "{}", 0, noon); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAChangedBodyIsRefused(t *testing.T) {
	for name, r := range map[string]*Request{"header": posted(t, nil), "presigned": presigned(t, time.Minute, nil)} {
		if _, err := verify(r, alice.Secret, "{ }", 0, noon); err == nil {
			t.Errorf("%s: another body is accepted", name)
		}
	}
}

func TestOneErrorInTheWordsOfEachProtocol(t *testing.T) {
	for _, c := range []struct {
		why  Reason
		want [5]string // by family
	}{
		{NoSignature, [5]string{"MissingAuthenticationToken", "MissingAuthenticationTokenException", "MissingAuthenticationTokenException", "MissingAuthenticationToken", "AccessDenied"}},
		{Incomplete, [5]string{"IncompleteSignature", "IncompleteSignatureException", "IncompleteSignatureException", "IncompleteSignature", "AuthorizationHeaderMalformed"}},
		{UnknownKey, [5]string{"InvalidClientTokenId", "UnrecognizedClientException", "UnrecognizedClientException", "AuthFailure", "InvalidAccessKeyId"}},
		{UnknownToken, [5]string{"InvalidClientTokenId", "UnrecognizedClientException", "UnrecognizedClientException", "AuthFailure", "InvalidToken"}},
		{ExpiredToken, [5]string{"ExpiredToken", "ExpiredTokenException", "ExpiredTokenException", "RequestExpired", "ExpiredToken"}},
		{Mismatch, [5]string{"SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignatureException", "AuthFailure", "SignatureDoesNotMatch"}},
		{Skewed, [5]string{"SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed"}},
		{Lapsed, [5]string{"SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignatureException", "RequestExpired", "AccessDenied"}},
	} {
		for family, want := range c.want {
			if got := Refuse(c.why).For(Family(family)).Code; got != want {
				t.Errorf("reason %d, family %d: %s, want %s", c.why, family, got, want)
			}
		}
	}
}

func TestPathServedIsPathVerified(t *testing.T) {
	for in, want := range map[string]string{
		"/": "/", "//": "/", "/a/../b": "/b", "/a/./b/": "/a/b/", "/a/b/..": "/a/", "/..": "/", "/a//b": "/a/b", "/.hidden": "/.hidden", "/%2e%2e/a": "/%2e%2e/a",
	} {
		if got := normalise(in); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}
