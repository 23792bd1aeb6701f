package flow

import (
	"bytes"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect/record"
	"sumun.dev/detect/source/scan"
)

// standardColumns is how many columns the default format has.
const standardColumns = 14

// standard reads a line of the default format in one go, as nearly all lines of such a
// log are: addresses of IPv4, and traffic that was recorded. It returns nil for any
// other line, with which nothing need be wrong.
func (r *Reader) standard(b []byte) *record.Record {
	if n := len(b); n > 0 && b[n-1] == '\n' {
		b = b[:n-1]
	}
	if len(b) < 2 || b[0] < '2' || b[0] > '5' || b[1] != ' ' {
		return nil
	}
	owner, i := r.word(b, 2, account)
	if i != 2+len("111122223333 ") {
		return nil
	}
	face, i := r.word(b, i, iface)
	from, i := scan.IPv4(b, i)
	to, i := scan.IPv4(b, space(b, i))
	fromPort, i := digit(b, space(b, i))
	toPort, i := digit(b, i)
	kind, i := digit(b, i)
	count, i := digit(b, i)
	size, i := digit(b, i)
	began, i := digit(b, i)
	ended, i := digit(b, i)
	if i < 0 || fromPort > 1<<16-1 || toPort > 1<<16-1 || kind > 1<<8-1 || count > 1<<63-1 || size > 1<<63-1 || began > last || ended > last {
		return nil
	}
	rejected := string(b[i:]) == "REJECT OK"
	if !rejected && string(b[i:]) != "ACCEPT OK" {
		return nil
	}
	rec := r.again.Flow()
	f := rec.Flow
	f.Version, f.Interface, f.Status, f.Rejected = int(b[0]-'0'), face, "OK", rejected
	f.Src, f.Dst, f.SrcPort, f.DstPort, f.Protocol = from, to, uint16(fromPort), uint16(toPort), uint8(kind)
	f.Packets, f.Bytes = count, size
	f.Start, f.End = time.Unix(int64(began), 0).UTC(), time.Unix(int64(ended), 0).UTC()
	rec.Time, rec.Account = f.Start, aws.Account(owner)
	return rec
}

// none is the place behind what is not there.
const none = -1

// word reads what tells one account or interface from others, and returns the place
// behind the space that ends it. Most lines say the same as one before.
func (r *Reader) word(b []byte, i int, column field) (string, int) {
	if i < 0 {
		return "", none
	}
	if s := r.last[column]; s != "" && len(b)-i > len(s) && b[i+len(s)] == ' ' && string(b[i:i+len(s)]) == s {
		return s, i + len(s) + 1
	}
	end := bytes.IndexByte(b[i:min(len(b), i+maxText+1)], ' ')
	if end < 1 || b[i] == '-' || column == account && !digits(b[i:i+end]) {
		return "", none
	}
	r.last[column] = r.again.ids.Of(b[i : i+end])
	return r.last[column], i + end + 1
}

// space goes over a space.
func space(b []byte, i int) int {
	if i < 0 || i >= len(b) || b[i] != ' ' {
		return none
	}
	return i + 1
}

// digit reads a number of up to 19 digits and the space behind it.
func digit(b []byte, i int) (n uint64, next int) {
	if i < 0 {
		return 0, none
	}
	from := i
	for ; i < len(b); i++ {
		c := b[i] - '0'
		if c > 9 {
			break
		}
		n = n*10 + uint64(c)
	}
	if i == from || i-from > 19 || i == len(b) || b[i] != ' ' {
		return 0, none
	}
	return n, i + 1
}
