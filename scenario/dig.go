package scenario

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	mdns "github.com/miekg/dns"
)

// patience is how long dig waits for an answer.
const patience = 5 * time.Second

// dig [@ADDRESS] [-b ADDRESS] [+short] [+tcp] [+norecurse] NAME [TYPE]
// dig … -f FILE
//
// dig asks the plane's resolver, from an address if -b gives one, and prints what
// dig prints. With -f it asks for what each line of a file says, a name and perhaps
// a type. It fails when no answer comes.
func (s *step) dig(args []string) error {
	q, err := readQuestion(args)
	if err != nil {
		return err
	}
	if s.stage.external() != nil {
		return s.externalDig(args, q)
	}
	if q.file == "" {
		return s.question(args, q)
	}
	text, err := s.ReadFile(q.file)
	if err != nil {
		return misused("dig: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		each := *q
		each.file = ""
		if err := each.read(words); err != nil {
			return err
		}
		if each.file != "" {
			return misused("dig: a line of %s names another file", q.file)
		}
		if err := s.question(words, &each); err != nil {
			return err
		}
	}
	return nil
}

// question asks one question.
func (s *step) question(args []string, q *question) error {
	msg := new(mdns.Msg)
	msg.SetQuestion(mdns.Fqdn(q.name), q.kind)
	msg.RecursionDesired = !q.norecurse
	msg.SetEdns0(1232, false)
	packed, err := msg.Pack()
	if err != nil {
		return misused("dig: %v", err)
	}
	began := time.Now()
	reply, err := s.stage.ask(s.ctx, q.from, packed, q.tcp)
	if err != nil || reply == nil {
		fmt.Fprintf(s.out, ";; no servers could be reached\n")
		return fmt.Errorf("exit status 9: no answer came")
	}
	answer := new(mdns.Msg)
	if err := answer.Unpack(reply); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	s.printAnswer(q, args, answer, time.Since(began), len(reply))
	return nil
}

// A question is what dig is asked.
type question struct {
	name           string
	file           string // of more questions
	kind           uint16
	from           netip.Addr
	short          bool
	tcp, norecurse bool
}

func readQuestion(args []string) (*question, error) {
	q := &question{kind: mdns.TypeA, from: netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	return q, q.read(args)
}

// read reads options, name and type.
func (q *question) read(args []string) error {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "+short":
			q.short = true
		case arg == "+tcp" || arg == "+vc":
			q.tcp = true
		case arg == "+norecurse" || arg == "+norec":
			q.norecurse = true
		case arg == "-b" && i+1 < len(args):
			i++
			at, err := netip.ParseAddr(args[i])
			if err != nil || !at.IsLoopback() {
				return misused("dig: -b %s is not a loopback address", args[i])
			}
			q.from = at
		case arg == "-f" && i+1 < len(args) && q.file == "":
			i++
			q.file = args[i]
		case strings.HasPrefix(arg, "@"):
			if at, err := netip.ParseAddr(arg[1:]); err != nil || !at.IsLoopback() {
				return misused("dig: %s is not a loopback address; questions go to the plane's resolver", arg)
			}
		case strings.HasPrefix(arg, "+") || strings.HasPrefix(arg, "-"):
			return misused("dig: %s is not offered here", arg)
		case q.name == "":
			q.name = arg
		default:
			kind, ok := mdns.StringToType[strings.ToUpper(arg)]
			if !ok {
				return misused("dig: %q is no record type", arg)
			}
			q.kind = kind
		}
	}
	if (q.name == "") == (q.file == "") {
		return misused("usage: dig [@ADDRESS] [-b ADDRESS] [+short] [+tcp] [+norecurse] NAME [TYPE], or -f FILE instead of them")
	}
	return nil
}

func (s *step) printAnswer(q *question, args []string, m *mdns.Msg, took time.Duration, size int) {
	if q.short {
		for _, rr := range m.Answer {
			fmt.Fprintln(s.out, strings.TrimPrefix(rr.String(), rr.Header().String()))
		}
		return
	}
	text := strings.Replace(m.String(), ";; opcode:", ";; ->>HEADER<<- opcode:", 1)
	transport := "UDP"
	if q.tcp {
		transport = "TCP"
	}
	at := s.stage.resolver()
	if !at.IsValid() {
		at = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 53)
	}
	fmt.Fprintf(s.out, "\n; <<>> DiG <<>> %s\n;; Got answer:\n%s\n;; Query time: %d msec\n;; SERVER: %s#%d(%[4]s) (%[6]s)\n;; WHEN: %s\n;; MSG SIZE  rcvd: %d\n",
		strings.Join(args, " "), text, took.Milliseconds(), at.Addr(), at.Port(), transport, time.Now().UTC().Format("Mon Jan 02 15:04:05 UTC 2006"), size)
}

// exchange sends a query over the kernel's loopback, from an address.
func exchange(ctx context.Context, from netip.Addr, to netip.AddrPort, query []byte, tcp bool) ([]byte, error) {
	if !to.IsValid() {
		return nil, fmt.Errorf("the resolver does not listen")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	d := net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	network := "udp"
	if tcp {
		network, d.LocalAddr = "tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	conn, err := d.DialContext(ctx, network, to.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	c := mdns.Conn{Conn: conn, UDPSize: mdns.MaxMsgSize}
	if _, err := c.Write(query); err != nil {
		return nil, err
	}
	answer, err := c.ReadMsgHeader(nil)
	return answer, err
}
