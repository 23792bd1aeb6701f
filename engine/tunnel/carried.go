// Package tunnel tells names that carry data through DNS from names that are looked up.
//
// carried.go is what of one name is data; zone.go is when the names that one client
// asked for below one domain are a tunnel; watch.go remembers that for many clients.
package tunnel

import (
	"strings"

	"golang.org/x/net/publicsuffix"

	"sumun.dev/engine/dga"
	"sumun.dev/engine/dns"
)

const (
	shortest = 16  // octets of a label that can be data
	foreign  = 3   // octets of a label that no host name has: raw data
	spelled  = 6.0 // score of a label that nobody chose
	rareData = 5   // octets of a label that are data in types that only tunnels ask for
)

// A Kind is what a type of question is good for to a tunnel.
type Kind uint8

// The kinds.
const (
	Host Kind = iota // A, AAAA: few octets in the answer
	Wide             // many
	Rare             // nothing else asks for it
)

// KindOf returns the kind of a type as query logs spell it.
func KindOf(typ string) Kind {
	switch typ {
	case "A", "AAAA", "HTTPS", "SVCB":
		return Host
	case "NULL", "TYPE10", "10", "KEY", "TYPE25", "25", "TYPE65399", "65399":
		return Rare
	}
	return Wide
}

// KindOfType returns the kind of a type as on the wire.
func KindOfType(typ uint16) Kind {
	switch typ {
	case 1, 28, 64, 65: // A, AAAA, SVCB, HTTPS
		return Host
	case 10, 25, 65399: // NULL, KEY, and the private type that iodine asks for
		return Rare
	}
	return Wide
}

// Carries is a quick look at whether a name can carry anything.
func Carries(n dns.Name, k Kind) bool {
	if k == Rare {
		return true
	}
	for i := 0; i < len(n) && n[i] > 0; i += int(n[i]) + 1 {
		if n[i] >= shortest {
			return true
		}
	}
	return false
}

// Carried returns the domain that was registered, what stands before it, and how many
// octets of that are data; they are 0 where nobody would be reached. domain is in
// presentation form, without the final dot.
func Carried(domain string, k Kind) (registered, sub string, octets int) {
	if dga.Private(domain) {
		return
	}
	return carried(domain, k)
}

// carried does so for names of every top-level domain.
func carried(domain string, k Kind) (registered, sub string, octets int) {
	registered, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil || registered == domain || delegatesToNobody(registered) {
		return "", "", 0
	}
	sub = domain[:len(domain)-len(registered)-1]
	for label := range strings.SplitSeq(sub, ".") {
		if data(label, k) {
			octets += len(label)
		}
	}
	if k != Rare && octets > 0 && digest(sub) {
		octets = 0
	}
	return registered, sub, octets
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

// data reports whether a label looks like data. A type that only tunnels ask for
// makes data of all labels.
func data(label string, k Kind) bool {
	return k == Rare && len(label) >= rareData || len(label) >= shortest && encoded(label)
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
// and all else of the name is text, or one other: so ask those who look up files, mail addresses
// and certificates.
func digest(sub string) bool {
	label, rest, _ := strings.Cut(strings.TrimPrefix(sub, "_"), ".")
	sums := 1
	for other := range strings.SplitSeq(rest, ".") {
		if sum(other) {
			if sums++; sums > 2 {
				return false
			}
		}
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
