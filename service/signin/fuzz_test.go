package signin

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"sumun.dev/aws"
)

// Whatever a query says, what is read of it is an action's own, each once.
func FuzzParameters(f *testing.F) {
	for _, q := range []string{
		"Action=getSigninToken&Session=%7B%22sessionId%22%3A%22ASIA%22%2C%22sessionKey%22%3A%22k%22%2C%22sessionToken%22%3A%22t%22%7D&SessionDuration=1800",
		"Action=login&Issuer=https%3A%2F%2Fexample.com&Destination=https%3A%2F%2Fconsole.aws.amazon.com%2Fs&SigninToken=abc",
		"Action=login&Action=getSigninToken", "Action=&;", "%zz", "", "Action=login&Destination=https://a@b.aws.amazon.com/",
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parameters(raw)
		if err != nil {
			return
		}
		for name := range q {
			if known := actions[q["Action"]]; !strings.Contains(strings.Join(known, " "), name) {
				t.Errorf("%q of %q", name, q["Action"])
			}
		}
		if c, err := readCredentials(q["Session"]); err == nil && (c.ID == "" || c.Key == "" || c.Token == "" || len(q["Session"]) > maxSession) {
			t.Errorf("%+v are credentials", c)
		}
		if to := q["Destination"]; toConsole(to) {
			if u, err := url.Parse(to); err != nil || u.Scheme != "https" || u.User != nil || !strings.HasSuffix("."+u.Host, ".aws.amazon.com") {
				t.Errorf("%q leads to the console", to)
			}
		}
		for _, p := range []*aws.Principal{{Kind: aws.AssumedRole, Session: &aws.Session{}}, {Kind: aws.FederatedUser, Session: &aws.Session{}}, {Kind: aws.User, Session: &aws.Session{}}} {
			lasts, why := sessionLength(p, q)
			if why == "" && lasts != 0 && (lasts < shortest*time.Second || lasts > longestFederated*time.Second || p.Kind == aws.User) {
				t.Errorf("%s gets a session of %s", p.Kind, lasts)
			}
		}
	})
}

// Whatever a request names, it is for one place, and reading it does not panic.
func FuzzWhere(f *testing.F) {
	for _, host := range []string{"signin.aws.amazon.com", "eu-west-1.signin.aws.amazon.com", "acme.signin.localhost:4566", "[::1]:4566", "signin", "a.signin.signin.b", ".signin.", "signin.s3.amazonaws.com"} {
		f.Add(host, "/console", "eu-central-1")
		f.Add(host, "/_signin/federation", "x")
	}
	f.Fuzz(func(t *testing.T, host, path, region string) {
		r := httptest.NewRequest(http.MethodGet, "http://h/", nil)
		r.Host, r.URL.Path = host, path
		Mine(r)
		w := whereOf(r)
		if w.region != "" && w.account != "" || strings.Contains(w.account, ".") || !aws.KnownRegion(w.in(region)) {
			t.Errorf("%q is %+v", host, w)
		}
		base, rest := baseOf(r)
		if base+rest != path {
			t.Errorf("%q is split into %q and %q", path, base, rest)
		}
		if long := cut(strings.Repeat(host, 40)); len(long) > maxAgent {
			t.Errorf("%d bytes are kept", len(long))
		}
		_ = isPassword(host)
	})
}

// Attempts that come together are counted one by one, and a new minute begins anew.
func TestTriesOfAnAddress(t *testing.T) {
	var counts tries
	far, near := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff:1")
	for i := range triesMost {
		if !counts.may([]netip.Addr{far, near}[i%2], 7) {
			t.Fatalf("attempt %d is refused", i)
		}
	}
	if counts.may(near, 7) || counts.may(far, 6) {
		t.Error("a host of one /64 has more attempts than one address")
	}
	if !counts.may(far, 8) {
		t.Error("the next minute has no attempts")
	}
	if counts.may(netip.Addr{}, 8); !counts.may(netip.MustParseAddr("::ffff:192.0.2.1"), 8) {
		t.Error("another address has no attempts")
	}
}

func TestPasswordsThatMayBe(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "a": true, strings.Repeat("ä", 128): true, strings.Repeat("a", 129): false, "a\x00": false, "a\tb": true, "€": false, "\xff": false, "Ünïcödé": true,
	} {
		if isPassword(text) != want {
			t.Errorf("%.20q: %v", text, !want)
		}
	}
}
