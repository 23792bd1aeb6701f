package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"sumun.dev/aws"
	"sumun.dev/detect/record"
)

// A Piece is a record of a log as it stands there, in one line.
type Piece struct {
	Format  string
	Account aws.Account // whose it is; empty when the log does not say
	Region  aws.Region  // likewise
	Header  []byte      // the line that says what the columns of Text are, where the log has one
	Text    []byte
}

// ErrZip refuses what has several files in it.
var ErrZip = errors.New("is a zip file; send the files in it")

// Unpack returns content, unpacked when it is gzip or zstd. more says that it is more
// than most bytes.
func Unpack(in io.Reader, most int64) (content []byte, more bool, err error) {
	head := make([]byte, 4)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	all := io.MultiReader(bytes.NewReader(head[:n]), in)
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		z := new(gzip.Reader)
		if err := z.Reset(all); err != nil {
			return nil, false, err
		}
		all = z
	case bytes.HasPrefix(head, zstdMagic):
		z, err := zstd.NewReader(all, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, false, err
		}
		defer z.Close()
		all = z
	case bytes.HasPrefix(head, zipMagic):
		return nil, false, ErrZip
	}
	content, err = io.ReadAll(io.LimitReader(all, most+1))
	return content, int64(len(content)) > most, err
}

// Pieces takes a log apart. What cannot be read is counted in report. Where records
// stand within one value, as messages in an event of CloudWatch Logs, that is one
// piece.
func Pieces(ctx context.Context, name string, content []byte, report *Report, take func(Piece) error) error {
	if isUTF16(content) {
		var err error
		if content, err = fromUTF16(content); err != nil {
			report.bad(record.Origin{File: name}, err)
			return nil
		}
	}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	header, _, _ := bytes.Cut(content, []byte("\n"))
	header = bytes.TrimRight(header, "\r")
	last := int64(-1)
	var failed error // of take
	err := read(name, bytes.NewReader(content), report, newReaders(nil), func(format string, r *record.Record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := r.Origin
		if at.Offset == last || at.Offset < 0 || at.Offset > int64(len(content)) {
			return nil
		}
		last = at.Offset
		p := Piece{Format: format, Account: r.Account, Region: r.Region}
		switch text := content[at.Offset:]; {
		case at.Line > 0:
			p.Text, _, _ = bytes.Cut(text, []byte("\n"))
			p.Text = bytes.TrimRight(p.Text, "\r")
			if at.Line == 1 {
				header = nil // it is a record itself
			}
			if len(p.Text) > 0 && p.Text[0] != '{' {
				p.Header = header
			}
		default:
			v, err := jsontext.NewDecoder(bytes.NewReader(bytes.TrimLeft(text, ", \t\r\n")), lenient...).ReadValue()
			if err != nil {
				report.bad(at, err)
				return nil
			}
			if err := v.Compact(lenient...); err != nil {
				report.bad(at, err)
				return nil
			}
			p.Text = v
		}
		if failed = take(p); failed != nil {
			return errStop
		}
		return nil
	})
	if failed != nil {
		return failed
	}
	if err != nil && !fatal(err) {
		report.bad(record.Origin{File: name}, err)
		return nil
	}
	return err
}

// Header returns the line that says what the columns of a log are, nil when its first
// line is a record, or it has no columns. some is false when no record is in content.
func Header(content []byte) (header []byte, some bool) {
	_ = Pieces(context.Background(), "", content, &Report{}, func(p Piece) error { // it ends at the first piece
		header, some = p.Header, true
		return errStop
	})
	return header, some
}

// Read reads records from the text of a log, in the order in which they stand there.
func Read(name string, content []byte, report *Report, take func(*record.Record)) error {
	return read(name, bytes.NewReader(content), report, newReaders(nil), func(_ string, r *record.Record) error {
		take(r)
		return nil
	})
}

// Summary says what could not be read, the first few kinds of it.
func (r *Report) Summary() []string {
	var out []string
	for _, b := range r.Bad[:min(len(r.Bad), maxShown)] {
		out = append(out, fmt.Sprintf("%d × %s, first at %s", b.Count, b.Why, b.At[0]))
	}
	return out
}
