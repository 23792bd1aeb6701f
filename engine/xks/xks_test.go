package xks_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"sumun.dev/engine/xks"
	"sumun.dev/engine/xks/xkstest"
)

var asked = xks.Request{Principal: "arn:aws:iam::111122223333:user/alice", Key: "arn:aws:kms:us-east-1:111122223333:key/1", Operation: "Encrypt", ID: "r"}

// serve has p answer over TLS on loopback; the returned client reaches nothing else.
func serve(t testing.TB, h http.Handler, timeout time.Duration) (*xks.Client, xks.Proxy) {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c := xks.New(xks.Options{Roots: roots, Timeout: timeout, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}})
	t.Cleanup(c.Close)
	return c, xks.Proxy{Endpoint: "https://example.com", Path: "/kms/xks/v1", KeyID: "BETWEENTWENTYANDTHIRTY", Secret: "secret", Region: "us-east-1"}
}

func kindOf(err error) xks.Kind {
	var f *xks.Failure
	if errors.As(err, &f) {
		return f.Kind
	}
	return ""
}

func TestWhatIsEncryptedIsDecrypted(t *testing.T) {
	p := &xkstest.Proxy{Path: "/kms/xks/v1"}
	p.Add("k1")
	p.Add("k2")
	c, at := serve(t, p, 10*time.Second)
	if err := c.Health(t.Context(), at, asked); err != nil {
		t.Fatal(err)
	}
	if k, err := c.Metadata(t.Context(), at, "k1", asked); err != nil || !k.Usable() {
		t.Fatalf("%+v, %v", k, err)
	}
	for _, aad := range [][]byte{nil, []byte("context"), bytes.Repeat([]byte("x"), 9000)} {
		plain := bytes.Repeat([]byte("p"), 4200)
		sealed, err := c.Encrypt(t.Context(), at, "k1", asked, plain, aad)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Decrypt(t.Context(), at, "k1", asked, sealed, aad); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("with %d bytes of context: %v", len(aad), err)
		}
		if _, err := c.Decrypt(t.Context(), at, "k2", asked, sealed, aad); kindOf(err) != xks.InvalidCiphertext {
			t.Errorf("another key: %v", err)
		}
		if _, err := c.Decrypt(t.Context(), at, "k1", asked, sealed, append(aad, 'y')); kindOf(err) != xks.InvalidCiphertext {
			t.Errorf("another context: %v", err)
		}
		for _, i := range []int{2, 20, 32, len(sealed) - 1} { // vector, tag, metadata, ciphertext
			wrong := bytes.Clone(sealed)
			wrong[i] ^= 1
			if _, err := c.Decrypt(t.Context(), at, "k1", asked, wrong, aad); kindOf(err) != xks.InvalidCiphertext {
				t.Errorf("byte %d changed: %v", i, err)
			}
		}
	}
}

// The example of the specification, Appendix C: the integrity value is over the
// context, the metadata, the vector, the ciphertext and the tag.
func TestIntegrityOfTheSpecification(t *testing.T) {
	for value, want := range map[string]xks.Kind{"qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=": "", "qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsk=": xks.Corrupt} {
		c, at := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte(`{"authenticationTag":"vBxN2ncH1oEkR8WVXpmyYQ==","ciphertext":"ghxkK1txeDNn3q8Y","ciphertextDataIntegrityValue":"` + value +
				`","ciphertextMetadata":"a2V5X3ZlcnNpb249MQ==","initializationVector":"HMrlRw85cAJUd5Ax"}`))
		}), 10*time.Second)
		if _, err := c.Encrypt(t.Context(), at, "k", asked, []byte("Hello World!"), []byte("project=nile,department=marketing")); kindOf(err) != want {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestFailuresAreToldApart(t *testing.T) {
	p := &xkstest.Proxy{Path: "/kms/xks/v1"}
	p.Add("k")
	p.Add("off")
	p.Set("off", "DISABLED")
	c, at := serve(t, p, 10*time.Second)
	encrypt := func(at xks.Proxy, key string) error {
		_, err := c.Encrypt(t.Context(), at, key, asked, []byte("hi"), nil)
		return err
	}
	if err := encrypt(at, "none"); kindOf(err) != xks.KeyNotFound {
		t.Errorf("no such key: %v", err)
	}
	if err := encrypt(at, "off"); kindOf(err) != xks.InvalidState {
		t.Errorf("a disabled key: %v", err)
	}
	elsewhere := at
	elsewhere.Path = "/other/kms/xks/v1"
	if err := encrypt(elsewhere, "k"); kindOf(err) != xks.InvalidURIPath {
		t.Errorf("another path: %v", err)
	}
	elsewhere = at
	elsewhere.Endpoint = "https://other.test"
	if err := encrypt(elsewhere, "k"); kindOf(err) != xks.Insecure {
		t.Errorf("a certificate for another name: %v", err)
	}
	for _, kind := range []xks.Kind{xks.Validation, xks.AuthenticationFailed, xks.AccessDenied, xks.Throttled, xks.Unsupported, xks.DependencyTimeout, xks.Internal, xks.InvalidKeyUsage} {
		p.Refuse(func(string) string { return string(kind) })
		if err := encrypt(at, "k"); kindOf(err) != kind {
			t.Errorf("%s is told as %v", kind, err)
		}
	}
	p.Refuse(func(string) string { return "NoSuchException" })
	if err := encrypt(at, "k"); kindOf(err) != xks.Malformed {
		t.Errorf("an unknown error: %v", err)
	}
	p.Refuse(nil)
	p.Break(true)
	if err := encrypt(at, "k"); kindOf(err) != xks.Corrupt {
		t.Errorf("a wrong integrity value: %v", err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"no JSON":  func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
		"too much": func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte(" "), 1<<20)) },
		"nothing":  func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("{}")) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://169.254.169.254/", http.StatusFound)
		},
		"half of it": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"xksProxyFleetSize":1}`)) },
	} {
		c, at := serve(t, h, 10*time.Second)
		if err := c.Health(t.Context(), at, asked); kindOf(err) != xks.Malformed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSlowProxiesAreNotWaitedFor(t *testing.T) {
	c, at := serve(t, &xkstest.Proxy{Path: "/kms/xks/v1", Delay: 2 * time.Second}, 0)
	begun := time.Now()
	if err := c.Health(t.Context(), at, asked); kindOf(err) != xks.TimedOut {
		t.Error(err)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("waited for %v", took)
	}
}

// An endpoint must not lead to the machines around the plane.
func TestPrivateAddressesAreNotReached(t *testing.T) {
	asks := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asks++ }))
	defer server.Close()
	c := xks.New(xks.Options{})
	defer c.Close()
	err := c.Health(t.Context(), xks.Proxy{Endpoint: server.URL, Path: "/kms/xks/v1"}, asked)
	if kindOf(err) != xks.Unreachable || asks != 0 {
		t.Errorf("%v, asked %d times", err, asks)
	}
}

func FuzzSealed(f *testing.F) {
	p := &xkstest.Proxy{Path: "/kms/xks/v1"}
	p.Add("k")
	c, at := serve(f, p, 10*time.Second)
	sealed, err := c.Encrypt(f.Context(), at, "k", asked, []byte("hi"), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte{1, 12})
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := c.Decrypt(t.Context(), at, "k", asked, b, nil)
		if err == nil && !bytes.Equal(b, sealed) {
			t.Errorf("%x opens as %q", b, plain)
		}
	})
}
