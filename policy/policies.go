package policy

// Policies are all policies that apply to one request, by type. What is nil is
// not there; what is there but empty allows nothing. The evaluator itself knows
// whom a type does not concern (service-linked roles, service principals).
type Policies struct {
	// Identity are the principal's own: inline, attached, and those of a
	// user's groups.
	Identity []*Attached

	// Resource is the policy of the resource: key policy, bucket policy, role
	// trust policy. Documents of kind Trust and Key must allow even within the
	// account; others add to what Identity allows.
	Resource *Attached

	// Grants are further sources of Allow on the resource's side, written as
	// resource policies: KMS grants, access control lists (ACL.Document).
	Grants []*Attached

	// Boundary is the permissions boundary of the user or role.
	Boundary *Attached

	// Session are the policies passed when the session was made. Nil means
	// that none was passed.
	Session []*Attached

	// RestrictPublicBuckets is that setting of S3 Block Public Access, in effect
	// for the resource: while its policy is public it grants nothing to other
	// accounts and strangers.
	RestrictPublicBuckets bool

	// SCPs are the service control policies of the principal's account, by
	// level: root, organizational units, account. Nil means no organisation, or
	// its management account.
	SCPs [][]*Attached

	// Management says that the principal's account is the management account of its
	// organisation, and ResourceManagement the same of the resource's: then SCPs
	// and RCPs do not apply, whatever stands here. Whoever leaves SCPs and RCPs nil
	// for such accounts decides the same, but is not told the reason.
	Management, ResourceManagement bool

	// RCPs are the resource control policies of the resource's account, by level.
	RCPs [][]*Attached

	// Endpoint is the policy of the VPC endpoint through which the call came.
	Endpoint *Attached
}

// An Attached is a document together with where it stands.
type Attached struct {
	*Document
	Source string // policy ARN, or "inline:alice/NAME"
}
