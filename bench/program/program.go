// Package program runs the real binary, or a peer's, for the measurements.
package program

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Account is the management account of the planes that are measured, and Region
// where they are called.
const (
	Account = "111122223333"
	Region  = "us-east-1"
)

// A Program is a running plane with its own ports and root's key.
type Program struct {
	API, Admin string // URLs
	DNS        string // address and port of the resolver
	Began      time.Time
	Peer       bool // it is not Sumun

	id, secret string // root's access key
	cmd        *exec.Cmd
	errs       bytes.Buffer
}

// Start runs binary on a data folder, or on ":memory:", with a root key and ports
// of its own, until it listens. settings are further lines of its configuration
// file; those of the resolver's come last and begin with "dns:".
func Start(binary, data, settings string) (*Program, error) {
	return start(binary, data, settings, "AKIA"+rand.Text()[:16], rand.Text()+rand.Text())
}

// Again is Start on the data folder of a plane that has been stopped.
func Again(binary, data, settings string, before *Program) (*Program, error) {
	return start(binary, data, settings, before.id, before.secret)
}

func start(binary, data, settings, id, secret string) (*Program, error) {
	ports, err := free(3)
	if err != nil {
		return nil, err
	}
	p := &Program{API: "http://" + ports[0], Admin: "http://" + ports[1], DNS: ports[2], id: id, secret: secret}
	home, err := os.MkdirTemp("", "sumun-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(home) // it is read before the plane listens
	others, dns, _ := strings.Cut(settings, "dns:\n")
	config := filepath.Join(home, "sumun.yaml")
	text := fmt.Sprintf("data: %q\nlisten: %s\nadmin: %s\naccount-id: %q\n%s\ndns:\n  listen: %s\n  upstreams: [127.0.0.1:9]\n%s",
		data, ports[0], ports[1], Account, others, ports[2], dns)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p.cmd = exec.Command(binary, "up", "--config", config)
	p.cmd.Env = append(os.Environ(), "SUMUN_ROOT_ACCESS_KEY_ID="+id, "SUMUN_ROOT_SECRET_ACCESS_KEY="+secret)
	p.cmd.Stderr = &p.errs
	return p, p.run()
}

// StartLocalKMS runs github.com/nsmithuk/local-kms on a data folder. It logs every
// call, which goes nowhere here, and asks nobody who they are: the credentials are
// made up.
func StartLocalKMS(binary, data string) (*Program, error) {
	ports, err := free(1)
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(ports[0])
	p := &Program{API: "http://" + ports[0], Peer: true, id: "AKIA" + rand.Text()[:16], secret: rand.Text()}
	p.cmd = exec.Command(binary)
	p.cmd.Env = append(os.Environ(), "PORT="+port, "KMS_DATA_PATH="+data, "KMS_ACCOUNT_ID="+Account, "KMS_REGION="+Region, "KMS_SEED_PATH="+filepath.Join(data, "none"))
	return p, p.run()
}

func (p *Program) run() error {
	p.Began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return err
	}
	if err := p.listens(); err != nil {
		return errors.Join(err, p.Stop())
	}
	return nil
}

// free finds ports of loopback that nobody uses.
func free(n int) ([]string, error) {
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().String())
	}
	return ports, nil
}

// listens waits until the API's port is open.
func (p *Program) listens() error {
	for time.Since(p.Began) < 30*time.Second {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.API, "http://"))
		if err == nil {
			return c.Close()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return err
		}
		time.Sleep(500 * time.Microsecond)
	}
	return errors.New("the plane does not listen: " + p.errs.String())
}

// Stop ends the plane as an operator does, and waits for it.
func (p *Program) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := p.cmd.Wait(); err != nil && !p.Peer {
		return fmt.Errorf("%w: %s", err, p.errs.String())
	}
	return nil
}

// Resident returns the plane's resident memory in MiB.
func (p *Program) Resident() (float64, error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.Fields(value)[0])
			return float64(kib) / 1024, err
		}
	}
	return 0, errors.New("no resident memory is told")
}

// Used returns the CPU time that the plane has used, its own and the kernel's
// for it, to a hundredth of a second. proc(5), /proc/pid/stat.
func (p *Program) Used() (time.Duration, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/stat")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // behind the name, which may hold spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("no CPU time is told")
	}
	var ticks int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// Build compiles the binary into a folder.
func Build(ctx context.Context, folder string) (string, error) {
	binary := filepath.Join(folder, "sumun")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "sumun.dev/cmd/sumun")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	return binary, build.Run()
}
