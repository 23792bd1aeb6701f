// Command calls measures calls per second of a plane, with requests that were signed beforehand.
//
// It starts the real binary with the durable store and calls it as a user with a
// policy of some statements, or measures the plane that the environment names, or
// another program that answers the same calls.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sumun.dev/bench/program"
	"sumun.dev/gateway/sigv4"
)

func main() {
	clients := flag.Int("clients", 32, "connections, each with one request under way")
	lasts := flag.Duration("for", 5*time.Second, "how long to measure")
	name := flag.String("call", "GetCallerIdentity", strings.Join(names(), ", "))
	binary := flag.String("binary", "", "the program; built when empty")
	localKMS := flag.String("local-kms", "", "measure this program of github.com/nsmithuk/local-kms instead")
	running := flag.Bool("running", false, `measure the plane that AWS_ENDPOINT_URL names, with calls that need nothing made before: eval "$(sumun env)"`)
	flag.Parse()
	c, err := named(*name)
	switch {
	case err != nil:
	case *running && c.request == nil:
		err = errors.New("-running: " + *name + " needs something made before")
	case *running:
		as := sigv4.Credentials{KeyID: os.Getenv("AWS_ACCESS_KEY_ID"), Secret: os.Getenv("AWS_SECRET_ACCESS_KEY")}
		err = measure(os.Getenv("AWS_ENDPOINT_URL"), as, *clients, *lasts, &c)
	default:
		err = own(context.Background(), *binary, *localKMS, *clients, *lasts, &c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "calls:", err)
		os.Exit(1)
	}
}

// own measures a program of its own, and what it takes of the machine.
func own(ctx context.Context, binary, localKMS string, clients int, lasts time.Duration, c *call) (err error) {
	work, err := os.MkdirTemp("", "sumun-calls-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	p, as, err := start(ctx, work, binary, localKMS)
	if p != nil {
		defer func() { err = errors.Join(err, p.Stop()) }()
	}
	if err != nil {
		return err
	}
	if c.prepare != nil {
		if c.request, err = c.prepare(ctx, p); err != nil {
			return err
		}
	}
	warm := c
	if c.once {
		warm = &calls[0]
	}
	if _, err := load(p.API, as, clients, time.Second, warm); err != nil {
		return err
	}
	before, err := p.Used()
	if err != nil {
		return err
	}
	answered, err := load(p.API, as, clients, lasts, c)
	if err != nil {
		return err
	}
	after, err := p.Used()
	if err != nil {
		return err
	}
	resident, err := p.Resident()
	if err != nil {
		return err
	}
	err = report(c, clients, answered)
	fmt.Printf("CPU time of the program: %.1f µs a call; resident: %.1f MiB\n", float64((after-before).Microseconds())/float64(answered.calls()), resident)
	return err
}

// start runs what is measured, and says who calls it.
func start(ctx context.Context, work, binary, localKMS string) (*program.Program, sigv4.Credentials, error) {
	if localKMS != "" {
		p, err := program.StartLocalKMS(localKMS, filepath.Join(work, "data"))
		if err != nil {
			return nil, sigv4.Credentials{}, err
		}
		return p, p.Credentials(), nil
	}
	if binary == "" {
		var err error
		if binary, err = program.Build(ctx, work); err != nil {
			return nil, sigv4.Credentials{}, err
		}
	}
	p, err := program.Start(binary, filepath.Join(work, "data"), "")
	if err != nil {
		return nil, sigv4.Credentials{}, err
	}
	as, err := caller(ctx, p)
	return p, as, err
}

func measure(api string, as sigv4.Credentials, clients int, lasts time.Duration, c *call) error {
	answered, err := load(api, as, clients, lasts, c)
	if err != nil {
		return err
	}
	return report(c, clients, answered)
}

// mostUsers stays below an account's quota of 5,000.
const mostUsers = 4900

// load calls a program of this machine for some time.
func load(api string, as sigv4.Credentials, clients int, lasts time.Duration, c *call) (answers, error) {
	at, err := url.Parse(api)
	if err != nil || at.Host == "" {
		return answers{}, errors.New(`AWS_ENDPOINT_URL names no plane: eval "$(sumun env)"`)
	}
	if ip := net.ParseIP(at.Hostname()); ip == nil || !ip.IsLoopback() {
		return answers{}, errors.New("only planes on this machine are measured")
	}
	// What is created must have new names; what is asked can be asked again.
	perClient := 1
	if c.once {
		perClient = mostUsers / clients
	}
	results := make([]result, clients)
	requests := make([][][]byte, clients)
	for i := range requests {
		for n := range perClient {
			r, err := c.signed(api, as, i*perClient+n)
			if err != nil {
				return answers{}, err
			}
			requests[i] = append(requests[i], r)
		}
	}
	begin := time.Now()
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() { results[i] = client(at.Host, requests[i], !c.once, begin.Add(lasts)) })
	}
	wait.Wait()
	return answers{time.Since(begin), results}, nil
}
