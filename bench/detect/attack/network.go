package attack

import (
	"fmt"
	"strings"
	"time"
)

// network is what compromised instances do in flow logs and in questions to the
// resolver.
var network = []Technique{
	{"flow: ports of a neighbour scanned", []string{"Recon"}, Flow, func(s *scene) {
		for p := range 120 {
			s.flow("10.0.1.7", "10.0.2.9", 40000+p, 1+p*7, 6, 1, 44, p%20 == 0)
		}
	}},
	{"flow: one port at many hosts", []string{"Impact", "Recon"}, Flow, func(s *scene) {
		port := pick(s, 22, 445, 3389, 8080)
		for i := range 400 {
			s.flow("10.0.1.7", fmt.Sprintf("%d.%d.%d.%d", 11+s.IntN(80), s.IntN(250), s.IntN(250), 1+s.IntN(250)), 40000+i, port, 6, 1, 44, true)
		}
	}},
	{"flow: passwords guessed over SSH", []string{"UnauthorizedAccess"}, Flow, func(s *scene) {
		for i := range 80 {
			s.flow(s.ip, "10.0.1.7", 30000+i, 22, 6, 14, 2600, true)
			s.flow("10.0.1.7", s.ip, 22, 30000+i, 6, 13, 3100, true)
		}
	}},
	{"flow: spam sent", []string{"Backdoor"}, Flow, func(s *scene) {
		for i := range 60 {
			s.flow("10.0.1.7", fmt.Sprintf("%d.%d.%d.%d", 11+s.IntN(80), s.IntN(250), s.IntN(250), 1+s.IntN(250)), 42000+i, 25, 6, 20, 9000, true)
		}
	}},
	{"flow: denial of service", []string{"Backdoor"}, Flow, func(s *scene) {
		for range 30 {
			s.flow("10.0.1.7", s.ip, 40000+s.IntN(9000), 1+s.IntN(60000), 17, 900000, 900000*1200, true)
		}
	}},
	{"dns: generated domains", []string{"Trojan"}, DNS, func(s *scene) {
		for range 60 {
			s.question(s.from("abcdefghijklmnopqrstuvwxyz", 12+s.IntN(8))+pick(s, ".com", ".net", ".info", ".biz"), "A", "NXDOMAIN")
		}
	}},
	{"dns: data carried out", []string{"Trojan"}, DNS, func(s *scene) {
		d := s.word() + s.word() + ".com"
		for range 60 {
			s.question(s.from("abcdefghijklmnopqrstuvwxyz234567", 52)+"."+s.from("abcdefghijklmnopqrstuvwxyz234567", 40)+"."+d, "TXT", "NOERROR")
		}
	}},
	{"dns: name that is the metadata service", []string{"UnauthorizedAccess"}, DNS, func(s *scene) {
		s.answered(s.word()+"."+s.word()+".com", "A", "NOERROR", "169.254.169.254")
	}},
}

// flow records a flow in the default format of version 2.
func (s *scene) flow(src, dst string, srcPort, dstPort, protocol, packets, octets int, accepted bool) {
	s.wait(100, 2000)
	action := "REJECT"
	if accepted {
		action = "ACCEPT"
	}
	s.out = append(s.out, fmt.Appendf(nil, "2 %s eni-0123456789abcdef0 %s %s %d %d %d %d %d %d %d %s OK\n", s.account, src, dst, srcPort, dstPort, protocol, packets, octets, s.now.Unix(), s.now.Add(50*time.Second).Unix(), action))
}

func (s *scene) question(name, typ, rcode string) { s.answered(name, typ, rcode) }

func (s *scene) answered(name, typ, rcode string, answers ...string) {
	s.wait(300, 3000)
	all := []any{}
	for _, a := range answers {
		all = append(all, m{"Rdata": a, "Type": typ, "Class": "IN"})
	}
	s.add(m{
		"version": "1.100000", "account_id": s.account, "region": s.region, "vpc_id": "vpc-0123456789abcdef0", "query_timestamp": s.now.UTC().Format(time.RFC3339), "query_name": strings.ToLower(name) + ".",
		"query_type": typ, "query_class": "IN", "rcode": rcode, "answers": all, "srcaddr": "10.0.1.7", "srcport": "41000", "transport": "UDP", "srcids": m{"instance": "i-0123456789abcdef0"},
	})
}
