// Package sigv4 checks and makes AWS Signature Version 4.
//
// Reading order: Parse takes a request apart and needs no secret, Verifier.Verify
// proves the signature, Signature.Body reads the payload and proves what the
// signature says of it, Sign and Presign are the client's side.
//
// The rules are those of the IAM User Guide, "AWS Signature Version 4 for API
// requests", and of the Amazon S3 API Reference, "Authenticating Requests".
package sigv4

import (
	"net/http"
	"strings"
	"time"
)

// Algorithm is the one algorithm that is accepted.
const Algorithm = "AWS4-HMAC-SHA256"

// What stands in x-amz-content-sha256 instead of a hash.
// Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header".
const (
	UnsignedPayload        = "UNSIGNED-PAYLOAD"
	StreamingSigned        = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	StreamingSignedTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	StreamingTrailer       = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

const (
	terminator  = "aws4_request"
	skew        = 15 * time.Minute
	longest     = 604800 // X-Amz-Expires at most, in seconds: seven days
	basicFormat = "20060102T150405Z"
)

// Rules say how a service departs from the common procedure. The zero value
// departs in nothing: the path is normalised and encoded twice, the body's hash
// is computed, the session token is signed.
type Rules uint8

// Departures from the common procedure.
const (
	// KeepPath neither removes dot segments nor doubled slashes.
	KeepPath Rules = 1 << iota
	// EncodeOnce encodes the path once: what the client escaped stays escaped.
	EncodeOnce
	// DeclaredPayload believes x-amz-content-sha256, which may then be
	// UNSIGNED-PAYLOAD or name a streamed body. Signature.Body holds it to its word.
	DeclaredPayload
	// LateToken accepts a session token that was added after signing. Whoever
	// sets this must compare the token with the key's session.
	LateToken

	// S3 is how Amazon S3 departs.
	S3 = KeepPath | EncodeOnce | DeclaredPayload
)

// A Request is what a signature covers. Nothing in it may have been cleaned.
type Request struct {
	Method string
	Path   string      // as received, without the query
	Query  string      // as received, without the question mark
	Host   string      // the Host header or :authority
	Header http.Header // keys in net/http's canonical form
}

// Received returns what the client signed of a request that a server received.
// It refuses request targets that are not a path, since they name a second host.
func Received(r *http.Request) (*Request, error) {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") {
		return nil, refuse(MalformedTarget, "The request target must be a path.")
	}
	return &Request{Method: r.Method, Path: path, Query: query, Host: r.Host, Header: r.Header}, nil
}

// A Signature is what a request says about who signed it, and for what. Nothing
// of it is proven before Verifier.Verify returned nil.
type Signature struct {
	KeyID   string // access key id
	Date    string // day of the scope, YYYYMMDD
	Region  string // region of the scope
	Service string // service of the scope, the signing name
	Token   string // session token; empty for a long-term key
	Time    time.Time
	Expires time.Duration // how long a presigned request holds; 0 for the header form
	Payload string        // x-amz-content-sha256 as declared; empty when it is absent

	request   *Request
	rules     Rules
	presigned bool
	signed    string // the list of signed headers, as sent
	signature string
	stamp     string // the time as the string to sign has it
	key       *signingKey
}

// Presigned reports whether the signature came in the query.
func (s *Signature) Presigned() bool { return s.presigned }

// Signs reports whether the signature covers the header, named in lower case.
// Content-Type need not be covered: AWS does not ask for it, and the JavaScript
// SDK v2 leaves it out. The body's hash and X-Amz-Target, which are always
// covered, decide what is called.
func (s *Signature) Signs(header string) bool { return listed(s.signed, header) }

// Path returns the path that the signature vouches for: services other than S3
// must serve this one, not the one received, or a path with dot segments would be
// verified as one resource and served as another.
func (s *Signature) Path() string {
	if s.rules&KeepPath != 0 {
		return s.request.Path
	}
	return normalise(s.request.Path)
}

// CheckScope refuses a signature made for another service or region. An empty
// region is not compared.
func (s *Signature) CheckScope(service, region string) error {
	var says []string
	if region != "" && s.Region != region {
		says = append(says, "Credential should be scoped to a valid region, not '"+s.Region+"'.")
	}
	if s.Service != service {
		says = append(says, "Credential should be scoped to correct service: '"+service+"'.")
	}
	if says != nil {
		return s.refuse(WrongScope, strings.Join(says, " "))
	}
	return nil
}

// refuse marks the error as one of the query form, which S3 names differently.
func (s *Signature) refuse(why Reason, message string) *Error {
	return &Error{Reason: why, Message: message, InQuery: s.presigned}
}

// listed reports whether the semicolon-separated list has name.
func listed(list, name string) bool {
	for list != "" {
		var item string
		item, list, _ = strings.Cut(list, ";")
		if item == name {
			return true
		}
	}
	return false
}
