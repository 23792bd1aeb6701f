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
	if req.Resource != "" {
		s.WriteString(" on resource: " + req.Resource)
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
		if assumesRole(req.Action) {
			return "role trust policy"
		}
		return "resource-based policy"
	}
	return "identity-based policy"
}

// named adds the ARN of the denying policy, as AWS does within an account for
// policies that have one.
func (d Decision) named(req *Request) string {
	own := req.ResourceAccount == "" || req.Principal != nil && req.ResourceAccount == req.Principal.Account
	if !own || d.By == ByResource || !strings.HasPrefix(d.Source(), "arn:") {
		return ""
	}
	return ": " + d.Source()
}
