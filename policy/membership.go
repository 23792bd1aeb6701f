package policy

// A Membership is where an account stands in its organisation. It never changes;
// a change makes a new one.
type Membership struct {
	Organization string // aws:PrincipalOrgID: "o-exampleorgid"
	Path         string // aws:PrincipalOrgPaths: "o-exampleorgid/r-ab12/ou-ab12-11111111/"
	Management   bool   // of the management account, whom neither SCPs nor RCPs concern

	// SCPs and RCPs are the policies that bind the account, by level, root first;
	// nil for the management account and while the type is not enabled.
	SCPs, RCPs [][]*Attached
}
