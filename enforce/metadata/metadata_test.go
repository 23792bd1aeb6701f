package metadata

import (
	"log/slog"
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

func TestSessionsEnd(t *testing.T) {
	i := &Instance{Address: netip.MustParseAddr("127.0.0.11"), ID: "i-0123456789abcdef0"}
	keys, now := newTokens(), time.Now()
	token := keys.issue(i, now.Add(time.Minute))
	if !keys.good(token, i, now) || keys.good(token, i, now.Add(time.Minute)) {
		t.Error("a session of a minute does not last a minute")
	}
}
