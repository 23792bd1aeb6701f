package policy

import (
	"fmt"
	"strings"

	"sumun.dev/aws"
)

// PrincipalOf reads a principal as people write it: an ARN, "*" or "anonymous"
// for nobody, or a service such as "ssm.amazonaws.com". Of a session, issuer is
// the role's or user's ARN; without it a role is taken to have no path. A
// role's own ARN stands for a session of that role. For evaluation offline: the
// gate knows its principals better.
func PrincipalOf(s, issuer string) (*aws.Principal, error) {
	if s == "*" || s == "anonymous" {
		return &aws.Principal{}, nil
	}
	if webProvider(s) {
		return &aws.Principal{Kind: aws.WebIdentity, Name: s}, nil
	}
	if !strings.HasPrefix(s, "arn:") {
		if !strings.HasSuffix(s, ".amazonaws.com") {
			return nil, fmt.Errorf("%q is no principal: an ARN, a service or * is", s)
		}
		return &aws.Principal{Kind: aws.Service, Name: s}, nil
	}
	arn, err := aws.ParseARN(s)
	if err != nil {
		return nil, err
	}
	p := &aws.Principal{Account: arn.Account, ARN: arn}
	kind, rest, _ := strings.Cut(arn.Resource, "/")
	name := rest[strings.LastIndex(rest, "/")+1:]
	switch arn.Service + ":" + kind {
	case "iam:root":
		p.Kind, p.ID = aws.Root, string(arn.Account)
		return p, nil
	case "iam:user":
		p.Kind, p.Name = aws.User, name
		return p, nil
	case "iam:role":
		p.Kind = aws.AssumedRole
		p.Session = &aws.Session{Issuer: arn, IssuerName: name}
		return p, nil
	case "iam:saml-provider":
		p.Kind, p.Name = aws.SAML, s
		return p, nil
	case "iam:oidc-provider":
		p.Kind, p.Name = aws.WebIdentity, s
		return p, nil
	case "sts:assumed-role":
		role, session, _ := strings.Cut(rest, "/")
		p.Kind = aws.AssumedRole
		p.Session = &aws.Session{Name: session, IssuerName: role,
			Issuer: aws.ARN{Partition: arn.Partition, Service: "iam", Account: arn.Account, Resource: "role/" + role}}
	case "sts:federated-user":
		p.Kind, p.ID = aws.FederatedUser, string(arn.Account)+":"+rest
		p.Session = &aws.Session{Name: rest}
	default:
		return nil, fmt.Errorf("%q is no principal: a user, role, session or root is", s)
	}
	if issuer == "" {
		return p, nil
	}
	if p.Session.Issuer, err = aws.ParseARN(issuer); err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if !issues(p.Session.Issuer, p) {
		return nil, fmt.Errorf("issuer: %s is not who makes the session %s", issuer, s)
	}
	return p, nil
}

// issues reports whether arn can be behind a session: the role that it is named by,
// in any path, or of a federated user a user or the root user of its account.
func issues(arn aws.ARN, p *aws.Principal) bool {
	kind, rest, _ := strings.Cut(arn.Resource, "/")
	if arn.Service != "iam" || arn.Account != p.Account {
		return false
	}
	if p.Kind == aws.FederatedUser {
		return kind == "user" && rest != "" || arn.Resource == "root"
	}
	return kind == "role" && rest[strings.LastIndex(rest, "/")+1:] == p.Session.IssuerName
}

// webProvider reports whether s is one of the identity providers that are built
// into IAM and have no ARN. IAM User Guide, "OIDC federated principals".
func webProvider(s string) bool {
	switch s {
	case "cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com", "accounts.google.com":
		return true
	}
	return false
}
