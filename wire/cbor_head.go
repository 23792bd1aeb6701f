package wire

import (
	"encoding/binary"
	"unicode/utf8"
)

// Major types, and the additional information that means "until the break".
const (
	cborUint, cborInt, cborBytes, cborText, cborList, cborMap, cborTag, cborOther = 0, 1, 2, 3, 4, 5, 6, 7

	indefinite = 31
	cborBreak  = 0xff
)

// A head is the first byte of an item and the number that belongs to it.
type head struct {
	major, info byte
	n           uint64
}

func (d *cborReader) head() (h head, err error) {
	if len(d.b) == 0 {
		return h, d.malformed("the body ends early")
	}
	h.major, h.info = d.b[0]>>5, d.b[0]&31
	size := 0
	switch {
	case h.info < 24:
		h.n = uint64(h.info)
	case h.info <= 27:
		size = 1 << (h.info - 24)
	case h.info < indefinite || h.major <= cborInt || h.major == cborTag:
		return h, d.malformed("a reserved first byte")
	}
	d.b = d.b[1:]
	if len(d.b) < size {
		return h, d.malformed("the body ends early")
	}
	switch size {
	case 1:
		h.n = uint64(d.b[0])
	case 2:
		h.n = uint64(binary.BigEndian.Uint16(d.b))
	case 4:
		h.n = uint64(binary.BigEndian.Uint32(d.b))
	case 8:
		h.n = binary.BigEndian.Uint64(d.b)
	}
	d.b = d.b[size:]
	return h, nil
}

func (h head) null() bool { return h.major == cborOther && (h.info == 22 || h.info == 23) }

// next reports whether a list or map of length h has an item number i.
func (d *cborReader) next(h head, i uint64) bool {
	if h.info != indefinite {
		return i < h.n
	}
	if len(d.b) > 0 && d.b[0] == cborBreak {
		d.b = d.b[1:]
		return false
	}
	return true
}

// bytes reads the bytes of a string, whose parts follow when its length is open.
func (d *cborReader) bytes(h head) ([]byte, error) {
	if h.info != indefinite {
		if h.n > uint64(len(d.b)) {
			return nil, d.malformed("a string ends early")
		}
		out := d.b[:h.n]
		d.b = d.b[h.n:]
		return out, nil
	}
	out := []byte{}
	for d.next(h, 0) {
		part, err := d.head()
		if err != nil {
			return nil, err
		}
		if part.major != h.major || part.info == indefinite {
			return nil, d.malformed("a string's part is no string")
		}
		b, err := d.bytes(part)
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

func (d *cborReader) text(h head) (string, error) {
	if h.major != cborText {
		return "", d.malformed("a key is no text")
	}
	b, err := d.bytes(h)
	if err == nil && !utf8.Valid(b) {
		err = d.malformed("text is no UTF-8")
	}
	return string(b), err
}
