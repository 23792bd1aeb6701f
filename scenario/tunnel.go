package scenario

import (
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	mdns "github.com/miekg/dns"
)

// tunnel [-b ADDRESS] [iodine] DOMAIN FILE
//
// tunnel carries a file out in DNS questions, as the host with this address: by the
// program iodine, whose server answers for DOMAIN, or in questions of its own, to
// which a zone of the settings answers.
func (s *step) tunnel(args []string) error {
	from := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if len(args) > 2 && args[0] == "-b" {
		at, err := netip.ParseAddr(args[1])
		if err != nil || !at.Is4() || !at.IsLoopback() {
			return misused("tunnel: -b %s is not a loopback address", args[1])
		}
		from, args = at, args[2:]
	}
	byIodine := len(args) == 3 && args[0] == "iodine"
	if byIodine {
		args = args[1:]
	}
	if len(args) != 2 {
		return misused("usage: tunnel [-b ADDRESS] [iodine] DOMAIN FILE")
	}
	domain, err := tunnelDomain(args[0])
	if err != nil {
		return err
	}
	file, err := s.ReadFile(args[1])
	if err != nil {
		return misused("tunnel: %v", err)
	}
	if len(file) > maxTunnelled {
		return misused("tunnel: %s is longer than %d bytes", args[1], maxTunnelled)
	}
	if byIodine {
		if s.iodine == nil {
			return misused("tunnel: there is no iodine here; say [iodine] before the command")
		}
		return s.iodine.carry(s, from, domain, file)
	}
	return s.ask(from, domain, file)
}

// maxTunnelled bounds a file: a rehearsal makes its point with less.
const maxTunnelled = 64 << 10

func tunnelDomain(name string) (string, error) {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if _, ok := mdns.IsDomainName(name); !ok || len(name) > 100 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || strings.HasPrefix(name, "-") {
		return "", misused("tunnel: %q is no domain, or is too long", name)
	}
	return name, nil
}

// perQuestion is how many bytes a question of ours carries: two full labels.
const perQuestion = 2 * 35

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// ask carries the file in questions of our own: a counter, and two labels of base32.
func (s *step) ask(from netip.Addr, domain string, file []byte) error {
	n := 0
	for ; len(file) > 0; n++ {
		part := file[:min(perQuestion, len(file))]
		file = file[len(part):]
		text := lowerBase32.EncodeToString(part)
		labels := text[:min(56, len(text))]
		if rest := text[len(labels):]; rest != "" {
			labels += "." + rest
		}
		m := new(mdns.Msg)
		m.SetQuestion(fmt.Sprintf("%d.%s.%s.", n, labels, domain), mdns.TypeTXT)
		packed, err := m.Pack()
		if err != nil {
			return misused("tunnel: %v", err)
		}
		if reply, err := s.stage.ask(s.ctx, from, packed, false); err != nil || reply == nil {
			return errors.New("tunnel: no answer came")
		}
	}
	_, err := fmt.Fprintf(s.out, "carried in %d questions\n", n)
	return err
}

// A stub passes packets on to a resolver from a host's address, as the stub resolver
// of the host does. Programs that know port 53 only find the plane's resolver by it.
type stub struct {
	door *net.UDPConn
	turn chan struct{}
}

// maxStubbed is how many questions wait at once.
const maxStubbed = 64

func newStub(at netip.Addr) (*stub, error) {
	door, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 53)))
	if err != nil {
		return nil, err
	}
	return &stub{door, make(chan struct{}, maxStubbed)}, nil
}

// serve passes on until the door is closed. What no answer comes to is forgotten.
func (s *stub) serve(ctx context.Context, from netip.Addr, resolver netip.AddrPort) {
	buf := make([]byte, mdns.MaxMsgSize)
	for {
		n, client, err := s.door.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		query := bytes.Clone(buf[:n])
		s.turn <- struct{}{}
		go func() {
			defer func() { <-s.turn }()
			answer, err := exchange(ctx, from, resolver, query, false)
			if err == nil {
				_, err = s.door.WriteToUDPAddrPort(answer, client)
			}
			_ = err // the client asks again
		}()
	}
}

// tunnelTime is how long setting up a tunnel, and carrying a file, may take each.
const tunnelTime = 20 * time.Second
