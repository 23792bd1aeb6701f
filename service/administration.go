package service

import "sumun.dev/aws"

// An Administration says how an account stands to the administration of a service
// in its organisation. Organizations User Guide, "Delegated administrator for AWS
// services that work with Organizations".
type Administration struct {
	Organization string      // its id
	Management   aws.Account // its management account
	AllFeatures  bool        // it has all features
	Trusted      bool        // the service has trusted access to it
	Delegated    bool        // the account is a delegated administrator of the service
}

// By reports whether account administers the service.
func (a *Administration) By(account aws.Account) bool {
	return a != nil && a.AllFeatures && a.Trusted && (a.Management == account || a.Delegated)
}
