package scenario

import (
	"net/http"
	"net/netip"
)

// balancer is the address of the one proxy that a scenario's plane trusts, as it
// would trust a load balancer to say where calls come from.
var balancer = netip.AddrFrom4([4]byte{127, 255, 255, 254})

// from ADDRESS | from here
//
// from changes where calls come from, from here on. The plane is told by the header
// of a proxy that it trusts.
func (s *step) from(args []string) error {
	const use = "usage: from ADDRESS, or from here"
	if len(args) != 1 {
		return misused(use)
	}
	if args[0] == "here" {
		s.origin = netip.Addr{}
		return nil
	}
	at, err := netip.ParseAddr(args[0])
	if err != nil || at.Zone() != "" || at.IsUnspecified() || at.IsMulticast() {
		return misused("from: %s is not the IP address of a host", args[0])
	}
	s.origin = at
	return nil
}

// api returns the way to the plane from where the script is.
func (w *world) api() (*http.Client, string) {
	client, endpoint := w.stage.api()
	if w.origin.IsValid() {
		client = &http.Client{Transport: &proxy{w.stage.dials(balancer), w.origin.String()}, CheckRedirect: noRedirect}
	}
	return client, endpoint
}

// A proxy says for whom it asks.
type proxy struct {
	next   *http.Transport
	client string
}

func (p *proxy) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Add("X-Forwarded-For", p.client)
	return p.next.RoundTrip(r)
}
