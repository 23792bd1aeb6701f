package service

import (
	"sumun.dev/aws"
	"sumun.dev/policy"
)

// An OrganizationEntity is a root, organizational unit or account, as a report on
// the accounts below it sees it.
type OrganizationEntity struct {
	// SCPs are the service control policies that bind it, by level, root first; nil
	// for the management account, whom none binds.
	SCPs [][]*policy.Attached
	// Accounts are the entity's paths of the accounts at and below it, by account:
	// "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/123456789012". The management account is
	// only its own.
	Accounts map[aws.Account]string
}
