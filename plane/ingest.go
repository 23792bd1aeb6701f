package plane

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect/source"
	"sumun.dev/plane/admin"
	"sumun.dev/store"
)

// Bounds of logs that are sent in.
const (
	maxLog      = 64 << 20  // bytes of one body, unpacked
	logChunk    = 256 << 10 // of an event
	logAtOnce   = 4         // bodies read at the same time
	maxLogPlace = 1000      // accounts and regions in one body
)

var (
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	regionForm  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
)

// ingest takes in a log from outside and returns when its records are durable. They
// go to a stream of their own: what somebody sent is not what the gate has recorded.
// Account and region are the record's, else those of otherwise; when neither says
// whose it is, nothing is taken.
func (c *core) ingest(ctx context.Context, in io.Reader, otherwise store.Place) (*admin.Ingested, error) {
	select {
	case c.logs <- struct{}{}:
		defer func() { <-c.logs }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if otherwise.Account != "" && !accountForm.MatchString(string(otherwise.Account)) {
		return nil, fmt.Errorf("account: %q does not have 12 digits", otherwise.Account)
	}
	if otherwise.Region != "" && !regionForm.MatchString(string(otherwise.Region)) {
		return nil, fmt.Errorf("region: %q is no region", otherwise.Region)
	}
	content, more, err := source.Unpack(in, maxLog)
	switch {
	case more:
		return nil, fmt.Errorf("the log has more than %d MiB unpacked; send it in parts", maxLog>>20)
	case err != nil:
		return nil, fmt.Errorf("the log cannot be read: %w", err)
	}
	var report source.Report
	chunks, large, err := chunked(ctx, content, otherwise, &report)
	if err != nil {
		return nil, err
	}
	if err := c.publish(ctx, chunks...); err != nil {
		return nil, err
	}
	out := &admin.Ingested{Records: map[string]int{}, Unreadable: report.Unread() + large, Why: report.Summary()}
	for format, n := range report.Records {
		out.Records[format] = n
	}
	if large > 0 {
		out.Why = append(out.Why, fmt.Sprintf("%d × is larger than the %d KiB that are kept of a record", large, aws.MaxEvent>>10))
	}
	return out, nil
}

// A chunk is lines of one place and format under construction.
type chunk struct {
	header  string
	text    []byte
	records int
}

// chunked makes events of a log. The same log makes the same events, so that one
// that is sent again counts once.
func chunked(ctx context.Context, content []byte, otherwise store.Place, report *source.Report) (events []aws.Event, large int, err error) {
	type key struct {
		place  store.Place
		format string
	}
	open, order := map[key]*chunk{}, []key{}
	close := func(k key, c *chunk) error {
		if len(c.text) == 0 {
			return nil
		}
		text := string(c.text)
		if c.header != "" {
			text = c.header + "\n" + text
		}
		data, err := json.Marshal(text)
		if err != nil {
			return err
		}
		e := aws.Event{Stream: aws.IngestStream, Type: k.format, Account: k.place.Account, Region: k.place.Region, Time: time.Now(), Data: data}
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s", k.place, k.format, text))
		if e.ID = hex.EncodeToString(sum[:16]); e.Size() > aws.MaxEvent {
			large += c.records
		} else {
			events = append(events, e)
		}
		*c = chunk{header: c.header, text: c.text[:0]}
		return nil
	}
	err = source.Pieces(ctx, "the log", content, report, func(p source.Piece) error {
		k := key{store.Place{Account: p.Account, Region: p.Region}, p.Format}
		if k.place.Account == "" {
			k.place.Account = otherwise.Account
		}
		if k.place.Region == "" {
			k.place.Region = otherwise.Region
		}
		if !accountForm.MatchString(string(k.place.Account)) || !regionForm.MatchString(string(k.place.Region)) {
			return fmt.Errorf("a record of the format %s does not say whose it is (account %q, region %q); name the account and the region", p.Format, k.place.Account, k.place.Region)
		}
		c := open[k]
		if c == nil {
			if len(open) >= maxLogPlace {
				return errors.New("the log has records of too many accounts and regions; send it in parts")
			}
			c = &chunk{header: string(p.Header)}
			open[k], order = c, append(order, k)
		}
		if len(c.text) > 0 && len(c.text)+len(p.Text) > logChunk || c.header != string(p.Header) {
			if err := close(k, c); err != nil {
				return err
			}
			c.header = string(p.Header)
		}
		c.text = append(append(c.text, p.Text...), '\n')
		c.records++
		return nil
	})
	for _, k := range order {
		if err == nil {
			err = close(k, open[k])
		}
	}
	return events, large, err
}
