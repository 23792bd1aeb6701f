package wire

import (
	"strconv"
	"strings"

	"sumun.dev/aws"
)

// violation makes the error that a service answers to a request that breaks constraints.
func (m *Match) violation(found []finding) *aws.Error {
	if m.Protocol == EC2 {
		return ec2Violation(found[0])
	}
	noun := " validation error detected: "
	if len(found) > 1 {
		noun = " validation errors detected: "
	}
	var b strings.Builder
	b.WriteString(strconv.Itoa(len(found)) + noun)
	for i, f := range found {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString("Value " + f.value + "at '" + f.path + "' failed to satisfy constraint: " + f.sentence)
	}
	return &aws.Error{Code: m.validationCode(), Status: 400, Message: b.String()}
}

// ec2Violation: EC2 names one parameter at a time, in its own words.
// EC2 API Reference, "Error codes".
func ec2Violation(f finding) *aws.Error {
	name := upperFirst(strings.ReplaceAll(f.path, ".member", ""))
	if f.sentence == mustNotBeNull {
		return &aws.Error{Code: "MissingParameter", Status: 400, Message: "The request must contain the parameter " + name}
	}
	return &aws.Error{Code: "InvalidParameterValue", Status: 400,
		Message: "Value (" + strings.Trim(f.value, "' ") + ") for parameter " + name + " is invalid. " + f.sentence}
}

// validationCode is the code of a violation: the service's own, else its protocol's.
func (m *Match) validationCode() string {
	if code := m.Operation.About().Service.ValidationCode; code != "" {
		return code
	}
	switch m.Protocol {
	case Query:
		return "ValidationError"
	case RestXML:
		return "InvalidArgument"
	}
	return "ValidationException"
}
