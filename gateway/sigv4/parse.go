package sigv4

import "strings"

// The parameters of a presigned request.
const (
	queryAlgorithm  = "X-Amz-Algorithm"
	queryCredential = "X-Amz-Credential"
	queryDate       = "X-Amz-Date"
	queryExpires    = "X-Amz-Expires"
	queryHeaders    = "X-Amz-SignedHeaders"
	querySignature  = "X-Amz-Signature"
	queryToken      = "X-Amz-Security-Token"
	queryPayload    = "X-Amz-Content-Sha256"
)

// Bounds on what an unproven signature may make us keep.
const (
	maxAuthorization = 8 << 10
	maxToken         = 16 << 10
	maxKeyID         = 128 // IAM API Reference, AccessKey: 16 to 128 word characters
	maxScopeWord     = 64
)

// Parse reads who signed r, and for what. Its error is an *Error. Nothing is
// proven yet: the caller looks up the secret of the KeyID, compares the Token
// with the key's session, checks the scope, and calls Verifier.Verify.
//
// rules says how the service that the scope names departs from the common
// procedure; nil means that none does.
func Parse(r *Request, rules func(service string) Rules) (*Signature, error) {
	if !isToken(r.Method) {
		return nil, refuse(MalformedTarget, "The request method is not a method.")
	}
	q, err := readQuery(r.Query)
	if err != nil {
		return nil, err
	}
	s := &Signature{request: r}
	headers := r.Header["Authorization"]
	switch {
	case len(headers) > 1, len(headers) == 1 && q.authenticates():
		return nil, refuse(Ambiguous, "The request authenticates more than once: one Authorization header or the X-Amz-* query parameters, not both.")
	case len(headers) == 1:
		err = s.fromHeader(headers[0])
	case q.has(queryAlgorithm), q.has(querySignature), q.has(queryCredential):
		s.presigned = true
		err = s.fromQuery(q)
	case q.version2:
		err = refuse(Unsupported, "Signature Version 2 is not supported. Please use AWS4-HMAC-SHA256.")
	default:
		err = Refuse(NoSignature)
	}
	if err != nil {
		return nil, err
	}
	if rules != nil {
		s.rules = rules(s.Service)
	}
	if err := s.checkHeaders(); err != nil {
		return nil, err
	}
	if err := s.readPayload(q); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Signature) checkAlgorithm(name string) error {
	switch {
	case name == Algorithm:
		return nil
	case strings.HasPrefix(name, "AWS4-ECDSA"):
		return s.refuse(Unsupported, "Signature Version 4A ("+shorten(name)+") is not supported. Please use AWS4-HMAC-SHA256.")
	case name == "AWS", strings.HasPrefix(name, "AWS3"):
		return s.refuse(Unsupported, "Signature Version 2 is not supported. Please use AWS4-HMAC-SHA256.")
	}
	return s.refuse(Unsupported, "Unsupported AWS 'algorithm': '"+shorten(name)+"' (only AWS4-HMAC-SHA256 for now).")
}

// read takes the credential and the time apart.
func (s *Signature) read(credential, stamp string) error {
	var scope [5]string
	n := 0
	for part := range strings.SplitSeq(credential, "/") {
		if n < len(scope) {
			scope[n] = part
		}
		n++
	}
	if n != len(scope) {
		return s.refuse(Incomplete, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '"+shorten(credential)+"'")
	}
	s.KeyID, s.Date, s.Region, s.Service = scope[0], scope[1], scope[2], scope[3]
	if !isWord(s.KeyID, maxKeyID, "_") {
		return s.refuse(UnknownKey, tokenInvalid)
	}
	at, ok := readTime(stamp)
	if !ok {
		return s.refuse(Incomplete, "Date must be in ISO-8601 'basic format'. Got '"+shorten(stamp)+"'. See http://en.wikipedia.org/wiki/ISO_8601")
	}
	s.Time, s.stamp = at, stamp
	if len(stamp) != len(basicFormat) {
		s.stamp = at.Format(basicFormat)
	}
	var says []string
	if !isWord(s.Region, maxScopeWord, "-") {
		says = append(says, "Credential should be scoped to a valid region, not '"+shorten(s.Region)+"'.")
	}
	if !isWord(s.Service, maxScopeWord, "-._") {
		says = append(says, "Credential should be scoped to correct service.")
	}
	if scope[4] != terminator {
		says = append(says, "Credential should be scoped with a valid terminator: 'aws4_request', not '"+shorten(scope[4])+"'.")
	}
	if day := s.stamp[:8]; s.Date != day {
		says = append(says, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '"+shorten(s.Date)+"' != '"+day+"', from '"+s.stamp+"'.")
	}
	if says != nil {
		return s.refuse(WrongScope, strings.Join(says, " "))
	}
	if len(s.Token) > maxToken {
		return s.refuse(UnknownToken, tokenInvalid)
	}
	return nil
}

// readPayload notes what x-amz-content-sha256 says of the body.
func (s *Signature) readPayload(q authQuery) error {
	values := s.request.Header["X-Amz-Content-Sha256"]
	inQuery, asked := q.get(queryPayload)
	switch {
	case len(values) > 1, len(values) == 1 && asked:
		return s.refuse(Ambiguous, "The request has more than one x-amz-content-sha256.")
	case len(values) == 1:
		s.Payload = values[0]
	case asked:
		s.Payload = inQuery
	case s.rules&DeclaredPayload != 0 && s.presigned:
		s.Payload = UnsignedPayload
	case s.rules&DeclaredPayload != 0:
		return s.refuse(NoPayloadHash, "Missing required header for this request: x-amz-content-sha256")
	default:
		return nil
	}
	switch s.Payload {
	case UnsignedPayload, StreamingSigned, StreamingSignedTrailer, StreamingTrailer:
		if s.rules&DeclaredPayload != 0 {
			return nil
		}
	case "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER":
		return s.refuse(Unsupported, "Signature Version 4A is not supported. Please use AWS4-HMAC-SHA256.")
	default:
		if isHash(s.Payload) {
			return nil
		}
	}
	return s.refuse(BadPayloadHash, "The value of x-amz-content-sha256 is invalid: this service signs the SHA-256 of the body.")
}
