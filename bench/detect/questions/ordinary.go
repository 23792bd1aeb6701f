package questions

import (
	"fmt"
	"iter"
	"strings"
	"time"
)

// hosts is how many hosts an account has here.
const hosts = 40

// Start is when the first question is asked.
var Start = time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)

// An Asked is a question with who asks it and when.
type Asked struct {
	Question
	At      time.Time
	Host    string
	Address string
}

// Line is the record of it in the query log.
func (a *Asked) Line() []byte { return a.Question.Line(a.At, a.Host, a.Address) }

// Ordinary yields n questions of ordinary work, some five a second, in the order of time.
//
// Servers, nodes of clusters, mail servers, proxies, people's desktops and build
// machines ask, each of them for what such hosts ask. What is asked in a row for one
// cause (a page, a scan of files, a delivery) comes in a row.
func Ordinary(seed uint64, n int) iter.Seq[Asked] {
	return func(yield func(Asked) bool) {
		w := newWorld(seed)
		at, left := Start, n
		for left > 0 {
			h := w.IntN(hosts)
			mix := roles[w.role[h]]
			kind := mix[w.IntN(len(mix))]
			w.host = h
			for _, q := range w.activity(kind) {
				at = at.Add(q.After + milliseconds(w.between(5, 350)))
				if w.forwarded {
					h = 0
				}
				if !yield(Asked{q, at, fmt.Sprintf("i-0%016x", uint64(h+1)*0x9e3779b97f4a7c15>>4), fmt.Sprintf("10.0.%d.%d", h/16, 10+h)}) {
					return
				}
				if left--; left == 0 {
					return
				}
			}
		}
	}
}

// A world is what hosts of an account have around them.
type world struct {
	*source
	host  int
	role  [hosts]string
	sites []string // that people and programs visit
	made  map[string][]string

	scanners []lookup // of files and addresses, by hosts' products
	machines []string // domains below which machines have names of their own
	mail     []string // lists that mail servers ask
	keyed    string   // a list with the customer's key in its names
	search   string   // what resolvers of clusters add to names
	own      string   // the account's own domain

	forwarded bool // all ask one host, which asks for them
}

// A lookup is how a product asks whether it knows something.
type lookup struct {
	zone, typ string
	name      func() string
	known     []string // what it answers for what it knows; else the name does not exist
	share     int      // percent that it knows
}

func newWorld(seed uint64) *world {
	w := &world{source: newSource(seed, 1), made: map[string][]string{}, forwarded: seed%5 == 0}
	all := []string{"web", "web", "web", "node", "node", "node", "node", "mail", "proxy", "proxy", "desktop", "desktop", "desktop", "build", "database", "scanner"}
	for i := range w.role {
		w.role[i] = all[(i+w.IntN(3))%len(all)]
	}
	for range 400 {
		w.sites = append(w.sites, w.domain())
	}
	w.own, w.search, w.keyed = w.domain(), "corp."+w.domain(), w.from("abcdefghijklmnopqrstuvwxyz0123456789", 26)
	for range 3 {
		w.scanners = append(w.scanners, w.lookup())
	}
	for range 4 {
		w.machines = append(w.machines, w.domain())
		w.mail = append(w.mail, w.domain())
	}
	return w
}

// lookup draws how a product of a world asks: digests as they are, cut, or in parts;
// with numbers before them; in TXT or addresses.
func (w *world) lookup() lookup {
	l := lookup{zone: w.pick("avqs", "lookup", "rep", "hash.cloud", "files", "q", "s") + "." + w.domain(), typ: w.pick("A", "A", "A", "TXT"), share: w.between(3, 60)}
	l.known = []string{fmt.Sprintf("127.0.0.%d", w.between(2, 99))}
	if w.chance(20) {
		l.known = []string{w.address()}
	}
	switch w.IntN(9) {
	case 0:
		l.name = func() string { return w.hex(32) }
	case 1:
		l.name = func() string { return w.hex(40) }
	case 2:
		l.name = func() string { return labels(w.hex(64), 32) }
	case 3:
		l.name = func() string { return lower32.of(w.octets(32)) }
	case 4:
		size := w.pick("60", "56", "48", "63")
		l.name = func() string { return w.hex(map[string]int{"60": 60, "56": 56, "48": 48, "63": 63}[size]) }
	case 5: // numbers of the product, then a digest in base 36
		l.name = func() string {
			return fmt.Sprintf("0.0.0.0.1.0.0.%s.%s", w.pick("4e", "2a", "01"), w.from("abcdefghijklmnopqrstuvwxyz1234567", 26))
		}
	case 6: // a long label, a short one and the product's version
		l.name = func() string {
			return fmt.Sprintf("3.1o%s.%s.i.0%d.s", w.from("nopqrs0123456789", 58), w.hex(8), w.IntN(9))
		}
	case 7: // the digest's first octets
		l.name = func() string { return fmt.Sprintf("%s.p%d", w.hex(20), w.IntN(4)) }
	default: // the digest of the file and that of who signed it
		l.name = func() string { return w.hex(40) + "." + w.hex(40) }
	}
	return l
}

// roles have what each kind of host does, the more often the more often it stands there.
var roles = map[string][]string{
	"web":      {"api", "api", "api", "aws", "aws", "telemetry", "mail domain", "tenants", "verify", "site"},
	"node":     {"cluster", "cluster", "cluster", "cluster", "api", "aws", "telemetry", "registry", "machines"},
	"mail":     {"delivery", "delivery", "delivery", "delivery", "aws", "certificate", "reverse"},
	"proxy":    {"page", "page", "page", "page", "page", "video", "measure", "gateway"},
	"desktop":  {"page", "page", "page", "antivirus", "antivirus", "video", "directory", "measure", "update", "typing"},
	"build":    {"registry", "registry", "aws", "preview", "certificate", "api", "antivirus", "site"},
	"database": {"aws", "aws", "reverse", "telemetry", "antivirus"},
	"scanner":  {"reverse", "antivirus", "antivirus", "verify", "api"},
}

func found(name, typ string, answers ...string) Question {
	return Question{Name: name, Type: typ, Rcode: "NOERROR", Answers: answers}
}

func missing(name, typ string) Question { return Question{Name: name, Type: typ, Rcode: "NXDOMAIN"} }

// some returns one of n texts of a kind that a world has from its beginning.
func (w *world) some(kind string, n int, make func() string) string {
	for len(w.made[kind]) < n {
		w.made[kind] = append(w.made[kind], make())
	}
	return w.made[kind][w.IntN(n)]
}

// activity returns the questions of one thing that a host does.
func (w *world) activity(kind string) (out []Question) {
	add := func(q Question) { out = append(out, q) }
	both := func(name string) {
		add(found(name, "A", w.address()))
		if w.chance(40) {
			add(found(name, "AAAA", w.address6()))
		}
	}
	switch kind {
	case "api", "site":
		for range w.between(1, 4) {
			both(w.pick("www", "api", "login", "static", "cdn", "app", "files", "events", "auth.eu") + "." + w.sites[w.IntN(len(w.sites))])
		}
	case "page": // with what stands on it
		both(w.pick("www", "m", "shop", "news") + "." + w.sites[w.IntN(len(w.sites))])
		for range w.between(2, 12) {
			switch w.IntN(12) {
			case 0:
				both("d" + w.hex(13) + ".cloudfront.net")
			case 1:
				both(w.hex(32) + ".safeframe." + w.machines[0])
			case 2:
				both(fmt.Sprintf("e%d.%s.akamaiedge.net", w.between(100, 99999), w.pick("dscb", "a", "g", "dsca", "ksd")))
			case 3:
				both(fmt.Sprintf("p4-%s-%s-%d-i1-v6exp3.v4.metric.%s", w.from("abcdefghijklmnopqrstuvwxyz234567", 13), w.from("abcdefghijklmnopqrstuvwxyz234567", 16), w.between(1e5, 1e6), w.machines[1]))
			case 4:
				add(found(w.pick("www", "cdn", "a")+"."+w.sites[w.IntN(len(w.sites))], "HTTPS"))
			case 5:
				both(fmt.Sprintf("o%d.ingest.%s", w.between(1e4, 1e6), w.sites[1]))
			default:
				both(w.pick("cdn", "img", "static", "fonts", "ads", "pixel", "tags", "consent") + "." + w.sites[w.IntN(len(w.sites))])
			}
		}
	case "video":
		for range w.between(1, 10) {
			both(fmt.Sprintf("rr%d---sn-%s.%s", w.between(1, 9), w.from("abcdefghijklmnopqrstuvwxyz234567", 8)+w.pick("", "-"+w.hex(4)), "video."+w.machines[2]))
		}
	case "measure": // networks of content measure the way to themselves
		for range w.between(1, 3) {
			switch w.IntN(3) {
			case 0:
				both(w.hex(32) + ".clo." + w.machines[3])
			case 1:
				both(w.uuid() + ".u." + w.machines[3])
			default:
				both(w.hex(16) + "." + w.pick("fra", "iad", "sin") + ".probe." + w.machines[3])
			}
		}
	case "gateway": // what is addressed by its content
		for range w.between(1, 3) {
			both("bafybei" + w.from("abcdefghijklmnopqrstuvwxyz234567", 52) + ".ipfs." + w.machines[3])
		}
	case "update":
		both(fmt.Sprintf("%d.tlu.dl.delivery.mp.%s", w.IntN(9), w.sites[2]))
		both(w.some("shards", 30, func() string { return w.hex(8) + "-" + w.word() }) + ".dl." + w.sites[3])
	case "telemetry":
		for range w.between(1, 3) {
			switch w.IntN(3) {
			case 0:
				both(w.uuid() + ".telemetry." + w.sites[4])
			case 1:
				both(w.some("keys", 4, func() string { return w.hex(32) }) + ".eu-west-1.aws.found." + w.sites[5])
			default:
				both(fmt.Sprintf("%s.collect.%s", w.some("streams", 6, func() string { return w.from("abcdefghijklmnopqrstuvwxyz0123456789", 20) }), w.sites[6]))
			}
		}
	case "antivirus": // some files, now and then a folder full of them
		s := w.scanners[w.host%len(w.scanners)]
		n := w.between(1, 6)
		if w.chance(5) {
			n = w.between(20, 150)
		}
		for range n {
			q := missing(s.name()+"."+s.zone, s.typ)
			if w.chance(s.share) {
				q = found(q.Name, q.Type)
				if s.typ == "A" {
					q.Answers = s.known
				}
			}
			q.After = milliseconds(w.between(0, 400))
			add(q)
		}
	case "delivery": // a mail comes in: its sender's address, domain, links and keys
		ip := strings.Split(w.address(), ".")
		reversed := ip[3] + "." + ip[2] + "." + ip[1] + "." + ip[0]
		add(missing(reversed+".in-addr.arpa", "PTR"))
		for i := range w.between(2, 4) {
			zone := []string{"zen." + w.mail[0], "bl." + w.mail[1], w.keyed + ".zen.dq." + w.mail[2], "list." + w.mail[3]}[i]
			q := missing(reversed+"."+zone, w.pick("A", "A", "TXT"))
			if w.chance(25) {
				q = found(q.Name, q.Type)
				if q.Type == "A" {
					q.Answers = []string{fmt.Sprintf("127.0.0.%d", w.between(2, 11))}
				}
			}
			add(q)
		}
		sender := w.domain()
		if w.chance(8) { // of spam, and no more
			add(missing(w.pick(sender, w.from("abcdefghijklmnopqrstuvwxyz", 8)+w.pick(".com", ".top", ".ru")), "MX"))
			return out
		}
		add(found(sender, "MX"))
		add(found(sender, "TXT"))
		add(found("_dmarc."+sender, "TXT"))
		add(found(w.pick("selector1", "google", "k1", "s1024", w.from("abcdefghijklmnopqrstuvwxyz234567", 32))+"._domainkey."+sender, w.pick("TXT", "CNAME")))
		if w.chance(30) {
			add(missing(w.hex(56)+"._openpgpkey."+sender, "TYPE61"))
		}
		for range w.between(0, 3) { // links and addresses in it
			switch w.IntN(3) {
			case 0:
				add(missing(w.domain()+".multi."+w.mail[1], "A"))
			case 1:
				add(missing(w.hex(40)+".ebl."+w.mail[2], "A"))
			default:
				add(missing(lower32.of(w.octets(32))+"._file.hbl."+w.mail[0], w.pick("A", "TXT")))
			}
		}
	case "verify": // an SPF macro, a certificate, a domain of a customer
		customer := w.domain()
		switch w.IntN(4) {
		case 0:
			add(found("_"+w.hex(32)+".www."+customer, "CNAME"))
			add(found("_"+w.hex(32)+"."+w.from("abcdefghijklmnopqrstuvwxyz", 10)+".acm-validations.aws", "CNAME"))
		case 1:
			add(found(fmt.Sprintf("%s._spf.%s", w.address(), customer), "A", "127.0.0.2"))
		case 2:
			add(found("_acme-challenge."+w.pick("www", "api", "shop")+"."+customer, "TXT"))
			add(found(w.uuid()+".auth."+w.sites[7], "TXT"))
		default:
			add(found(customer, "NS"))
			add(found(customer, "SOA"))
			add(found("_github-challenge-"+w.word()+"."+customer, "TXT"))
		}
	case "certificate":
		for range w.between(1, 4) {
			add(found("_acme-challenge."+w.word()+"."+w.own, "TXT"))
			add(found(w.some("validations", 12, func() string { return w.hex(32) })+".acme."+w.sites[8], "CNAME"))
		}
	case "mail domain":
		add(found(w.domain(), "MX"))
	case "reverse":
		for range w.between(1, 20) {
			if w.chance(40) {
				add(missing(strings.Join(strings.Split(w.hex(32), ""), ".")+".ip6.arpa", "PTR"))
			} else {
				add(Question{Name: fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa", w.IntN(256), w.IntN(256), w.IntN(256), w.between(1, 223)), Type: "PTR", Rcode: w.pick("NOERROR", "NXDOMAIN")})
			}
		}
	case "directory":
		add(found("_ldap._tcp.dc._msdcs."+w.search, "SRV"))
		add(found(fmt.Sprintf("_ldap._tcp.%s.domains._msdcs.%s", w.some("guid", 2, w.uuid), w.search), "SRV"))
		add(found("_kerberos._udp."+w.search, "SRV"))
		add(missing("wpad."+w.search, "A"))
		add(missing(w.from("abcdefghijklmnopqrstuvwxyz", w.between(7, 15))+"."+w.search, "A")) // browsers look whether names that do not exist are answered
	case "cluster": // ndots:5
		name := w.some("services", 60, func() string {
			return w.pick(w.pick("www", "api", "login")+"."+w.domain(), w.word()+"-service.production.svc", "sqs.eu-west-1.amazonaws.com", "d"+w.hex(13)+".cloudfront.net", w.word()+"-"+w.hex(8)+".c"+w.hex(10)+".eu-west-1.rds.amazonaws.com")
		})
		for _, tail := range []string{"payments.svc.cluster.local", "svc.cluster.local", "cluster.local", "eu-west-1.compute.internal", w.search} {
			add(missing(name+"."+tail, "A"))
			add(missing(name+"."+tail, "AAAA"))
		}
		both(name)
	case "aws":
		switch w.IntN(8) {
		case 0:
			both(fmt.Sprintf("%s-%s.c%s.eu-west-1.rds.amazonaws.com", w.word(), w.word(), w.hex(12)))
		case 1:
			both(fmt.Sprintf("internal-k8s-web-%s-%d.eu-west-1.elb.amazonaws.com", w.hex(10), w.between(1e8, 1e9)))
		case 2:
			both(fmt.Sprintf("%s-%s-%s.s3.eu-west-1.amazonaws.com", w.word(), w.word(), w.hex(12)))
		case 3:
			both(fmt.Sprintf("vpce-0%s-%s.s3.eu-west-1.vpce.amazonaws.com", w.hex(16), w.hex(8)))
		case 4:
			both(w.from("abcdefghijklmnopqrstuvwxyz0123456789", 10) + ".execute-api.eu-west-1.amazonaws.com")
		case 5:
			both(fmt.Sprintf("%s.%s.ng.0001.euw1.cache.amazonaws.com", w.word(), w.from("abcdefghijklmnopqrstuvwxyz0123456789", 6)))
		case 6:
			both("a" + w.from("abcdefghijklmnopqrstuvwxyz0123456789", 13) + ".awsglobalaccelerator.com")
		default:
			both(w.pick("sts", "kms", "ssm", "ec2", "logs", "monitoring", "sqs", "dynamodb", "secretsmanager") + ".eu-west-1.amazonaws.com")
		}
	case "registry":
		both(w.pick("registry", "proxy", "sum", "files", "index") + "." + w.sites[w.IntN(40)])
		both("prod-registry-k8s-io-eu-west-1.s3.dualstack.eu-west-1.amazonaws.com")
		if w.chance(20) {
			both(w.some("blobs", 50, func() string { return w.hex(16) + w.word() }) + ".blob.core.windows.net")
		}
	case "machines": // each with a name, and an address of its own
		for range w.between(1, 8) {
			switch w.IntN(3) {
			case 0:
				both("edge-" + w.hex(24) + ".net." + w.machines[0])
			case 1:
				both(fmt.Sprintf("ip-10-%d-%d-%d-%s.nodes.%s", w.IntN(256), w.IntN(256), w.IntN(256), w.hex(10), w.own))
			default:
				both(fmt.Sprintf("%s-%s-%s.pods.%s", w.word(), w.from("bcdfghjklmnpqrstvwxz2456789", 10), w.from("bcdfghjklmnpqrstvwxz2456789", 5), w.machines[1]))
			}
		}
	case "tenants":
		for range w.between(1, 6) {
			switch w.IntN(4) {
			case 0:
				both(fmt.Sprintf("tenant-%s.app.%s", w.hex(8), w.machines[2]))
			case 1:
				both(fmt.Sprintf("%s-%s-production-emea-%04d.%s.%s", w.word(), w.word(), w.IntN(1e4), w.pick("westeurope", "eu-central-1"), w.machines[2]))
			case 2:
				both(fmt.Sprintf("adb-%d%d.%d.%s", w.between(1e7, 1e8), w.between(1e7, 1e8), w.IntN(20), w.machines[3]))
			default:
				both(fmt.Sprintf("%s.eu-west-1.privatelink.%s", w.from("abcdefghijklmnopqrstuvwxyz", 2)+fmt.Sprint(w.between(1e4, 1e5)), w.machines[3]))
			}
		}
	case "preview":
		for range w.between(1, 5) {
			name := fmt.Sprintf("feature-%s-%s-%s-%d.preview.%s", w.word(), w.word(), w.word(), w.IntN(900), w.own)
			if w.chance(30) {
				name = fmt.Sprintf("%s-git-%s-%s.preview.%s", w.word(), w.hex(12), w.word(), w.own)
			}
			add(found(name, "A", "198.51.100.1"))
		}
	case "typing": // names that people misspell, and that are gone
		d := w.domain()
		at := w.IntN(len(d) - 6)
		add(missing(d[:at]+d[at+1:], "A"))
	}
	return out
}
