package policy

import (
	"strings"

	"sumun.dev/aws"
)

// compilePrincipals compiles a Principal or NotPrincipal element.
// IAM User Guide, "AWS JSON policy elements: Principal".
func compilePrincipals(raw []rawPrincipal) (*principalSet, error) {
	set := &principalSet{}
	for _, p := range raw {
		ok := true
		switch p.kind {
		case "AWS":
			ok = set.add(p.value)
		case "Service":
			ok = isServiceName(p.value)
			set.services = append(set.services, p.value)
		case "Federated":
			ok = webProvider(p.value) || isProvider(p.value)
			set.federated = append(set.federated, p.value)
		case "CanonicalUser":
			ok = p.value != "" && !strings.ContainsFunc(p.value, func(r rune) bool { return !alphanumeric(r) })
			set.canonical = append(set.canonical, p.value)
		default:
			ok = false
		}
		if !ok {
			return nil, Malformed.New("Invalid principal in policy: \"%s\":\"%s\"", p.kind, p.value)
		}
	}
	return set, nil
}

func (s *principalSet) add(value string) bool {
	if value == "*" {
		s.everyone = true
		return true
	}
	if account, err := aws.ParseAccount(value); err == nil {
		s.accounts = append(s.accounts, account)
		return true
	}
	if arn, err := aws.ParseARN(value); err == nil {
		if !isPrincipal(arn) {
			return false
		}
		if arn.Resource == "root" {
			s.accounts = append(s.accounts, arn.Account)
			return true
		}
		s.arns = append(s.arns, arn)
		return true
	}
	if !isUniqueID(value) {
		return false
	}
	s.ids = append(s.ids, value)
	return true
}

// isPrincipal reports whether an AWS principal can have that ARN: root, a user or
// a role, a session of a role or of a federated user. Groups are none.
func isPrincipal(arn aws.ARN) bool {
	if arn.Region != "" || strings.ContainsAny(arn.String(), "*?") {
		return false
	}
	kind, name, _ := strings.Cut(arn.Resource, "/")
	role, session, _ := strings.Cut(name, "/")
	_, err := aws.ParseAccount(string(arn.Account))
	switch arn.Service + ":" + kind {
	case "iam:root":
		return err == nil && arn.Resource == "root"
	case "iam:user":
		return (err == nil || arn.Account == "cloudfront") && name != "" // an origin access identity
	case "iam:role":
		return err == nil && name != ""
	case "sts:assumed-role":
		return err == nil && role != "" && session != "" && !strings.Contains(session, "/")
	case "sts:federated-user":
		return err == nil && name != ""
	}
	return false
}

// isUniqueID reports whether s is the unique id of a user or role, or of a role's
// session: "AROA…:name". IAM User Guide, "IAM identifiers".
func isUniqueID(s string) bool {
	id, session, ofSession := strings.Cut(s, ":")
	return len(id) >= 16 && !strings.ContainsFunc(id, func(r rune) bool { return !alphanumeric(r) }) &&
		(!ofSession || session != "" && !strings.ContainsAny(session, ":*?"))
}

// isServiceName reports whether s can be a service: "logs.eu-central-1.amazonaws.com".
func isServiceName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !alphanumeric(r) && r != '.' && r != '-' && r != '_' })
}

// isProvider reports whether s is the ARN of an identity provider in IAM.
func isProvider(s string) bool {
	arn, err := aws.ParseARN(s)
	return err == nil && arn.Service == "iam" && !strings.ContainsAny(s, "*?") &&
		(strings.HasPrefix(arn.Resource, "saml-provider/") || strings.HasPrefix(arn.Resource, "oidc-provider/"))
}
