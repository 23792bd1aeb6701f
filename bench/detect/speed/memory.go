package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"time"

	"sumun.dev/bench/detect/generate"
	"sumun.dev/detect"
	"sumun.dev/detect/record"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/detect/source/dns"
	"sumun.dev/detect/source/flow"
	"sumun.dev/finding"
)

// The mix: of ten records four are calls, four flows, two queries; of accounts,
// principals and networks there are more than an engine remembers of one account.
const (
	accounts   = 100
	principals = 1_000 // of an account
	hosts      = 400   // of an account
)

// memory streams a mix of n records through an engine with all rules, learning and
// judging, and prints the most memory that the process ever had.
func memory(n int) error {
	m, err := newMix()
	if err != nil {
		return err
	}
	e, found := detect.NewEngine(detect.Options{}), 0
	began := spent()
	fmt.Printf("%d records: calls, flows and queries of %d accounts, with %d principals and %d hosts each; %d rules\n", n, accounts, principals, hosts, e.Rules())
	for i := range n {
		r, err := m.next(i, n)
		if err != nil {
			return err
		}
		if r.API != nil {
			e.Learn(r)
		}
		e.See(r, func(finding.Suspicion) { found++ })
		if (i+1)%(n/10) == 0 {
			most, err := peak()
			if err != nil {
				return err
			}
			var s runtime.MemStats
			runtime.ReadMemStats(&s)
			fmt.Printf("%9d records: at most %d MiB resident so far, %d MiB of heap now; %d suspicions; %.0f records/s, making them included\n", i+1, most>>10, s.HeapAlloc>>20, found, float64(i+1)/(spent()-began).Seconds())
		}
	}
	return nil
}

// A mix makes records one after the other, in order of time, and keeps none.
type mix struct {
	*rand.Rand
	calls [][]byte // ordinary records, to be made those of others
	trail *cloudtrail.Reader
	flows *flow.Reader
	names *dns.Reader
	b     bytes.Buffer
}

func newMix() (*mix, error) {
	m := &mix{Rand: rand.New(rand.NewPCG(1, 0x3e3)), calls: generate.Records(3, 5), trail: cloudtrail.NewReader(), flows: flow.NewReader(), names: dns.NewReader()}
	for i, c := range m.calls {
		// Places for what differs, by texts that no record has.
		var r map[string]any
		if err := json.Unmarshal(c, &r); err != nil {
			return nil, err
		}
		r["eventTime"], r["eventID"], r["sourceIPAddress"], r["recipientAccountId"] = "@time@", "@id@", "@ip@", "@account@"
		b, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		text := strings.ReplaceAll(string(b), generate.Account, "@account@")
		// Whoever works there becomes one of many of the kind.
		for _, arn := range []string{"user/", "assumed-role/", "role/"} {
			text = strings.ReplaceAll(text, ":"+arn, ":"+arn+"@who@-")
		}
		m.calls[i] = []byte(text)
	}
	if _, err := m.flows.Read([]byte(flowHeader)); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *mix) next(i, n int) (*record.Record, error) {
	at := start.Add(time.Duration(i) * (60 * 24 * time.Hour) / time.Duration(n))
	account := fmt.Sprintf("%012d", 100_000_000_000+m.IntN(accounts)*7919)
	host := m.IntN(hosts)
	local := fmt.Sprintf("10.%d.%d.%d", host%7, host/100, host%100+10)
	switch k := m.IntN(10); {
	case k < 4:
		m.b.Reset()
		who, body := m.IntN(principals), m.calls[m.IntN(len(m.calls))]
		for {
			before, rest, ok := bytes.Cut(body, []byte("@"))
			m.b.Write(before)
			if !ok {
				break
			}
			name, after, _ := bytes.Cut(rest, []byte("@"))
			body = after
			switch string(name) {
			case "time":
				m.b.WriteString(at.Format(time.RFC3339))
			case "id":
				fmt.Fprintf(&m.b, "%08x-mix-%d", i, k)
			case "ip":
				// Mostly from home; one in fifty from elsewhere.
				net := who
				if m.IntN(50) == 0 {
					net = m.IntN(1 << 20)
				}
				fmt.Fprintf(&m.b, "%d.%d.%d.%d", 20+net%60, net/60%250, net/15_000%250, 1+m.IntN(250))
			case "account":
				m.b.WriteString(account)
			case "who":
				fmt.Fprint(&m.b, who)
			default: // it was no place
				m.b.WriteByte('@')
				body = rest
			}
		}
		return m.trail.Read(m.b.Bytes())
	case k < 8:
		far := fmt.Sprintf("%d.%d.%d.%d", 20+m.IntN(60), m.IntN(250), m.IntN(250), 1+m.IntN(250))
		action, packets := "ACCEPT", 5+m.IntN(40)
		if m.IntN(10) == 0 {
			action, packets = "REJECT", 1
		}
		src, dst, from, to := local, far, 32768+m.IntN(28000), [...]int{443, 80, 22, 5432, 53}[m.IntN(5)]
		if m.IntN(2) == 0 {
			src, dst, from, to = dst, src, to, from
		}
		return m.flows.Read(fmt.Appendf(nil, "2 %s eni-%s%05d %s %s %d %d 6 %d %d %d %d %s OK", account, account[4:], host, src, dst, from, to, packets, packets*300, at.Unix(), at.Unix()+60, action))
	}
	rcode := "NOERROR"
	if m.IntN(40) == 0 {
		rcode = "NXDOMAIN"
	}
	return m.names.Read(fmt.Appendf(nil, `{"version":"1.100000","account_id":"%s","region":"eu-west-1","vpc_id":"vpc-%s","query_timestamp":"%s","query_name":"host-%d.domain-%d.com.","query_type":"A","query_class":"IN","rcode":"%s","answers":[{"Rdata":"52.30.1.%d","Type":"A","Class":"IN"}],"srcaddr":"%s","srcport":"4000","transport":"UDP","srcids":{"instance":"i-%s%05d"}}`,
		account, account[4:], at.Format(time.RFC3339), m.IntN(20), m.IntN(50_000), rcode, m.IntN(250), local, account[:12], host))
}

// peak is the most memory that the process ever had resident, in KiB.
func peak() (kib int, err error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "VmHWM: %d kB", &kib); err == nil {
			return kib, nil
		}
	}
	return 0, fmt.Errorf("no VmHWM in /proc/self/status")
}
