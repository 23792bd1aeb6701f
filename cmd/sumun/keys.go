package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"sumun.dev/plane"
	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
)

func keys() *cobra.Command {
	k := &keysCommand{}
	c := &cobra.Command{
		Use:   "keys",
		Short: "Show, change and drop the root keys that all data is sealed under",
		Long: `Everything that a plane keeps is sealed under its current root key. These
commands work on the running plane with this data folder; on one that does not run
they open the folder themselves, unless its store is PostgreSQL, which other nodes
may share. See docs/root-key.md.`,
	}
	c.PersistentFlags().StringVar(&k.data, "data", config.Default().Data, "data folder of the plane")
	c.PersistentFlags().StringVar(&k.file, "config", "", "YAML file with settings, for a plane that does not run")
	for _, sub := range []*cobra.Command{
		{
			Use: "status", Args: cobra.NoArgs,
			Short: "Say what is sealed under each root key, and what still needs it",
			RunE:  k.with(func(ctx context.Context, c *cobra.Command, r rootKeys, _ []string) error { return k.status(ctx, c, r) }),
		},
		{
			Use: "rotate-root", Args: cobra.NoArgs,
			Short: "Make another root key current and seal all data again under it",
			Long: `Rotate-root makes a new root key, keeps it beside the others (root.key, root.kms
or root.hsm), and then has everything sealed under it: first whatever is written from
now on, then all that is stored, while the plane goes on. It can be stopped or killed at any
moment: a start of the plane, or the same command, goes on with it.

When the newest root key is not in use yet it takes that one: so keys that come from
SUMUN_ROOT_KEY are changed, by a start with NEW,OLD before. Where several nodes share
a PostgreSQL store, each must have the new key first; those that have not are named.

Keep a copy of the new file, apart from backups. The earlier key stays until
'sumun keys drop', which backups, the event log and handed out sessions may hold up.`,
			RunE: k.with(func(ctx context.Context, c *cobra.Command, r rootKeys, _ []string) error { return k.rotate(ctx, c, r) }),
		},
		{
			Use: "drop ID", Args: cobra.ExactArgs(1),
			Short: "Forget a root key that nothing needs any more",
			Long: `Drop takes a root key out of root.key, root.kms or root.hsm. It refuses while anything
that is kept needs the key, and says what. Backups from before the key was changed need it
for ever: they can be restored only with a copy of it.`,
			RunE: k.with(func(ctx context.Context, c *cobra.Command, r rootKeys, args []string) error {
				if err := r.drop(ctx, args[0], k.ends); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "root key %s is dropped\n", args[0])
				return nil
			}),
		},
	} {
		if sub.Name() == "drop" {
			sub.Flags().BoolVar(&k.ends, "end-sessions", false, "also when sessions and registrations end that were handed out under the key")
		}
		if sub.Name() == "status" {
			sub.Flags().BoolVar(&k.json, "json", false, "print the report as JSON")
		}
		c.AddCommand(sub)
	}
	return c
}

type keysCommand struct {
	data, file string
	ends, json bool
}

// rootKeys are the root keys of a plane that runs, or of one that does not.
type rootKeys interface {
	report(ctx context.Context) (*plane.KeyReport, error)
	// rotate returns when the new key is current, finish when all is sealed under it.
	rotate(ctx context.Context) (*plane.Rotated, error)
	finish(ctx context.Context) error
	drop(ctx context.Context, id string, endSessions bool) error
}

// with opens the root keys for a command.
func (k *keysCommand) with(do func(context.Context, *cobra.Command, rootKeys, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) (err error) {
		ctx, cfg := c.Context(), config.Default()
		if k.file != "" {
			if err := cfg.Read(k.file); err != nil {
				return err
			}
		}
		if k.file == "" || c.Flags().Changed("data") {
			cfg.Data = k.data
		}
		if cfg.InMemory() {
			return errors.New("a plane in memory keeps nothing, nor any root key")
		}
		note, err := runtime.Read(cfg.Data)
		if err == nil && !refuses(note.Admin) {
			return do(ctx, c, running{note}, args)
		}
		if err != nil && !errors.Is(err, runtime.ErrNotRunning) {
			return err
		}
		if err := cfg.Check(); err != nil {
			return err
		}
		open, err := plane.OpenKeys(ctx, &cfg, logger(c.ErrOrStderr(), config.Log{Level: "error"}))
		if err != nil {
			return advise(fmt.Errorf("no plane runs with data folder %s: %w", cfg.Data, err), cfg)
		}
		defer func() { err = errors.Join(err, open.Close(context.WithoutCancel(ctx))) }()
		return do(ctx, c, stopped{open}, args)
	}
}

// refuses reports whether nobody listens there: a process that was killed may leave
// its number to another, or keep it for a while.
func refuses(admin string) bool {
	conn, err := net.Dial("tcp", strings.TrimPrefix(admin, "http://"))
	if err == nil {
		_ = conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

func (k *keysCommand) status(ctx context.Context, c *cobra.Command, r rootKeys) error {
	report, err := r.report(ctx)
	if err != nil {
		return err
	}
	if k.json {
		e := json.NewEncoder(c.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(report)
	}
	describe(c.OutOrStdout(), report, time.Now())
	return nil
}

// describe writes a report for people.
func describe(w io.Writer, r *plane.KeyReport, now time.Time) {
	fmt.Fprintf(w, "root keys in %s\n", r.Source)
	for _, key := range r.Keys {
		age := ""
		if !key.Since.IsZero() {
			age = fmt.Sprintf(", in use since %s (%d days)", key.Since.Format(time.RFC3339), int(now.Sub(key.Since).Hours()/24))
		}
		h := key.Holds
		fmt.Fprintf(w, "\n%s  %s%s\n", key.ID, cmp.Or(map[string]string{"new": "new: not used yet", "missing": "MISSING: not at hand"}[key.State], key.State), age)
		fmt.Fprintf(w, "  seals     %d rows, %d events in the outbox, %d due records, %d notes and records set aside\n", h.Rows, h.Events, h.Due, h.Notes)
		if h.Damaged > 0 {
			fmt.Fprintf(w, "  damaged   %d, which no key opens\n", h.Damaged)
		}
		for _, need := range key.Needs {
			fmt.Fprintf(w, "  needed by %s\n", need)
		}
		for _, end := range key.Ends {
			fmt.Fprintf(w, "  would end %s\n", end)
		}
		if key.State == "earlier" && len(key.Needs) == 0 {
			fmt.Fprintf(w, "  can go    sumun keys drop %s%s (backups from before its change need it for ever)\n", key.ID, map[bool]string{true: " --end-sessions"}[len(key.Ends) > 0])
		}
	}
	if r.Resealed.IsZero() {
		fmt.Fprintf(w, "\nNot all is sealed under %s yet: it goes on while the plane runs, and with 'sumun keys rotate-root'.\n", r.Current)
		if r.Trouble != "" {
			fmt.Fprintf(w, "The last attempt failed: %s\n", r.Trouble)
		}
	}
	for _, n := range r.Nodes {
		fmt.Fprintf(w, "\nnode %s has %s, seals under %s, seen %s\n", n, strings.Join(n.Keys, ", "), n.Current, n.Seen.Format(time.RFC3339))
	}
}

func (k *keysCommand) rotate(ctx context.Context, c *cobra.Command, r rootKeys) error {
	out := c.OutOrStdout()
	done, err := r.rotate(ctx)
	if err != nil {
		return err
	}
	switch {
	case done.Made:
		fmt.Fprintf(out, "root key %s is made, kept in %s and current; keep a copy of it apart from backups\n", done.Key, done.Source)
	case done.Key != done.Earlier:
		fmt.Fprintf(out, "root key %s, the newest in %s, is current\n", done.Key, done.Source)
	default:
		fmt.Fprintf(out, "root key %s is current already; going on with what is sealed under others\n", done.Key)
	}
	if err := r.finish(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "all that is stored is sealed under %s\n", done.Key)
	if done.Key != done.Earlier {
		fmt.Fprintf(out, "keep %s too: 'sumun keys status' says what still needs it\n", done.Earlier)
	}
	return nil
}

// stopped are the root keys of a plane that does not run.
type stopped struct{ *plane.Keys }

func (s stopped) report(ctx context.Context) (*plane.KeyReport, error) { return s.Report(ctx) }
func (s stopped) rotate(ctx context.Context) (*plane.Rotated, error)   { return s.Rotate(ctx) }
func (s stopped) finish(ctx context.Context) error                     { return s.Finish(ctx) }
func (s stopped) drop(ctx context.Context, id string, ends bool) error { return s.Drop(ctx, id, ends) }

// running are those of a plane that runs, by its admin listener.
type running struct{ note *runtime.Note }

func (r running) report(ctx context.Context) (*plane.KeyReport, error) {
	report := &plane.KeyReport{}
	return report, r.ask(ctx, http.MethodGet, "/keys", report)
}

func (r running) rotate(ctx context.Context) (*plane.Rotated, error) {
	done := &plane.Rotated{}
	return done, r.ask(ctx, http.MethodPost, "/keys/rotate", done)
}

func (r running) finish(ctx context.Context) error {
	for {
		var progress plane.KeyProgress
		if err := r.ask(ctx, http.MethodGet, "/keys/progress", &progress); err != nil || !progress.Resealed.IsZero() {
			return err
		}
		if progress.Trouble != "" {
			return fmt.Errorf("root key %s is current, but what was sealed before is not all sealed again; the plane goes on trying, 'sumun keys status' says how far it is: %s", progress.Current, progress.Trouble)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r running) drop(ctx context.Context, id string, endSessions bool) error {
	q := url.Values{"id": {id}}
	if endSessions {
		q.Set("end-sessions", "true")
	}
	return r.ask(ctx, http.MethodPost, "/keys/drop?"+q.Encode(), nil)
}

// maxKeyAnswer bounds what is read of the plane's answer.
const maxKeyAnswer = 1 << 20

// ask asks the plane and reads its answer into into.
func (r running) ask(ctx context.Context, method, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, r.note.Admin+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+r.note.Token)
	client := http.Client{Transport: &http.Transport{}} // no proxy: it is this machine
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the plane (process %d) does not answer at %s: %w", r.note.PID, r.note.Admin, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxKeyAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		var refused struct{ Error string }
		if json.Unmarshal(text, &refused) == nil && refused.Error != "" {
			return errors.New(refused.Error)
		}
		return fmt.Errorf("the plane answers %s: %s", resp.Status, text)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("the plane's answer cannot be read: %w", err)
	}
	return nil
}
