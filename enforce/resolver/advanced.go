package resolver

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/engine/dga"
	"sumun.dev/engine/dns"
	"sumun.dev/engine/tunnel"
)

// The threats of DNS Firewall Advanced rules: Rule.Threat.
const (
	DGA           = "DGA"            // the domain was made by an algorithm, letter by letter
	DictionaryDGA = "DICTIONARY_DGA" // … of words
	Tunneling     = "DNS_TUNNELING"  // the client carries data in names below the domain
)

// A confidence is how sure it is that a query is a threat; a rule's is how sure it
// must be. The zero confidence is for queries that are none.
type confidence uint8

const (
	low confidence = 1 + iota
	medium
	high
)

func readConfidence(s string) (confidence, error) {
	switch s {
	case "LOW":
		return low, nil
	case "MEDIUM":
		return medium, nil
	case "HIGH":
		return high, nil
	}
	return 0, fmt.Errorf("confidence threshold %q is not known", s)
}

// The scores from which on a domain is a threat with each confidence. README.md has
// how many benign domains and how many of malware's reach them.
var (
	letterScores = [...]float64{dga.OneInHundred, dga.OneInThousand, dga.Certain}
	wordScores   = [...]float64{dga.WordsOneInFifty, dga.WordsOneInTwoHundred, dga.WordsOneInThousand}
)

// lifts are the scores from which on a domain is a threat with high confidence when the
// client is known to ask for domains of its kind, of letters or of words.
var lifts = [...]float32{1.0, dga.WordsOneInFifty}

func sure(score float32, from [3]float64) (c confidence) {
	for i, least := range from {
		if float64(score) >= least {
			c = low + confidence(i)
		}
	}
	return c
}

// A verdict is what a name is by itself. It never changes.
type verdict struct {
	name   dns.Name
	judged bool   // the name is below a domain that somebody registered
	domain uint32 // its hash
	scores dga.Scores
	sure   [2]confidence // of letters, of words
}

// advanced is what the firewall remembers for DNS Firewall Advanced rules. Queries of
// VPCs without such rules do not come here.
type advanced struct {
	tunnels  *tunnel.Watch
	clients  *dga.Watch
	seed     maphash.Seed
	verdicts [1 << 12]atomic.Pointer[verdict] // by hash of the name
}

func newAdvanced(seed maphash.Seed) *advanced {
	return &advanced{tunnels: tunnel.NewWatch(tunnelBytes), clients: dga.NewWatch(knownClients), seed: seed}
}

// forget drops what is remembered of clients.
func (a *advanced) forget() {
	a.tunnels.Forget()
	a.clients.Forget()
}

// Bounds of what is remembered of clients: at most 16 MiB of the names that they asked
// for, and 800 bytes for each of so many.
const (
	tunnelBytes  = 16 << 20
	knownClients = 1 << 14
)

// verdict judges a name, or remembers how it was judged.
func (a *advanced) verdict(name dns.Name) *verdict {
	slot := &a.verdicts[maphash.Bytes(a.seed, name)%uint64(len(a.verdicts))]
	if v := slot.Load(); v != nil && bytes.Equal(v.name, name) {
		return v
	}
	v := &verdict{name: bytes.Clone(name)}
	domain := strings.TrimSuffix(name.String(), ".")
	if registered, label := dga.Registered(domain); registered != "" && !dga.Internal(domain) {
		v.judged, v.domain, v.scores = true, uint32(maphash.String(a.seed, registered)), dga.ScoresOf(label)
		v.sure = [2]confidence{sure(v.scores[dga.OfLetters], letterScores), sure(v.scores[dga.OfWords], wordScores)}
	}
	slot.Store(v)
	return v
}

// A judgement is what is found out of one query, when a rule asks for it.
type judgement struct {
	firewall *advanced
	host     *host
	from     netip.Addr
	name     dns.Name
	qtype    uint16
	at       time.Time

	client  uint64        // 0 until it is asked for
	verdict *verdict      // nil until it is asked for
	sure    [2]confidence // that the domain is made of letters, of words
	asked   bool          // whether the tunnels' watch has seen the query
	tunnel  tunnel.Level
	sight   tunnel.Sight
}

// meets reports whether the query is the threat that an Advanced rule is about. The
// judgement is nil for names that CNAMEs lead to: Advanced rules look at the name that
// the client asked for.
func (j *judgement) meets(r *rule) bool {
	if j == nil {
		return false
	}
	switch r.threat {
	case Tunneling:
		j.lookAtTunnels()
		return confidence(j.tunnel) >= r.sure
	case DictionaryDGA:
		j.lookAtDomain()
		return j.sure[dga.OfWords] >= r.sure
	}
	j.lookAtDomain()
	return j.sure[dga.OfLetters] >= r.sure
}

func (j *judgement) lookAtTunnels() {
	if j.asked {
		return
	}
	j.asked = true
	j.tunnel, j.sight = j.firewall.tunnels.Ask(j.who(), j.name, j.qtype, j.at)
}

func (j *judgement) lookAtDomain() {
	if j.verdict != nil {
		return
	}
	v := j.firewall.verdict(j.name)
	j.verdict, j.sure = v, v.sure
	if !v.judged {
		return
	}
	for kind, known := range j.firewall.clients.Ask(j.who(), v.domain, v.scores, j.at) {
		if known && v.scores[kind] >= lifts[kind] {
			j.sure[kind] = high
		}
	}
}

// who is the client, as the watches call it: an instance, whatever the address that it
// asks from; an address in a VPC where no instance is known.
func (j *judgement) who() uint64 {
	if j.client == 0 {
		seed := j.firewall.seed
		if j.client = maphash.String(seed, j.host.vpc.id); j.host.instance != "" {
			j.client = mix(j.client, maphash.String(seed, j.host.instance))
		} else {
			ip := j.from.As16()
			j.client = mix(j.client, maphash.Bytes(seed, ip[:]))
		}
	}
	return j.client
}

// blocked tells which rule blocked the query. What was blocked as made by an algorithm
// counts as a domain that does not exist: whether it does is not found out.
func (j *judgement) blocked(r *rule) {
	if (r.threat == DGA || r.threat == DictionaryDGA) && j.verdict.judged {
		j.firewall.clients.Missing(j.who(), j.verdict.domain, j.at)
	}
}

// answered tells what was answered to a query that was let through.
func (j *judgement) answered(found *dns.Answer) {
	missing := found.Rcode == dns.NameError && len(found.Chain) == 0 // else it is another name that does not exist
	if missing && j.verdict != nil && j.verdict.judged {
		j.firewall.clients.Missing(j.who(), j.verdict.domain, j.at)
	}
	if !j.sight.Carries() {
		return
	}
	var first netip.Addr
	for _, rr := range found.Records(j.name) {
		switch rr := rr.(type) {
		case *mdns.A:
			first, _ = netip.AddrFromSlice(rr.A.To4())
		case *mdns.AAAA:
			first, _ = netip.AddrFromSlice(rr.AAAA.To16())
		}
		if first.IsValid() {
			break
		}
	}
	j.firewall.tunnels.Answered(j.sight, first)
}
