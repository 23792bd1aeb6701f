package scenario

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// scan nmap FILE
//
// scan lets the real nmap scan a host of its own, with one open port, and writes what
// was seen on the wire into FILE, as a VPC flow log.
func (s *step) scan(args []string) error {
	if len(args) != 2 || args[0] != "nmap" {
		return misused("usage: scan nmap FILE")
	}
	path, err := findProgram("nmap")
	if err != nil {
		return misused("scan: %v; say [nmap] before the command", err)
	}
	target := someHost()
	return s.captured(args[1], target, func() error {
		open, err := net.Listen("tcp4", netip.AddrPortFrom(target, 0).String())
		if err != nil {
			return err
		}
		defer open.Close()
		ctx, cancel := context.WithTimeout(s.ctx, tunnelTime)
		defer cancel()
		out, err := exec.CommandContext(ctx, path, "-sT", "-n", "-Pn", "-T4", "--max-retries", "0", "-p", fmt.Sprintf("1000-1049,%d", open.Addr().(*net.TCPAddr).Port), target.String()).CombinedOutput()
		fmt.Fprintf(s.out, "%s", out)
		return err
	})
}

// guess ssh TIMES FILE
//
// guess tries passwords on an SSH server of its own, by real handshakes, and writes
// what was seen on the wire into FILE, as a VPC flow log.
func (s *step) guess(args []string) error {
	var times int
	if len(args) != 3 || args[0] != "ssh" {
		return misused("usage: guess ssh TIMES FILE")
	}
	if n, err := fmt.Sscanf(args[1], "%d", &times); n != 1 || err != nil || times < 1 || times > 200 {
		return misused("guess: %s is not between 1 and 200", args[1])
	}
	target := someHost()
	return s.captured(args[2], target, func() error {
		door, err := net.Listen("tcp4", netip.AddrPortFrom(target, 22).String())
		if err != nil {
			return err
		}
		defer door.Close()
		server, err := strictServer()
		if err != nil {
			return err
		}
		go func() {
			for {
				c, err := door.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					_, _, _, _ = ssh.NewServerConn(c, server) // nobody gets in
				}()
			}
		}()
		for range times {
			c, err := ssh.Dial("tcp", door.Addr().String(), &ssh.ClientConfig{
				User: "root", Auth: []ssh.AuthMethod{ssh.Password(rand.Text()[:8])}, Timeout: patience,
				HostKeyCallback: ssh.InsecureIgnoreHostKey(), // a guesser does not mind, and the server is our own
			})
			if err == nil {
				return errors.Join(errors.New("guess: somebody got in"), c.Close())
			}
			if why := err.Error(); !strings.Contains(why, "unable to authenticate") && !strings.Contains(why, "authentication failures") {
				return err
			}
		}
		_, err = fmt.Fprintf(s.out, "%d passwords, all wrong\n", times)
		return err
	})
}

// strictServer lets nobody in.
func strictServer() (*ssh.ServerConfig, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, err
	}
	c := &ssh.ServerConfig{MaxAuthTries: 1, PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("wrong") }}
	c.AddHostKey(signer)
	return c, nil
}

// someHost is an address of this machine that nobody else uses.
func someHost() netip.Addr {
	var r [3]byte
	_, _ = rand.Read(r[:])
	return netip.AddrFrom4([4]byte{127, 64 | r[0]&0x3f, r[1], r[2]})
}

// captured writes the flows from and to a host while act runs into a file.
func (s *step) captured(file string, host netip.Addr, act func() error) error {
	if !s.programs {
		return misused("programs are not used here; say [capture] or [nmap] before the command")
	}
	c, err := capture(host)
	if err != nil {
		return misused("%v; say [capture] before the command", err)
	}
	err = act()
	time.Sleep(100 * time.Millisecond) // the last packets
	flows := c.end()
	if err != nil {
		return err
	}
	if len(flows) == 0 {
		return errors.New("nothing was seen on the wire")
	}
	return s.WriteFile(file, []byte(flowLog(s.account, s.region, s.flowSide(), flows)))
}

// flowSide is the instance whose interface logs: the first host of the settings.
func (s *step) flowSide() string {
	if len(s.config.Hosts) > 0 {
		return s.config.Hosts[0].Instance
	}
	return "i-00000000"
}

// A flow is packets of one direction of a connection.
type flow struct {
	src, dst       netip.AddrPort
	packets, bytes int
	flags          byte
	start, end     time.Time
}

// flowLog writes flows as the interface of their client logs them. VPC User Guide,
// "Flow log records", version 5.
func flowLog(account, region, instance string, flows []*flow) string {
	var b strings.Builder
	b.WriteString("version account-id region interface-id instance-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags flow-direction\n")
	for _, f := range flows {
		direction := "egress"
		if f.dst.Port() > f.src.Port() {
			direction = "ingress" // answers: clients choose high ports
		}
		fmt.Fprintf(&b, "5 %s %s eni-0a1b2c3d4e5f60001 %s %s %s %d %d 6 %d %d %d %d ACCEPT OK %d %s\n", account, region, instance,
			f.src.Addr(), f.dst.Addr(), f.src.Port(), f.dst.Port(), f.packets, f.bytes, f.start.Unix(), f.end.Unix(), f.flags&0x17, direction)
	}
	return b.String()
}

// findProgram looks where administrators' programs are, too.
func findProgram(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, folder := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
		if path, err := exec.LookPath(folder + "/" + name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", name)
}
