package identitycenter

import (
	"time"

	"sumun.dev/api/ssoadminapi"
	"sumun.dev/aws"
)

// home says where an account's instance is: there is one in all regions.
type home struct {
	Region   aws.Region
	Instance string
}

// place is where the data of an identity store lies.
type place struct {
	Account  aws.Account
	Region   aws.Region
	Instance string
}

// instance is an instance of Identity Center.
type instance struct {
	ID           string // "ssoins-0123456789abcdef"
	Store        string // of users and groups: "d-0123456789"
	Name         string `json:",omitempty"`
	Organization bool   `json:",omitempty"` // of an organisation, not of one account
	Created      time.Time
	Tags         map[string]string `json:",omitempty"`
	Token        string            `json:",omitempty"` // ClientToken of the creation

	Controlled bool                                 `json:",omitempty"` // attributes for access control are on
	Attributes []ssoadminapi.AccessControlAttribute `json:",omitempty"`

	Key         []byte // PKCS #8: signs the assertions that open sessions in accounts
	Certificate []byte // DER, of Key
}

// permissionSet is a template of roles. Rows lie under "INSTANCE/ID".
type permissionSet struct {
	Instance, ID string
	Name         string
	Description  *string `json:",omitempty"`
	RelayState   *string `json:",omitempty"`
	Duration     string  // ISO 8601: "PT1H"
	Created      time.Time
	Tags         map[string]string `json:",omitempty"`

	Inline   string                                       `json:",omitempty"`
	Managed  []string                                     `json:",omitempty"` // ARNs of AWS managed policies
	Customer []ssoadminapi.CustomerManagedPolicyReference `json:",omitempty"`
	Boundary *ssoadminapi.PermissionsBoundary             `json:",omitempty"`
	Version  int                                          // grows with every change that roles must follow
}

// assignment lets a user or a group use a permission set in an account. Rows lie
// under "INSTANCE/SET/ACCOUNT/TYPE/ID".
type assignment struct {
	Instance, Set string
	Account       aws.Account
	Type          ssoadminapi.PrincipalType
	Principal     string
}

func (a *assignment) id() string {
	return a.Instance + "/" + a.Set + "/" + string(a.Account) + "/" + string(a.Type) + "/" + a.Principal
}

func (a *assignment) keys() []string {
	return []string{a.Instance + "/" + string(a.Type) + "/" + a.Principal}
}

// provision is the role that a permission set has become in an account. Rows lie
// under "INSTANCE/SET/ACCOUNT".
type provision struct {
	Instance, Set string
	Account       aws.Account
	Role          string // "AWSReservedSSO_NAME_0123456789abcdef"
	Path          string
	Version       int // of the permission set, as the role has it
}

func (p *provision) keys() []string { return []string{p.Instance + "/" + string(p.Account)} }

func (p *provision) id() string { return p.Instance + "/" + p.Set + "/" + string(p.Account) }

// arn is the role's.
func (p *provision) arn(partition string) aws.ARN {
	return aws.ARN{Partition: partition, Service: "iam", Account: p.Account, Resource: "role" + p.Path + p.Role}
}

// What a request for something that takes its time is for.
const (
	creation     = "creation"
	deletion     = "deletion"
	provisioning = "provisioning"
)

// request is such a request. Rows lie under "INSTANCE/KIND/ID".
type request struct {
	Instance, Kind, ID string
	Status             ssoadminapi.StatusValues
	Reason             string     `json:",omitempty"`
	Assignment         assignment // of a provisioning: without a principal, and without an account for all
	Created            time.Time
}

func (r *request) id() string { return r.Instance + "/" + r.Kind + "/" + r.ID }

// tokenIssuer is an OIDC issuer whose tokens applications may exchange.
type tokenIssuer struct {
	Instance, ID string
	Name         string
	OIDC         ssoadminapi.OidcJwtConfiguration
	Created      time.Time
	Tags         map[string]string `json:",omitempty"`
	Token        string            `json:",omitempty"`
}
