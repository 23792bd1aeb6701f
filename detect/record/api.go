package record

import (
	"net/netip"
	"strings"
	"time"

	"sumun.dev/aws"
)

// An API is a call of an AWS API, as CloudTrail records it: User Guide,
// "CloudTrail record contents".
type API struct {
	Service    string // eventSource: iam.amazonaws.com
	Operation  string // eventName: CreateUser
	Type       string // eventType: AwsApiCall, AwsServiceEvent, AwsConsoleSignIn …
	ReadOnly   bool
	SaysRead   bool   // readOnly is said; false: ReadOnly is false for want of it
	Management bool   // false: a data event
	Category   string // eventCategory: Management, Data, NetworkActivity, Insight; empty when it is not said
	Error      string
	Message    string // errorMessage
	RequestID  string
	SharedID   string // sharedEventID: the same for the records of both accounts of one call

	Actor       Actor
	Source      string     // sourceIPAddress as it stands: an address, or the DNS name of a service
	IP          netip.Addr // the same, when it is an address
	Agent       string     // userAgent
	VPCEndpoint string
	Host        string // tlsDetails.clientProvidedHostHeader

	Request    Document // requestParameters
	Response   Document // responseElements
	Additional Document // additionalEventData
	Details    Document // serviceEventDetails
	Resources  []Resource
}

// A Resource is one of those that CloudTrail names with a call.
type Resource struct{ ARN, Account, Type string }

// Failed reports whether the call was refused or went wrong.
func (a *API) Failed() bool { return a.Error != "" }

// Denied reports whether the caller was not allowed to do it.
func (a *API) Denied() bool {
	switch a.Error {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Client.UnauthorizedOperation", "VpceAccessDenied", "AuthorizationError", "NotAuthorized", "UnauthorizedAccess":
		return true
	}
	return false
}

// ByService reports whether an AWS service made the call, for itself or on
// behalf of the actor: then address and agent are the service's.
func (a *API) ByService() bool {
	return a.Actor.Type == "AWSService" || a.Actor.InvokedBy != "" || strings.HasSuffix(a.Source, ".amazonaws.com") || a.Source == "AWS Internal"
}

// An Actor is who called: "CloudTrail userIdentity element".
type Actor struct {
	Type       string // Root, IAMUser, AssumedRole, FederatedUser, AWSAccount, AWSService …
	ID         string // principalId
	ARN        string
	Account    string
	AccessKey  string
	Name       string // userName
	InvokedBy  string // the service that called on the actor's behalf
	Provider   string // identityProvider, or the web identity's federatedProvider
	SourceID   string // sourceIdentity
	Issuer     Issuer // of a session
	MFA        bool   // mfaAuthenticated
	Created    time.Time
	Delivery   string // ec2RoleDelivery: the metadata service's version, for roles of instances
	RootOf     bool   // assumedRoot: a session of another account's root user
	OnConsole  bool   // sessionCredentialFromConsole
	OnBehalfOf string // Identity Center's user id
}

// An Issuer is whose credentials a session's were made from.
type Issuer struct{ Type, ID, ARN, Account, Name string }

// Principal names who acted, the same over all sessions of a role: the ARN of
// the user or role, else whatever names it best.
func (a *Actor) Principal() string {
	switch {
	case a.Issuer.ARN != "":
		return a.Issuer.ARN
	case a.ARN != "":
		return a.ARN
	case a.Type == "AWSService" && a.InvokedBy != "":
		return a.InvokedBy
	case a.ID != "":
		return a.ID
	case a.Name != "":
		return a.Account + ":" + a.Name
	}
	return a.Type + ":" + a.Account
}

// Session names the role session: what follows the colon of the principal id.
func (a *Actor) Session() string {
	_, name, _ := strings.Cut(a.ID, ":")
	return name
}

// Instance returns the instance whose role's session this is, by the name that EC2
// gives such sessions; empty for any other. Whoever assumes a role may choose such a
// name; API.Delivered tells the difference.
func (a *Actor) Instance() string {
	if name := a.Session(); a.Type == "AssumedRole" && IsInstance(name) {
		return name
	}
	return ""
}

// IsInstance reports whether a string has the form of an instance's id.
func IsInstance(s string) bool {
	id, ok := strings.CutPrefix(s, "i-")
	return ok && (len(id) == 8 || len(id) == 17) && strings.Trim(id, "0123456789abcdef") == ""
}

// Delivered returns the instance of an account whose metadata service gave its role's
// credentials to whoever calls; empty for anybody else. CloudTrail User Guide,
// "userIdentity element", ec2RoleDelivery.
func (a *API) Delivered(account aws.Account) string {
	if a.Actor.Delivery == "" || a.Actor.Account != string(account) || a.ByService() {
		return ""
	}
	return a.Actor.Instance()
}
