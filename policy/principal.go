package policy

import (
	"slices"

	"sumun.dev/aws"
)

// reach says how directly a statement names the principal. It decides which
// implicit denies an Allow in a resource policy passes by within one account.
// IAM User Guide, "Determining whether a request is allowed or denied within
// an account", table of principals.
type reach uint8

const (
	unreached reach = iota
	delegated       // the whole account is named: identity policies decide
	limited         // the role is named, or the user behind a federated session: boundary and session policies still limit
	direct          // this user, this session, this service, or everyone
)

// A principalSet is a Principal or NotPrincipal element.
type principalSet struct {
	everyone  bool
	accounts  []aws.Account
	arns      []aws.ARN // users, roles, sessions, federated users
	ids       []string  // unique ids: AIDA…, AROA…
	services  []string
	federated []string // identity providers
	canonical []string // canonical user IDs: accounts, as S3 names them
	signed    bool     // everyone who has signed: AuthenticatedUsers of an ACL
	trusting  bool     // of a role's trust policy: "*" leaves it to identity policies
}

// reaches says how directly s names the principal. Statements without a
// Principal are about the principal they are attached to.
func (e *evaluation) reaches(s *Statement) reach {
	if s.principals == nil {
		return direct
	}
	if !s.notPrincipals {
		return s.principals.reach(e, s.Deny)
	}
	if e.exempt[ByBoundary] != concerned && s.principals.exempts(e) {
		return unreached
	}
	// A Deny with NotPrincipal always meets a principal that has a permissions
	// boundary. IAM User Guide, "IAM JSON policy elements: NotPrincipal".
	return direct
}

// reach says how directly the set names the principal, in a statement that
// denies or allows.
func (s *principalSet) reach(e *evaluation, deny bool) reach {
	if s.everyone && (deny || !s.trusting) {
		return direct
	}
	named := s.named(e)
	switch {
	case s.signed && e.hasIdentity:
		return max(named, delegated)
	case !s.everyone:
		return named
	}
	// "*" in a role's trust policy means all who may assume roles by their own
	// policies, and services; no stranger's token, which only its provider can
	// be trusted with.
	switch e.principal.Kind {
	case aws.WebIdentity, aws.SAML:
		return named
	case aws.Service, aws.Anonymous:
		return direct
	}
	return max(named, delegated)
}

// named says how directly the principal is named by itself.
func (s *principalSet) named(e *evaluation) reach {
	p := e.principal
	switch p.Kind {
	case aws.Service:
		return directIf(slices.ContainsFunc(s.services, e.isService))
	case aws.WebIdentity, aws.SAML:
		return directIf(slices.Contains(s.federated, p.Name))
	case aws.User, aws.Root:
		if s.names(&p.ARN, p.ID) {
			return direct
		}
	case aws.AssumedRole, aws.FederatedUser:
		if s.names(&p.ARN, p.ID) {
			return direct
		}
		if p.Session != nil && s.names(&p.Session.Issuer, p.Session.IssuerID) {
			return limited
		}
	default:
		return unreached
	}
	if s.hasAccount(e) {
		return delegated
	}
	return unreached
}

// hasAccount reports whether the principal's account is named, by number or by
// canonical user ID.
func (s *principalSet) hasAccount(e *evaluation) bool {
	return slices.Contains(s.accounts, e.principal.Account) || e.req.CanonicalID != "" && slices.Contains(s.canonical, e.req.CanonicalID)
}

func directIf(b bool) reach {
	if b {
		return direct
	}
	return unreached
}

func (s *principalSet) names(arn *aws.ARN, id string) bool {
	for i := range s.arns {
		if s.arns[i] == *arn {
			return true
		}
	}
	return id != "" && slices.Contains(s.ids, id)
}

// exempts reports whether a NotPrincipal element spares the principal: of a user its
// account and itself must be listed; of a session its role or user as well.
// IAM User Guide, "IAM JSON policy elements: NotPrincipal".
func (s *principalSet) exempts(e *evaluation) bool {
	p := e.principal
	switch p.Kind {
	case aws.Root:
		return s.everyone || s.hasAccount(e)
	case aws.User:
		return s.everyone || s.hasAccount(e) && s.names(&p.ARN, p.ID)
	case aws.AssumedRole, aws.FederatedUser:
		return s.everyone || s.hasAccount(e) && s.names(&p.ARN, p.ID) &&
			p.Session != nil && s.names(&p.Session.Issuer, p.Session.IssuerID)
	}
	return s.reach(e, true) != unreached
}
