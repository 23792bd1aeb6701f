package sts

import (
	"strings"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
)

// The kinds of session.
const (
	kindRole      = "r"
	kindUser      = "u" // of a user itself: GetSessionToken
	kindRoot      = "o" // of root itself, or of root by AssumeRoot
	kindFederated = "f" // GetFederationToken
)

// claims are what a session token holds: all that is needed to know the session,
// sealed so that any node can check it without reading the store.
type claims struct {
	Kind       string              `json:"t"`
	KeyID      string              `json:"k"`
	Secret     string              `json:"s"`
	Partition  string              `json:"p"`
	Account    aws.Account         `json:"a"`
	Issuer     string              `json:"r,omitempty"` // "role/path/name", "user/path/name", "root"
	IssuerID   string              `json:"i,omitempty"`
	IssuerName string              `json:"n,omitempty"`
	Name       string              `json:"e,omitempty"` // of the role session or the federated user
	Created    time.Time           `json:"c"`
	Expires    time.Time           `json:"x"`
	MFA        bool                `json:"m,omitempty"`
	SourceID   string              `json:"d,omitempty"`
	InvokedBy  string              `json:"v,omitempty"`
	Policy     string              `json:"y,omitempty"`
	PolicyARNs []string            `json:"l,omitempty"`
	TaskPolicy string              `json:"o,omitempty"`
	Tags       map[string]string   `json:"g,omitempty"`
	Transitive []string            `json:"h,omitempty"`
	IssuedBy   string              `json:"b,omitempty"`
	Provider   string              `json:"w,omitempty"`
	Facts      map[string][]string `json:"f,omitempty"`
	Chained    bool                `json:"q,omitempty"`
}

// newClaims begins a session of that length.
func newClaims(kind, partition string, account aws.Account, lasts time.Duration) *claims {
	now := time.Now().UTC().Truncate(time.Second)
	return &claims{
		Kind: kind, Partition: partition, Account: account, KeyID: aws.AccessKeyID("ASIA", account), Secret: aws.SecretKey(),
		Created: now, Expires: now.Add(lasts),
	}
}

// pass gives the session its session policies.
func (c *claims) pass(inline *string, arns []stsapi.PolicyDescriptorType) {
	if inline != nil {
		c.Policy = *inline
	}
	for _, a := range arns {
		c.PolicyARNs = append(c.PolicyARNs, *a.Arn)
	}
}

// by notes the identity provider behind the session and the condition keys that it
// has fixed: in lower case, as policies ask for them.
func (c *claims) by(provider aws.ARN, keys map[string][]string) {
	c.Provider, c.Facts = provider.String(), make(map[string][]string, len(keys))
	for key, values := range keys {
		c.Facts[strings.ToLower(key)] = values
	}
}

// principal returns whom the session acts as.
func (c *claims) principal() *aws.Principal {
	issuer := aws.ARN{Partition: c.Partition, Service: "iam", Account: c.Account, Resource: c.Issuer}
	p := &aws.Principal{
		Account: c.Account, AccessKeyID: c.KeyID, Tags: c.Tags,
		Session: &aws.Session{
			Issuer: issuer, IssuerID: c.IssuerID, IssuerName: c.IssuerName, Name: c.Name, Created: c.Created, Expires: c.Expires, MFA: c.MFA,
			SourceID: c.SourceID, InvokedBy: c.InvokedBy, Policy: c.Policy, PolicyARNs: c.PolicyARNs, TaskPolicy: c.TaskPolicy,
			Transitive: c.Transitive, IssuedBy: c.IssuedBy, Provider: c.Provider, Facts: c.Facts, Chained: c.Chained,
		},
	}
	sts := func(resource string) aws.ARN {
		return aws.ARN{Partition: c.Partition, Service: "sts", Account: c.Account, Resource: resource}
	}
	switch c.Kind {
	case kindRole:
		p.Kind, p.Name, p.ID, p.ARN = aws.AssumedRole, c.IssuerName, c.IssuerID+":"+c.Name, sts("assumed-role/"+c.IssuerName+"/"+c.Name)
	case kindFederated:
		p.Kind, p.Name, p.ID, p.ARN = aws.FederatedUser, c.Name, string(c.Account)+":"+c.Name, sts("federated-user/"+c.Name)
	case kindUser:
		p.Kind, p.Name, p.ID, p.ARN = aws.User, c.IssuerName, c.IssuerID, issuer
	case kindRoot:
		p.Kind, p.ID, p.ARN = aws.Root, string(c.Account), issuer
	}
	return p
}

// assumed names the session of a role.
func (c *claims) assumed() *stsapi.AssumedRoleUser {
	p := c.principal()
	return &stsapi.AssumedRoleUser{AssumedRoleId: p.ID, Arn: p.ARN.String()}
}

// hand seals the session and makes its credentials.
func (s *Service) hand(c *claims) (*stsapi.Credentials, error) {
	token, err := s.seal(c)
	if err != nil {
		return nil, err
	}
	return &stsapi.Credentials{AccessKeyId: c.KeyID, SecretAccessKey: c.Secret, SessionToken: token, Expiration: c.Expires}, nil
}
