package gateway

import (
	"net/http"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/wire"
)

// denied makes the error of a call that policies refuse: AWS's sentence, which
// policy.Decision.Sentence writes, under the code that the service uses for it.
func (g *Gateway) denied(d *deed, req *policy.Request) *aws.Error {
	sentence := d.decision.Sentence(req)
	if k := d.call.Principal.Kind; k == aws.WebIdentity || k == aws.SAML {
		// Who comes with a token or an assertion has no ARN, and is told no more.
		sentence = "Not authorized to perform " + req.Action
	}
	kind := refusalKind(d.about)
	if kind.Code == "UnauthorizedOperation" {
		sentence = "You are not authorized to perform this operation. " + sentence
		if req.Resource != "*" {
			sentence += " Encoded authorization failure message: " + g.encoded(d, req)
		}
	}
	return &aws.Error{Code: kind.Code, Status: kind.Status, Message: sentence}
}

// refusalKind is the error by which a service says that a caller is not
// authorised: the one that its model names, else its protocol's.
func refusalKind(about *wire.Meta) aws.ErrorKind {
	for _, kind := range about.Errors {
		switch kind.Code {
		case "AccessDenied", "AccessDeniedException", "AuthorizationError":
			if kind.Status == 0 {
				kind.Status = http.StatusBadRequest
			}
			return kind
		}
	}
	if about.Service.EndpointPrefix == "s3" {
		return aws.ErrorKind{Code: "AccessDenied", Status: http.StatusForbidden}
	}
	switch about.Service.Protocols[0] {
	case wire.EC2:
		return aws.ErrorKind{Code: "UnauthorizedOperation", Status: http.StatusForbidden}
	case wire.JSON, wire.CBOR:
		return aws.AccessDenied
	case wire.RestJSON:
		return aws.ErrorKind{Code: "AccessDeniedException", Status: http.StatusForbidden}
	}
	return aws.ErrorKind{Code: "AccessDenied", Status: http.StatusForbidden}
}
