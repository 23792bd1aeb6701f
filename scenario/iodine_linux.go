package scenario

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// An iodine is the program, and where on this machine its parts talk: at addresses
// that nobody else uses.
type iodine struct {
	client, server string     // paths
	near, far      netip.Addr // of the stub and of the server
	inner          string     // the network inside the tunnel, without its last octet
}

// findIodine returns the program, or why it cannot be used: it needs tunnel devices
// and port 53, and so root or the capabilities for them.
func findIodine() (*iodine, error) {
	client, err := findProgram("iodine")
	if err != nil {
		return nil, err
	}
	server, err := findProgram("iodined")
	if err != nil {
		return nil, err
	}
	tun, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("iodine needs tunnel devices: %w", err)
	}
	if err := tun.Close(); err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("iodine needs root")
	}
	var r [3]byte
	_, _ = rand.Read(r[:])
	i := &iodine{client: client, server: server, near: netip.AddrFrom4([4]byte{127, 64 | r[0]&0x3f, r[1], 53}), far: netip.AddrFrom4([4]byte{127, 64 | r[0]&0x3f, r[1], 54})}
	i.inner = fmt.Sprintf("198.18.%d.", r[2]) // RFC 2544: for tests of networks
	probe, err := newStub(i.near)
	if err != nil {
		return nil, fmt.Errorf("iodine needs port 53: %w", err)
	}
	return i, probe.door.Close()
}

var openedDevice = regexp.MustCompile(`Opened (dns\d+)`)

// carry sets up the tunnel, sends the file through it and takes it down.
func (i *iodine) carry(s *step, from netip.Addr, domain string, file []byte) error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	door, err := newStub(i.near)
	if err != nil {
		return err
	}
	defer door.door.Close()
	go door.serve(ctx, from, s.stage.resolver())
	password := rand.Text()[:20]
	server, err := startTunnel(ctx, "Listening to dns", []string{"IODINED_PASS=" + password}, i.server, "-f", "-c", "-l", i.far.String(), i.inner+"1/29", domain)
	if err != nil {
		return err
	}
	defer server.stop()
	client, err := startTunnel(ctx, "Connection setup complete", []string{"IODINE_PASS=" + password}, i.client, "-f", "-r", "-m", "400", i.near.String(), domain)
	if err != nil {
		return err
	}
	defer client.stop()
	if err := sendInto(client.device, i.inner+"5:9", file); err != nil {
		return err
	}
	for until := time.Now().Add(tunnelTime); received(server.device) < len(file); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			return fmt.Errorf("tunnel: iodine carried %d of %d bytes in %s", received(server.device), len(file), tunnelTime)
		}
	}
	_, err = fmt.Fprintf(s.out, "iodine carried %d bytes from %s to %s\n", len(file), client.device, server.device)
	return err
}

// A tunnelEnd is a running iodine or iodined.
type tunnelEnd struct {
	process *exec.Cmd
	device  string
}

// startTunnel starts a program and waits until it says that it is ready.
func startTunnel(ctx context.Context, ready string, env []string, path string, args ...string) (*tunnelEnd, error) {
	e := &tunnelEnd{process: exec.CommandContext(ctx, path, args...)}
	e.process.Env = append(env, "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C")
	e.process.WaitDelay = time.Second
	told, err := e.process.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := e.process.Start(); err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	var said []string
	go func() {
		lines := bufio.NewScanner(told)
		for lines.Scan() {
			if m := openedDevice.FindStringSubmatch(lines.Text()); m != nil {
				e.device = m[1]
			}
			if strings.Contains(lines.Text(), ready) {
				done <- nil
				_, _ = io.Copy(io.Discard, told)
				return
			}
			said = append(said, lines.Text())
		}
		done <- fmt.Errorf("tunnel: %s ended: %s", path, strings.Join(said[max(0, len(said)-3):], "; "))
	}()
	select {
	case err = <-done:
	case <-time.After(tunnelTime):
		err = fmt.Errorf("tunnel: %s is not ready after %s", path, tunnelTime)
	}
	if err != nil {
		e.stop()
		return nil, err
	}
	return e, nil
}

// stop ends the program; its device goes with it.
func (e *tunnelEnd) stop() {
	_ = e.process.Process.Signal(syscall.SIGTERM) // it may have ended
	_ = e.process.Wait()
}

// perDatagram fits into a fragment of the tunnel.
const perDatagram = 300

// sendInto sends the file into a device: the address is of the tunnel's network, but
// nobody's, so that the system does not deliver it without the tunnel.
func sendInto(device, address string, file []byte) error {
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if cerr := c.Control(func(fd uintptr) { err = syscall.BindToDevice(int(fd), device) }); cerr != nil {
			return cerr
		}
		return err
	}}
	conn, err := d.Dial("udp4", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	for len(file) > 0 {
		n := min(perDatagram, len(file))
		if _, err := conn.Write(file[:n]); err != nil {
			return err
		}
		file = file[n:]
		time.Sleep(5 * time.Millisecond) // the tunnel is narrow, its queue short
	}
	return nil
}

// received is how many bytes have come out of a device.
func received(device string) int {
	text, err := os.ReadFile("/sys/class/net/" + device + "/statistics/rx_bytes")
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return n
}
