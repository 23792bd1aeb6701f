package source

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"

	"sumun.dev/aws"
	"sumun.dev/detect/record"
	"sumun.dev/detect/source/access"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/detect/source/dns"
	"sumun.dev/detect/source/flow"
)

// The formats, as Report.Records names them.
const (
	CloudTrail  = "CloudTrail"
	ResolverDNS = "Route 53 Resolver query log"
	VPCFlow     = "VPC flow log"
	Balancer    = "load balancer access log"
	S3Access    = "S3 server access log"
	WAF         = "WAF log"
	Kubernetes  = "Kubernetes audit log"
)

// sniffed is how much of a file decides what it is.
const sniffed = 32 << 10

var (
	errUnknown = errors.New("is no log that is known")
	errLong    = fmt.Errorf("is longer than %d MiB", maxLine>>20)
)

// a taker takes the records of one file.
type taker struct {
	name   string
	report *Report
	with   *readers
	take   func(format string, r *record.Record) error
	dns    *dns.Reader

	owner   aws.Account // of the log group that a message came from, where that is known
	cluster string      // likewise
	skipped int64       // bytes of the file before those that are taken here, or that the decoder of a document sees
	counts  string      // the format of the last records
	count   int         // of those, that are not in the report yet
	places  *places     // of what stood in the file otherwise; nil: as it is taken
}

// readers are what reads the records of all files, and memory that is used again
// from one to the next.
type readers struct {
	trail   *cloudtrail.Reader
	dns     *dns.Reader
	flow    *flow.Again
	spare   *record.Spare
	gzips   spare[*gzip.Reader]
	packed  spare[*bufio.Reader] // of 64 KiB
	content spare[*bufio.Reader] // of sniffed
	windows spare[[]byte]
	only    []string // formats that are wanted; none: all
	likely  bool     // files that begin with nothing of those are passed over
	now     time.Time
}

func newReaders(only []string) *readers {
	spare := &record.Spare{}
	return &readers{trail: cloudtrail.NewReaderOf(spare), dns: dns.NewReaderOf(spare), flow: flow.NewAgain(spare), spare: spare, only: only, now: time.Now()}
}

// wants reports whether somebody wants records of a format.
func (w *readers) wants(format string) bool {
	return len(w.only) == 0 || slices.Contains(w.only, format)
}

// spare is what can be used again.
type spare[T any] []T

func (s *spare[T]) take() (t T, ok bool) {
	n := len(*s)
	if n == 0 {
		return t, false
	}
	t = (*s)[n-1]
	*s = (*s)[:n-1]
	return t, true
}

func (s *spare[T]) put(t T) { *s = append(*s, t) }

// buffer puts a buffer before a reader; done gives it back.
func buffer(from *spare[*bufio.Reader], size int, in io.Reader) (b *bufio.Reader, done func()) {
	if b, ok := in.(*bufio.Reader); ok && b.Size() >= size {
		return b, func() {} // it has one
	}
	b, ok := from.take()
	if !ok {
		b = bufio.NewReaderSize(in, size)
	} else {
		b.Reset(in)
	}
	return b, func() { b.Reset(nil); from.put(b) }
}

// read recognises a file's content and reads it.
func read(name string, in io.Reader, report *Report, with *readers, take func(string, *record.Record) error) error {
	return readAs(name, in, nil, report, with, take)
}

// readAs reads content that stands in its file otherwise, where p tells.
func readAs(name string, in io.Reader, p *places, report *Report, with *readers, take func(string, *record.Record) error) error {
	b, done := buffer(&with.content, sniffed, in)
	defer done()
	head, err := b.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		report.Files++
		return err
	}
	if isUTF16(head) {
		// It becomes UTF-8, which never begins so again.
		p := newPlaces(b)
		return readAs(name, p, p, report, with, take)
	}
	report.Files++
	t := &taker{name: name, report: report, with: with, take: take, dns: with.dns, places: p}
	defer t.counted()
	if mark := []byte("\xef\xbb\xbf"); bytes.HasPrefix(head, mark) {
		if _, err := b.Discard(len(mark)); err != nil {
			return err
		}
		t.skipped = int64(len(mark))
		head = head[len(mark):]
	}
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(text) == 0:
		return nil
	case text[0] == '[', text[0] == '{' && !jsonLines(text):
		return t.document(b)
	case text[0] == '{', len(exported(text)) < len(text):
		return t.jsonLines(b)
	case bytes.HasPrefix(text, []byte(`"{\"`)):
		return t.document(b) // texts of JSON, each a record
	}
	if column := messageColumn(firstLines(head)); column >= 0 {
		return t.messages(b, column)
	}
	for _, f := range lineFormats {
		if parse := f.recognise(t.with, firstLines(head)); parse != nil {
			if !t.with.wants(f.name) {
				return nil
			}
			return t.lines(b, f.name, parse)
		}
	}
	for _, p := range packings {
		if len(head) > p.at && bytes.HasPrefix(head[p.at:], []byte(p.magic)) {
			return fmt.Errorf("is packed with %s, which is not read here: unpack it first", p.name)
		}
	}
	return errUnknown
}

// packings are those that may hold logs and are not unpacked.
var packings = []struct {
	name, magic string
	at          int // bytes before magic
}{
	{"bzip2", "BZh", 0}, {"xz", "\xfd7zXZ\x00", 0}, {"7-Zip", "7z\xbc\xaf\x27\x1c", 0}, {"LZ4", "\x04\x22\x4d\x18", 0}, {"RAR", "Rar!\x1a\x07", 0},
	{"Snappy", "\xff\x06\x00\x00sNaPpY", 0}, {"tar", "ustar", 257},
}

// A lineFormat is a log with a record a line.
type lineFormat struct {
	name string
	// recognise looks at the first lines of a file, and returns what reads its
	// lines; nil when they are something else. A parser returns nil without an
	// error for a line that tells nothing.
	recognise func(with *readers, lines [][]byte) func(line []byte) (*record.Record, error)
}

// lineFormats are tried in this order.
var lineFormats = []lineFormat{
	{CloudTrail, func(_ *readers, lines [][]byte) func([]byte) (*record.Record, error) {
		if len(lines) > 0 {
			if table := cloudtrail.NewTable(lines[0]); table != nil {
				return table.Read
			}
		}
		return nil
	}},
	{Balancer, lineByLine(access.IsBalancer, access.Balancer)},
	{S3Access, lineByLine(access.IsS3, access.S3)},
	{VPCFlow, func(with *readers, lines [][]byte) func([]byte) (*record.Record, error) {
		for _, line := range lines {
			if flow.Recognise(line) {
				return with.flow.NewReader().Read
			}
		}
		return nil
	}},
}

// lineByLine is a format that any of its lines tells.
func lineByLine(is func([]byte) bool, parse func([]byte) (*record.Record, error)) func(*readers, [][]byte) func([]byte) (*record.Record, error) {
	return func(_ *readers, lines [][]byte) func([]byte) (*record.Record, error) {
		if slices.ContainsFunc(lines, is) {
			return parse
		}
		return nil
	}
}

// exported takes away the time that exports of CloudWatch Logs to S3 put before
// each message, where the message is a JSON object.
func exported(line []byte) []byte {
	const stamp = "2006-01-02T15:04:05.000Z"
	if len(line) < len(stamp)+2 || line[len(stamp)] != ' ' || line[len(stamp)+1] != '{' {
		return line
	}
	if _, err := time.Parse(stamp, string(line[:len(stamp)])); err != nil {
		return line
	}
	return line[len(stamp)+1:]
}

// firstLines returns up to ten whole lines of head that are not empty.
func firstLines(head []byte) [][]byte {
	var lines [][]byte
	for len(lines) < 10 && len(head) > 0 {
		line, rest, _ := bytes.Cut(head, []byte("\n"))
		if line = bytes.TrimRight(line, "\r"); len(bytes.TrimSpace(line)) > 0 {
			lines = append(lines, line)
		}
		head = rest
	}
	return lines
}

// messageColumn returns the column of messages in a table that the console of
// CloudWatch Logs saved, of the results of a query or of a log stream; -1 when the
// first line is no such header.
func messageColumn(lines [][]byte) int {
	if len(lines) == 0 || !bytes.Contains(lines[0], []byte("message")) || !bytes.Contains(lines[0], []byte(",")) {
		return -1
	}
	names, err := csv.NewReader(bytes.NewReader(lines[0])).Read()
	if err != nil {
		return -1
	}
	if i := slices.Index(names, "@message"); i >= 0 {
		return i
	}
	if slices.Contains(names, "timestamp") {
		return slices.Index(names, "message")
	}
	return -1
}

// messages reads a table with a message a row.
func (t *taker) messages(b *bufio.Reader, column int) error {
	return t.eachLine(b, func(line []byte, at record.Origin) error {
		cells, err := csv.NewReader(bytes.NewReader(line)).Read()
		switch {
		case err != nil:
			t.report.bad(at, err)
			return nil
		case len(cells) <= column:
			t.report.bad(at, errors.New("the row has no message"))
			return nil
		case cells[column] == "@message" || cells[column] == "message":
			return nil // the header
		}
		message, err := one(cells[column])
		if err != nil {
			t.report.bad(at, err)
			return nil
		}
		return t.value(message[0], at, 1)
	})
}

// lines reads a record a line.
func (t *taker) lines(b *bufio.Reader, format string, parse func([]byte) (*record.Record, error)) error {
	return t.eachLine(b, func(line []byte, at record.Origin) error {
		r, err := parse(line)
		switch {
		case err != nil:
			t.report.bad(at, err)
		case r != nil:
			return t.give(format, r, at)
		}
		return nil
	})
}

// eachLine hands over the lines that are not empty. line is good only until then.
func (t *taker) eachLine(b *bufio.Reader, take func(line []byte, at record.Origin) error) error {
	at := record.Origin{File: t.name}
	for offset := t.skipped; ; {
		line, n, err := readLine(b)
		at.Line++
		at.Offset = t.place(offset)
		switch {
		case errors.Is(err, errLong):
			t.report.bad(at, err)
		case !blank(line):
			if err := take(line, at); err != nil {
				return err
			}
		}
		offset += n
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, errLong):
			return err
		}
	}
}

// blank reports whether a line is empty but for white space.
func blank(line []byte) bool {
	return len(line) == 0 || (line[0] <= ' ' || line[0] >= 0x80) && len(bytes.TrimSpace(line)) == 0
}

// ended takes away the end of a line.
func ended(line []byte) []byte {
	for n := len(line); n > 0 && (line[n-1] == '\n' || line[n-1] == '\r'); n-- {
		line = line[:n-1]
	}
	return line
}

// readLine reads a line without its end; n is how many bytes it took. Of a line
// that is too long it returns errLong, and goes to its end.
func readLine(b *bufio.Reader) (line []byte, n int64, err error) {
	part, err := b.ReadSlice('\n')
	n = int64(len(part))
	if err == nil || errors.Is(err, io.EOF) {
		return ended(part), n, err
	}
	long := false
	for errors.Is(err, bufio.ErrBufferFull) {
		if long = long || len(line)+len(part) > maxLine; !long {
			line = append(line, part...)
		}
		part, err = b.ReadSlice('\n')
		n += int64(len(part))
	}
	if long || len(line)+len(part) > maxLine {
		if err == nil || errors.Is(err, io.EOF) { // the end comes again
			err = errLong
		}
		return nil, n, err
	}
	return ended(append(line, part...)), n, err
}

// counted adds what was counted to the report.
func (t *taker) counted() {
	if t.count == 0 {
		return
	}
	if t.report.Records == nil {
		t.report.Records = map[string]int{}
	}
	t.report.Records[t.counts] += t.count
	t.count = 0
}

func (t *taker) give(format string, r *record.Record, at record.Origin) error {
	if !t.with.wants(format) {
		return nil
	}
	r.Origin = at
	if t.counts != format {
		t.counted()
		t.counts = format
	}
	t.count++
	return t.take(format, r)
}

// jsonLines reports whether a file has one JSON value a line, by its first line.
func jsonLines(head []byte) bool {
	// Of a document that goes on and on, no line ends soon.
	if len(head) > sniffed/2 && bytes.IndexByte(head, '\n') < 0 {
		return false
	}
	lines := firstLines(head)
	if len(lines) == 0 || !jsontext.Value(lines[0]).IsValid(lenient...) {
		return false
	}
	// A whole document may stand in one line: then it is one that holds records. Of
	// several such documents, each may be longer than a line may be.
	if len(lines) == 1 {
		return !hasContainer(lines[0])
	}
	of, _ := listIn(lines[0])
	return of == "" || of == "logEvents" || of == "items"
}

var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
