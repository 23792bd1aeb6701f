package policy

import (
	"strings"

	"sumun.dev/aws"
)

// legacy is IAM's answer to what its older parser cannot read.
func legacy() error { return Malformed.New("The policy failed legacy parsing") }

func syntax() error { return Malformed.New("Syntax errors in policy.") }

// inWordsOf says err, in IAM's words, as the service says it that keeps documents
// of this kind. Organizations answers to any policy that breaks the rules of its
// type with one sentence; KMS and S3 have sentences of their own for principals.
func inWordsOf(kind Kind, err error) error {
	e := err.(*aws.Error) // parse makes no other
	principal := strings.HasPrefix(e.Message, "Invalid principal in policy")
	switch kind {
	case SCP, RCP:
		return MalformedControl.New("The provided policy document does not meet the requirements of the specified policy type.")
	case Key:
		if principal {
			return MalformedKey.New("Policy contains a statement with one or more invalid principals.")
		}
		return MalformedKey.New("%s", e.Message)
	case Bucket:
		if principal {
			return MalformedBucket.New("Invalid principal in policy")
		}
		if e.Message == syntax().(*aws.Error).Message {
			return MalformedBucket.New("Policies must be valid JSON and the first byte must be '{'")
		}
		return MalformedBucket.New("%s", e.Message)
	}
	return e
}

// checkShape holds a statement to the elements that its kind needs and bears. A key
// policy's statement may lack its Action or its Resource, and means nothing then.
// KMS API Reference, CreateKey, Policy.
func checkShape(s *rawStatement, kind Kind) error {
	if s.effect != "Allow" && s.effect != "Deny" {
		return legacy()
	}
	if kind == SCP || kind == RCP {
		return checkControl(s, kind)
	}
	hasPrincipal := len(s.principals) > 0
	switch {
	case kind == Identity && s.hasPrincipal:
		return Malformed.New("Policy document should not specify a principal.")
	case kind == Trust && len(s.resources) > 0:
		return Malformed.New("Has prohibited field Resource")
	case kind == Trust && s.notPrincipal:
		return Malformed.New("Has prohibited field NotPrincipal")
	case kind != Identity && !hasPrincipal:
		return Malformed.New("Missing required field Principal")
	case s.notPrincipal && s.effect == "Allow":
		// IAM User Guide: NotPrincipal goes with Deny only.
		return Malformed.New("Allow with NotPrincipal is not allowed.")
	case len(s.actions) == 0 && !(kind == Key && !s.notActions):
		return Malformed.New("Policy statement must contain actions.")
	case kind != Trust && len(s.resources) == 0 && !(kind == Key && !s.notResources):
		return Malformed.New("Policy statement must contain resources.")
	}
	return nil
}

// checkControl holds SCPs and RCPs to Organizations' rules.
// Organizations User Guide, "SCP syntax" and "RCP syntax".
func checkControl(s *rawStatement, kind Kind) error {
	ok := len(s.actions) > 0 && len(s.resources) > 0
	if kind == SCP {
		ok = ok && !s.hasPrincipal
	}
	if kind == RCP {
		ok = ok && s.effect == "Deny" && !s.notActions && !s.notPrincipal &&
			len(s.principals) == 1 && s.principals[0].value == "*"
	}
	if !ok {
		return legacy()
	}
	return nil
}
