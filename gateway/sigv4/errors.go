package sigv4

import (
	"net/http"

	"sumun.dev/aws"
)

// A Reason says why a request is not authentic.
type Reason uint8

// Why a request is refused. The last four are for the caller, who knows the keys.
const (
	NoSignature     Reason = iota + 1 // nothing in the request says who signed it
	Incomplete                        // a part of the authentication is missing or malformed
	Ambiguous                         // authentication stands in two places
	Unsupported                       // Signature Version 2, 4A, or anything else
	MalformedTarget                   // the request target or its query cannot be read
	WrongScope                        // signed for another day, region or service
	Unsigned                          // a header that must be signed is not
	Mismatch                          // the signature is not ours
	Skewed                            // the clocks differ by more than 15 minutes
	Lapsed                            // a presigned request is past its time
	NoPayloadHash                     // S3 asks for x-amz-content-sha256
	BadPayloadHash                    // the body is not the one that was signed
	BadStream                         // an aws-chunked body is malformed
	BadLength                         // a streamed body has another length than declared

	UnknownKey   // no such access key, or an inactive one
	UnknownToken // the session token does not belong to the key
	MissingToken // a temporary key without its token
	ExpiredToken // the session is over
)

// An Error is a refusal. Its codes differ between protocols: see For.
type Error struct {
	Reason  Reason
	Message string // in AWS's words
	InQuery bool   // the request was presigned
}

func (e *Error) Error() string { return e.For(Query).Error() }

// Refuse returns an error for what only the caller can know.
func Refuse(why Reason) *Error { return refuse(why, sentences[why]) }

func refuse(why Reason, message string) *Error { return &Error{Reason: why, Message: message} }

// A Family is a group of services that name authentication errors alike.
type Family uint8

// The families of services.
const (
	Query    Family = iota // awsQuery and restXml outside S3
	JSON                   // awsJson and CBOR
	RestJSON               // restJson: JSON's codes, HTTP's statuses
	EC2
	AmazonS3
)

// Sentences that do not depend on the request.
const (
	tokenInvalid = "The security token included in the request is invalid."
	noMatch      = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	noMatchS3    = "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)

var sentences = [...]string{
	UnknownKey:   tokenInvalid,
	UnknownToken: tokenInvalid,
	MissingToken: tokenInvalid,
	ExpiredToken: "The security token included in the request is expired",
}

type answer struct {
	code    string
	status  int
	message string // replaces the error's own; empty keeps it
}

// For returns what a client of the family sees.
//
// Sources: IAM User Guide, "Troubleshoot Signature Version 4 signing for AWS API
// requests"; the services' "Common Errors"; Amazon S3 API Reference, "Error
// responses"; Amazon EC2 Developer Guide, "Error codes for the Amazon EC2 API".
func (e *Error) For(f Family) *aws.Error {
	var a answer
	switch f {
	case AmazonS3:
		a = e.s3()
	case EC2:
		a = e.ec2()
	default:
		a = e.query()
	}
	if f == JSON || f == RestJSON {
		a = inJSON(a, f)
	}
	if a.message == "" {
		a.message = e.Message
	}
	return &aws.Error{Code: a.code, Status: a.status, Message: a.message}
}

func (e *Error) query() answer {
	switch e.Reason {
	case NoSignature:
		return answer{"MissingAuthenticationToken", http.StatusForbidden, "Request is missing Authentication Token"}
	case Incomplete, Ambiguous, Unsupported:
		return answer{"IncompleteSignature", http.StatusBadRequest, ""}
	case MalformedTarget:
		return answer{"MalformedQueryString", http.StatusBadRequest, ""}
	case UnknownKey, UnknownToken, MissingToken:
		return answer{"InvalidClientTokenId", http.StatusForbidden, ""}
	case ExpiredToken:
		return answer{"ExpiredToken", http.StatusForbidden, ""}
	case NoPayloadHash, BadStream, BadLength:
		return answer{"InvalidRequest", http.StatusBadRequest, ""}
	default:
		return answer{"SignatureDoesNotMatch", http.StatusForbidden, ""}
	}
}

// inJSON turns the query protocol's codes into those of the JSON protocols.
func inJSON(a answer, f Family) answer {
	switch a.code {
	case "SignatureDoesNotMatch":
		a.code = "InvalidSignatureException"
	case "InvalidClientTokenId":
		a.code = "UnrecognizedClientException"
	case "MissingAuthenticationToken":
		a.message = "Missing Authentication Token"
		a.code += "Exception"
	case "IncompleteSignature", "ExpiredToken", "InvalidRequest":
		a.code += "Exception"
	}
	if f == JSON {
		a.status = http.StatusBadRequest
	}
	return a
}

func (e *Error) ec2() answer {
	switch e.Reason {
	case Skewed, Lapsed:
		return answer{"RequestExpired", http.StatusBadRequest, "Request has expired."}
	case UnknownKey, UnknownToken, MissingToken, Mismatch, WrongScope, Unsigned:
		return answer{"AuthFailure", http.StatusUnauthorized, "AWS was not able to validate the provided access credentials"}
	case ExpiredToken:
		return answer{"RequestExpired", http.StatusBadRequest, "Request has expired."}
	}
	return e.query()
}

func (e *Error) s3() answer {
	switch e.Reason {
	case NoSignature:
		return answer{"AccessDenied", http.StatusForbidden, "Access Denied"}
	case Incomplete, WrongScope:
		if e.InQuery {
			return answer{"AuthorizationQueryParametersError", http.StatusBadRequest, ""}
		}
		return answer{"AuthorizationHeaderMalformed", http.StatusBadRequest, "The authorization header is malformed; " + e.Message}
	case Ambiguous:
		return answer{"InvalidArgument", http.StatusBadRequest, "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified"}
	case Unsupported:
		return answer{"InvalidRequest", http.StatusBadRequest, "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."}
	case MalformedTarget:
		return answer{"InvalidURI", http.StatusBadRequest, "Couldn't parse the specified URI."}
	case Unsigned:
		return answer{"AccessDenied", http.StatusForbidden, "There were headers present in the request which were not signed"}
	case Skewed:
		return answer{"RequestTimeTooSkewed", http.StatusForbidden, "The difference between the request time and the current time is too large."}
	case Lapsed:
		return answer{"AccessDenied", http.StatusForbidden, "Request has expired"}
	case NoPayloadHash:
		return answer{"InvalidRequest", http.StatusBadRequest, ""}
	case BadPayloadHash:
		return answer{"XAmzContentSHA256Mismatch", http.StatusBadRequest, ""}
	case BadStream, BadLength:
		return answer{"IncompleteBody", http.StatusBadRequest, ""}
	case UnknownKey:
		return answer{"InvalidAccessKeyId", http.StatusForbidden, "The AWS Access Key Id you provided does not exist in our records."}
	case UnknownToken, MissingToken:
		return answer{"InvalidToken", http.StatusBadRequest, "The provided token is malformed or otherwise invalid."}
	case ExpiredToken:
		return answer{"ExpiredToken", http.StatusBadRequest, "The provided token has expired."}
	default:
		return answer{"SignatureDoesNotMatch", http.StatusForbidden, noMatchS3}
	}
}
