package wire

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"sumun.dev/aws"
)

// Protocol is how a service puts calls into bytes.
type Protocol string

// The AWS protocols, by the names that the models use.
const (
	JSON     Protocol = "json"      // awsJson 1.0 and 1.1
	RestJSON Protocol = "rest-json" // restJson1
	Query    Protocol = "query"     // awsQuery
	EC2      Protocol = "ec2"       // ec2Query
	RestXML  Protocol = "rest-xml"
	CBOR     Protocol = "smithy-rpc-v2-cbor"
)

// A Service is what the model says of a service as a whole.
type Service struct {
	ID              string     // "Route 53 Resolver"
	Name            string     // the model's folder, the CLI's command: "route53resolver"
	Prefix          string     // the prefix of its IAM actions: "route53resolver", "states", "ses"
	EndpointPrefix  string     // "route53resolver", "email"
	SigningName     string     // the service in a signature's scope
	EventSource     string     // CloudTrail's eventSource: "kms.amazonaws.com"
	Protocols       []Protocol // preferred first
	JSONVersion     string     // "1.1"
	TargetPrefix    string     // X-Amz-Target without the operation
	APIVersion      string     // "2014-11-01"
	XMLNamespace    string
	Global          bool   // one endpoint for all regions (IAM, Organizations)
	QueryCompatible bool   // JSON that answers with query error codes too (SQS)
	ValidationCode  string // the error code of a constraint violation when it is not the protocol's usual one
}

// Meta is what the model says of one operation.
type Meta struct {
	Service *Service
	Name    string // "Encrypt"
	Method  string // REST: "POST"
	URI     string // REST: "/detector/{DetectorId}"
	Status  int    // REST: the status of success when the model names one
	Errors  []aws.ErrorKind

	ResultWrapper string // query: "GetUserResult"
	HostPrefix    string // what stands before the host: "stream-"; may hold labels, "{AccountId}."
	NoAuth        bool   // the model says authtype none
	UnsignedBody  bool   // the model says v4-unsigned-body
	Deprecated    bool

	// Pages names the members that carry pagination; nil when there is none.
	Pages *Pages
}

// Pages names the members of an operation that carry its pagination. Several
// names are separated by commas; Out may be a choice ("NextMarker || Contents[-1].Key").
type Pages struct{ In, Out, Limit, Result, More string }

// String returns "kms:Encrypt".
//
//go:noinline
func (m *Meta) String() string { return m.Service.Prefix + ":" + m.Name }

// Reads reports whether the operation changes nothing, which CloudTrail shows
// as readOnly. AWS names reading operations by their verb.
//
//go:noinline
func (m *Meta) Reads() bool {
	for _, verb := range readingVerbs {
		if strings.HasPrefix(m.Name, verb) {
			return !writes[m.String()]
		}
	}
	return reads[m.String()]
}

var readingVerbs = []string{"Get", "List", "Describe", "Lookup", "BatchGet", "Search", "Test", "Simulate", "Head", "Select", "Validate", "Preview", "Check"}

// Operations whose verb does not tell.
var (
	writes = map[string]bool{
		// These make credentials, so CloudTrail still says readOnly, but they leave state behind here.
		"iam:GenerateCredentialReport": true,
	}
	reads = map[string]bool{
		"sts:DecodeAuthorizationMessage": true, "kms:Encrypt": true, "kms:Decrypt": true, "kms:Sign": true, "kms:Verify": true,
		"kms:GenerateDataKey": true, "kms:GenerateDataKeyPair": true, "kms:GenerateDataKeyPairWithoutPlaintext": true,
		"kms:GenerateDataKeyWithoutPlaintext": true, "kms:GenerateMac": true, "kms:VerifyMac": true, "kms:GenerateRandom": true,
		"kms:ReEncrypt": true, "kms:DeriveSharedSecret": true, "sts:AssumeRole": true, "sso-oauth:RegisterClient": true, "sts:AssumeRoleWithSAML": true,
		"sts:AssumeRoleWithWebIdentity": true, "sts:AssumeRoot": true,
	}
)

// An AnyOperation is an Operation whose types are not known to the compiler.
type AnyOperation interface {
	About() *Meta
	InType() reflect.Type  // the request struct
	OutType() reflect.Type // the response struct
}

// An Operation binds a modelled operation to its types. In and Out are pointers
// to structs, so that all operations share one instantiation. Its methods and
// Meta's are not inlined: each of thousands of operations would hold a copy, which
// doubled the code and the time to compile api.
type Operation[In, Out any] struct{ Meta }

// About returns what the model says.
func (o *Operation[In, Out]) About() *Meta { return &o.Meta }

// InType returns the request struct.
//
//go:noinline
func (o *Operation[In, Out]) InType() reflect.Type { return reflect.TypeFor[In]().Elem() }

// OutType returns the response struct.
//
//go:noinline
func (o *Operation[In, Out]) OutType() reflect.Type { return reflect.TypeFor[Out]().Elem() }

// A Touch is one thing the caller must be allowed to do: an action on a resource,
// with the condition values that policies may test. The action is often not the
// operation's own name (s3:ListBucket, kms:ReEncryptFrom, iam:PassRole).
type Touch struct {
	Action     string
	Resource   aws.ARN // Resource "*" in the ARN's last part is allowed; the zero ARN means "*" alone
	Conditions map[string][]string
	Tags       map[string]string // the resource's tags, aws:ResourceTag
	Policy     string            // the resource's own policy document, if it has one
	PolicyKind string            // what Policy is: empty for a resource-based policy, "trust" for a role's, "key" for a KMS key's
	Grants     []Grant           // what else allows on the resource's side: those of a KMS key that name the caller
	AWSManaged bool              // the resource is a KMS key of AWS's own ("aws/ssm"), which RCPs do not concern
	Open       string            // why AWS asks for no permission here; empty means it does

	// Principal is who asks, when what the call carries proves it and not its
	// signature: an assertion or a token. The first touch's counts for the call,
	// which then belongs to the principal's account.
	Principal *aws.Principal
	Account   aws.Account // whose resource it is, where the ARN does not tell; else empty
}

// A Grant allows what its document says, and nothing more: a KMS grant. The
// document is a resource policy; it never narrows what others allow.
type Grant struct{ ID, Document string }

// Owner returns whose resource is touched; empty when that is nobody's in particular.
func (t *Touch) Owner() aws.Account {
	if t.Account != "" {
		return t.Account
	}
	return t.Resource.Account
}

// A Route is an operation, the function that serves it, and what it touches.
type Route struct {
	Operation AnyOperation
	Touches   func(context.Context, any) ([]Touch, error)
	Serve     func(context.Context, any) (any, error)
	Items     string // set by Itemised
}

// Itemised says that the service checks the elements of a list member itself and
// answers for each of them: what one element breaks must not fail the call. Decode
// then checks the list, its length for one, and leaves what is inside alone.
func (r Route) Itemised(member string) Route {
	r.Items = member
	return r
}

// Meta returns what the model says of the route's operation.
func (r Route) Meta() *Meta { return r.Operation.About() }

// To serves the operation with serve, after touches has told the gateway which
// resources the caller must be allowed to act on.
//
//go:noinline
func (o *Operation[In, Out]) To(serve func(context.Context, In) (Out, error), touches func(context.Context, In) ([]Touch, error)) Route {
	return Route{
		Operation: o,
		Touches:   func(ctx context.Context, in any) ([]Touch, error) { return touches(ctx, in.(In)) },
		Serve:     func(ctx context.Context, in any) (any, error) { return serve(ctx, in.(In)) },
	}
}

// A Caller makes calls inside the plane, through the same gate as calls from outside.
type Caller interface {
	// Invoke makes the call as the caller that ctx carries, on behalf of it.
	Invoke(ctx context.Context, op AnyOperation, in any) (any, error)
	// As returns a context whose calls are made by a new session of role. The
	// role must trust the service that asks; the assumption stands in the trail.
	As(ctx context.Context, role aws.ARN, session string) (context.Context, error)
}

// Call invokes the operation on c.
//
//go:noinline
func (o *Operation[In, Out]) Call(ctx context.Context, c Caller, in In) (Out, error) {
	out, err := c.Invoke(ctx, o, in)
	if err != nil {
		var none Out
		return none, err
	}
	return out.(Out), nil
}

// authorised are the touches of one call that the gate has allowed.
type authorised struct {
	call    *aws.Call
	touches *[]Touch
}

type authorisedKey struct{}

// WithAuthorised returns a context in which the call is served: all its touches are
// allowed. Only the gate calls it.
func WithAuthorised(ctx context.Context, touches *[]Touch) context.Context {
	return context.WithValue(ctx, authorisedKey{}, &authorised{aws.CallOf(ctx), touches})
}

// Authorised reports whether a call that is being served may go by a name that it
// has resolved to a resource: the gate has allowed that resource and not another
// that the name stood for a moment before. It is true while the call is not served
// yet, since its touches are to come.
func Authorised(ctx context.Context, resource aws.ARN) bool {
	a, _ := ctx.Value(authorisedKey{}).(*authorised)
	if a == nil || a.call != aws.CallOf(ctx) {
		return true
	}
	return slices.ContainsFunc(*a.touches, func(t Touch) bool { return t.Resource == resource })
}
