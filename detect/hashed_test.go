package detect

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/engine/dns"
	"sumun.dev/finding"
)

// TestNamesThatMachinesGaveAreNoAttack asks for names full of hashes, as content
// networks, clouds, mail and certificates have them: nobody chose them, and nothing
// is wrong with them.
func TestNamesThatMachinesGaveAreNoAttack(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	from := func(alphabet string, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	const hex, low, mixed = "0123456789abcdef", "abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz0123456789"
	uuid := func() string {
		return from(hex, 8) + "-" + from(hex, 4) + "-4" + from(hex, 3) + "-a" + from(hex, 3) + "-" + from(hex, 12)
	}
	firm := func() string {
		all := []string{"northwind", "contoso", "tailspin-toys", "adventureworks", "fabrikam", "bluebird", "riverside-bank", "greenfield"}
		return all[r.IntN(len(all))]
	}
	kinds := []func() (name, typ, rcode string){
		func() (string, string, string) { return "d" + from(mixed, 13) + ".cloudfront.net", "A", "NOERROR" },
		func() (string, string, string) {
			return "e" + from("0123456789", 5) + "." + from(low, 4) + ".akamaiedge.net", "A", "NOERROR"
		},
		func() (string, string, string) {
			return from(low, 6) + "-" + from(hex, 8) + ".z01.azurefd.net", "A", "NOERROR"
		},
		func() (string, string, string) { return from(hex, 32) + ".us-east-1.elb.amazonaws.com", "A", "NOERROR" },
		func() (string, string, string) { return uuid() + ".s3.eu-west-1.amazonaws.com", "A", "NOERROR" },
		func() (string, string, string) {
			return from(mixed, 10) + ".execute-api.eu-west-1.amazonaws.com", "A", "NOERROR"
		},
		func() (string, string, string) {
			return "_" + from(hex, 32) + "." + firm() + ".com", "CNAME", "NOERROR"
		},
		func() (string, string, string) {
			return from(mixed, 32) + "._domainkey." + firm() + ".com", "TXT", "NOERROR"
		},
		func() (string, string, string) { return "_acme-challenge." + firm() + ".com", "TXT", "NXDOMAIN" },
		func() (string, string, string) { return uuid() + ".events.data.microsoft.com", "A", "NOERROR" },
		func() (string, string, string) { return from(mixed, 12) + ".trafficmanager.net", "A", "NOERROR" },
		func() (string, string, string) {
			return "r" + from("0123456789", 1) + "---sn-" + from(mixed, 8) + ".googlevideo.com", "A", "NOERROR"
		},
		func() (string, string, string) {
			return from(hex, 40) + ".gr7.eu-west-1.eks.amazonaws.com", "A", "NOERROR"
		},
		func() (string, string, string) { return from(low, 10), "A", "NXDOMAIN" }, // browsers look for resolvers that lie
		func() (string, string, string) { return from(low, 6) + ".corp.example.com", "A", "NXDOMAIN" },
		func() (string, string, string) {
			return fmt.Sprintf("%d.%d.%d.%d.zen.spamhaus.org", r.IntN(250), r.IntN(250), r.IntN(250), r.IntN(250)), "A", "NXDOMAIN"
		},
		func() (string, string, string) {
			return "ip-10-0-" + fmt.Sprint(r.IntN(250)) + "-" + fmt.Sprint(r.IntN(250)) + ".ec2.internal", "A", "NOERROR"
		},
		func() (string, string, string) {
			return from(hex, 16) + ".safeframe.googlesyndication.com", "A", "NOERROR"
		},
		func() (string, string, string) { return from(mixed, 8) + ".b-cdn.net", "A", "NOERROR" },
		func() (string, string, string) {
			return from(hex, 24) + ".privatelink.snowflakecomputing.com", "A", "NOERROR"
		},
	}
	e, alerts := engine(t), map[string]int{}
	const queries = 40_000
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for i := range queries {
		text, typ, rcode := kinds[r.IntN(len(kinds))]()
		name, err := dns.ParseName(text)
		if err != nil {
			t.Fatal(text, err)
		}
		d := &record.DNS{Name: name, Type: typ, Rcode: rcode, Transport: "UDP", Instance: fmt.Sprintf("i-%017x", r.IntN(20)), VPC: "vpc-1", Source: netip.MustParseAddr("10.0.0.7")}
		if rcode == "NOERROR" && typ == "A" {
			d.Addresses = []netip.Addr{netip.AddrFrom4([4]byte{198, 51, byte(r.IntN(250)), byte(r.IntN(250))})}
		}
		e.See(&record.Record{Class: record.DNSActivity, Account: "111122223333", Region: "eu-west-1", Time: at.Add(time.Duration(i) * 250 * time.Millisecond), DNS: d}, func(s finding.Suspicion) {
			alerts[s.Type+" "+s.DNS.Domain]++
		})
	}
	if len(alerts) > 0 {
		t.Errorf("%d alerts on %d queries: %v", len(alerts), queries, alerts)
	}
}
