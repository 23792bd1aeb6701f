package record

import (
	"net/netip"
	"strings"
	"time"

	"sumun.dev/engine/dns"
)

// A DNS is a question to the VPC's resolver and what was answered: Route 53
// Developer Guide, "Values that appear in VPC Resolver query logs".
type DNS struct {
	VPC       string
	Name      dns.Name
	Sum       uint64 // of Name, where the reader has it
	Type      string // A, AAAA, TXT …
	Rcode     string
	Source    netip.Addr
	Transport string       // UDP or TCP
	Instance  string       // srcids.instance; empty when only the address is known
	Action    string       // of DNS Firewall: ALERT, BLOCK or empty
	Addresses []netip.Addr // of the A and AAAA records answered
}

// Domain returns the name without the final dot.
func (d *DNS) Domain() string { return strings.TrimSuffix(d.Name.String(), ".") }

// Blocked reports whether DNS Firewall answered instead of the domain's owner.
func (d *DNS) Blocked() bool { return d.Action == "BLOCK" }

// A Flow is what went in one direction between two addresses within one
// aggregation interval: VPC User Guide, "Flow log records". What the log's format
// leaves out is zero.
type Flow struct {
	Version    int
	Interface  string
	Instance   string
	VPC        string
	Subnet     string
	Src, Dst   netip.Addr // of the packet as the interface has it
	PktSrc     netip.Addr // the original ones, where a gateway stands between
	PktDst     netip.Addr
	SrcPort    uint16
	DstPort    uint16
	Protocol   uint8 // IANA's number: 6 TCP, 17 UDP, 1 ICMP
	Packets    uint64
	Bytes      uint64
	Start, End time.Time
	Rejected   bool   // by a security group or network ACL
	Flags      uint8  // TCP flags, ORed: FIN 1, SYN 2, RST 4, SYN-ACK 18
	Direction  string // ingress, egress or empty
	SrcService string // pkt-src-aws-service: AMAZON, EC2, S3 …
	DstService string
	Path       int    // traffic-path, 1 to 8
	Status     string // log-status: OK, NODATA, SKIPDATA
	Reason     string // reject-reason
}

// An HTTP is a request to a front door: the access logs of load balancers and the
// logs of WAF.
type HTTP struct {
	Door       string // alb, nlb, elb, waf
	Resource   string // the load balancer, or the web ACL's ARN
	Client     netip.Addr
	ClientPort uint16
	Method     string
	Host       string
	URL        string // path and query as sent
	Agent      string
	Status     int // what the client was answered; 0 when nothing was
	Target     int // what the target answered
	Received   uint64
	Sent       uint64
	Action     string // of WAF: ALLOW, BLOCK, COUNT, CAPTCHA, CHALLENGE; of a load balancer its actions_executed
	Rule       string // that decided
	Country    string // of the client, as WAF knows it
	Headers    [][2]string
}
