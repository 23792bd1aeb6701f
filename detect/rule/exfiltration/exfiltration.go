// Package exfiltration finds instances that carry data in the names that they ask for, as tunnels through DNS do.
package exfiltration

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/engine/dga"
	"sumun.dev/engine/dns"
	"sumun.dev/finding"
)

// Rule adds up how much data distinct names below one registered domain carry, by
// instance.
var Rule = rule.Rule{
	Name: "exfiltration", Types: []string{finding.DNSDataExfiltration}, Class: record.DNSActivity,
	State: func() rule.State { return &state{Keep: window.NewKeep[string, zone](maxZones)} }, See: see,
}

const (
	maxZones = 4_000
	kept     = 64 // distinct names of a zone
	span     = 10 * time.Minute

	shortest = 16  // octets of a label that can be data
	foreign  = 3   // octets of a label that no host name has: raw data
	spelled  = 6.0 // score of a label that nobody chose

	// What is enough, of distinct names and of octets of data in them.
	rareNames             = 10      // of types that only tunnels ask for
	wideNames, wideOctets = 15, 400 // of types whose answers take data: TXT, CNAME, MX …
	hostNames, hostMean   = 30, 24  // of addresses, when each name has its own: octets in the mean
	hostSizes             = 5       // of as many different lengths: names of machines have one
	sameNames, sameMean   = 30, 45  // of addresses, when names share them as on a content network
	fullNames, fullMean   = 8, 100  // of any type: names that are filled up
)

// A state is what is remembered of an account. Which names carry nothing is not
// written down: it can be found out again.
type state struct {
	*window.Keep[string, zone]
	empty [1024]dns.Name // by hash
}

// A zone is what one host asked for below one registered domain.
type zone struct {
	Names     []name             `json:"n"` // the oldest first
	Addresses []uint32           `json:"a,omitempty"`
	Told      []finding.Evidence `json:"e"` // the first records since it was last reported
}

// Weight is what the lists take.
func (z *zone) Weight() int {
	return 32*len(z.Names) + 4*len(z.Addresses) + rule.PerEvidence*len(z.Told)
}

type name struct {
	Hash   uint32 `json:"h"`
	At     int64  `json:"t"` // seconds
	Octets int    `json:"o"`
	Kind   kind   `json:"k"`
	Own    bool   `json:"x,omitempty"` // was answered with an address that no other name had
}

// A kind is what a type of question is good for to a tunnel.
type kind uint8

const (
	host kind = iota // A, AAAA: few octets in the answer
	wide             // many
	rare             // nothing else asks for it
)

func kindOf(typ string) kind {
	switch typ {
	case "A", "AAAA", "HTTPS", "SVCB":
		return host
	case "NULL", "TYPE10", "10", "KEY", "TYPE25", "25", "TYPE65399", "65399":
		return rare
	}
	return wide
}

func see(s *rule.Scene, r *record.Record) {
	d := r.DNS
	k := kindOf(d.Type)
	if !carries(d.Name, k) {
		return
	}
	known := s.State.(*state)
	slot := &known.empty[hashOf(d.Name)%uint32(len(known.empty))]
	if k != rare && bytes.Equal(*slot, d.Name) {
		return
	}
	if len(d.Addresses) > 0 && d.Addresses[0].IsLoopback() {
		return // so answer those who are asked whether something is on a list of theirs
	}
	registered, sub, octets := carried(d.Domain(), k)
	if octets == 0 {
		if k != rare {
			*slot = d.Name
		}
		return
	}
	z := known.At(rule.Asker(d) + "\x00" + registered)
	if z.add(r, sub, octets, k) && z.tells() {
		out := rule.Query(finding.DNSDataExfiltration, r, finding.Threat{Entry: registered})
		out.Evidence = append(slices.Clone(z.Told), rule.Evidence(r)) // the last is none of the first
		s.Report(out)
		*z = zone{}
	}
}

// hashOf is FNV-1a.
func hashOf(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// carried returns the domain that was registered, what stands before it, and how many
// octets of that are data; they are 0 where nobody would be reached.
func carried(domain string, k kind) (registered, sub string, octets int) {
	if dga.Private(domain) {
		return
	}
	registered, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil || registered == domain || delegatesToNobody(registered) {
		return "", "", 0
	}
	sub = domain[:len(domain)-len(registered)-1]
	if octets = data(sub, k); k != rare && octets > 0 && digest(sub) {
		octets = 0
	}
	return registered, sub, octets
}

// carries is a quick look at whether a name can carry anything.
func carries(n dns.Name, k kind) bool {
	if k == rare {
		return true
	}
	for i := 0; i < len(n) && n[i] > 0; i += int(n[i]) + 1 {
		if n[i] >= shortest {
			return true
		}
	}
	return false
}

// delegatesToNobody reports whether all names below are the owner's own: what is
// asked for there reaches nobody else. AWS's, and those of vendors whose products
// look files, mail and addresses up by names full of data.
func delegatesToNobody(registered string) bool {
	switch registered {
	case "amazonaws.com", "amazonaws.com.cn", "api.aws", "aws.dev", "amazontrust.com",
		"sophosxl.net", "sophosxl.com", "mcafee.com", "trellix.com", "e5.sk", "eset.com", "trendmicro.com", "cymru.com",
		"spamhaus.org", "spamhaus.net", "surbl.org", "uribl.com", "spamcop.net", "barracudacentral.org", "barracudabrts.com", "senderbase.org",
		"avast.com", "avg.com", "kaspersky.com", "kaspersky-labs.com", "bitdefender.net", "f-secure.com", "webrootcloudav.com", "brightcloud.com", "symantec.com", "norton.com":
		return true
	}
	return false
}

// data returns how many octets of labels look like data. A type that only tunnels
// ask for makes data of all of them.
func data(sub string, k kind) (octets int) {
	for label := range strings.SplitSeq(sub, ".") {
		if k == rare && len(label) >= 5 || len(label) >= shortest && encoded(label) {
			octets += len(label)
		}
	}
	return
}

func encoded(label string) bool {
	odd := 0
	for i := range len(label) {
		if c := label[i]; c >= 0x80 || c == '\\' || c == '+' || c == '/' || c == '=' {
			odd++
		}
	}
	return odd >= foreign || dga.Default().Score(label) >= spelled
}

// digest reports whether the first label is the digest or the UUID of something,
// and all else of the name is text: so ask those who look up files, mail addresses
// and certificates.
func digest(sub string) bool {
	label, rest, _ := strings.Cut(sub, ".")
	for other := range strings.SplitSeq(rest, ".") {
		if other != "" && (strings.Trim(other, "0123456789") == "" || len(other) >= shortest && !sum(other) && encoded(other)) {
			return false // a counter, or more of it
		}
	}
	return sum(label)
}

// sum reports whether a label is spelled as digests and UUIDs are.
func sum(label string) bool {
	switch len(label) {
	case 40, 56:
		return strings.Trim(label, "0123456789abcdef") == ""
	case 26: // base36, too
		return strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
	case 32, 52: // base32; MD5 in hexadecimal digits
		return strings.Trim(label, "abcdefghijklmnopqrstuvwxyz234567") == "" || strings.Trim(label, "0123456789abcdef") == ""
	case 36:
		return strings.Trim(label, "0123456789abcdef-") == "" && label[8] == '-' && label[13] == '-' && label[18] == '-' && label[23] == '-'
	}
	return false
}

// add reports whether the name is new.
func (z *zone) add(r *record.Record, sub string, octets int, k kind) bool {
	n := name{Hash: hashOf([]byte(sub)), At: r.Time.Unix(), Octets: octets, Kind: k}
	oldest := n.At - int64(span/time.Second)
	z.Names = slices.DeleteFunc(z.Names, func(o name) bool { return o.At < oldest })
	if slices.ContainsFunc(z.Names, func(o name) bool { return o.Hash == n.Hash }) {
		return false
	}
	if len(z.Names) == 0 {
		z.Told, z.Addresses = nil, nil
	}
	if k == host && len(r.DNS.Addresses) > 0 {
		address := r.DNS.Addresses[0].As16()
		if a := hashOf(address[:]); !slices.Contains(z.Addresses, a) {
			n.Own = true
			if len(z.Addresses) < kept {
				z.Addresses = append(z.Addresses, a)
			}
		}
	}
	if len(z.Names) >= kept {
		z.Names = slices.Delete(z.Names, 0, 1)
	}
	z.Names = append(z.Names, n)
	if len(z.Told) < 5 {
		z.Told = append(z.Told, rule.Evidence(r))
	}
	return true
}

// tells reports whether what the names carry is more than what else names are for.
func (z *zone) tells() bool {
	var names, octets [3]int
	own, all := 0, 0
	var sizes []int
	for _, n := range z.Names {
		if !slices.Contains(sizes, n.Octets) {
			sizes = append(sizes, n.Octets)
		}
		names[n.Kind]++
		octets[n.Kind] += n.Octets
		all += n.Octets
		if n.Own {
			own++
		}
	}
	switch {
	case names[rare] >= rareNames:
	case names[wide] >= wideNames && octets[wide] >= wideOctets:
	case names[host] >= hostNames && octets[host] >= hostMean*names[host] && own*2 >= names[host] && len(sizes) >= hostSizes:
	case names[host] >= sameNames && octets[host] >= sameMean*names[host]:
	case len(z.Names) >= fullNames && all >= fullMean*len(z.Names):
	default:
		return false
	}
	return true
}
