package forward

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	mdns "github.com/miekg/dns"
)

// receiveSize is what we accept by UDP: such packets are not fragmented, and
// fragments can be forged (DNS flag day 2020).
const receiveSize = 1232

// wrongAnswers is how many answers that do not fit the question a socket
// bears; more look like somebody guessing.
const wrongAnswers = 4

// errAskTCP says that UDP gave no answer that can be believed, but TCP may.
var errAskTCP = errors.New("ask by TCP")

// askUDP asks once, by a socket of its own.
func askUDP(ctx context.Context, server netip.AddrPort, q *mdns.Msg) (*mdns.Msg, error) {
	out, err := q.Pack()
	if err != nil {
		return nil, err
	}
	conn, err := dial(ctx, "udp", server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := conn.Write(out); err != nil {
		return nil, err
	}
	var buf [receiveSize]byte
	for wrong := 0; ; {
		n, err := conn.Read(buf[:])
		if err != nil {
			if wrong > 0 {
				return nil, errAskTCP
			}
			return nil, err
		}
		m, err := fits(q, buf[:n])
		if err == nil {
			if m.Truncated {
				return nil, errAskTCP
			}
			return m, nil
		}
		if wrong++; wrong == wrongAnswers || errors.Is(err, errCase) {
			return nil, errAskTCP
		}
	}
}

// askTCP asks by a connection of its own.
func askTCP(ctx context.Context, server netip.AddrPort, q *mdns.Msg) (*mdns.Msg, error) {
	out, err := q.Pack()
	if err != nil {
		return nil, err
	}
	conn, err := dial(ctx, "tcp", server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...)); err != nil {
		return nil, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	in := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, in); err != nil {
		return nil, err
	}
	m, err := fits(q, in)
	if errors.Is(err, errCase) {
		return m, nil // a connection cannot be forged from afar: letter case adds nothing
	}
	return m, err
}

func dial(ctx context.Context, network string, server netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	if t, ok := ctx.Deadline(); ok {
		conn.SetDeadline(t)
	}
	return conn, nil
}

// errCase says that all fits but the letter case. The message comes with it.
var errCase = errors.New("the answer repeats the question in other letters")

// fits reads an answer, and checks that it is one to q.
func fits(q *mdns.Msg, in []byte) (*mdns.Msg, error) {
	m := new(mdns.Msg)
	if err := m.Unpack(in); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if !m.Response || m.Id != q.Id || m.Opcode != mdns.OpcodeQuery || len(m.Question) != 1 {
		return nil, errors.New("not an answer to the question")
	}
	asked, got := q.Question[0], m.Question[0]
	if got.Qtype != asked.Qtype || got.Qclass != asked.Qclass || !sameName(got.Name, asked.Name) {
		return nil, errors.New("an answer to another question")
	}
	if got.Name != asked.Name {
		return m, errCase
	}
	return m, nil
}
