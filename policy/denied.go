package policy

import (
	"strings"

	"sumun.dev/aws"
)

// Sentence says in AWS's words why d denies req: the message of an AccessDenied
// error. IAM User Guide, "Troubleshoot access denied error messages".
func (d Decision) Sentence(req *Request) string {
	var s strings.Builder
	s.WriteString("User: " + caller(req.Principal) + " is not authorized to perform: " + req.Action)
	if d.hiddenKey(req) {
		s.WriteString(" on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access")
		return s.String()
	}
	if shown := resourceShown(req); shown != "" {
		s.WriteString(" on resource: " + shown)
	}
	if d.Outcome == ExplicitDeny {
		s.WriteString(" with an explicit deny in " + d.policyName() + d.named(req))
		return s.String()
	}
	s.WriteString(" because no " + d.lacking(req) + " allows the " + req.Action + " action")
	return s.String()
}

// caller is how AWS prints who asks.
func caller(p *aws.Principal) string {
	switch {
	case p.IsZero():
		return "anonymous"
	case p.ARN.IsZero():
		return p.Name
	}
	return p.ARN.String()
}

// hiddenKey reports whether KMS keeps back what decided: the policy of another
// account's key, or that there is no such key. KMS Developer Guide,
// "Troubleshooting key access".
func (d Decision) hiddenKey(req *Request) bool {
	return d.By == ByResource && !sameAccount(req) && strings.HasPrefix(req.Action, "kms:")
}

// resourceShown is what follows "on resource:"; empty for services that leave it
// out of sentences about actions without resource-level permissions.
func resourceShown(req *Request) string {
	service, _, _ := strings.Cut(req.Action, ":")
	if service == "secretsmanager" && req.Context != nil {
		// The secret as the caller named it: its ARN ends in characters that say
		// whether there is such a secret.
		for _, key := range []string{"secretsmanager:secretid", "secretsmanager:name"} {
			if named := req.Context.Lookup(key); named.count() == 1 {
				return named.at(0)
			}
		}
	}
	if req.Resource != "*" {
		return req.Resource
	}
	switch service {
	case "acm", "cloudtrail", "ec2", "kms", "s3", "secretsmanager":
		return ""
	}
	return req.Resource
}

func sameAccount(req *Request) bool {
	return req.ResourceAccount == "" || req.Principal != nil && req.ResourceAccount == req.Principal.Account
}

// sameOrganization reports whether the caller and the resource belong to one
// organisation.
func sameOrganization(req *Request) bool {
	if req.Context == nil {
		return false
	}
	mine, theirs := req.Context.Lookup("aws:principalorgid"), req.Context.Lookup("aws:resourceorgid")
	return mine.count() == 1 && theirs.count() == 1 && mine.at(0) == theirs.at(0)
}

// policyName names the type of the denying policy.
func (d Decision) policyName() string {
	switch d.By {
	case BySCP:
		return "a service control policy"
	case ByRCP:
		return "a resource control policy"
	case ByEndpoint:
		return "a VPC endpoint policy"
	case ByBoundary:
		return "a permissions boundary"
	case BySession:
		return "a session policy"
	case ByIdentity:
		return "an identity-based policy"
	}
	if d.Policy != nil && d.Policy.Kind == Trust {
		return "the role trust policy"
	}
	return "a resource-based policy"
}

// lacking names the type of policy that would have had to allow. AWS has no
// words for a missing Allow in an RCP, since RCPFullAWSAccess cannot be
// detached; ours follow the pattern.
func (d Decision) lacking(req *Request) string {
	switch d.By {
	case BySCP:
		return "service control policy"
	case ByRCP:
		return "resource control policy"
	case ByEndpoint:
		return "VPC endpoint policy"
	case ByBoundary:
		return "permissions boundary"
	case BySession:
		return "session policy"
	case ByResource:
		if trusts(req.Action) {
			return "role trust policy"
		}
		return "resource-based policy"
	}
	return "identity-based policy"
}

// trusts reports whether action is one that role trust policies are about: those
// that assume, and three that go along to pass tags, a source identity, a context.
func trusts(action string) bool {
	return assumes(action) || strings.EqualFold(action, "sts:TagSession") ||
		strings.EqualFold(action, "sts:SetSourceIdentity") || strings.EqualFold(action, "sts:SetContext")
}

// named adds the ARN of the denying policy, as AWS does within an account or an
// organisation for policies that have one.
func (d Decision) named(req *Request) string {
	switch d.By {
	case BySCP, ByRCP, ByIdentity, ByBoundary, BySession:
		if strings.HasPrefix(d.Source(), "arn:") && (sameAccount(req) || sameOrganization(req)) {
			return ": " + d.Source()
		}
	}
	return ""
}
