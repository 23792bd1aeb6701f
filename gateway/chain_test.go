package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/gateway"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/wire"
)

func TestACallIsServedAndRecorded(t *testing.T) {
	h := newHouse(t, nil)
	alice := h.user("alice", allow(`"kms:*"`))
	w := h.send(alice, kms("CreateKey", `{"Description":"mine"}`))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"KeyId":"k0"`) || w.Header().Get("X-Amzn-Requestid") == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	w = h.send(alice, kms("DescribeKey", `{"KeyId":"k0"}`))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "mine") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	w = h.send(alice, sts("Action=GetCallerIdentity&Version=2011-06-15"))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "<Arn>arn:aws:iam::111122223333:user/alice</Arn>") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	events := h.trail()
	if got := names(events); len(events) != 3 || !strings.Contains(got, "CreateKey") || !strings.Contains(got, "DescribeKey") || !strings.Contains(got, "GetCallerIdentity") {
		t.Fatalf("trail: %s", got)
	}
	for _, e := range events {
		var r struct {
			UserIdentity    struct{ Type, Arn, AccessKeyId string }
			SourceIPAddress string
			UserAgent       string
			AwsRegion       string
			EventSource     string
		}
		if err := json.Unmarshal(e.Data, &r); err != nil {
			t.Fatal(err)
		}
		if r.UserIdentity.AccessKeyId != alice.KeyID || r.SourceIPAddress != "192.0.2.7" || r.UserAgent != "test/1" || r.AwsRegion != "eu-central-1" {
			t.Errorf("record %s", e.Data)
		}
		if e.Attrs["eventName"] == "CreateKey" && e.Attrs["decision"] != "allowed by identity: inline:alice/p #0" {
			t.Errorf("decision %q", e.Attrs["decision"])
		}
	}
}

func TestRefusals(t *testing.T) {
	later := func(d time.Duration) func(*http.Request) {
		return func(r *http.Request) {
			sigv4.Sign(r, []byte(`{}`), sigv4.Credentials{KeyID: "AKIAALICE0000", Secret: "secret-of-alice"}, sigv4.Scope{Region: "eu-central-1", Service: "kms"}, 0, time.Now().Add(d))
		}
	}
	for _, c := range []struct {
		name     string
		ask      ask
		as       string // alice when empty
		status   int
		says     []string
		recorded string
	}{
		{name: "no_signature_json", as: "nobody", ask: kms("ListKeys", `{}`), status: 400, says: []string{"MissingAuthenticationTokenException", "Missing Authentication Token"}},
		{name: "no_signature_query", as: "nobody", ask: ask{contentType: "application/x-www-form-urlencoded", host: "sts.localhost", body: "Action=GetCallerIdentity&Version=2011-06-15"}, status: 403, says: []string{"<Code>MissingAuthenticationToken</Code>"}},
		{name: "unknown_key_json", as: "mallory", ask: kms("ListKeys", `{}`), status: 400, says: []string{"UnrecognizedClientException", "The security token included in the request is invalid."}},
		{name: "unknown_key_query", as: "mallory", ask: sts("Action=GetCallerIdentity&Version=2011-06-15"), status: 403, says: []string{"<Code>InvalidClientTokenId</Code>"}},
		{name: "wrong_secret", as: "alice-guess", ask: kms("ListKeys", `{}`), status: 400, says: []string{"InvalidSignatureException", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."}},
		{name: "wrong_secret_query", as: "alice-guess", ask: sts("Action=GetCallerIdentity&Version=2011-06-15"), status: 403, says: []string{"<Code>SignatureDoesNotMatch</Code>"}},
		{name: "body_changed", ask: ask{target: "TrentService.ListKeys", body: `{}`, service: "kms", contentType: "application/x-amz-json-1.1", change: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{ `)) }}, status: 400, says: []string{"InvalidSignatureException"}},
		{name: "target_changed", ask: ask{target: "TrentService.ListKeys", body: `{}`, service: "kms", contentType: "application/x-amz-json-1.1", change: func(r *http.Request) { r.Header.Set("X-Amz-Target", "TrentService.CreateKey") }}, status: 400, says: []string{"InvalidSignatureException"}},
		{name: "too_old", ask: ask{target: "TrentService.ListKeys", body: `{}`, service: "kms", change: later(-16 * time.Minute)}, status: 400, says: []string{"InvalidSignatureException", "Signature expired"}},
		{name: "another_service", ask: ask{target: "TrentService.ListKeys", body: `{}`, service: "sts"}, status: 400, says: []string{"Credential should be scoped to correct service: 'kms'."}},
		{name: "another_region", ask: ask{target: "TrentService.ListKeys", body: `{}`, service: "kms", host: "kms.us-east-1.amazonaws.com", region: "eu-west-1"}, status: 400, says: []string{"Credential should be scoped to a valid region, not 'eu-west-1'."}},
		{name: "no_region", ask: ask{target: "TrentService.ListKeys", body: `{}`, service: "kms", region: "mars-1"}, status: 400, says: []string{"valid region, not 'mars-1'"}},
		{name: "action_twice", ask: ask{contentType: "application/x-www-form-urlencoded", query: "Action=GetCallerIdentity", body: "Action=GetCallerIdentity&Version=2011-06-15", service: "sts"}, status: 400, says: []string{"MalformedQueryString"}},
		{name: "unknown_operation", ask: kms("Explode", `{}`), status: 404, says: []string{"UnknownOperationException", "TrentService.Explode"}},
		{name: "unknown_service", ask: ask{contentType: "application/x-www-form-urlencoded", body: "Action=X", service: "teapot"}, status: 404, says: []string{"teapot"}},
		{name: "not_served", ask: kms("Encrypt", `{"KeyId":"k","Plaintext":"aGk="}`), status: 501, says: []string{"UnsupportedOperation", "Encrypt of KMS is not served here yet."}, recorded: "Encrypt UnsupportedOperation"},
		{name: "constraint", ask: kms("DescribeKey", `{"KeyId":""}`), status: 400, says: []string{"ValidationException", "1 validation error detected"}, recorded: "DescribeKey ValidationException"},
		{name: "not_json", ask: kms("DescribeKey", `{`), status: 400, says: []string{"SerializationException"}, recorded: "DescribeKey SerializationException"},
		{name: "not_there", ask: kms("DescribeKey", `{"KeyId":"nokey"}`), status: 400, says: []string{"NotFoundException", "Key 'nokey' does not exist"}, recorded: "DescribeKey NotFoundException"},
		{name: "not_allowed", as: "bob", ask: kms("CreateKey", `{"Description":"x"}`), status: 400,
			says:     []string{"AccessDeniedException", "User: arn:aws:iam::111122223333:user/bob is not authorized to perform: kms:CreateKey on resource: arn:aws:kms:eu-central-1:111122223333:key/k because no identity-based policy allows the kms:CreateKey action"},
			recorded: "CreateKey AccessDenied"},
		{name: "denied", as: "carol", ask: kms("CreateKey", `{"Description":"x"}`), status: 400, says: []string{"with an explicit deny in an identity-based policy"}, recorded: "CreateKey AccessDenied"},
		{name: "not_allowed_rest", as: "bob", ask: ask{path: "/detector", body: `{"enable":true}`, service: "guardduty", contentType: "application/json"}, status: 403, says: []string{"is not authorized to perform: guardduty:CreateDetector"}, recorded: "CreateDetector AccessDenied"},
		{name: "touches_nothing", ask: kms("ListAliases", `{}`), status: 500, says: []string{"InternalFailure"}, recorded: "ListAliases InternalFailure"},
		{name: "panics", ask: kms("ListKeys", `{}`), status: 500, says: []string{"InternalFailure"}, recorded: "ListKeys InternalFailure"},
		{name: "too_large", ask: kms("DescribeKey", strings.Repeat(" ", 9<<20)), status: 413, says: []string{"RequestEntityTooLarge"}},
		{name: "broken_signature_rest", as: "nobody", ask: ask{path: "/detector", contentType: "application/json", body: `{"enable":true}`, change: func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x") }}, status: 400, says: []string{"IncompleteSignature"}},
		{name: "not_a_path", ask: ask{service: "kms", change: func(r *http.Request) { r.RequestURI = "http://elsewhere/" }}, status: 400, says: []string{"must be a path"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, nil)
			who := map[string]sigv4.Credentials{
				"":            h.user("alice", allow(`"*"`)),
				"bob":         h.user("bob", allow(`"sts:*"`)),
				"carol":       h.user("carol", allow(`"*"`), `{"Effect":"Deny","Action":"kms:Create*","Resource":"*"}`),
				"alice-guess": {KeyID: "AKIAALICE0000", Secret: "guess"},
				"mallory":     {KeyID: "AKIAMALLORY", Secret: "guess"},
			}[c.as]
			w := h.send(who, c.ask)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			for _, s := range c.says {
				if !strings.Contains(w.Body.String(), s) && !strings.Contains(w.Header().Get("X-Amzn-Errortype"), s) {
					t.Errorf("answer %s lacks %q", w.Body, s)
				}
			}
			if strings.Contains(w.Body.String(), "a mistake") || strings.Contains(w.Body.String(), "touches nothing") {
				t.Errorf("answer %s tells what is ours to know", w.Body)
			}
			if got := names(h.trail()); got != c.recorded && !(got == c.recorded+"Exception") {
				t.Errorf("trail %q, want %q", got, c.recorded)
			}
		})
	}
}

func TestSessionTokens(t *testing.T) {
	h := newHouse(t, nil)
	alice := h.user("alice", allow(`"*"`))
	u := h.users[alice.KeyID]
	u.token, alice.Token = "the-token", "the-token"
	p := *u.principal
	p.Session = &aws.Session{Created: time.Now(), Expires: time.Now().Add(time.Hour)}
	u.principal = &p
	if w := h.send(alice, sts("Action=GetCallerIdentity&Version=2011-06-15")); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	p.Session.Expires = time.Now().Add(-time.Second)
	if w := h.send(alice, sts("Action=GetCallerIdentity&Version=2011-06-15")); w.Code != 403 || !strings.Contains(w.Body.String(), "<Code>ExpiredToken</Code>") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	alice.Token = "another"
	if w := h.send(alice, sts("Action=GetCallerIdentity&Version=2011-06-15")); w.Code != 403 || !strings.Contains(w.Body.String(), "InvalidClientTokenId") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestPresignedCalls(t *testing.T) {
	h := newHouse(t, nil)
	alice := h.user("alice", allow(`"*"`))
	for _, c := range []struct {
		age  time.Duration
		want int
	}{{0, 200}, {time.Minute, 403}} {
		r := httptest.NewRequest("GET", "http://127.0.0.1:4566/?Action=GetCallerIdentity&Version=2011-06-15", nil)
		if err := sigv4.Presign(r, nil, alice, sigv4.Scope{Region: "us-east-1", Service: "sts"}, 0, time.Now().Add(-c.age), 30*time.Second); err != nil {
			t.Fatal(err)
		}
		r.RequestURI = r.URL.RequestURI()
		w := httptest.NewRecorder()
		h.gate.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("after %v: %d %s", c.age, w.Code, w.Body)
		}
	}
}

// Two calls that change the same thing end one after the other, whoever wins.
func TestConflictsStartAgain(t *testing.T) {
	h := newHouse(t, nil)
	alice := h.user("alice", allow(`"*"`))
	tries := 0
	h.during = func(ctx context.Context) {
		if tries++; tries > 1 {
			return
		}
		other := aws.WithCall(context.Background(), aws.CallOf(ctx))
		if err := h.store.Update(other, func(ctx context.Context) error { return h.keys.Insert(ctx, "k0", &key{ID: "k0"}) }); err != nil {
			t.Error(err)
		}
	}
	if w := h.send(alice, kms("CreateKey", `{"Description":"mine"}`)); w.Code != 200 || !strings.Contains(w.Body.String(), `"KeyId":"k1"`) || tries != 2 {
		t.Errorf("%d %s after %d tries", w.Code, w.Body, tries)
	}
	if got := names(h.trail()); got != "CreateKey" {
		t.Errorf("trail %q", got)
	}
}

// A call that never gets through is told to try again, with nothing changed.
func TestConflictsWithoutEndAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, nil)
		alice := h.user("alice", allow(`"*"`))
		tries := 0
		h.during = func(ctx context.Context) {
			tries++
			other := aws.WithCall(context.Background(), aws.CallOf(ctx))
			if err := h.store.Update(other, func(ctx context.Context) error { return h.keys.Put(ctx, fmt.Sprint("other", tries), &key{}) }); err != nil {
				t.Error(err)
			}
		}
		if w := h.send(alice, kms("CreateKey", `{"Description":"mine"}`)); w.Code != 503 || tries != 32 {
			t.Errorf("%d %s after %d tries", w.Code, w.Body, tries)
		}
		if got := names(h.trail()); got != "CreateKey ServiceUnavailable" {
			t.Errorf("trail %q", got)
		}
	})
}

func TestSecretsAreNotPrinted(t *testing.T) {
	c := gateway.Credential{Principal: &aws.Principal{AccessKeyID: "AKIA"}, Secret: []byte("hidden")}
	k := sigv4.Credentials{KeyID: "AKIA", Secret: "hidden", Token: "hidden"}
	if got := fmt.Sprintf("%v %+v %#v %s %v %+v %#v %s", c, c, c, c, k, k, k, k); strings.Contains(got, "hidden") || strings.Contains(got, fmt.Sprint([]byte("hid"))[1:9]) {
		t.Errorf("prints %s", got)
	}
}

func TestAFailedCallChangesNothing(t *testing.T) {
	h := newHouse(t, nil)
	alice := h.user("alice", allow(`"*"`))
	if w := h.send(alice, kms("CreateKey", `{"Description":"fails"}`)); w.Code != 400 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for range h.keys.Everywhere(context.Background()) {
		t.Error("a key is left")
	}
	if got := names(h.trail()); got != "CreateKey LimitExceededException" {
		t.Errorf("trail %q", got)
	}
}

func TestConditionsOfTheCall(t *testing.T) {
	for _, c := range []struct {
		condition string
		ok        bool
	}{
		{`"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}`, true},
		{`"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}`, false},
		{`"StringEquals":{"aws:RequestedRegion":"eu-central-1"}`, true},
		{`"StringEquals":{"aws:RequestedRegion":"us-east-1"}`, false},
		{`"Bool":{"aws:SecureTransport":"true"}`, false},
		{`"Bool":{"aws:ViaAWSService":"false"}`, true},
		{`"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`, false},
		{`"StringLike":{"aws:UserAgent":"test/*"}`, true},
		{`"StringEquals":{"aws:PrincipalAccount":"111122223333"}`, true},
	} {
		h := newHouse(t, nil)
		alice := h.user("alice", `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{`+c.condition+`}}`)
		if w := h.send(alice, kms("CreateKey", `{"Description":"x"}`)); (w.Code == 200) != c.ok {
			t.Errorf("%s: %d %s", c.condition, w.Code, w.Body)
		}
	}
}

func TestForwardedAddressesOnlyFromTrustedProxies(t *testing.T) {
	for trusted, want := range map[string]string{"192.0.2.0/24": "203.0.113.9", "10.0.0.0/8": "192.0.2.7"} {
		h := newHouse(t, func(o *gateway.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(trusted)} })
		alice := h.user("alice", allow(`"*"`))
		a := kms("CreateKey", `{"Description":"x"}`)
		a.change = func(r *http.Request) { r.Header.Set("X-Forwarded-For", "6.6.6.6, 203.0.113.9") }
		h.send(alice, a)
		if e := h.trail(); len(e) != 1 || !bytes.Contains(e[0].Data, []byte(`"sourceIPAddress":"`+want+`"`)) {
			t.Errorf("trusting %s: %v", trusted, names(e))
		}
	}
}

// What a proxy says of the client's connection counts when the proxy is trusted.
func TestForwardedTLSOnlyFromTrustedProxies(t *testing.T) {
	for _, c := range []struct {
		trusted, said string
		status        int
	}{
		{"192.0.2.0/24", "https", 200}, {"192.0.2.0/24", "http", 400}, {"192.0.2.0/24", "", 400}, {"192.0.2.0/24", "https, http", 400},
		{"192.0.2.0/24", "http, HTTPS", 200}, {"10.0.0.0/8", "https", 400},
	} {
		h := newHouse(t, func(o *gateway.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(c.trusted)} })
		alice := h.user("alice", allow(`"*"`), `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`)
		a := kms("CreateKey", `{"Description":"x"}`)
		if c.said != "" {
			a.change = func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", c.said) }
		}
		if w := h.send(alice, a); w.Code != c.status {
			t.Errorf("%s from %s: %d %s, want %d", c.said, c.trusted, w.Code, w.Body, c.status)
		}
		for _, e := range h.trail() {
			if bytes.Contains(e.Data, []byte("tlsDetails")) {
				t.Errorf("the record says how the proxy's client spoke TLS: %s", e.Data)
			}
		}
	}
}

func TestDrainRefusesNewCalls(t *testing.T) {
	h := newHouse(t, nil)
	alice := h.user("alice", allow(`"*"`))
	h.trail()
	if w := h.send(alice, kms("CreateKey", `{"Description":"x"}`)); w.Code != 503 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// An operation that is named like a reading one, but writes, has its record
// committed with what it wrote.
func TestAReadThatWritesIsRecordedWithIt(t *testing.T) {
	h := newHouse(t, nil)
	h.gate.Mount(kmsapi.GetKeyPolicy.To(func(ctx context.Context, _ *kmsapi.GetKeyPolicyRequest) (*kmsapi.GetKeyPolicyResponse, error) {
		return &kmsapi.GetKeyPolicyResponse{}, h.keys.Put(ctx, "seen", &key{ID: "seen"})
	}, touch[*kmsapi.GetKeyPolicyRequest]("kms:GetKeyPolicy")))
	if w := h.send(h.user("alice", allow(`"*"`)), kms("GetKeyPolicy", `{"KeyId":"k"}`)); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	out, err := h.store.ClaimOutbox(t.Context(), 10)
	if err != nil || len(out) != 1 || out[0].Attrs["eventName"] != "GetKeyPolicy" {
		t.Errorf("outbox %v, %v", out, err)
	}
}

// Tags that differ only by case make one condition key with two values: no Allow
// may rest on either, and every Deny on both.
func TestTagsThatDifferByCaseAllowNothing(t *testing.T) {
	h := newHouse(t, nil)
	h.gate.Mount(kmsapi.TagResource.To(func(context.Context, *kmsapi.TagResourceRequest) (*kmsapi.TagResourceResponse, error) {
		return &kmsapi.TagResourceResponse{}, nil
	}, func(_ context.Context, in *kmsapi.TagResourceRequest) ([]wire.Touch, error) {
		conditions := map[string][]string{}
		for _, tag := range in.Tags {
			conditions["aws:RequestTag/"+tag.TagKey] = []string{tag.TagValue}
		}
		return []wire.Touch{{Action: "kms:TagResource", Conditions: conditions}}, nil
	}))
	when := `,"Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"blue"}}`
	allowed := h.user("alice", `{"Effect":"Allow","Action":"kms:*"`+when+`}`)
	denied := h.user("bob", allow(`"*"`), `{"Effect":"Deny","Action":"kms:*"`+when+`}`)
	send := func(c sigv4.Credentials, tags string) int {
		return h.send(c, kms("TagResource", `{"KeyId":"k","Tags":[`+tags+`]}`)).Code
	}
	const blue, red = `{"TagKey":"Team","TagValue":"blue"}`, `{"TagKey":"team","TagValue":"red"}`
	if a, d := send(allowed, blue), send(denied, red); a != 200 || d != 200 {
		t.Fatalf("one tag: %d, %d", a, d)
	}
	for range 30 { // a map's order is another each time
		if a, d := send(allowed, blue+","+red), send(denied, blue+","+red); a != 400 || d != 400 {
			t.Fatalf("two tags: %d, %d, want refusals", a, d)
		}
	}
}
