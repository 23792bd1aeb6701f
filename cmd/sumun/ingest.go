package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"sumun.dev/detect/source"
	"sumun.dev/plane/admin"
	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
)

func ingestCommand() *cobra.Command {
	i := &ingest{}
	c := &cobra.Command{
		Use:   "ingest PATH…",
		Short: "Send logs to the running plane, whose GuardDuty judges them",
		Long: `Ingest sends files, folders or standard input ("-") to the running plane with this
data folder: CloudTrail, VPC flow logs, Resolver query logs, Kubernetes audit logs,
access logs of load balancers and S3, WAF logs, plain or packed by gzip or zstd. What
a file is is told by its content. Once a log is acknowledged its records are kept; an
enabled detector in their account and region judges them. A log that is sent twice counts once.

Account and region are those of each record. Logs that do not name them, as access logs, need
--account and --region. Log shippers send the same by HTTP: POST /ingest?account=…&region=…
on the admin listener, with the token of the plane's note: Authorization: Bearer TOKEN.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			i.in, i.out, i.errs = c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr()
			return i.run(ctx, args)
		},
	}
	c.Flags().StringVar(&i.data, "data", config.Default().Data, "data folder of the plane")
	c.Flags().StringVar(&i.account, "account", "", "account of records that do not name theirs")
	c.Flags().StringVar(&i.region, "region", "", "region of records that do not name theirs")
	c.Flags().BoolVar(&i.follow, "follow", false, "go on with what is written to the file, until interrupted")
	return c
}

type ingest struct {
	data, account, region string
	follow                bool
	in                    io.Reader
	out, errs             io.Writer

	note       *runtime.Note
	records    map[string]int
	unreadable int
}

const (
	sendAtOnce = 8 << 20  // bytes of a log with a record a line
	sendMost   = 60 << 20 // of one that is one document
	followLook = 250 * time.Millisecond
)

func (i *ingest) run(ctx context.Context, args []string) error {
	var err error
	if i.note, err = runtime.Read(i.data); err != nil {
		return err
	}
	i.records = map[string]int{}
	if i.follow {
		if len(args) != 1 {
			return errors.New("--follow takes one file, or -")
		}
		err = i.following(ctx, args[0])
	} else {
		err = i.all(ctx, args)
	}
	i.say()
	switch {
	case err != nil:
		return err
	case len(i.records) == 0 && i.unreadable > 0:
		return exit(1)
	}
	return nil
}

func (i *ingest) say() {
	for _, format := range slices.Sorted(func(yield func(string) bool) {
		for f := range i.records {
			if !yield(f) {
				return
			}
		}
	}) {
		fmt.Fprintf(i.out, "%s: %d records\n", format, i.records[format])
	}
	if i.unreadable > 0 {
		fmt.Fprintf(i.out, "unreadable: %d\n", i.unreadable)
	}
}

func (i *ingest) all(ctx context.Context, args []string) error {
	files, err := source.Expand(ctx, args, source.From{Stdin: i.in})
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := i.file(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

// file sends a file, in parts when it is large and has a record a line.
func (i *ingest) file(ctx context.Context, f source.File) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	b := bufio.NewReaderSize(in, 64<<10)
	head, _ := b.Peek(4) // what is wrong shows when it is read
	if packed := bytes.HasPrefix(head, []byte{0x1f, 0x8b}) || bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}); packed {
		content, more, err := source.Unpack(b, 1<<30)
		switch {
		case err != nil:
			return err
		case more:
			return errors.New("is more than 1 GiB unpacked; send it through zcat or zstdcat, as -")
		}
		b = bufio.NewReaderSize(bytes.NewReader(content), 64<<10)
	}
	return i.parts(ctx, f.Name, b)
}

// parts sends what is read, cut at ends of lines.
func (i *ingest) parts(ctx context.Context, name string, in io.Reader) error {
	var rest, header []byte
	for first := true; ; first = false {
		part, err := io.ReadAll(io.LimitReader(in, sendAtOnce))
		if err != nil {
			return err
		}
		part = append(rest, part...)
		end := len(part) < sendAtOnce
		if first && !end {
			if document(part) {
				more, err := io.ReadAll(io.LimitReader(in, sendMost))
				if err != nil {
					return err
				}
				if part = append(part, more...); len(part) > sendMost {
					return fmt.Errorf("is one document of more than %d MiB; write it with a record a line", sendMost>>20)
				}
				return i.send(ctx, name, part)
			}
			header, _ = source.Header(part[:bytes.LastIndexByte(part, '\n')+1])
		}
		rest = nil
		if cut := bytes.LastIndexByte(part, '\n') + 1; !end && cut > 0 {
			rest = bytes.Clone(part[cut:])
			part = part[:cut]
		}
		if !first && header != nil {
			part = slices.Concat(header, []byte("\n"), part)
		}
		if len(bytes.TrimSpace(part)) > 0 {
			if err := i.send(ctx, name, part); err != nil {
				return err
			}
		}
		if end {
			return nil
		}
	}
}

// document reports whether content is one JSON value over many lines or one, which
// cannot be cut.
func document(content []byte) bool {
	text := bytes.TrimLeft(content, " \t\r\n")
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return false
	}
	line, _, cut := bytes.Cut(text, []byte("\n"))
	return !cut || !json.Valid(line)
}

// A refusal is the plane's answer to a log that it does not take.
type refusal string

func (r refusal) Error() string { return string(r) }

// send sends a log and notes what became of it.
func (i *ingest) send(ctx context.Context, name string, content []byte) error {
	q := url.Values{}
	if i.account != "" {
		q.Set("account", i.account)
	}
	if i.region != "" {
		q.Set("region", i.region)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.note.Admin+"/ingest?"+q.Encode(), bytes.NewReader(content))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+i.note.Token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("the plane does not answer: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("the plane does not answer: %w", err)
	}
	var said struct {
		admin.Ingested
		Error string `json:"error"`
	}
	switch err := json.Unmarshal(body, &said); {
	case resp.StatusCode != http.StatusOK && err == nil && said.Error != "":
		return refusal(said.Error)
	case resp.StatusCode != http.StatusOK || err != nil:
		return refusal("the plane answers " + resp.Status)
	}
	for format, n := range said.Records {
		i.records[format] += n
	}
	i.unreadable += said.Unreadable
	for _, why := range said.Why {
		fmt.Fprintf(i.errs, "%s: %s\n", name, strings.ReplaceAll(why, "the log", "it"))
	}
	return nil
}

// following sends whole lines as they are written, until ctx ends. A file that is
// replaced or cut is begun anew.
func (i *ingest) following(ctx context.Context, name string) error {
	if name == "-" {
		return i.stream(ctx, i.in)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { f.Close() }()
	var lines follower
	for {
		grown, err := lines.read(f)
		if err != nil {
			return err
		}
		if err := i.whole(ctx, name, &lines); err != nil {
			return err
		}
		if grown {
			continue
		}
		if !wait(ctx, followLook) {
			return nil
		}
		here, err := f.Stat()
		if err != nil {
			return err
		}
		now, err := os.Stat(name)
		switch {
		case err != nil && !errors.Is(err, os.ErrNotExist):
			return err
		case err == nil && !os.SameFile(here, now):
			next, err := os.Open(name)
			if err != nil {
				continue // it is just being replaced
			}
			if _, err := lines.read(f); err != nil { // what was written before
				next.Close()
				return err
			}
			if err := i.whole(ctx, name, &lines); err != nil {
				next.Close()
				return err
			}
			f.Close()
			f, lines = next, follower{}
		case err == nil && now.Size() < lines.at:
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				return err
			}
			lines = follower{}
		}
	}
}

// stream sends whole lines of what cannot be read twice, as they come.
func (i *ingest) stream(ctx context.Context, in io.Reader) error {
	parts := make(chan []byte)
	failed := make(chan error, 1)
	go func() {
		for {
			b := make([]byte, 64<<10)
			n, err := in.Read(b)
			if n > 0 {
				select {
				case parts <- b[:n]:
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				failed <- err
				return
			}
		}
	}()
	var lines follower
	for {
		select {
		case b := <-parts:
			lines.held = append(lines.held, b...)
			if err := i.whole(ctx, "-", &lines); err != nil {
				return err
			}
		case err := <-failed:
			if !errors.Is(err, io.EOF) {
				return err
			}
			lines.held = append(lines.held, '\n')
			return i.whole(ctx, "-", &lines)
		case <-ctx.Done():
			return nil
		}
	}
}

// A follower holds what was read of a file and is not sent.
type follower struct {
	at     int64
	held   []byte
	header []byte
	begun  bool
}

// read reads what the file has grown by, up to a bound; false when it has not.
func (l *follower) read(f *os.File) (bool, error) {
	b, err := io.ReadAll(io.LimitReader(f, sendAtOnce))
	l.at += int64(len(b))
	l.held = append(l.held, b...)
	return len(b) > 0, err
}

// whole sends the lines that have an end. A plane that does not answer is asked again
// until it does: what is held is lost to nobody.
func (i *ingest) whole(ctx context.Context, name string, l *follower) error {
	cut := bytes.LastIndexByte(l.held, '\n') + 1
	if cut == 0 {
		if len(l.held) > sendMost {
			return errors.New("a line is too long")
		}
		return nil
	}
	part := l.held[:cut]
	if !l.begun {
		header, some := source.Header(part)
		if !some && len(part) < 64<<10 {
			return nil // it may be the line above the columns
		}
		l.header = bytes.Clone(header)
	} else if l.header != nil {
		part = slices.Concat(l.header, []byte("\n"), part)
	}
	for pause := followLook; ; pause = min(2*pause, 10*time.Second) {
		err := i.send(ctx, name, part)
		var no refusal
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		if errors.As(err, &no) {
			return err
		}
		fmt.Fprintf(i.errs, "%v; tries again\n", err)
		if !wait(ctx, pause) {
			return nil
		}
		if note, err := runtime.Read(i.data); err == nil {
			i.note = note // it may have started anew, on another port
		}
	}
	l.begun = true
	l.held = append(l.held[:0], l.held[cut:]...)
	return nil
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
