// Command loop measures the time from a malicious DNS query to the block of its domain.
//
// A host asks the resolver for a domain of a command-and-control server; GuardDuty
// raises a finding, Security Hub imports it, an EventBridge rule starts a runbook,
// and the runbook adds the domain to a DNS Firewall list. The real binary, with
// the durable store and spine, is asked over UDP until it refuses the domain.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/bench/program"
)

const (
	domain   = "guarddutyc2activityb.com"
	bot      = "127.0.0.11"
	settings = `
hosts:
  - {name: bot, instance: i-0123456789abcdef0, address: ` + bot + `, vpc: vpc-0a1b2c3d}
dns:
  zones:
    - {name: ` + domain + `, records: ["@ 1 IN A 198.51.100.7"]}
`
)

func main() {
	binary := flag.String("binary", "", "the program; built when empty")
	runs := flag.Int("runs", 10, "how often, each with a fresh plane")
	settle := flag.Duration("settle", 500*time.Millisecond, "time between the set-up and the query")
	flag.Parse()
	if err := run(context.Background(), *binary, *runs, *settle); err != nil {
		fmt.Fprintln(os.Stderr, "loop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary string, runs int, settle time.Duration) error {
	work, err := os.MkdirTemp("", "sumun-loop-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if binary == "" {
		if binary, err = program.Build(ctx, work); err != nil {
			return err
		}
	}
	var blocked, resolved program.Figures
	for i := range runs {
		p, err := program.Start(binary, filepath.Join(work, fmt.Sprint("data", i)), settings)
		if err != nil {
			return err
		}
		b, r, err := once(ctx, p, settle)
		if err := errors.Join(err, p.Stop()); err != nil {
			return err
		}
		blocked, resolved = append(blocked, b), append(resolved, r)
	}
	fmt.Println("query to blocked domain:  ", blocked)
	fmt.Println("query to resolved finding:", resolved)
	return nil
}

// once goes through the loop and tells when the domain was blocked and when the
// finding stood resolved.
func once(ctx context.Context, p *program.Program, settle time.Duration) (blocked, resolved time.Duration, err error) {
	if err := arm(ctx, p); err != nil {
		return 0, 0, err
	}
	time.Sleep(settle)
	host := mdns.Client{Timeout: time.Second, Dialer: &net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(bot)}}}
	began := time.Now()
	code, err := ask(&host, p)
	if err != nil || code != mdns.RcodeSuccess {
		return 0, 0, fmt.Errorf("the first query was answered with %s: %w", mdns.RcodeToString[code], err)
	}
	for code == mdns.RcodeSuccess {
		if time.Since(began) > 30*time.Second {
			return 0, 0, errors.New("the domain is not blocked")
		}
		time.Sleep(time.Millisecond)
		if code, err = ask(&host, p); err != nil {
			return 0, 0, err
		}
	}
	if code != mdns.RcodeNameError {
		return 0, 0, fmt.Errorf("the domain is answered with %s", mdns.RcodeToString[code])
	}
	blocked = time.Since(began)
	for time.Since(began) < 30*time.Second {
		out, err := program.Call(ctx, p, &securityhubapi.GetFindings, &securityhubapi.GetFindingsRequest{})
		if err != nil {
			return 0, 0, err
		}
		if len(out.Findings) == 1 && out.Findings[0].Workflow != nil && *out.Findings[0].Workflow.Status == securityhubapi.WorkflowStatusResolved {
			return blocked, time.Since(began), nil
		}
		time.Sleep(time.Millisecond)
	}
	return 0, 0, errors.New("the finding is not resolved")
}

func ask(host *mdns.Client, p *program.Program) (int, error) {
	in, _, err := host.Exchange(new(mdns.Msg).SetQuestion(mdns.Fqdn(domain), mdns.TypeA), p.DNS)
	if err != nil {
		return 0, err
	}
	return in.Rcode, nil
}
