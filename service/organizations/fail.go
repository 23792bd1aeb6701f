package organizations

import (
	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
)

// What Organizations says when something is not there, or may not be.
// Organizations API Reference, "Errors" of each action.

func notInUse() error {
	return organizationsapi.AWSOrganizationsNotInUseException.New("Your account is not a member of an organization.")
}

func forbidden() error {
	return organizationsapi.AccessDeniedException.New("You don't have permissions to access this resource.")
}

func noAccount() error {
	return organizationsapi.AccountNotFoundException.New("You specified an account that doesn't exist.")
}

func noParent() error {
	return organizationsapi.ParentNotFoundException.New("You specified parent that doesn't exist.")
}

func noUnit() error {
	return organizationsapi.OrganizationalUnitNotFoundException.New("You specified an organizational unit that doesn't exist.")
}

func noPolicy() error {
	return organizationsapi.PolicyNotFoundException.New("You specified a policy that doesn't exist.")
}

func noTarget() error {
	return organizationsapi.TargetNotFoundException.New("You specified a target that doesn't exist.")
}

func noRoot() error {
	return organizationsapi.RootNotFoundException.New("You specified a root that doesn't exist.")
}

func notEnabled() error {
	return organizationsapi.PolicyTypeNotEnabledException.New("This operation can be performed only for enabled policy types.")
}

// violates is a ConstraintViolationException with its reason.
func violates(reason organizationsapi.ConstraintViolationExceptionReason, format string, args ...any) *aws.Error {
	return organizationsapi.ConstraintViolationException.New(format, args...).With("Reason", reason)
}

// invalid is an InvalidInputException with its reason.
func invalid(reason organizationsapi.InvalidInputExceptionReason, format string, args ...any) *aws.Error {
	return organizationsapi.InvalidInputException.New(format, args...).With("Reason", reason)
}

// unshakable is a HandshakeConstraintViolationException with its reason.
func unshakable(reason organizationsapi.HandshakeConstraintViolationExceptionReason, format string, args ...any) *aws.Error {
	return organizationsapi.HandshakeConstraintViolationException.New(format, args...).With("Reason", reason)
}
