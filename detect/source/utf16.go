package source

import (
	"bytes"
	"io"

	"golang.org/x/text/encoding/unicode"
)

// What PowerShell redirects into a file is UTF-16. It is read as UTF-8, and places in
// it are told as they are in the file.

// isUTF16 reports whether content begins with the mark of UTF-16.
func isUTF16(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff})
}

// fromUTF16 returns content that has a mark as UTF-8.
func fromUTF16(content []byte) ([]byte, error) {
	return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(content)
}

// places reads UTF-16 as UTF-8, and tells where in the file a byte of that comes from.
type places struct {
	in    io.Reader
	text  []byte // that was read, and of which it was not asked yet
	at    int    // of text
	utf8  int64  // the offset of text[at]
	utf16 int64  // the same in the file
}

// maxAhead is how much is read before it is asked where it stands, at most: what
// readers have at hand of a value that is as long as can be.
const maxAhead = 2*maxLine + 1<<20

func newPlaces(in io.Reader) *places {
	return &places{in: unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(in), utf16: 2}
}

// Read reads UTF-8.
func (p *places) Read(to []byte) (int, error) {
	n, err := p.in.Read(to)
	if p.at > 0 && len(p.text)+n > cap(p.text) {
		p.text, p.at = p.text[:copy(p.text, p.text[p.at:])], 0
	}
	p.text = append(p.text, to[:n]...)
	if over := len(p.text) - p.at - maxAhead; over > 0 {
		p.pass(over)
	}
	return n, err
}

// of returns where a byte stands in the file. Offsets do not decrease from one call to
// the next.
func (p *places) of(utf8 int64) int64 {
	p.pass(int(min(max(utf8-p.utf8, 0), int64(len(p.text)-p.at))))
	return p.utf16
}

// pass goes over n bytes of text.
func (p *places) pass(n int) {
	for _, c := range p.text[p.at : p.at+n] {
		switch {
		case c >= 0xf0:
			p.utf16 += 4 // a surrogate pair
		case c < 0x80 || c >= 0xc0:
			p.utf16 += 2
		}
	}
	p.at += n
	p.utf8 += int64(n)
}

// place returns where in the file stands what is taken at an offset.
func (t *taker) place(offset int64) int64 {
	if t.places == nil {
		return offset
	}
	return t.places.of(offset)
}
