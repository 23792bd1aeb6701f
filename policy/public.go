package policy

import (
	"net/netip"
	"slices"
	"strings"
)

// public reports whether a statement lets everyone in: an Allow for "*" that no
// condition holds to fixed values. S3 User Guide, "The meaning of 'public'".
func (s *Statement) public() bool {
	return !s.Deny && s.principals != nil && s.principals.everyone && !slices.ContainsFunc(s.conditions, condition.narrows)
}

// narrowing are the keys whose fixed values make an audience known.
var narrowing = [...]string{
	"aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:principalservicename",
	"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid",
	"s3:dataaccesspointaccount", "s3:dataaccesspointarn", "s3:x-amz-server-side-encryption-aws-kms-key-id",
}

// narrows reports whether the condition leaves only a known audience.
func (c condition) narrows() bool {
	if c.negated || c.ifExists || c.quantifier == forAllValues || len(c.values) == 0 {
		return false
	}
	if c.family == ipFamily {
		return c.key == "aws:sourceip" && !slices.ContainsFunc(c.networks, wide)
	}
	if !slices.Contains(narrowing[:], c.key) {
		return false
	}
	switch c.family {
	case stringFamily, foldFamily:
		return !slices.ContainsFunc(c.patterns, func(p pattern) bool { return p.mode != exactly })
	case likeFamily, arnFamily:
		return !slices.ContainsFunc(c.values, c.open)
	}
	return false
}

// open reports whether a value with wildcards or variables is met by strangers.
// An access point may be any of a fixed account's.
func (c condition) open(value string) bool {
	if parts := strings.SplitN(value, ":", 6); c.key == "s3:dataaccesspointarn" && len(parts) == 6 {
		value = parts[4]
	}
	return value == "" || strings.ContainsAny(value, "*?") || strings.Contains(value, "${")
}

// wide reports whether a network is so large that it counts as everyone: more
// than a /8, of IPv6 more than a /32, private addresses aside.
func wide(n netip.Prefix) bool {
	if n.Addr().Is4() {
		return n.Bits() < 8
	}
	return n.Bits() < 32 && (n.Bits() < 7 || !n.Addr().IsPrivate())
}
