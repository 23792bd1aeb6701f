// Package parquet reads flat tables out of Parquet files that strangers wrote.
//
// A file says itself how large its parts are, and a page of a few bytes can stand
// for gigabytes: nothing here is believed, and one page of each column is kept, the
// values of which are made as they are asked for. Columns within others, and lists,
// are left out. thrift.go reads descriptions, values.go the encodings. Apache
// Parquet, "File format".
package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// Bounds of a file.
const (
	maxFooter  = 16 << 20
	maxColumns = 1000
	maxGroups  = 100_000
	maxHeader  = 64 << 10 // of a page
	maxPage    = 16 << 20 // unpacked, in bytes
	maxValues  = 1 << 24  // of a page
	maxKept    = 96 << 20 // bytes of the pages of all columns
)

// Magic is how files begin and end.
const Magic = "PAR1"

// The physical types.
const (
	boolean = iota
	int32s
	int64s
	int96s
	floats
	doubles
	byteArrays
	fixed
)

// A File is a table.
type File struct {
	// Spend hears of bytes before they are read or a page unpacks to them, many of
	// which never become text; its error ends reading. nil: nobody counts.
	Spend func(bytes int64) error

	in      io.ReaderAt
	size    int64
	columns []column
	groups  []node
}

// A column is one that stands at the top, once a row.
type column struct {
	name     string
	leaf     int // among all leaves of the schema
	physical int64
	optional bool
	perSec   int64 // of a time: how many make a second; 0 for other columns
}

// Open reads what a file says of itself.
func Open(in io.ReaderAt, size int64) (*File, error) {
	tail := make([]byte, 8)
	if size < 12 {
		return nil, errShort
	}
	if _, err := in.ReadAt(tail, size-8); err != nil {
		return nil, err
	}
	length := int64(binary.LittleEndian.Uint32(tail))
	switch {
	case string(tail[4:]) == "PARE":
		return nil, errors.New("is encrypted")
	case string(tail[4:]) != Magic:
		return nil, errShort
	case length > maxFooter || length > size-12:
		return nil, errors.New("has a footer that is larger than can be")
	}
	footer := make([]byte, length)
	if _, err := in.ReadAt(footer, size-8-length); err != nil {
		return nil, err
	}
	t := &thrift{in: footer, left: maxNodes}
	meta, err := t.structure()
	if err != nil {
		return nil, err
	}
	f := &File{in: in, size: size, groups: meta.at(4).list}
	if len(f.groups) > maxGroups {
		return nil, fmt.Errorf("has more than %d row groups", maxGroups)
	}
	schema := meta.at(2).list
	if len(schema) == 0 {
		return nil, errors.New("has no schema")
	}
	leaf, rest := 0, schema[1:]
	for range schema[0].at(5).n {
		if len(rest) == 0 || leaf > maxColumns {
			return nil, errors.New("has a schema that does not add up")
		}
		e := &rest[0]
		leaves := 0
		if rest, leaves, err = skip(rest, 0); err != nil {
			return nil, err
		}
		if repetition := e.at(3).n; !e.has(5) && e.has(1) && repetition != 2 {
			f.columns = append(f.columns, column{name: string(e.at(4).b), leaf: leaf, physical: e.at(1).n, optional: repetition == 1, perSec: perSecond(e)})
		}
		leaf += leaves
	}
	return f, nil
}

// perSecond says how many of a column of times make a second: Apache Parquet,
// "Logical types", TIMESTAMP, and what stood for it before.
func perSecond(e *node) int64 {
	unit := e.at(10).at(8).at(2)
	switch {
	case e.at(1).n != int64s:
		return 0
	case unit.has(1), e.has(6) && e.at(6).n == 9:
		return 1e3
	case unit.has(2), e.has(6) && e.at(6).n == 10:
		return 1e6
	case unit.has(3):
		return 1e9
	}
	return 0
}

// skip passes over one element of a schema and all that lies below it.
func skip(rest []node, deep int) (_ []node, leaves int, err error) {
	if len(rest) == 0 || deep > maxDeep {
		return nil, 0, errors.New("has a schema that does not add up")
	}
	e := &rest[0]
	rest = rest[1:]
	if !e.has(5) {
		return rest, 1, nil
	}
	for range e.at(5).n {
		var n int
		if rest, n, err = skip(rest, deep+1); err != nil {
			return nil, 0, err
		}
		leaves += n
	}
	return rest, leaves, nil
}

// Columns names the columns that can be read.
func (f *File) Columns() []string {
	var names []string
	for _, c := range f.columns {
		names = append(names, c.name)
	}
	return names
}

// Lines returns the table as text: a line with the names of the columns that are
// wanted, then one a row, with tabs between values and "-" for those that are not
// there. Times are seconds since 1970. Values with tabs, line ends or control characters in them are not there
// either: no log has those.
func (f *File) Lines(want func(name string) bool) io.Reader {
	l := &lines{file: f}
	for _, c := range f.columns {
		if want(c.name) {
			l.columns = append(l.columns, &reading{column: c, file: f})
		}
	}
	for i, c := range l.columns {
		if i > 0 {
			l.line = append(l.line, '\t')
		}
		l.line = append(l.line, c.name...)
	}
	l.line = append(l.line, '\n')
	return l
}

// lines are the rows that are being read.
type lines struct {
	file    *File
	columns []*reading
	group   int
	rows    int64 // left in the group
	line    []byte
	at      int
	err     error
}

func (l *lines) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if l.at == len(l.line) {
			if l.err == nil {
				l.err = l.next()
			}
			if l.err != nil {
				break
			}
		}
		k := copy(p[n:], l.line[l.at:])
		n += k
		l.at += k
	}
	if n > 0 {
		return n, nil
	}
	return 0, l.err
}

// next makes the line of the next row.
func (l *lines) next() error {
	for l.rows == 0 {
		if l.group == len(l.file.groups) || len(l.columns) == 0 {
			return io.EOF
		}
		g := &l.file.groups[l.group]
		l.group++
		if l.rows = g.at(3).n; l.rows < 0 {
			return errors.New("has a row group with fewer than no rows")
		}
		chunks := g.at(1).list
		for _, c := range l.columns {
			if c.leaf >= len(chunks) {
				return errors.New("has a row group that lacks a column")
			}
			if err := c.begin(&chunks[c.leaf]); err != nil {
				return fmt.Errorf("column %q: %w", c.name, err)
			}
		}
	}
	l.rows--
	l.line, l.at = l.line[:0], 0
	kept := 0
	for i, c := range l.columns {
		if i > 0 {
			l.line = append(l.line, '\t')
		}
		from := len(l.line)
		var err error
		if l.line, err = c.value(l.line); err != nil {
			return fmt.Errorf("column %q: %w", c.name, err)
		}
		if c.perSec > 0 && len(l.line) > from {
			n, err := strconv.ParseInt(string(l.line[from:]), 10, 64)
			if err != nil {
				return fmt.Errorf("column %q: %w", c.name, err)
			}
			l.line = strconv.AppendInt(l.line[:from], n/c.perSec, 10)
		}
		if len(l.line) == from || unfit(l.line[from:]) {
			l.line = append(l.line[:from], '-')
		}
		if kept += len(c.page) + len(c.dictionary); kept > maxKept {
			return fmt.Errorf("has pages of more than %d MiB side by side", maxKept>>20)
		}
	}
	l.line = append(l.line, '\n')
	return nil
}

// unfit reports whether a value would end its column or its line, or say something
// to a terminal.
func unfit(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return true
		}
	}
	return false
}

// A reading is a column that is being read.
type reading struct {
	column
	file *File

	codec      int64
	at, end    int64 // of what is not yet read of the column's part of the group
	left       int64 // values of the page
	page       []byte
	levels     *hybrid // whether values are there; nil: all are
	values     decoder
	dictionary []byte
	entries    []int32 // where those of the dictionary begin, for byte arrays
	entryCount int64
	known      bool // the part of the group has had its dictionary
}

// begin goes to a column's part of a row group.
func (r *reading) begin(chunk *node) error {
	meta := chunk.at(3)
	if chunk.has(8) || chunk.has(9) {
		return errors.New("is encrypted")
	}
	if chunk.has(1) || !chunk.has(3) {
		return errors.New("stands in another file")
	}
	if meta.at(1).n != r.physical {
		return errors.New("has another type than the schema says")
	}
	from, size := meta.at(9).n, meta.at(7).n
	if d := meta.at(11).n; d > 0 && d < from {
		from = d
	}
	if from < int64(len(Magic)) || size < 0 || from > r.file.size-size {
		return errors.New("lies outside of the file")
	}
	*r = reading{column: r.column, file: r.file, codec: meta.at(4).n, at: from, end: from + size}
	return nil
}

// value appends the next value as text; nothing when it is not there.
func (r *reading) value(to []byte) ([]byte, error) {
	for r.left == 0 {
		if err := r.turn(); err != nil {
			return nil, err
		}
	}
	r.left--
	if r.levels != nil {
		there, err := r.levels.next()
		if err != nil || there == 0 {
			return to, err
		}
	}
	return r.values.value(to)
}

// turn reads the next page that holds values.
func (r *reading) turn() error {
	for {
		h, err := r.header()
		if err != nil {
			return err
		}
		packed, size := h.at(3).n, h.at(2).n
		switch {
		case packed < 0 || packed > r.end-r.at || packed > maxPage:
			return errors.New("a page is larger than can be")
		case size < 0 || size > maxPage:
			return fmt.Errorf("a page unpacks to more than %d MiB", maxPage>>20)
		}
		if err := r.file.spend(max(packed, size)); err != nil {
			return err
		}
		body := make([]byte, packed)
		if _, err := r.file.in.ReadAt(body, r.at); err != nil {
			return err
		}
		r.at += packed
		switch h.at(1).n {
		case 0:
			return r.data(h.at(5), body, size)
		case 2:
			// File format, "Data Pages": at most one dictionary page a column chunk.
			if r.known {
				return errors.New("has more than one dictionary in a row group")
			}
			r.known = true
			if err := r.dict(h.at(7), body, size); err != nil {
				return err
			}
		case 3:
			return r.data2(h.at(8), body, size)
		}
	}
}

// spend tells of bytes.
func (f *File) spend(bytes int64) error {
	if f.Spend == nil {
		return nil
	}
	return f.Spend(bytes)
}

func (r *reading) header() (*node, error) {
	if r.at >= r.end {
		return nil, errors.New("has fewer values than the group has rows")
	}
	for most := int64(512); ; most = maxHeader {
		head := make([]byte, min(most, r.end-r.at))
		if err := r.file.spend(int64(len(head))); err != nil {
			return nil, err
		}
		if _, err := r.file.in.ReadAt(head, r.at); err != nil {
			return nil, err
		}
		t := &thrift{in: head, left: 10_000}
		h, err := t.structure()
		if errors.Is(err, errShort) && most < maxHeader {
			continue // it has statistics
		}
		r.at += int64(t.at)
		return &h, err
	}
}

// count takes how many values a page says it has.
func (r *reading) count(n int64) error {
	if n < 0 || n > maxValues {
		return fmt.Errorf("a page has more than %d values", maxValues)
	}
	r.left = n
	return nil
}

// data opens a page of the first version: levels and values are packed together.
func (r *reading) data(h *node, body []byte, size int64) error {
	body, err := unpack(r.codec, body, size)
	if err != nil {
		return err
	}
	if err := r.count(h.at(1).n); err != nil {
		return err
	}
	if r.levels = nil; r.optional {
		if h.at(3).n != encodingRLE || len(body) < 4 {
			return errors.New("a page has levels in an encoding that is not read")
		}
		n := int64(binary.LittleEndian.Uint32(body))
		if n > int64(len(body)-4) {
			return errShort
		}
		r.levels, body = &hybrid{in: body[4 : 4+n], width: 1}, body[4+n:]
	}
	return r.decode(h.at(2).n, body)
}

// data2 opens a page of the second version: levels are not packed.
func (r *reading) data2(h *node, body []byte, size int64) error {
	definition, repetition := h.at(5).n, h.at(6).n
	if definition < 0 || repetition < 0 || definition > int64(len(body)) || repetition > int64(len(body))-definition || size < definition+repetition {
		return errShort
	}
	levels, values := body[repetition:repetition+definition], body[repetition+definition:]
	if !h.has(7) || h.at(7).n != 0 {
		var err error
		if values, err = unpack(r.codec, values, size-definition-repetition); err != nil {
			return err
		}
	}
	if err := r.count(h.at(1).n); err != nil {
		return err
	}
	if r.levels = nil; r.optional {
		r.levels = &hybrid{in: levels, width: 1}
	}
	return r.decode(h.at(4).n, values)
}

// dict keeps a dictionary: plain values that those of pages refer to.
func (r *reading) dict(h *node, body []byte, size int64) (err error) {
	if r.dictionary, err = unpack(r.codec, body, size); err != nil {
		return err
	}
	if e := h.at(2).n; e != encodingPlain && e != encodingPlainDictionary {
		return errors.New("a dictionary has an encoding that is not read")
	}
	if r.entryCount = h.at(1).n; r.entryCount < 0 || r.entryCount > maxValues {
		return fmt.Errorf("a dictionary has more than %d values", maxValues)
	}
	r.entries = nil
	if r.physical != byteArrays {
		return nil
	}
	for at := 0; int64(len(r.entries)) < r.entryCount; {
		if len(r.dictionary)-at < 4 {
			return errShort
		}
		r.entries = append(r.entries, int32(at))
		n := int64(binary.LittleEndian.Uint32(r.dictionary[at:]))
		if n > int64(len(r.dictionary)-at-4) {
			return errShort
		}
		at += 4 + int(n)
	}
	return nil
}

// codecs are named as the format names them, of those that are not read.
var codecs = map[int64]string{3: "LZO", 4: "BROTLI", 5: "LZ4", 7: "LZ4_RAW"}

// unpack returns what a page holds, of a size that it has to be.
func unpack(codec int64, body []byte, size int64) ([]byte, error) {
	var in io.Reader
	switch codec {
	case 0:
		if int64(len(body)) != size {
			return nil, errSize
		}
		return body, nil
	case 1:
		if n, err := snappy.DecodedLen(body); err != nil || int64(n) != size {
			return nil, errSize
		}
		return snappy.Decode(nil, body)
	case 2:
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		in = z
	case 6:
		z, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxPage))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		in = z
	default:
		name := codecs[codec]
		if name == "" {
			name = strconv.FormatInt(codec, 10)
		}
		return nil, fmt.Errorf("is packed with %s, which is not read; only SNAPPY, GZIP and ZSTD are", name)
	}
	out := make([]byte, size)
	if _, err := io.ReadFull(in, out); err != nil {
		return nil, errSize
	}
	if n, _ := in.Read(make([]byte, 1)); n > 0 {
		return nil, errSize
	}
	return out, nil
}

var errSize = errors.New("a page unpacks to another size than it says")
