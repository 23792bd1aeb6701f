package metadata

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

// FuzzRequest asks for anything with anything as a token: nobody is told anything
// without a session. What is told in one is tried by plane's tests.
func FuzzRequest(f *testing.F) {
	s := New([]Instance{{Address: netip.MustParseAddr("127.0.0.11"), ID: "i-0123456789abcdef0"}}, nil, slog.New(slog.DiscardHandler))
	f.Add("PUT", "/latest/api/token", "60")
	f.Add("GET", "/latest/meta-data/iam/security-credentials/", "AAAAAAAAAAA=")
	f.Add("GET", "/latest/meta-data/", newTokens().issue(s.instances[netip.MustParseAddr("127.0.0.11")], time.Now().Add(time.Hour)))
	f.Fuzz(func(t *testing.T, method, path, header string) {
		r := httptest.NewRequest("GET", "http://169.254.169.254/", nil)
		r.Method, r.URL.Path, r.RemoteAddr = method, path, "127.0.0.11:1"
		r.Header.Set(tokenHeader, header)
		r.Header.Set(ttlHeader, header)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code == http.StatusOK && method != http.MethodPut {
			t.Errorf("%s %s is answered without a session: %s", method, path, w.Body)
		}
	})
}

// A page in a browser on the instance is refused, also when its name was made to lead
// to the service (DNS rebinding).
func TestPagesAreRefused(t *testing.T) {
	s := New([]Instance{{Address: netip.MustParseAddr("127.0.0.1"), ID: "i-0123456789abcdef0"}}, nil, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(s)
	defer server.Close()
	address := server.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	for _, c := range []struct {
		name, host, header string
		want               int
	}{
		{name: "by_its_address", host: address, want: 200},
		{name: "by_ec2_s_address", host: "169.254.169.254", want: 200},
		{name: "by_ec2_s_address_of_ipv6", host: "[fd00:ec2::254]:80", want: 200},
		{name: "by_a_name", host: "rebound.example:" + port, want: 403},
		{name: "by_another_address", host: "127.0.0.2:" + port, want: 403},
		{name: "by_an_address_and_a_name", host: address + ".example", want: 403},
		{name: "a_page", host: address, header: "Origin", want: 403},
		{name: "an_image", host: address, header: "Sec-Fetch-Site", want: 403},
		{name: "a_fetch", host: address, header: "Sec-Fetch-Mode", want: 403},
	} {
		r, err := http.NewRequest(http.MethodPut, server.URL+"/latest/api/token", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		r.Header.Set(ttlHeader, "60")
		if c.header != "" {
			r.Header.Set(c.header, "same-origin")
		}
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode != c.want {
			t.Errorf("%s: %d, not %d", c.name, answer.StatusCode, c.want)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	i := &Instance{Address: netip.MustParseAddr("127.0.0.11"), ID: "i-0123456789abcdef0"}
	keys, now := newTokens(), time.Now()
	token := keys.issue(i, now.Add(time.Minute))
	if !keys.good(token, i, now) || keys.good(token, i, now.Add(time.Minute)) {
		t.Error("a session of a minute does not last a minute")
	}
}
