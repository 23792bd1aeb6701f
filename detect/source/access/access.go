// Package access reads access logs: those of load balancers and of S3, and the log of WAF.
package access

import (
	"bytes"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Bounds of a line.
const (
	maxLine   = 256 << 10 // bytes
	maxFields = 64
)

var (
	errSize   = errors.New("the line is longer than 256 KiB")
	errFields = errors.New("access log: too few or too many fields")
)

// split takes a line apart at its spaces; quotes and brackets hold together what
// lies between. A quote ends where a space or the line's end follows, and no
// backslash stands before it: clients put quotes into their names.
func split(line []byte) ([]string, error) {
	if len(line) > maxLine {
		return nil, errSize
	}
	var out []string
	for len(line) > 0 {
		if line[0] == ' ' {
			line = line[1:]
			continue
		}
		if len(out) == maxFields {
			return nil, errFields
		}
		var field []byte
		switch line[0] {
		case '"':
			field, line = quoted(line[1:])
		case '[':
			i := bytes.IndexByte(line, ']')
			if i < 0 {
				return nil, errors.New("access log: a bracket without its end")
			}
			field, line = line[1:i], line[i+1:]
		default:
			field, line, _ = bytes.Cut(line, []byte(" "))
		}
		out = append(out, strings.ToValidUTF8(string(field), "\ufffd"))
	}
	return out, nil
}

func quoted(b []byte) (field, rest []byte) {
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '\\':
			i++
		case b[i] == '"' && (i+1 == len(b) || b[i+1] == ' '):
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}

// known is a field's value; "" for "-", by which logs say that there is none.
func known(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

// whole reads a number; 0 when there is none.
func whole(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return 0
	}
	return n
}

func status(s string) int { return int(min(whole(s), 999)) }

// hostPort reads "address:port"; what it cannot read is not known.
func hostPort(s string) (netip.Addr, uint16) {
	if a, err := netip.ParseAddrPort(s); err == nil {
		return a.Addr().Unmap(), a.Port()
	}
	i := strings.LastIndexByte(s, ':') // classic load balancers write IPv6 without brackets
	if i < 0 {
		return netip.Addr{}, 0
	}
	a, err := netip.ParseAddr(s[:i])
	if err != nil {
		return netip.Addr{}, 0
	}
	return a.Unmap(), uint16(min(whole(s[i+1:]), 65535))
}

func moment(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil { // of network load balancers, whose times are UTC and do not say so
		t, err = time.Parse("2006-01-02T15:04:05", s)
	}
	return t.UTC(), err
}
