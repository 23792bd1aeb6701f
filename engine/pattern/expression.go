package pattern

import (
	"net/netip"
	"strconv"
	"strings"
)

// expression reads a match expression such as {"prefix": "a"}, whose bracket
// has been read.
func (p *parser) expression() (condition, error) {
	t, err := p.next()
	if err != nil {
		return condition{}, err
	}
	if t != tField {
		return condition{}, p.fail("Match expression name not found")
	}
	switch operator := p.name; operator {
	case "exactly":
		return p.textOnly(kExact, "exact match pattern must be a string")
	case "equals-ignore-case":
		return p.textOnly(kEqualFold, "equals-ignore-case match pattern must be a string")
	case "prefix":
		return p.affix(kPrefix, kPrefixFold, "prefix", "Prefix")
	case "suffix":
		return p.affix(kSuffix, kSuffixFold, "suffix", "Suffix")
	case "wildcard":
		return p.wildcard()
	case "cidr":
		return p.cidr()
	case "exists":
		return p.exists()
	case "numeric":
		return p.numeric()
	case "anything-but":
		return p.anythingBut()
	default:
		return condition{}, p.fail("Unrecognized match type %s", operator)
	}
}

// close reads the bracket that ends an expression.
func (p *parser) close(complaint string) error {
	t, err := p.next()
	if err != nil {
		return err
	}
	if t != tObjectEnd {
		return p.fail("%s", complaint)
	}
	return nil
}

const (
	onlyOneKey      = "Only one key allowed in match expression"
	tooManyElements = "Too many elements in numeric expression"
)

// textOnly reads a string value and the end of the expression.
func (p *parser) textOnly(k kind, complaint string) (condition, error) {
	t, err := p.next()
	if err != nil {
		return condition{}, err
	}
	if t != tString {
		return condition{}, p.fail("%s", complaint)
	}
	text, err := p.string()
	if err != nil {
		return condition{}, err
	}
	return condition{kind: k, text: text}, p.close(onlyOneKey)
}

// affix reads prefix or suffix, plain or {"equals-ignore-case": …}.
func (p *parser) affix(plain, fold kind, name, title string) (condition, error) {
	t, err := p.next()
	if err != nil {
		return condition{}, err
	}
	if t == tString {
		text, err := p.string()
		if err != nil {
			return condition{}, err
		}
		return condition{kind: plain, text: text}, p.close(onlyOneKey)
	}
	if t != tObject {
		return condition{}, p.fail("%s match pattern must be a string", name)
	}
	if t, err = p.next(); err != nil {
		return condition{}, err
	}
	if t != tField {
		return condition{}, p.fail("%s expression name not found", title)
	}
	if p.name != "equals-ignore-case" {
		return condition{}, p.fail("Unsupported %s pattern: %s", name, p.name)
	}
	c, err := p.textOnly(fold, "equals-ignore-case match pattern must be a string")
	if err != nil {
		return condition{}, err
	}
	return c, p.close(onlyOneKey)
}

func (p *parser) wildcard() (condition, error) {
	const complaint = "wildcard match pattern must be a string"
	t, err := p.next()
	if err != nil {
		return condition{}, err
	}
	if t != tString {
		return condition{}, p.fail(complaint)
	}
	text, err := p.string()
	if err != nil {
		return condition{}, err
	}
	if _, reason := wildcardSteps(text); reason != "" {
		return condition{}, p.fail("%s", reason)
	}
	return condition{kind: kWildcard, text: text}, p.close(onlyOneKey)
}

// cidr reads an address block. Its complaints name no place in the pattern,
// nor does the operator in the first: both are so in EventBridge's answers.
func (p *parser) cidr() (condition, error) {
	c, err := p.textOnly(kCIDR, "prefix match pattern must be a string")
	if err != nil {
		return condition{}, err
	}
	ip, mask, ok := strings.Cut(c.text, "/")
	if !ok || mask == "" || strings.Contains(mask, "/") {
		return condition{}, &Error{Reason: "Malformed CIDR, one '/' required"}
	}
	bits, err := strconv.Atoi(mask)
	if err != nil {
		return condition{}, &Error{Reason: "Malformed CIDR, mask bits must be an integer"}
	}
	if bits < 0 {
		return condition{}, &Error{Reason: "Malformed CIDR, mask bits must not be negative"}
	}
	if !looksLikeAddress(ip) {
		return condition{}, &Error{Reason: "Nonstandard IP address: " + ip}
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return condition{}, &Error{Reason: "Invalid IP address: " + ip}
	}
	if addr.Is4() && bits > 31 {
		return condition{}, &Error{Reason: "IPv4 mask bits must be < 32"}
	}
	if bits > 127 {
		return condition{}, &Error{Reason: "IPv6 mask bits must be < 128"}
	}
	return condition{kind: kCIDR, block: netip.PrefixFrom(addr, bits).Masked()}, nil
}

// address reads a string as a single address.
func address[T string | []byte](s T) (netip.Prefix, bool) {
	if len(s) < 2 || len(s) > 39 || !looksLikeAddress(s) {
		return netip.Prefix{}, false
	}
	a, err := netip.ParseAddr(string(s))
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// looksLikeAddress is the shape EventBridge demands before it reads an address:
// four decimal numbers, or hexadecimal digits and colons.
func looksLikeAddress[T string | []byte](s T) bool {
	dots, colons, hex := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			dots++
		case c == ':':
			colons++
		case c >= '0' && c <= '9':
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			hex++
		default:
			return false
		}
	}
	return dots == 3 && colons == 0 && hex == 0 || dots == 0 && colons > 0
}

func (p *parser) exists() (condition, error) {
	t, err := p.next()
	if err != nil {
		return condition{}, err
	}
	switch t {
	case tTrue:
		return condition{kind: kExists}, p.close(onlyOneKey)
	case tFalse:
		return condition{kind: kAbsent}, p.close(onlyOneKey)
	}
	return condition{}, p.fail("exists match pattern must be either true or false.")
}

// numeric reads ["=", 1], [">", 0] or [">", 0, "<=", 5].
func (p *parser) numeric() (condition, error) {
	t, err := p.next()
	if err != nil {
		return condition{}, err
	}
	if t != tArray {
		return condition{}, p.fail("Value of numeric must be an array.")
	}
	c, err := p.comparison()
	if err != nil {
		return condition{}, err
	}
	return c, p.close(tooManyElements)
}

func (p *parser) comparison() (condition, error) {
	t, err := p.next()
	if err != nil {
		return condition{}, err
	}
	operator, err := p.word(t)
	if err != nil {
		return condition{}, err
	}
	if t != tString {
		return condition{}, p.fail("Invalid member in numeric match: %s", operator)
	}
	name := operator
	switch operator {
	case "=":
		name = "equals"
	case ">=", ">", "<=", "<":
	default:
		if _, err := p.next(); err != nil {
			return condition{}, err
		}
		return condition{}, p.fail("Unrecognized numeric range operator: %s", operator)
	}
	v, err := p.bound(name)
	if err != nil {
		return condition{}, err
	}
	if t, err = p.next(); err != nil {
		return condition{}, err
	}
	if t == tArrayEnd {
		return rangeOf(operator, v), nil
	}
	if operator != ">" && operator != ">=" {
		return condition{}, p.fail(tooManyElements)
	}
	return p.upper(t, rangeOf(operator, v))
}

// upper reads the second half of a range.
func (p *parser) upper(t token, lower condition) (condition, error) {
	operator, err := p.word(t)
	if err != nil {
		return condition{}, err
	}
	if t != tString {
		return condition{}, p.fail("Bad value in numeric range: %s", operator)
	}
	if operator != "<" && operator != "<=" {
		return condition{}, p.fail("Bad numeric range operator: %s", operator)
	}
	v, err := p.bound(operator)
	if err != nil {
		return condition{}, err
	}
	if t, err = p.next(); err != nil {
		return condition{}, err
	}
	if t != tArrayEnd {
		return condition{}, p.fail("Too many terms in numeric range expression")
	}
	if v <= lower.low&^1 {
		return condition{}, p.fail("Bottom must be less than top")
	}
	lower.high = rangeOf(operator, v).high
	return lower, nil
}

func rangeOf(operator string, v int64) condition {
	switch operator {
	case "=":
		return condition{kind: kNumber, low: v, high: v}
	case ">":
		return condition{kind: kRange, low: v + 1, high: maxNumber}
	case ">=":
		return condition{kind: kRange, low: v, high: maxNumber}
	case "<":
		return condition{kind: kRange, low: -maxNumber, high: v - 1}
	}
	return condition{kind: kRange, low: -maxNumber, high: v}
}

// bound reads a number of a numeric expression.
func (p *parser) bound(name string) (int64, error) {
	t, err := p.next()
	if err != nil {
		return 0, err
	}
	if t != tNumber {
		return 0, p.fail("Value of %s must be numeric", name)
	}
	v, reason := comparable6(p.text)
	if reason != "" {
		return 0, p.fail("%s", reason)
	}
	return v, nil
}

// comparable6 reads a number as patterns may give it.
func comparable6(text string) (v int64, reason string) {
	v, exact, ok := number(text)
	if !ok {
		return 0, "Value must be between -5.0E9 and 5.0E9, inclusive"
	}
	if !exact {
		return 0, "Only values upto 6 decimals are supported"
	}
	return v, ""
}
