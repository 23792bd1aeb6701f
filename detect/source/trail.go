package source

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/detect/record"
	"sumun.dev/detect/source/scan"
)

// What trails deliver, a list of plain records, is read in one go. Where something
// else comes, the reader of all documents goes on.

// beginnings are how files begin that hold a list of records, and how many tokens
// that is.
var beginnings = []beginning{{`{"Records":[`, 3}, {`[`, 1}}

type beginning struct {
	text   string
	tokens int
}

// document reads values that go over several lines, one after the other, and
// lists of them without keeping the list.
func (t *taker) document(b *bufio.Reader) error {
	for _, begin := range beginnings {
		if head, _ := b.Peek(len(begin.text)); string(head) == begin.text {
			if _, err := b.Discard(len(begin.text)); err != nil {
				return err
			}
			s := &stream{in: b, before: t.skipped + int64(len(begin.text))}
			s.buf, _ = t.with.windows.take()
			defer func() {
				if cap(s.buf) == window {
					t.with.windows.put(s.buf[:0])
				}
			}()
			return t.trail(s, begin)
		}
	}
	in := &budget{in: b}
	return t.values(jsontext.NewDecoder(in, lenient...), in, t.next)
}

// trail reads a list that begin begins.
func (t *taker) trail(s *stream, begin beginning) error {
	for some := false; ; some = true {
		before := begin
		if some {
			before = beginning{begin.text + "null", begin.tokens + 1}
		}
		c := s.space()
		if some && c == ',' {
			before.text += ","
			s.at++
			c = s.space()
		} else if some {
			return t.resume(s, before)
		}
		at := record.Origin{File: t.name, Offset: t.place(s.before + int64(s.at))}
		r, end := t.with.trail.Plain(s.buf, s.at)
		if end < 0 {
			// It may not be plain, or not all of it is at hand.
			if c == 0 || c == ']' {
				return t.resume(s, before)
			}
			if end = s.value(); end < 0 {
				return t.resume(s, before)
			}
			r, _ = t.with.trail.Plain(s.buf, s.at)
		}
		value := s.buf[s.at:end]
		s.at = end
		var err error
		if r != nil {
			err = t.give(CloudTrail, r, at)
		} else {
			err = t.value(value, at, 0)
		}
		if err != nil {
			return err
		}
	}
}

// resume reads on as if before had come before the rest: the beginning of a list,
// and null for all values that were read of it.
func (t *taker) resume(s *stream, before beginning) error {
	in := &budget{in: io.MultiReader(strings.NewReader(before.text), s.rest())}
	in.renew()
	dec := jsontext.NewDecoder(in, lenient...)
	t.skipped = s.before + int64(s.at-len(before.text))
	return t.values(dec, in, func(dec *jsontext.Decoder, in *budget) error {
		for range before.tokens {
			if _, err := dec.ReadToken(); err != nil {
				return err
			}
		}
		if err := t.list(dec, in); err != nil || before.text[0] == '[' {
			return err
		}
		return t.members(dec, in, record.Origin{}, true)
	})
}

// A stream is what was not read yet of a file.
type stream struct {
	in     io.Reader
	buf    []byte // what is at hand, from at on
	at     int
	before int64 // bytes of the file before buf
	err    error // of in
}

const window = 128 << 10

// more gets more of the file to hand; false at its end.
func (s *stream) more() bool {
	if s.err != nil {
		return false
	}
	if s.at > 0 {
		s.before += int64(s.at)
		s.buf, s.at = s.buf[:copy(s.buf, s.buf[s.at:])], 0
	}
	if len(s.buf) == cap(s.buf) {
		s.buf = append(make([]byte, 0, max(window, 2*cap(s.buf))), s.buf...)
	}
	n := 0
	for n == 0 && s.err == nil {
		n, s.err = s.in.Read(s.buf[len(s.buf):cap(s.buf)])
	}
	s.buf = s.buf[:len(s.buf)+n]
	return n > 0
}

// value gets all of the value at hand, and returns where it ends; negative when it
// is too long, no JSON, or nests deeper than scan follows.
func (s *stream) value() int {
	for {
		end := scan.Value(s.buf, s.at)
		if end-s.at > maxLine || len(s.buf)-s.at > maxLine && end < 0 {
			return scan.No
		}
		// A number at the end may go on.
		if end >= 0 && end < len(s.buf) {
			return end
		}
		// Each look begins at the value's start: the next one comes when there is twice
		// as much to see.
		for want := min(max(1, 2*(len(s.buf)-s.at)), maxLine+1); len(s.buf)-s.at < want; {
			if !s.more() {
				return scan.Value(s.buf, s.at)
			}
		}
	}
}

// space goes over white space, and returns the byte behind it; 0 at the end.
func (s *stream) space() byte {
	for {
		if s.at = scan.Space(s.buf, s.at); s.at < len(s.buf) {
			return s.buf[s.at]
		}
		if !s.more() {
			return 0
		}
	}
}

// rest is what was not read yet.
func (s *stream) rest() io.Reader {
	rest := io.Reader(bytes.NewReader(s.buf[s.at:]))
	if s.err != nil {
		return io.MultiReader(rest, failing{s.err})
	}
	return io.MultiReader(rest, s.in)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
