// Package gunzip unpacks gzip as fast as logs come.
//
// RFC 1952 says what a file is made of (header, blocks, checksum, perhaps more of
// those), RFC 1951 what its blocks are (inflate.go). What is accepted, what is refused,
// and what came before that, is the same as with compress/gzip.
package gunzip

import (
	"compress/gzip"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

const (
	window = 32 << 10 // how far back blocks refer
	room   = 64 << 10 // bytes that are unpacked at a time
	slack  = 258 + 8  // bytes that one symbol may make, and that copying may write beyond them
	packed = 32 << 10 // bytes at hand of what is packed
)

// A Reader unpacks one stream. The zero Reader awaits Reset.
type Reader struct {
	src  io.Reader
	in   []byte // at hand, from at on
	at   int
	end  error  // of src
	bits uint64 // that were taken of in, the lowest first
	n    uint   // how many of those count

	out  []byte // what was unpacked: up to told it was handed out, up to made it is there
	told int
	made int
	from int   // where the member begins, of what is still there
	err  error // comes when all was handed out

	next   func(*Reader) error // what comes in the stream
	last   bool                // it is the last block
	stored int                 // bytes left of a stored block
	least  uint                // bits that follow in a block that is whole
	lit    [literals]uint32
	dist   [distances]uint32

	sum  uint32 // of what was unpacked of this member
	size uint32 // likewise
}

// Reset begins a new stream. It fails when that is no gzip.
func (r *Reader) Reset(src io.Reader) error {
	if r.in == nil {
		r.in, r.out = make([]byte, 0, packed), make([]byte, window+room+slack)
	}
	r.src, r.in, r.at, r.end, r.bits, r.n = src, r.in[:0], 0, nil, 0, 0
	r.told, r.made, r.err = 0, 0, nil
	r.err = r.member()
	return r.err
}

// Read unpacks.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.told == r.made {
		if r.err != nil {
			return 0, r.err
		}
		if r.made > window+room {
			r.from = max(0, r.from-(r.made-window))
			r.made = copy(r.out, r.out[r.made-window:r.made])
			r.told = r.made
		}
		from := r.made
		for r.err == nil && r.made <= window+room {
			r.err = r.next(r)
		}
		// The end of a member may have been checked before.
		r.sum = crc32.Update(r.sum, crc32.IEEETable, r.out[from:r.made])
		r.size += uint32(r.made - from)
		if r.err == errCheck {
			r.err = r.check()
		}
	}
	n := copy(p, r.out[r.told:r.made])
	r.told += n
	return n, nil
}

// errCheck says that a member is done, and its checksum comes.
var errCheck = errors.New("check")

// more gets at least n bytes to hand; false when the stream ends before.
func (r *Reader) more(n int) bool {
	r.unread()
	for len(r.in)-r.at < n {
		if r.end != nil {
			return false
		}
		r.in, r.at = r.in[:copy(r.in, r.in[r.at:])], 0
		var k int
		k, r.end = r.src.Read(r.in[len(r.in):cap(r.in)])
		r.in = r.in[:len(r.in)+k]
	}
	return true
}

// unread puts back bytes of which no bit was used.
func (r *Reader) unread() {
	r.at -= int(r.n / 8)
	r.n %= 8
	r.bits &= 1<<r.n - 1
}

// short is the error of a stream that ends too early.
func (r *Reader) short() error {
	if r.end == nil || r.end == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return r.end
}

// member reads the header of a member. At the end of the stream it returns io.EOF.
func (r *Reader) member() error {
	r.sum, r.size, r.last, r.from = 0, 0, false, r.made
	if !r.more(1) {
		return r.end
	}
	sum := uint32(0)
	take := func(n int) []byte {
		if !r.more(n) {
			return nil
		}
		b := r.in[r.at : r.at+n]
		r.at += n
		sum = crc32.Update(sum, crc32.IEEETable, b)
		return b
	}
	head := take(10)
	switch {
	case head == nil:
		return r.short()
	case head[0] != 0x1f || head[1] != 0x8b || head[2] != 8:
		return gzip.ErrHeader
	}
	flags := head[3]
	if flags&4 != 0 { // more fields
		b := take(2)
		if b == nil {
			return r.short()
		}
		for n := int(binary.LittleEndian.Uint16(b)); n > 0; {
			part := min(n, packed/2)
			if take(part) == nil {
				return r.short()
			}
			n -= part
		}
	}
	for _, flag := range [...]byte{8, 16} { // a name, a comment
		for n := 0; flags&flag != 0; n++ {
			if n == maxText {
				return gzip.ErrHeader
			}
			b := take(1)
			if b == nil {
				return r.short()
			}
			if b[0] == 0 {
				break
			}
		}
	}
	if flags&2 != 0 {
		want := uint16(sum)
		b := take(2)
		if b == nil {
			return r.short()
		}
		if binary.LittleEndian.Uint16(b) != want {
			return gzip.ErrHeader
		}
	}
	r.next = (*Reader).block
	return nil
}

// maxText is how long names and comments in headers may be, with the zero at the end.
const maxText = 512

// check reads the checksum and the size at the end of a member, and goes on to the
// next.
func (r *Reader) check() error {
	if !r.more(8) {
		return r.short()
	}
	r.bits, r.n = 0, 0 // the last byte of the last block
	b := r.in[r.at:]
	r.at += 8
	if binary.LittleEndian.Uint32(b) != r.sum || binary.LittleEndian.Uint32(b[4:]) != r.size {
		return gzip.ErrChecksum
	}
	return r.member()
}
