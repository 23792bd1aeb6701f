package policy

import (
	"encoding/base64"
	"math/big"
	"net/netip"
	"strconv"
	"time"

	"sumun.dev/aws"
)

type valueKind uint8

const (
	absent valueKind = iota
	text
	texts
	arnValue
	date
	number
	address
	ambiguous
)

// A Value is what a request says about one condition key. The zero Value says
// that the request has no such key. Typed values spare the evaluator parsing
// and printing; each can be read as text too.
type Value struct {
	kind valueKind
	text string
	list []string
	arn  *aws.ARN
	n    int64 // a number, or microseconds since 1970, so that the year 9999 fits
	addr netip.Addr
}

// Text is a value of one string.
func Text(s string) Value { return Value{kind: text, text: s} }

// Texts is a value of many strings; an empty list is the same as no value.
// IAM User Guide, "Multivalued context keys".
func Texts(list []string) Value {
	if len(list) == 0 {
		return Value{}
	}
	return Value{kind: texts, list: list}
}

// Bool is "true" or "false".
func Bool(b bool) Value {
	if b {
		return Text("true")
	}
	return Text("false")
}

// Number is a whole number.
func Number(n int64) Value { return Value{kind: number, n: n} }

// Date is an instant.
func Date(t time.Time) Value { return Value{kind: date, n: t.UnixMicro()} }

// IP is an address.
func IP(a netip.Addr) Value {
	if !a.IsValid() {
		return Value{}
	}
	return Value{kind: address, addr: a}
}

// ARN is the name of a resource or principal. It keeps a, which must not change.
func ARN(a *aws.ARN) Value {
	if a == nil || a.IsZero() {
		return Value{}
	}
	return Value{kind: arnValue, arn: a}
}

// Ambiguous is the value of a key that a request carries twice with different
// values (tags that differ only by case). It satisfies every condition of a
// Deny statement and none of an Allow statement.
func Ambiguous() Value { return Value{kind: ambiguous} }

// Present reports whether the request has the key at all.
func (v Value) Present() bool { return v.kind != absent }

// count is how many strings the value holds.
func (v *Value) count() int {
	switch v.kind {
	case absent, ambiguous:
		return 0
	case texts:
		return len(v.list)
	}
	return 1
}

// at returns the i-th string.
func (v *Value) at(i int) string {
	switch v.kind {
	case texts:
		return v.list[i]
	case arnValue:
		return v.arn.String()
	case date:
		return time.UnixMicro(v.n).UTC().Format(time.RFC3339)
	case number:
		return strconv.FormatInt(v.n, 10)
	case address:
		return v.addr.String()
	}
	return v.text
}

// strings returns all strings, for people to read.
func (v *Value) strings() []string {
	out := make([]string, 0, v.count())
	for i := range v.count() {
		out = append(out, v.at(i))
	}
	return out
}

// instant reads the i-th string as a date.
func (v *Value) instant(i int) (int64, bool) {
	switch v.kind {
	case date:
		return v.n, true
	case number:
		return time.Unix(v.n, 0).UnixMicro(), true
	}
	return parseDate(v.at(i))
}

// ip reads the i-th string as an address.
func (v *Value) ip(i int) (netip.Addr, bool) {
	if v.kind == address {
		return v.addr.WithZone(""), true
	}
	a, err := netip.ParseAddr(v.at(i))
	return a, err == nil && a.Zone() == ""
}

// decimal reads the i-th string as a number. A whole number comes back as
// itself, anything else as a big rational, since floats would make
// 0.1 + 0.2 style mistakes in a policy.
func (v *Value) decimal(i int) (quantity, bool) {
	switch v.kind {
	case number:
		return quantity{whole: v.n}, true
	case date:
		return quantity{whole: time.UnixMicro(v.n).Unix()}, true
	}
	return parseQuantity(v.at(i))
}

// A quantity is a decimal number: whole, unless exact is set.
type quantity struct {
	whole int64
	exact *big.Rat
}

// maxNumber bounds the digits of a number, so that "1e999999999" costs nothing.
const maxNumber = 64

func parseQuantity(s string) (quantity, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return quantity{whole: n}, true
	}
	if s == "" || len(s) > maxNumber {
		return quantity{}, false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' {
			return quantity{}, false
		}
	}
	r, ok := new(big.Rat).SetString(s)
	return quantity{exact: r}, ok
}

func (q quantity) rat() *big.Rat {
	if q.exact != nil {
		return q.exact
	}
	return new(big.Rat).SetInt64(q.whole)
}

func (q quantity) compare(o quantity) int {
	if q.exact == nil && o.exact == nil {
		switch {
		case q.whole < o.whole:
			return -1
		case q.whole > o.whole:
			return 1
		}
		return 0
	}
	return q.rat().Cmp(o.rat())
}

// dateForms are the W3C profiles of ISO 8601 that date conditions take.
// IAM User Guide, "Date condition operators".
var dateForms = [...]string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02", "2006-01", "2006",
}

// maxSeconds keeps an instant in microseconds within an int64.
const maxSeconds = 1 << 42

// parseDate reads an ISO 8601 date or seconds since 1970. Four digits are a year.
func parseDate(s string) (int64, bool) {
	for _, form := range dateForms {
		if t, err := time.Parse(form, s); err == nil {
			return t.UnixMicro(), true
		}
	}
	seconds, err := strconv.ParseInt(s, 10, 64)
	if err != nil || seconds > maxSeconds || seconds < -maxSeconds {
		return 0, false
	}
	return seconds * 1e6, true
}

// parseNetwork reads an address or a CIDR block.
func parseNetwork(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

func parseBinary(s string) ([]byte, bool) {
	b, err := base64.StdEncoding.DecodeString(s)
	return b, err == nil
}
