package lint

import (
	"encoding/base64"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"sumun.dev/policy/facts"
)

// typeWords say what a key holds and which family of operators compares it.
var typeWords = map[string][2]string{
	"String": {"strings", "String"}, "ARN": {"ARNs", "Arn"}, "Bool": {"true or false", "Bool"}, "Numeric": {"numbers", "Numeric"},
	"Date": {"dates", "Date"}, "IPAddress": {"addresses", "IP"},
}

var familyWords = map[string]string{
	"String": "strings", "Arn": "ARNs", "Bool": "booleans", "Numeric": "numbers", "Date": "dates", "IP": "addresses", "Binary": "bytes",
}

// values checks what a key is compared with.
func (l *linter) values(c conditionNode, o operator, f *facts.KeyFacts) {
	all := c.values.list()
	l.typed(c, o, f)
	switch {
	case (o.family == "Bool" || o.family == "Null") && len(all) > 1:
		l.add("INVALID_CONDITION_MULTIPLE_BOOLEAN", c.values, o.base)
	case !o.many && len(all) > 1:
		l.add("REDUNDANT_CONDITION_VALUE_NUM", c.values, o.base)
	}
	for _, v := range all {
		if !l.want(v, "A string, a number or a boolean", '"', '0', 't', 'f') {
			continue
		}
		if strings.Contains(v.text, "${") && o.family != "String" && o.family != "Arn" {
			l.add("INVALID_VARIABLE_FOR_OPERATOR", v, o.base)
			continue
		}
		if !l.variable("Condition", v) {
			continue
		}
		l.value(c, o, f, v)
	}
	if o.family == "IP" && strings.EqualFold(c.key, "aws:SourceIp") {
		l.private(c, o)
	}
}

// typed compares the type of a key with its operator. Strings compare anything but
// what has a form of its own.
func (l *linter) typed(c conditionNode, o operator, f *facts.KeyFacts) {
	if f == nil || o.family == "Null" {
		return
	}
	holds, known := typeWords[strings.TrimPrefix(f.Type, "ArrayOf")]
	if !known || holds[1] == o.family {
		return
	}
	switch {
	case holds[1] == "Arn" && o.family == "String":
		if o.like {
			l.add("STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS", c.at, o.base, c.key)
		}
	case holds[1] == "String" && o.family == "Arn": // some hold ARNs of more than one form
	case holds[1] == "Date" && o.family == "Numeric": // seconds since 1970
	case holds[1] == "Bool" && o.family == "String": // true and false are compared as they are
	default:
		l.add("TYPE_MISMATCH", c.at, o.base, familyWords[o.family], c.key, holds[0])
	}
}

var (
	vpcForm  = regexp.MustCompile(`^vpc-([0-9a-f]{8}|[0-9a-f]{17})$`)
	vpceForm = regexp.MustCompile(`^vpce-([0-9a-f]{8}|[0-9a-f]{17})$`)
)

func (l *linter) value(c conditionNode, o operator, f *facts.KeyFacts, v *node) {
	key, plain := strings.ToLower(c.key), !strings.Contains(v.text, "${")
	switch o.family {
	case "Bool", "Null":
		if !strings.EqualFold(v.text, "true") && !strings.EqualFold(v.text, "false") {
			l.add("TYPE_MISMATCH_BOOLEAN", v, o.base, v.text)
		}
	case "Numeric":
		if _, err := strconv.ParseFloat(v.text, 64); err != nil || strings.ContainsAny(v.text, "xXpPnN_") {
			l.add("TYPE_MISMATCH_NUMBER", v, o.base, v.text)
		}
	case "Date":
		l.date(o, v)
	case "Binary":
		if _, err := base64.StdEncoding.DecodeString(v.text); err != nil {
			l.add("TYPE_MISMATCH_STRING", v, o.base, v.text)
		}
	case "IP":
		l.network(o, v)
	case "String", "Arn":
		switch {
		case o.like && v.text == "*" && o.negated && !o.ifExists && o.qualifier == "":
			l.add("EQUIVALENT_TO_NULL_TRUE", v, c.key)
		case o.like && v.text == "*" && !o.negated && !o.ifExists && o.qualifier == "":
			l.add("EQUIVALENT_TO_NULL_FALSE", v, c.key)
		case !o.like && wild(v.text) && plain && (f == nil || f.Type != "Bool"):
			l.add("WILDCARD_WITHOUT_LIKE_OPERATOR", v, o.base, v.text)
		case key == "aws:sourcevpc" && !wild(v.text) && plain && !vpcForm.MatchString(v.text):
			l.add("INVALID_VPC_FORMAT", v, v.text)
		case key == "aws:sourcevpce" && !wild(v.text) && plain && !vpceForm.MatchString(v.text):
			l.add("INVALID_VPCE_FORMAT", v, v.text)
		}
	}
}

func (l *linter) date(o operator, v *node) {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02", "2006-01", "2006"} {
		if _, err := time.Parse(form, v.text); err == nil {
			return
		}
	}
	seconds, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil {
		l.add("TYPE_MISMATCH_DATE", v, o.base, v.text)
		return
	}
	l.add("INVALID_DATE_VALUE", v, o.base, time.Unix(seconds, 0).UTC().Format(time.RFC3339))
}

func (l *linter) network(o operator, v *node) {
	p, err := netip.ParsePrefix(v.text)
	if err == nil && p.Masked() != p {
		l.add("IMPROVE_IP_RANGE", v, v.text, p.Masked())
	}
	if err == nil {
		return
	}
	if a, err := netip.ParseAddr(v.text); err != nil || a.Zone() != "" {
		l.add("TYPE_MISMATCH_IP_RANGE", v, o.base, v.text)
	}
}

// private finds addresses that aws:SourceIp never has.
func (l *linter) private(c conditionNode, o operator) {
	var private []*node
	all := c.values.list()
	for _, v := range all {
		p, err := netip.ParsePrefix(v.text)
		if err != nil {
			a, err := netip.ParseAddr(v.text)
			if err != nil {
				continue
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		// A block is private when it lies in a private one.
		if p.Addr().IsPrivate() && p.Bits() >= 7 && (p.Addr().Is6() || p.Bits() >= 8) {
			private = append(private, v)
		}
	}
	code := "PRIVATE_IP_ADDRESS"
	if o.negated {
		code = "PRIVATE_NOT_IP_ADDRESS"
	}
	if len(private) > 0 && len(private) == len(all) {
		l.add(code, c.at)
		return
	}
	for _, v := range private {
		l.add(code+"_SUBSET", v, v.text)
	}
}
