package ssm

import (
	"errors"
	"net/http"
	"strings"

	"sumun.dev/aws"
)

// Stages and types of failures. Systems Manager API Reference, FailureDetails.
const (
	inputValidation  = "InputValidation"
	invocation       = "Invocation"
	postVerification = "PostVerification"

	actionFailure       = "Action"
	permissionFailure   = "Permission"
	throttlingFailure   = "Throttling"
	verificationFailure = "Verification"
	internalFailure     = "Internal"
)

// A failure says why a step did not succeed.
type failure struct {
	Stage, Type, Message string
}

const seeGuide = " Please refer to Automation Service Troubleshooting Guide for more diagnosis details."

// badInputs is the failure of a step whose inputs cannot be made or read.
func badInputs(err error) *failure {
	return &failure{inputValidation, actionFailure, "Step fails when it is validating and resolving the step inputs. " + sentence(err) + seeGuide}
}

// badOutputs is the failure of a step whose answer does not hold what it should.
func badOutputs(err error) *failure {
	return &failure{postVerification, verificationFailure, "Step fails when it is evaluating the step outputs. " + sentence(err) + seeGuide}
}

// callFailed is the failure of a call, in the words of the SDK that AWS uses.
func callFailed(operation string, e *aws.Error) *failure {
	kind := actionFailure
	switch {
	case strings.Contains(e.Code, "AccessDenied") || strings.Contains(e.Code, "Unauthorized"):
		kind = permissionFailure
	case strings.Contains(e.Code, "Throttl") || e.Code == "TooManyRequestsException":
		kind = throttlingFailure
	case e.Status >= 500 && e.Status != http.StatusNotImplemented:
		kind = internalFailure
	}
	return &failure{invocation, kind, "Step fails when it is Execute/Cancelling action. An error occurred (" + e.Code + ") when calling the " + operation +
		" operation: " + strings.TrimSuffix(e.Message, ".") + "." + seeGuide}
}

// mayPass reports whether the SDK tries a call again by itself.
func mayPass(e *aws.Error) bool {
	if e.Status == http.StatusNotImplemented {
		return false
	}
	return e.Status >= 500 || strings.Contains(e.Code, "Throttl") || e.Code == "TooManyRequestsException"
}

func sentence(err error) string {
	var e *aws.Error
	text := err.Error()
	if errors.As(err, &e) {
		text = e.Message
	}
	return strings.TrimSuffix(text, ".") + "."
}
