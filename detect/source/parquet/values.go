package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// The encodings: Apache Parquet, "Encodings".
const (
	encodingPlain           = 0
	encodingPlainDictionary = 2
	encodingRLE             = 3
	encodingDeltaBinary     = 5
	encodingDeltaLength     = 6
	encodingDeltaBytes      = 7
	encodingDictionary      = 8
)

// A decoder appends one value after the other, as text.
type decoder interface {
	value(to []byte) ([]byte, error)
}

// decode makes the decoder of a page's values.
func (r *reading) decode(encoding int64, in []byte) error {
	r.page = in
	number := r.physical == int32s || r.physical == int64s
	switch {
	case encoding == encodingPlain:
		r.values = &plain{in: in, physical: r.physical}
	case encoding == encodingPlainDictionary, encoding == encodingDictionary:
		if len(in) == 0 {
			in = []byte{0}
		}
		if in[0] > 32 {
			return errors.New("a page has indices of more than 32 bits")
		}
		r.values = &looked{of: r, at: &hybrid{in: in[1:], width: int(in[0])}}
	case encoding == encodingRLE && r.physical == boolean:
		if len(in) < 4 {
			return errShort
		}
		r.values = &truths{&hybrid{in: in[4:], width: 1}}
	case encoding == encodingDeltaBinary && number:
		d, err := newDelta(in)
		r.values = &numbers{d, r.physical == int32s}
		return err
	case encoding == encodingDeltaLength && r.physical == byteArrays:
		d, err := newSuffixes(in)
		r.values = d
		return err
	case encoding == encodingDeltaBytes && r.physical == byteArrays:
		d, err := newPrefixed(in)
		r.values = d
		return err
	default:
		return fmt.Errorf("has values of type %d in the encoding %d, which is not read", r.physical, encoding)
	}
	return nil
}

// plain are values one after the other.
type plain struct {
	in       []byte
	physical int64
	bit      int
}

func (p *plain) value(to []byte) ([]byte, error) {
	if p.physical == boolean {
		if p.bit/8 >= len(p.in) {
			return nil, errShort
		}
		p.bit++
		return strconv.AppendBool(to, p.in[(p.bit-1)/8]>>((p.bit-1)%8)&1 == 1), nil
	}
	to, n, err := one(p.in, p.physical, to)
	if err == nil {
		p.in = p.in[n:]
	}
	return to, err
}

// one appends the first of plain values, and says how long it is.
func one(in []byte, physical int64, to []byte) ([]byte, int, error) {
	size := 4
	switch physical {
	case int64s, doubles:
		size = 8
	case int32s, floats, byteArrays:
	default:
		return nil, 0, fmt.Errorf("has values of type %d, which is not read", physical)
	}
	if len(in) < size {
		return nil, 0, errShort
	}
	switch physical {
	case int32s:
		return strconv.AppendInt(to, int64(int32(binary.LittleEndian.Uint32(in))), 10), size, nil
	case int64s:
		return strconv.AppendInt(to, int64(binary.LittleEndian.Uint64(in)), 10), size, nil
	case floats:
		return strconv.AppendFloat(to, float64(math.Float32frombits(binary.LittleEndian.Uint32(in))), 'f', -1, 32), size, nil
	case doubles:
		return strconv.AppendFloat(to, math.Float64frombits(binary.LittleEndian.Uint64(in)), 'f', -1, 64), size, nil
	}
	n := int64(binary.LittleEndian.Uint32(in))
	if n > int64(len(in)-4) {
		return nil, 0, errShort
	}
	if n > maxText {
		return nil, 0, fmt.Errorf("a value is longer than %d KiB", maxText>>10)
	}
	return append(to, in[4:4+n]...), 4 + int(n), nil
}

// maxText bounds a value.
const maxText = 64 << 10

// looked are values of the dictionary.
type looked struct {
	of *reading
	at *hybrid
}

func (l *looked) value(to []byte) ([]byte, error) {
	i, err := l.at.next()
	if err != nil {
		return nil, err
	}
	if int64(i) >= l.of.entryCount {
		return nil, errors.New("a value is not in the dictionary")
	}
	from := int64(0)
	switch l.of.physical {
	case byteArrays:
		from = int64(l.of.entries[i])
	case int32s, floats:
		from = 4 * int64(i)
	case int64s, doubles:
		from = 8 * int64(i)
	}
	if from > int64(len(l.of.dictionary)) {
		return nil, errShort
	}
	to, _, err = one(l.of.dictionary[from:], l.of.physical, to)
	return to, err
}

type truths struct{ *hybrid }

func (t *truths) value(to []byte) ([]byte, error) {
	v, err := t.next()
	return strconv.AppendBool(to, v == 1), err
}

// A hybrid reads numbers of a fixed width, runs of the same and packed ones.
type hybrid struct {
	in     []byte
	width  int
	run    uint64 // left of the same
	same   uint32
	packed uint64 // left
	bit    int
}

func (h *hybrid) next() (uint32, error) {
	for h.run == 0 && h.packed == 0 {
		if h.bit > 0 {
			h.in, h.bit = h.in[min((h.bit+7)/8, len(h.in)):], 0
		}
		head, n := binary.Uvarint(h.in)
		if n <= 0 {
			return 0, errShort
		}
		h.in = h.in[n:]
		if head&1 == 1 {
			if head>>1 > maxValues {
				return 0, errShort
			}
			h.packed = head >> 1 * 8
			continue
		}
		size := (h.width + 7) / 8
		if len(h.in) < size {
			return 0, errShort
		}
		h.run, h.same = head>>1, 0
		for i := range size {
			h.same |= uint32(h.in[i]) << (8 * i)
		}
		h.in = h.in[size:]
	}
	if h.run > 0 {
		h.run--
		return h.same, nil
	}
	h.packed--
	v, err := bits(h.in, h.bit, h.width)
	h.bit += h.width
	return uint32(v), err
}

// bits takes a number out of packed ones, the lowest bit first.
func bits(in []byte, from, width int) (v uint64, err error) {
	if (from+width+7)/8 > len(in) {
		return 0, errShort
	}
	for got := 0; got < width; {
		at := from + got
		take := min(8-at%8, width-got)
		v |= uint64(in[at/8]>>(at%8)&(1<<take-1)) << got
		got += take
	}
	return v, nil
}

// A delta reads numbers that are told by how they differ from the one before:
// DELTA_BINARY_PACKED.
type delta struct {
	in             []byte
	perBlock, mini int64 // numbers of a block and of one of its parts
	left           int64
	last           int64
	first          bool
	least          int64
	widths         []byte
	part           int64 // left of the part
	bit            int
}

func newDelta(in []byte) (*delta, error) {
	t := &thrift{in: in}
	var head [3]uint64
	for i := range head {
		var err error
		if head[i], err = t.uvarint(); err != nil {
			return nil, err
		}
	}
	first, err := t.varint()
	if err != nil {
		return nil, err
	}
	d := &delta{in: in[t.at:], perBlock: int64(head[0]), left: int64(head[2]), last: first, first: true}
	if head[0] == 0 || head[0] > 1<<16 || head[1] == 0 || head[1] > 512 || head[0]%head[1] != 0 || head[2] > maxValues {
		return nil, errors.New("has differences in blocks that cannot be")
	}
	if d.mini = d.perBlock / int64(head[1]); d.mini%8 != 0 {
		return nil, errors.New("has differences in blocks that cannot be")
	}
	return d, nil
}

func (d *delta) next() (int64, error) {
	if d.left == 0 {
		return 0, errShort
	}
	d.left--
	if d.first {
		d.first = false
		return d.last, nil
	}
	if d.part == 0 {
		if err := d.turn(); err != nil {
			return 0, err
		}
	}
	v, err := bits(d.in, d.bit, int(d.widths[0]))
	if err != nil {
		return 0, err
	}
	d.bit += int(d.widths[0])
	d.part--
	d.last += d.least + int64(v)
	return d.last, nil
}

// turn goes to the next part of a block, or the next block.
func (d *delta) turn() error {
	if len(d.widths) > 0 {
		if d.in = d.in[min(int(d.mini)*int(d.widths[0])/8, len(d.in)):]; len(d.widths) > 1 {
			d.widths, d.part, d.bit = d.widths[1:], d.mini, 0
			return d.fits()
		}
	}
	t := &thrift{in: d.in}
	least, err := t.varint()
	if err != nil {
		return err
	}
	widths, err := t.bytes(uint64(d.perBlock / d.mini))
	if err != nil {
		return err
	}
	d.least, d.widths, d.in, d.part, d.bit = least, widths, d.in[t.at:], d.mini, 0
	return d.fits()
}

func (d *delta) fits() error {
	if d.widths[0] > 64 {
		return errors.New("has differences of more than 64 bits")
	}
	return nil
}

// end goes over all numbers, and returns what follows them.
func (d *delta) end() ([]byte, error) {
	for d.left > 0 {
		if _, err := d.next(); err != nil {
			return nil, err
		}
	}
	if len(d.widths) > 0 {
		// The last part that holds numbers is whole; those after it take nothing.
		return d.in[min(int(d.mini)*int(d.widths[0])/8, len(d.in)):], nil
	}
	return d.in, nil
}

type numbers struct {
	*delta
	narrow bool
}

func (n *numbers) value(to []byte) ([]byte, error) {
	v, err := n.next()
	if n.narrow {
		v = int64(int32(v)) // differences of 32 bits go over the end and come again
	}
	return strconv.AppendInt(to, v, 10), err
}

// suffixes are texts whose lengths stand before all of them: DELTA_LENGTH_BYTE_ARRAY.
type suffixes struct {
	lengths *delta
	in      []byte
}

func newSuffixes(in []byte) (*suffixes, error) {
	lengths, rest, err := two(in)
	return &suffixes{lengths, rest}, err
}

// two reads numbers, and finds what follows them.
func two(in []byte) (*delta, []byte, error) {
	scan, err := newDelta(in)
	if err != nil {
		return nil, nil, err
	}
	rest, err := scan.end()
	if err != nil {
		return nil, nil, err
	}
	d, err := newDelta(in)
	return d, rest, err
}

func (s *suffixes) next() ([]byte, error) {
	n, err := s.lengths.next()
	if err != nil {
		return nil, err
	}
	if n < 0 || n > int64(len(s.in)) || n > maxText {
		return nil, errShort
	}
	b := s.in[:n]
	s.in = s.in[n:]
	return b, nil
}

func (s *suffixes) value(to []byte) ([]byte, error) {
	b, err := s.next()
	return append(to, b...), err
}

// prefixed are texts that begin as the one before: DELTA_BYTE_ARRAY.
type prefixed struct {
	lengths *delta
	rest    *suffixes
	last    []byte
}

func newPrefixed(in []byte) (*prefixed, error) {
	lengths, rest, err := two(in)
	if err != nil {
		return nil, err
	}
	s, err := newSuffixes(rest)
	return &prefixed{lengths: lengths, rest: s}, err
}

func (p *prefixed) value(to []byte) ([]byte, error) {
	n, err := p.lengths.next()
	if err != nil {
		return nil, err
	}
	b, err := p.rest.next()
	if err != nil {
		return nil, err
	}
	if n < 0 || n > int64(len(p.last)) || n+int64(len(b)) > maxText {
		return nil, errShort
	}
	p.last = append(p.last[:n], b...)
	return append(to, p.last...), nil
}
