package scenario

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// A tap is the loopback interface, looked at.
type tap struct {
	socket int
	host   netip.Addr
	flows  map[[2]netip.AddrPort]*flow
	order  []*flow
	done   chan struct{}
	quit   chan struct{}
}

// canCapture says why packets cannot be looked at: it takes root or CAP_NET_RAW.
func canCapture() error {
	socket, err := packetSocket()
	if err != nil {
		return err
	}
	return syscall.Close(socket)
}

func packetSocket() (int, error) {
	lo, err := net.InterfaceByIndex(1)
	if err != nil {
		return 0, err
	}
	const all = syscall.ETH_P_IP<<8&0xff00 | syscall.ETH_P_IP>>8 // in the order of the network
	socket, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, all)
	if err != nil {
		return 0, fmt.Errorf("packets cannot be looked at without CAP_NET_RAW: %w", err)
	}
	if err := syscall.Bind(socket, &syscall.SockaddrLinklayer{Protocol: all, Ifindex: lo.Index}); err != nil {
		syscall.Close(socket)
		return 0, err
	}
	return socket, nil
}

// maxFlows bounds what is remembered.
const maxFlows = 10_000

// capture looks at the TCP packets from and to a host until end.
func capture(host netip.Addr) (*tap, error) {
	socket, err := packetSocket()
	if err != nil {
		return nil, err
	}
	wait := syscall.NsecToTimeval(int64(50 * time.Millisecond))
	if err := syscall.SetsockoptTimeval(socket, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &wait); err != nil {
		syscall.Close(socket)
		return nil, err
	}
	w := &tap{socket: socket, host: host, flows: map[[2]netip.AddrPort]*flow{}, done: make(chan struct{}), quit: make(chan struct{})}
	go w.look()
	return w, nil
}

func (w *tap) look() {
	defer close(w.done)
	buf := make([]byte, 128)
	for {
		n, from, err := syscall.Recvfrom(w.socket, buf, syscall.MSG_TRUNC)
		if link, ok := from.(*syscall.SockaddrLinklayer); err == nil && ok && link.Pkttype != syscall.PACKET_OUTGOING {
			w.packet(buf[:min(n, len(buf))], time.Now())
		}
		select {
		case <-w.quit:
			return
		default:
		}
	}
}

// packet adds a packet to its flow. What is no TCP over IPv4, or of others, is passed over.
func (w *tap) packet(b []byte, at time.Time) {
	if len(b) < 20 || b[0]>>4 != 4 || b[9] != syscall.IPPROTO_TCP {
		return
	}
	head := int(b[0]&15) * 4
	if head < 20 || len(b) < head+14 {
		return
	}
	src, dst := netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	if src != w.host && dst != w.host {
		return
	}
	key := [2]netip.AddrPort{netip.AddrPortFrom(src, binary.BigEndian.Uint16(b[head:])), netip.AddrPortFrom(dst, binary.BigEndian.Uint16(b[head+2:]))}
	f := w.flows[key]
	if f == nil {
		if len(w.order) >= maxFlows {
			return
		}
		f = &flow{src: key[0], dst: key[1], start: at}
		w.flows[key], w.order = f, append(w.order, f)
	}
	f.packets++
	f.bytes += int(binary.BigEndian.Uint16(b[2:]))
	f.flags |= b[head+13]
	f.end = at
}

// end returns the flows, in the order in which they began.
func (w *tap) end() []*flow {
	close(w.quit)
	<-w.done
	syscall.Close(w.socket)
	return w.order
}
