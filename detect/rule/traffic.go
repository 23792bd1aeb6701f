package rule

import (
	"net/netip"
	"time"

	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

// A View is a flow as the host sees it whose interface logged it, or who began it
// where nobody knows whose interface that is.
type View struct {
	Host                  Host
	Local, Remote         netip.Addr
	LocalPort, RemotePort uint16
	Outbound              bool // the packets left the host
	Known                 bool // the log says which way they went
	Begun                 Side
	Public                bool // the remote address is one of the internet's
	Fruitless             bool // nothing came of it: rejected, or tried and not answered
	listed                []intel.Match
}

// On returns the list of a kind that the remote address is on, and its entry.
func (v *View) On(kind intel.Kind) (*intel.List, string) {
	for _, m := range v.listed {
		if m.List.Kind == kind {
			return m.List, m.Entry()
		}
	}
	return nil, ""
}

// Listed reports whether the remote address is on any list.
func (v *View) Listed() bool { return len(v.listed) > 0 }

// A Side is who began a connection.
type Side uint8

// The sides.
const (
	Unclear Side = iota
	Here
	There
)

// A Host tells hosts apart: by the instance's id, else by interface and address,
// else by address alone.
type Host struct {
	ID   string     `json:"i,omitempty"` // of the instance, else of the interface
	Addr netip.Addr `json:"a,omitzero"`  // unless ID is an instance's
}

// String names the host.
func (h Host) String() string {
	switch {
	case h.ID == "":
		return h.Addr.String()
	case h.Addr.IsValid():
		return h.ID + " " + h.Addr.String()
	}
	return h.ID
}

// Flow returns the record as its host sees it; nil for traffic with an address
// that the account trusts, and for traffic of addresses that no host has. It is
// good until the next record.
func (s *Scene) Flow(r *record.Record) *View {
	if v, ok := s.Shared.(*View); ok {
		if !v.Remote.IsValid() {
			return nil
		}
		return v
	}
	v := &s.view
	s.Shared = v
	matches := v.listed[:0]
	look(v, r.Flow)
	v.listed = s.Lists.AppendAddr(matches, v.Remote)
	trusted, _ := v.On(intel.Trusted)
	if trusted != nil || nobodys(v.Remote) {
		v.Remote = netip.Addr{}
		return nil
	}
	return v
}

// look fills v anew.
func look(v *View, f *record.Flow) {
	*v = View{Known: f.Direction != ""}
	src, dst := internal(f.Src), internal(f.Dst)
	asked := asks(f) // whether the sender began it
	switch {
	case f.Direction == "egress":
		v.Outbound = true
	case f.Direction == "ingress":
	case src != dst:
		v.Outbound = src
	default:
		v.Outbound = asked != There // as who began it sees it
	}
	own := v.Known || src != dst // whose interface it is is known
	if v.Outbound {
		v.Local, v.LocalPort, v.Remote, v.RemotePort, v.Begun = f.Src, f.SrcPort, f.Dst, f.DstPort, asked
		if f.PktSrc.IsValid() && internal(f.PktSrc) {
			v.Local = f.PktSrc
		}
		if f.PktDst.IsValid() && dst && !internal(f.PktDst) {
			v.Remote = f.PktDst
		}
	} else {
		v.Local, v.LocalPort, v.Remote, v.RemotePort, v.Begun = f.Dst, f.DstPort, f.Src, f.SrcPort, other(asked)
		if f.PktDst.IsValid() && internal(f.PktDst) {
			v.Local = f.PktDst
		}
		if f.PktSrc.IsValid() && src && !internal(f.PktSrc) {
			v.Remote = f.PktSrc
		}
	}
	switch {
	case v.Outbound && v.Remote == f.Dst:
		v.Public = !dst
	case !v.Outbound && v.Remote == f.Src:
		v.Public = !src
	default:
		v.Public = !internal(v.Remote)
	}
	v.Fruitless = fruitless(f)
	switch {
	case f.Instance != "" && own:
		v.Host = Host{ID: f.Instance}
	case own:
		v.Host = Host{f.Interface, v.Local}
	default:
		v.Host = Host{Addr: v.Local}
	}
}

func other(s Side) Side {
	switch s {
	case Here:
		return There
	case There:
		return Here
	}
	return Unclear
}

// shared is the address space of carriers, which VPCs may use too: RFC 6598.
var shared = netip.MustParsePrefix("100.64.0.0/10")

func internal(a netip.Addr) bool {
	if a.Is4() {
		switch b := a.As4(); b[0] {
		case 10, 127:
			return true
		case 100:
			return b[1]>>6 == 1
		case 169:
			return b[1] == 254
		case 172:
			return b[1]>>4 == 1
		case 192:
			return b[1] == 168
		}
		return false
	}
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || shared.Contains(a)
}

// nobodys reports whether no single host of a network has an address.
func nobodys(a netip.Addr) bool {
	if a.Is4() {
		b := a.As4()
		return b[0]>>4 == 14 || b[0] == 169 && b[1] == 254 || b == [4]byte{}
	}
	return a.IsMulticast() || a.IsUnspecified() || a.IsLinkLocalUnicast()
}

const (
	tcp, udp           = 6, 17
	fin, syn, rst, ack = 1, 2, 4, 16
)

// asks says who began a connection, seen from the sender: by the TCP flags, else
// by the ports, of which clients choose high ones.
func asks(f *record.Flow) Side {
	if f.Protocol == tcp && f.Flags&syn != 0 {
		if f.Flags&ack != 0 {
			return There
		}
		return Here
	}
	switch a, b := height(f.SrcPort), height(f.DstPort); {
	case a > b:
		return Here
	case a < b:
		return There
	}
	return Unclear
}

// height says how likely a port is a client's: services have those below 1024,
// registered ones mostly those below 32768, where Linux begins to choose.
func height(port uint16) int {
	switch {
	case port < 1024:
		return 0
	case port < 32768:
		return 1
	}
	return 2
}

// fruitless reports whether nothing came of it, as far as one direction tells:
// only packets without data, all alike, and no orderly end.
func fruitless(f *record.Flow) bool {
	switch {
	case f.Rejected:
		return true
	case f.Protocol == tcp && f.Flags != 0:
		return f.Flags&syn != 0 && f.Flags&(fin|ack) == 0 && f.Packets <= 8 && f.Bytes <= f.Packets*64
	case f.Protocol == tcp:
		return f.Bytes <= f.Packets*64 && (f.Packets <= 3 || f.Packets <= 7 && f.Bytes%f.Packets == 0)
	case f.Protocol == udp:
		return f.Packets <= 2
	}
	return false
}

// Traces reports whether a packet looks like one of traceroute's, which counts the
// port up with each.
func Traces(f *record.Flow) bool {
	return f.Protocol == udp && f.DstPort >= 33434 && f.DstPort < 33434+256
}

// A Tries counts what came of connections, for many hosts, and knows when most of
// many were in vain. It is a State.
type Tries struct {
	*window.Keep[Try, tried]
	need, ratio int
	span        time.Duration
}

// A Try is what belongs together: a host and whom it tries, or on which port.
type Try struct {
	Host  Host       `json:"h"`
	Other netip.Addr `json:"o,omitzero"`
	Port  uint16     `json:"p,omitempty"`
	Way   bool       `json:"w,omitempty"` // done to the host, not by it
}

// tried is what is known of a Try since its first one in vain.
type tried struct {
	Since time.Time          `json:"t"`
	Vain  []netip.AddrPort   `json:"v"` // different ones, at most as many as are needed
	Well  int                `json:"w"` // connections that something came of
	Told  []finding.Evidence `json:"e"` // of the first ones
}

// PerEvidence is what a piece of evidence that a State keeps takes, in bytes, roughly.
const PerEvidence = 160

// Weight is what the lists take.
func (t *tried) Weight() int { return 32*len(t.Vain) + PerEvidence*len(t.Told) }

// maxTold is how many records a suspicion of several names.
const maxTold = 20

// NewTries returns a Tries that knows when need different ones were in vain within
// span, and fewer than one in ratio came to something.
func NewTries(need int, span time.Duration, ratio int) *Tries {
	return &Tries{Keep: window.NewKeep[Try, tried](8192), need: need, ratio: ratio, span: span}
}

// Vain counts a connection that nothing came of; what tells it from others that
// belong together. When there are enough, it returns the evidence and begins anew.
func (t *Tries) Vain(k Try, what netip.AddrPort, r *record.Record) []finding.Evidence {
	t.Expire(func(old *tried) bool { return r.Time.Sub(old.Since) > 2*t.span })
	n := t.At(k)
	if n.Since.IsZero() || r.Time.Sub(n.Since) > t.span {
		*n = tried{Since: r.Time, Vain: n.Vain[:0], Told: n.Told[:0]}
	}
	for _, old := range n.Vain {
		if old == what {
			return nil
		}
	}
	if len(n.Vain) < t.need {
		n.Vain = append(n.Vain, what)
		if len(n.Told) < maxTold {
			n.Told = append(n.Told, Evidence(r))
		}
	}
	if len(n.Vain) < t.need || n.Well*t.ratio >= len(n.Vain) {
		return nil
	}
	told := n.Told
	t.Forget(k)
	return told
}

// Well counts a connection that came to something, where others did not.
func (t *Tries) Well(k Try) {
	if n := t.Find(k); n != nil {
		n.Well++
	}
}
