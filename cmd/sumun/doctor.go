package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sumun.dev/engine/seal"
	"sumun.dev/plane"
	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
	"sumun.dev/store"
	"sumun.dev/store/sqlite"
)

func doctor() *cobra.Command {
	data, file := config.Default().Data, ""
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is wrong with a set-up and what to do",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d := &diagnosis{out: c.OutOrStdout(), data: data, file: file, cfg: config.Default(), named: c.Flags().Changed("data")}
			d.cfg.Data = data
			for _, look := range []func(context.Context){d.settings, d.folder, d.rootKey, d.credentials, d.plane, d.variables, d.tools} {
				look(c.Context())
			}
			if d.wrong > 0 {
				return exit(1)
			}
			return nil
		},
	}
	c.Flags().StringVar(&data, "data", data, "data folder of the plane, or ':memory:'")
	c.Flags().StringVar(&file, "config", "", "YAML file with settings to check")
	return c
}

// A diagnosis looks at one thing after another and writes down what it finds.
type diagnosis struct {
	out        io.Writer
	data, file string
	named      bool // --data wins over the file
	cfg        config.Config
	note       *runtime.Note
	wrong      int
}

func (d *diagnosis) good(format string, args ...any) {
	fmt.Fprintf(d.out, "ok     "+format+"\n", args...)
}

func (d *diagnosis) hint(format string, args ...any) {
	fmt.Fprintf(d.out, "note   "+format+"\n", args...)
}

func (d *diagnosis) bad(format string, args ...any) {
	d.wrong++
	fmt.Fprintf(d.out, "WRONG  "+format+"\n", args...)
}

func (d *diagnosis) settings(context.Context) {
	if d.file == "" {
		return
	}
	if err := d.cfg.Read(d.file); err != nil {
		d.bad("%v", err)
		return
	}
	if err := d.cfg.Check(); err != nil {
		d.bad("%s: %v", d.file, err)
		return
	}
	d.good("settings of %s", d.file)
	if !d.named {
		d.data = d.cfg.Data
	}
}

func (d *diagnosis) folder(context.Context) {
	if d.data == config.Memory {
		return
	}
	s, err := os.Stat(d.data)
	switch {
	case errors.Is(err, os.ErrNotExist):
		d.hint("%s is not there yet; the first 'sumun up' makes it", d.data)
	case err != nil:
		d.bad("%v", err)
	case !s.IsDir():
		d.bad("%s is not a folder; name another with --data", d.data)
	case s.Mode().Perm()&0o077 != 0:
		d.bad("others can read %s: chmod 700 %s", d.data, shellQuote(d.data))
	default:
		d.good("data folder %s", d.data)
	}
}

func (d *diagnosis) rootKey(ctx context.Context) {
	if d.data == config.Memory {
		return
	}
	name, given := filepath.Join(d.data, plane.RootKeyFile), os.Getenv(seal.Variable) != ""
	lost := "put %s back, or set " + seal.Variable
	wrapped := wrappedIn(&d.cfg)
	if wrapped != "" {
		name, given = filepath.Join(d.data, wrapped), false
		lost = "put %s back"
	}
	s, err := os.Stat(name)
	_, state := os.Stat(filepath.Join(d.data, sqlite.File))
	switch {
	case err == nil && s.Mode().Perm()&0o077 != 0 && wrapped == "":
		d.bad("others can read %s: chmod 600 %s", name, shellQuote(name))
	case state == nil && err != nil && !given:
		d.bad("there is data, but no root key: "+lost, name)
	case state == nil:
		d.opens(ctx, name)
	case err == nil:
		d.good("root key %s; keep a copy apart from backups", name)
	}
}

// opens tells whether the root key is the one that the data was sealed under, and
// where it comes from.
func (d *diagnosis) opens(ctx context.Context, name string) {
	cfg := d.cfg
	cfg.Data = d.data
	err := plane.CheckRootKey(ctx, &cfg)
	kms := cfg.RootKey.KMS
	switch {
	case errors.Is(err, store.ErrWrongKey) && wrappedIn(&cfg) != "":
		d.bad("the data was sealed under another root key: put the right %s back", name)
	case errors.Is(err, store.ErrWrongKey):
		d.bad("the data was sealed under another root key: put the right one at %s, or in %s", name, seal.Variable)
	case err != nil:
		d.bad("%v", err)
	case kms.Key != "":
		d.good("root key opens the data; the KMS at %s opens it with %s; keep a copy of %s", kms.URL(), kms.Key, name)
	case wrappedIn(&cfg) != "":
		d.good("root key opens the data; the key %s of the token %s opens it; keep a copy of %s", cfg.RootKey.PKCS11.Key, cfg.RootKey.PKCS11.Token, name)
	default:
		d.good("root key opens the data; keep a copy of %s apart from backups", name)
	}
}

// credentials tells whether 'sumun env' would find the keys of the first start.
func (d *diagnosis) credentials(context.Context) {
	if d.data == config.Memory {
		return
	}
	name := filepath.Join(d.data, runtime.CredentialsFile)
	s, err := os.Stat(name)
	_, state := os.Stat(filepath.Join(d.data, sqlite.File))
	switch {
	case err == nil && s.Mode().Perm()&0o077 != 0:
		d.bad("others can read %s: chmod 600 %s", name, shellQuote(name))
	case errors.Is(err, os.ErrNotExist) && state == nil:
		d.hint("%s is not there: 'sumun env' has no keys to print, use those of your own users", name)
	}
}

func (d *diagnosis) plane(ctx context.Context) {
	note, err := runtime.Read(d.data)
	if errors.Is(err, runtime.ErrNotRunning) {
		d.hint("no plane runs with data folder %s: sumun up", d.data)
		d.ports()
		return
	}
	if err != nil {
		d.bad("%v", err)
		return
	}
	d.note = note
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, note.Admin+"/ready", nil)
	if err != nil {
		d.bad("%v", err)
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.bad("the plane (process %d) does not answer at %s: %v", note.PID, note.Admin, err)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		d.bad("the plane is not ready: %s", text)
		return
	}
	d.good("plane at %s, account %s", note.API, note.Account)
}

// ports tells whether a plane could listen where it would.
func (d *diagnosis) ports() {
	for _, at := range []struct{ network, address, flag string }{
		{"tcp", d.cfg.Listen, "--listen"}, {"tcp", d.cfg.Admin, "--admin"}, {"udp", d.cfg.DNS.Listen, "--dns"}, {"tcp", d.cfg.DNS.Listen, "--dns"},
	} {
		var err error
		switch {
		case at.address == "":
			continue
		case at.network == "tcp":
			var l net.Listener
			if l, err = net.Listen("tcp", at.address); err == nil {
				err = l.Close()
			}
		default:
			var p net.PacketConn
			if p, err = net.ListenPacket("udp", at.address); err == nil {
				err = p.Close()
			}
		}
		if err != nil {
			d.bad("%s cannot be listened on (%v): choose another with %s", at.address, err, at.flag)
		}
	}
}

func (d *diagnosis) variables(context.Context) {
	if d.note == nil {
		return
	}
	switch at := os.Getenv("AWS_ENDPOINT_URL"); at {
	case d.note.API:
		d.good("AWS_ENDPOINT_URL points to the plane")
	case "":
		d.hint(`AWS_ENDPOINT_URL is not set, AWS clients would call AWS: eval "$(sumun env)"`)
	default:
		d.bad(`AWS_ENDPOINT_URL is %s, the plane is at %s: eval "$(sumun env)"`, at, d.note.API)
	}
	// Keys of users never go with a token, and a call with another key's is refused.
	if strings.HasPrefix(os.Getenv("AWS_ACCESS_KEY_ID"), "AKIA") && os.Getenv("AWS_SESSION_TOKEN") != "" {
		d.bad("AWS_SESSION_TOKEN is set, but AWS_ACCESS_KEY_ID is a user's key, which has none: unset AWS_SESSION_TOKEN")
	}
	if p := os.Getenv("AWS_PROFILE"); p != "" {
		d.hint("AWS_PROFILE is %q; some clients prefer a profile's keys to those of the environment: unset AWS_PROFILE", p)
	}
}

func (d *diagnosis) tools(context.Context) {
	for _, tool := range []struct{ name, use string }{{"aws", "the AWS CLI (Debian: awscli)"}, {"dig", "to ask the resolver (Debian: dnsutils)"}} {
		if _, err := exec.LookPath(tool.name); err != nil {
			d.hint("%s is not installed: %s", tool.name, tool.use)
			continue
		}
		d.good("%s is installed", tool.name)
	}
}
