package dns

import "encoding/binary"

// Header bits and response codes that the hot path names (RFC 1035, 4.1.1; RFC 6895).
const (
	flagQR = 1 << 15
	flagAA = 1 << 10
	flagTC = 1 << 9
	flagRD = 1 << 8
	flagRA = 1 << 7
	flagCD = 1 << 4

	opcodeMask = 0x7800
)

// Response codes.
const (
	Success        = 0
	FormatError    = 1
	ServerFailure  = 2
	NameError      = 3 // NXDOMAIN
	NotImplemented = 4
	Refused        = 5
	BadVersion     = 16 // EDNS, RFC 6891
)

// Types and classes that the hot path names.
const (
	TypeA     = 1
	TypeCNAME = 5
	TypeSOA   = 6
	TypeHINFO = 13
	TypeAAAA  = 28
	TypeOPT   = 41
	TypeIXFR  = 251
	TypeAXFR  = 252
	TypeANY   = 255

	ClassIN = 1
)

const headerSize = 12

// A Query is a question as received, read without allocation. The zero Query
// is ready for Parse, and may be used again.
type Query struct {
	ID    uint16
	flags uint16
	Type  uint16
	Class uint16

	buf     [MaxName]byte
	size    int // of the name
	msg     []byte
	EDNS    bool
	DO      bool   // DNSSEC records wanted (RFC 3225)
	UDPSize uint16 // what the asker can receive; 512 without EDNS
}

// Name returns the name asked for, in lower case. It is valid until the next Parse.
func (q *Query) Name() Name { return Name(q.buf[:q.size]) }

// question returns the question as the asker spelled it.
func (q *Query) question() []byte { return q.msg[headerSize : headerSize+q.size+4] }

// RD reports whether recursion is desired.
func (q *Query) RD() bool { return q.flags&flagRD != 0 }

// CD reports whether the asker disabled validation.
func (q *Query) CD() bool { return q.flags&flagCD != 0 }

// Parse reads msg, which q refers to until the next Parse. It returns Success,
// or the response code to refuse with. It reports false when there must be no
// answer at all: the message is shorter than a header, or itself a response
// (answering those lets two servers talk forever).
func (q *Query) Parse(msg []byte) (rcode int, answer bool) {
	q.msg, q.size, q.EDNS, q.DO, q.UDPSize = msg, 0, false, false, 512
	if len(msg) < headerSize {
		return FormatError, false
	}
	q.ID = binary.BigEndian.Uint16(msg)
	q.flags = binary.BigEndian.Uint16(msg[2:])
	if q.flags&flagQR != 0 {
		return FormatError, false
	}
	if q.flags&opcodeMask != 0 {
		return NotImplemented, true
	}
	counts := binary.BigEndian.Uint64(msg[4:])
	if counts>>16 != 1<<32 { // one question, no answers, no authority
		return FormatError, true
	}
	size, err := readName(&q.buf, msg[headerSize:])
	if err != nil || len(msg) < headerSize+size+4 {
		return FormatError, true
	}
	q.size = size
	after := msg[headerSize+size:]
	q.Type = binary.BigEndian.Uint16(after)
	q.Class = binary.BigEndian.Uint16(after[2:])
	return q.additional(after[4:], int(counts&0xffff)), true
}

// additional reads the additional section, of which only the OPT record
// matters. At most one OPT is allowed (RFC 6891, 6.1.1).
func (q *Query) additional(b []byte, count int) int {
	if count > 8 {
		return FormatError
	}
	rcode := Success
	for range count {
		nameSize, ok := skipName(b)
		if !ok || len(b) < nameSize+10 {
			return FormatError
		}
		rr := b[nameSize:]
		dataSize := int(binary.BigEndian.Uint16(rr[8:]))
		if len(rr) < 10+dataSize {
			return FormatError
		}
		if binary.BigEndian.Uint16(rr) == TypeOPT {
			if q.EDNS || nameSize != 1 {
				return FormatError
			}
			q.EDNS = true
			q.UDPSize = max(512, binary.BigEndian.Uint16(rr[2:]))
			q.DO = rr[6]&0x80 != 0
			if rr[5] != 0 {
				rcode = BadVersion
			}
		}
		b = rr[10+dataSize:]
	}
	return rcode
}

// skipName returns the size of the name at the start of b, compressed or not.
func skipName(b []byte) (int, bool) {
	for i := 0; i < len(b) && i <= MaxName; {
		switch c := int(b[i]); {
		case c == 0:
			return i + 1, true
		case c >= 0xc0:
			return i + 2, i+2 <= len(b)
		case c > 63:
			return 0, false
		default:
			i += 1 + c
		}
	}
	return 0, false
}
