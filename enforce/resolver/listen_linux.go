package resolver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// socketsFor is one per core, up to eight: the kernel spreads askers over them.
func socketsFor(cores int) int { return min(cores, 8) }

func sharePort(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		// A burst should find room; the system caps it at net.core.rmem_max.
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20)
	})
	if err != nil {
		return err
	}
	return failed
}
