package gateway

import (
	"net/http"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/wire"
)

// denied is the one place that says why policies refuse a call.
// IAM User Guide, "Troubleshoot access denied error messages".
func denied(c *aws.Call, about *wire.Meta, t *wire.Touch, d policy.Decision) *aws.Error {
	sentence := "User: " + subject(c.Principal) + " is not authorized to perform: " + t.Action + " on resource: " + resourceOf(t) + " " + because(t, d)
	switch {
	case about.Service.EndpointPrefix == "s3":
		return &aws.Error{Code: "AccessDenied", Status: http.StatusForbidden, Message: sentence}
	case about.Service.Protocols[0] == wire.EC2:
		return &aws.Error{Code: "UnauthorizedOperation", Status: http.StatusForbidden, Message: "You are not authorized to perform this operation. " + sentence}
	case about.Service.Protocols[0] == wire.JSON, about.Service.Protocols[0] == wire.CBOR:
		return &aws.Error{Code: "AccessDeniedException", Status: http.StatusBadRequest, Message: sentence}
	case about.Service.Protocols[0] == wire.RestJSON:
		return &aws.Error{Code: "AccessDeniedException", Status: http.StatusForbidden, Message: sentence}
	}
	return &aws.Error{Code: "AccessDenied", Status: http.StatusForbidden, Message: sentence}
}

func subject(p *aws.Principal) string {
	switch {
	case p.IsZero():
		return "anonymous"
	case p.Kind == aws.Service:
		return p.Name
	}
	return p.ARN.String()
}

func because(t *wire.Touch, d policy.Decision) string {
	kind := kindOf(t, d.By)
	if d.Outcome == policy.ExplicitDeny {
		article := "a"
		switch d.By {
		case policy.ByIdentity:
			article = "an"
		case policy.ByResource:
			if t.PolicyKind == "trust" {
				article = "the"
			}
		}
		return "with an explicit deny in " + article + " " + kind
	}
	return "because no " + kind + " allows the " + t.Action + " action"
}

func kindOf(t *wire.Touch, by policy.Type) string {
	switch by {
	case policy.BySCP:
		return "service control policy"
	case policy.ByRCP:
		return "resource control policy"
	case policy.ByEndpoint:
		return "VPC endpoint policy"
	case policy.ByResource, policy.ByGrant:
		if t.PolicyKind == "trust" {
			return "role trust policy"
		}
		return "resource-based policy"
	case policy.ByBoundary:
		return "permissions boundary"
	case policy.BySession:
		return "session policy"
	}
	return "identity-based policy"
}
