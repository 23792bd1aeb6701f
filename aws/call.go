package aws

import (
	"context"
	"net/netip"
	"time"
)

// A PrincipalKind says what sort of caller a principal is.
type PrincipalKind string

// The kinds of caller. The names are those of userIdentity.type in CloudTrail
// records where AWS has one (CloudTrail User Guide, "userIdentity element").
const (
	Anonymous          PrincipalKind = ""
	Root               PrincipalKind = "Root"
	User               PrincipalKind = "IAMUser"
	AssumedRole        PrincipalKind = "AssumedRole"
	FederatedUser      PrincipalKind = "FederatedUser"
	Service            PrincipalKind = "AWSService"
	WebIdentity        PrincipalKind = "WebIdentityUser"    // asks STS with a token; Name is the provider's ARN or host
	IdentityCenterUser PrincipalKind = "IdentityCenterUser" // asks Identity Center with its token; ARN is the identity store's, ID the user's in it
	SAML               PrincipalKind = "SAMLUser"           // asks STS with an assertion; Name is the provider's ARN
)

// A Principal is who makes a call. It is immutable once a call carries it.
type Principal struct {
	Kind        PrincipalKind
	Account     Account
	ARN         ARN    // user, root, assumed-role or federated-user ARN; zero for a service
	ID          string // unique id: AIDA…, account number for root, AROA…:session
	Name        string // user name, or the service ("ssm.amazonaws.com")
	AccessKeyID string // the key that signed; empty inside the plane
	Subject     string // of who asks STS with a token or an assertion: whom it names

	Session *Session          // how a temporary credential came to be; nil for long-term keys
	Tags    map[string]string // aws:PrincipalTag
}

// A Session says how a temporary credential came to be.
type Session struct {
	Issuer     ARN    // role or user that issued it
	IssuerID   string // AROA… or AIDA…
	IssuerName string
	Name       string // role session name
	Created    time.Time
	Expires    time.Time
	MFA        bool
	SourceID   string // sts:SourceIdentity
	InvokedBy  string // the service that assumed the role, "ssm.amazonaws.com"

	Policy     string              // the inline session policy; empty when none was passed
	PolicyARNs []string            // of managed policies passed as session policies
	TaskPolicy string              // of AssumeRoot: the ARN of the policy that the session is held to
	Transitive []string            // keys of session tags that pass on to the next role
	IssuedBy   string              // the long-term access key that asked for the session of a user or root
	Chained    bool                // by role chaining: a session of another role asked for it
	Provider   string              // aws:FederatedProvider: the identity provider behind the session
	Facts      map[string][]string // condition keys, in lower case, that were fixed when the session was made: "saml:aud"
}

// IsZero reports whether nobody is named.
func (p *Principal) IsZero() bool { return p == nil || p.Kind == Anonymous }

// A Call is one API call: who asks, where, and on whose behalf. A call is
// immutable after the gate has placed it.
type Call struct {
	Principal *Principal
	Partition string  // "aws"
	Account   Account // whose state the call works on
	Region    Region
	RequestID string
	Service   string // "kms": the service that serves, as in IAM actions
	Operation string
	Time      time.Time // when the gate received it
	SourceIP  netip.Addr
	UserAgent string
	Referer   string
	Host      string
	TLS       *TLS
	Via       []string // services that pass the call on, outermost first: "ssm.amazonaws.com"
	Source    ARN      // the resource on whose behalf a service acts as itself, aws:SourceArn: a rule, an execution
}

// TLS says how a call was encrypted, as CloudTrail's tlsDetails has it.
type TLS struct {
	Version, CipherSuite, ClientProvidedHostHeader string
}

type callKey struct{}

// WithCall returns a context that carries c. Only gateway and plane may call
// it: whoever can make a call context can act as anyone.
func WithCall(ctx context.Context, c *Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallOf returns the call ctx belongs to. It panics outside a call: that is a
// bug in the caller, and guessing an account would be worse than stopping.
func CallOf(ctx context.Context) *Call {
	c, ok := ctx.Value(callKey{}).(*Call)
	if !ok {
		panic("aws: context carries no call")
	}
	return c
}

// ARN names a resource of service in the account and region of the call.
func (c *Call) ARN(service, resource string) ARN {
	return ARN{c.Partition, service, c.Region, c.Account, resource}
}

// GlobalARN names a resource of a service without regions, such as IAM.
func (c *Call) GlobalARN(service, resource string) ARN {
	return ARN{c.Partition, service, "", c.Account, resource}
}
