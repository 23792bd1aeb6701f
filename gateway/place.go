package gateway

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"sumun.dev/aws"
)

// place says whose state the call works on, and from where it comes.
func (g *Gateway) place(v *visit) error {
	c, about := v.call, v.match.Operation.About()
	c.Partition = "aws"
	c.Account = c.Principal.Account
	c.Region = g.Region
	if v.signature != nil && !about.Service.Global {
		c.Region = aws.Region(v.signature.Region)
	}
	c.RequestID = v.id
	c.Service, c.Operation = about.Service.Prefix, about.Name
	c.Time = v.began
	c.SourceIP = g.ClientAddress(v.r)
	c.UserAgent, c.Referer = v.r.UserAgent(), v.r.Referer()
	c.Host = v.request.Host
	c.TLS = g.ClientTLS(v.r)
	return nil
}

// ClientTLS says how a request was encrypted; nil when it was not. What a client spoke
// to a trusted proxy is not known but that it was TLS.
func (g *Gateway) ClientTLS(r *http.Request) *aws.TLS {
	if t := r.TLS; t != nil {
		return &aws.TLS{Version: tlsVersion(t.Version), CipherSuite: tls.CipherSuiteName(t.CipherSuite), ClientProvidedHostHeader: r.Host}
	}
	if g.cameOverTLS(r) {
		return &aws.TLS{}
	}
	return nil
}

// tlsVersion spells a version as CloudTrail does.
func tlsVersion(v uint16) string {
	return strings.Replace(tls.VersionName(v), "TLS ", "TLSv", 1)
}

// ClientAddress is where a request comes from: the address of the connection's other end or, behind proxies that
// are trusted, the last address that they did not add themselves.
func (g *Gateway) ClientAddress(r *http.Request) netip.Addr {
	addr := addressOf(r.RemoteAddr)
	if len(g.TrustedProxies) == 0 || !g.trusts(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap()
		if !g.trusts(addr) {
			break
		}
	}
	return addr
}

// cameOverTLS reports whether a trusted proxy says that the client spoke TLS to it.
// Of several proxies the last one's word counts, which is the only one that no
// client can have written.
func (g *Gateway) cameOverTLS(r *http.Request) bool {
	said := r.Header.Values("X-Forwarded-Proto")
	if len(said) == 0 || len(g.TrustedProxies) == 0 || !g.trusts(addressOf(r.RemoteAddr)) {
		return false
	}
	last := said[len(said)-1]
	return strings.EqualFold(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:]), "https")
}

func (g *Gateway) trusts(a netip.Addr) bool {
	for _, p := range g.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func addressOf(remote string) netip.Addr {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
