//go:build linux && (amd64 || arm64)

package resolver

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchSize is how many messages are taken from the kernel, and given back, at
// once. One crossing for many messages is what makes the fast path fast.
const batchSize = 64

// maxReply is room for the longest reply by UDP (dns.Query.UDPLimit).
const maxReply = 1280

// mmsghdr is the kernel's struct mmsghdr on 64-bit systems: see recvmmsg(2).
type mmsghdr struct {
	unix.Msghdr
	size uint32
	_    [4]byte
}

// A batch is the memory of one socket's worker, used again and again. The
// kernel's structures point into it, so it must not move: it is never copied.
type batch struct {
	in      [batchSize]mmsghdr
	out     [batchSize]mmsghdr
	inVec   [batchSize]unix.Iovec
	outVec  [batchSize]unix.Iovec
	from    [batchSize]unix.RawSockaddrInet6 // also holds the shorter sockaddr_in
	queries [batchSize][maxQuery]byte
	replies [batchSize][maxReply]byte

	got     int // messages received, or to be sent
	errno   syscall.Errno
	receive func(fd uintptr) bool
	send    func(fd uintptr) bool
}

func newBatch() *batch {
	b := &batch{}
	for i := range b.in {
		b.inVec[i].Base = &b.queries[i][0]
		b.inVec[i].SetLen(maxQuery)
		b.in[i].Iov = &b.inVec[i]
		b.in[i].SetIovlen(1)
		b.in[i].Name = (*byte)(unsafe.Pointer(&b.from[i]))
		b.in[i].Namelen = unix.SizeofSockaddrInet6
		b.out[i].Iov = &b.outVec[i]
		b.out[i].SetIovlen(1)
	}
	b.receive = func(fd uintptr) bool {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&b.in[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
		b.got, b.errno = int(n), errno
		return errno != unix.EAGAIN
	}
	return b
}

// serveUDP answers what comes in at a socket, in batches.
func (s *serving) serveUDP(ctx context.Context, conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	d := newDesk(&s.stats)
	b := newBatch()
	sent, ready := 0, 0
	b.send = func(fd uintptr) bool {
		for sent < ready {
			n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&b.out[sent])), uintptr(ready-sent), unix.MSG_DONTWAIT, 0, 0)
			switch errno {
			case 0:
				sent += int(n)
			case unix.EAGAIN:
				return false
			case unix.EINTR:
			default:
				sent++ // this one cannot be sent: its asker is gone, say
			}
		}
		return true
	}
	for {
		err := raw.Read(b.receive)
		if ended(err) {
			return nil
		}
		if err != nil {
			return err
		}
		switch b.errno {
		case 0:
		case unix.EINTR, unix.ECONNREFUSED, unix.ENOBUFS, unix.ENOMEM: // ECONNREFUSED: an ICMP error for an earlier reply
			continue
		case unix.ENOSYS, unix.EPERM, unix.EOPNOTSUPP: // a sandbox that does not know the call
			return s.serveUDPSingly(ctx, conn)
		default:
			return os.NewSyscallError("recvmmsg", b.errno)
		}
		now := time.Now()
		sent, ready = 0, 0
		for i := range b.got {
			a := arrival{from: addrPort(&b.from[i]), at: now}
			d.out = b.replies[ready][:0]
			reply := s.answerUDP(ctx, conn, d, a, b.queries[i][:b.in[i].size])
			if len(reply) > 0 {
				b.outVec[ready].Base = &reply[0]
				b.outVec[ready].SetLen(len(reply))
				b.out[ready].Name, b.out[ready].Namelen = b.in[i].Name, b.in[i].Namelen
				ready++
			}
		}
		for i := range b.got {
			b.in[i].Namelen = unix.SizeofSockaddrInet6
		}
		if ready > 0 {
			if err := raw.Write(b.send); err != nil {
				return nil // closed
			}
		}
	}
}

// addrPort reads the kernel's form of an address.
func addrPort(from *unix.RawSockaddrInet6) netip.AddrPort {
	port := (*[2]byte)(unsafe.Pointer(&from.Port)) // network order
	p := uint16(port[0])<<8 | uint16(port[1])
	if from.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(from))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), p)
	}
	addr := netip.AddrFrom16(from.Addr)
	if from.Scope_id != 0 {
		addr = addr.WithZone(strconv.FormatUint(uint64(from.Scope_id), 10))
	}
	return netip.AddrPortFrom(addr, p)
}
