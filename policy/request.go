package policy

import (
	"strings"

	"sumun.dev/aws"
)

// A Request is what is asked of the policies.
type Request struct {
	Principal *aws.Principal // nil or zero means anonymous

	// Action is what is to be done, "route53resolver:UpdateFirewallDomains".
	Action string

	// Resource is the ARN of what it is done to; "*" or empty for an action
	// without resource-level permissions, which only Resource "*" covers.
	Resource string

	// ResourceAccount owns the resource; empty means the principal's own account.
	ResourceAccount aws.Account

	// CanonicalID is the canonical user ID of the principal's account, which only
	// S3 knows: a CanonicalUser in a bucket policy or ACL names the account by it.
	CanonicalID string

	// AWSManagedKey says that the resource is a KMS key of AWS's own ("aws/s3"),
	// which resource control policies do not concern.
	AWSManagedKey bool

	// Context answers for condition keys; nil has none. Keys that follow from
	// Principal (aws:PrincipalArn, aws:userid, aws:PrincipalTag/…) and from
	// ResourceAccount (aws:ResourceAccount) are answered without it, but what
	// Context says about them comes first.
	Context Context
}

// A Context says what a request carries for each condition key.
type Context interface {
	// Lookup returns the value of a condition key, or the zero Value when the
	// request has none. key is in lower case, tag keys included
	// ("aws:requesttag/team"), since condition keys ignore case.
	Lookup(key string) Value
}

// Values returns what the request carries for a condition key, in any case, with
// what follows from its principal; nil when it has no such key.
func (r *Request) Values(key string) []string {
	var e evaluation
	e.init(r, &Policies{})
	v := e.lookup(strings.ToLower(key))
	if v.count() == 0 {
		return nil
	}
	return v.strings()
}

// A Map is a Context of values that are already there. Its keys are in lower case.
type Map map[string]Value

// MapOf makes a Map from condition keys in any case.
func MapOf(values map[string][]string) Map {
	m := make(Map, len(values))
	for key, vs := range values {
		lower := strings.ToLower(key)
		if _, twice := m[lower]; twice {
			m[lower] = Ambiguous()
			continue
		}
		m[lower] = Texts(vs)
	}
	return m
}

// Lookup returns the value of key.
func (m Map) Lookup(key string) Value { return m[key] }

// Tag looks up the tag called name, in any case, for keys such as
// aws:ResourceTag/name. Two tags that differ only by case and value make an
// Ambiguous value. IAM User Guide, "Controlling access using tags".
func Tag(tags map[string]string, name string) Value {
	var found Value
	for key, value := range tags {
		if !strings.EqualFold(key, name) {
			continue
		}
		if found.Present() && found.text != value {
			return Ambiguous()
		}
		found = Text(value)
	}
	return found
}
