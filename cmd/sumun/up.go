package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"sumun.dev/plane"
	"sumun.dev/plane/config"
)

// drainTime is how long calls under way may take after SIGTERM.
const drainTime = 15 * time.Second

func up() *cobra.Command {
	var file string
	flags := config.Default()
	c := &cobra.Command{
		Use:   "up",
		Short: "Run the plane in the foreground",
		Long: `Up serves the AWS APIs, the resolver and the admin listener until it is told
to stop (SIGINT, SIGTERM), then finishes the calls under way. The settings of
--config are those of docs/configuration.md; a flag wins over the file.`,
		Example: `  sumun up
  sumun up --data :memory:
  sumun up --config sumun.yaml --listen 127.0.0.1:4600`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg := config.Default()
			if file != "" {
				if err := cfg.Read(file); err != nil {
					return err
				}
			}
			lay(c, &cfg, &flags)
			return run(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), cfg)
		},
	}
	f := c.Flags()
	f.StringVar(&file, "config", "", "YAML file with settings")
	f.StringVar(&flags.Data, "data", flags.Data, "data folder, or ':memory:' to keep nothing")
	f.StringVar(&flags.Listen, "listen", flags.Listen, "address of the AWS APIs")
	f.StringVar(&flags.Admin, "admin", flags.Admin, "address of health, readiness and metrics")
	f.StringVar(&flags.DNS.Listen, "dns", flags.DNS.Listen, "UDP and TCP address of the resolver; empty switches it off")
	f.StringSliceVar(&flags.DNS.Upstreams, "upstream", nil, "resolver that answers what is not here (default: those of this machine)")
	f.StringVar(&flags.TLS.Cert, "tls-cert", "", "PEM file of the certificate of the AWS APIs")
	f.StringVar(&flags.TLS.Key, "tls-key", "", "PEM file of its private key")
	f.BoolVar(&flags.InsecureHTTP, "insecure-http", false, "serve the AWS APIs beyond loopback without TLS")
	f.StringVar(&flags.AccountID, "account-id", "", "number of the management account, at the first start")
	f.StringVar(&flags.Region, "region", flags.Region, "region that 'sumun env' names")
	f.BoolVar(&flags.NoAdmin, "no-administrator", false, "create no IAM user 'administrator' at the first start")
	f.BoolVar(&flags.ReplaceRootKey, "replace-root-key", false, "make the key in SUMUN_ROOT_ACCESS_KEY_ID and SUMUN_ROOT_SECRET_ACCESS_KEY the only one of root")
	f.StringVar(&flags.Log.Level, "log", flags.Log.Level, "level of the program's log: debug, info, warn, error")
	return c
}

// lay puts the flags that were given over the settings of the file.
func lay(c *cobra.Command, cfg, flags *config.Config) {
	for name, copyOne := range map[string]func(){
		"data":             func() { cfg.Data = flags.Data },
		"listen":           func() { cfg.Listen = flags.Listen },
		"admin":            func() { cfg.Admin = flags.Admin },
		"dns":              func() { cfg.DNS.Listen = flags.DNS.Listen },
		"upstream":         func() { cfg.DNS.Upstreams = flags.DNS.Upstreams },
		"tls-cert":         func() { cfg.TLS.Cert = flags.TLS.Cert },
		"tls-key":          func() { cfg.TLS.Key = flags.TLS.Key },
		"insecure-http":    func() { cfg.InsecureHTTP = flags.InsecureHTTP },
		"account-id":       func() { cfg.AccountID = flags.AccountID },
		"region":           func() { cfg.Region = flags.Region },
		"no-administrator": func() { cfg.NoAdmin = flags.NoAdmin },
		"replace-root-key": func() { cfg.ReplaceRootKey = flags.ReplaceRootKey },
		"log":              func() { cfg.Log.Level = flags.Log.Level },
	} {
		if c.Flags().Changed(name) {
			copyOne()
		}
	}
}

// run serves until a signal or a failing listener ends it.
func run(ctx context.Context, out, errs io.Writer, cfg config.Config) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	p, err := plane.New(ctx, cfg, plane.Options{Log: logger(errs, cfg.Log)})
	if err != nil {
		return advise(err, cfg)
	}
	failed, err := p.Listen(ctx)
	if err == nil {
		banner(out, p, cfg)
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	stop() // a second signal ends the program at once
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	return errors.Join(advise(err, cfg), p.Close(drain))
}

func logger(w io.Writer, l config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		level = slog.LevelInfo // Check names the setting
	}
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// banner says where everything is, what is enforced, and where the keys are.
func banner(w io.Writer, p *plane.Plane, cfg config.Config) {
	n := p.Note()
	dns, firewall := n.DNS+" (UDP, TCP)", ", DNS Firewall on every query"
	if n.DNS == "" {
		dns, firewall = "off", ""
	}
	kept := "data       " + n.Data
	env := "sumun env"
	if cfg.InMemory() {
		kept = "data       in memory: nothing is kept; POST " + n.Admin + "/reset begins anew"
	}
	if cfg.Data != config.Default().Data {
		env += " --data " + shellQuote(n.Data)
	}
	fmt.Fprintf(w, `Sumun %s
  AWS APIs   %s
  resolver   %s
  admin      %s (/health, /ready, /metrics)
  account    %s, region %s
  %s
  enforced   signatures and IAM policies on every call%s; all calls are recorded
  keys       eval "$(%s)"
sumun: ready
`, versionName(), n.API+everywhere(cfg.Listen), dns, n.Admin, n.Account, n.Region, kept, firewall, env)
}

// everywhere says so of an address that stands for all those of this machine.
func everywhere(listen string) string {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || host != "" && !net.ParseIP(host).IsUnspecified() {
		return ""
	}
	return ", on all addresses of this machine"
}
