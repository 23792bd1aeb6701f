package forward

import (
	"bytes"
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
			return nil, err
		}
		m, err := fits(out, buf[:n])
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
	m, err := fits(out, in)
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

// fits reads an answer, and checks that it is one to the question as sent.
// Questions are compared as octets, not as text that could be written in two ways.
func fits(sent, in []byte) (*mdns.Msg, error) {
	const header = 12
	question := sent[header : header+nameSize(sent[header:])+4]
	if len(in) < header+len(question) || in[0] != sent[0] || in[1] != sent[1] {
		return nil, errors.New("not an answer to the question")
	}
	m := new(mdns.Msg)
	if err := m.Unpack(in); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if !m.Response || m.Opcode != mdns.OpcodeQuery || len(m.Question) != 1 {
		return nil, errors.New("not an answer to the question")
	}
	got := in[header : header+len(question)]
	if bytes.Equal(got, question) {
		return m, nil
	}
	tail := len(question) - 4 // where type and class begin
	if bytes.Equal(got[tail:], question[tail:]) && bytes.Equal(lower(got[:tail]), lower(question[:tail])) {
		return m, errCase
	}
	return nil, errors.New("an answer to another question")
}

// nameSize is the size of the uncompressed name at the start of b.
func nameSize(b []byte) int {
	n := 0
	for b[n] != 0 {
		n += 1 + int(b[n])
	}
	return n + 1
}

// lower copies b with ASCII letters in lower case; a length octet is none.
func lower(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}
