package sigv4

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

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

// fromHeader reads the Authorization header:
//
//	AWS4-HMAC-SHA256 Credential=…/…/…/…/aws4_request, SignedHeaders=…;…, Signature=…
func (s *Signature) fromHeader(header string) error {
	if len(header) > maxAuthorization {
		return s.refuse(Incomplete, "The Authorization header is too long.")
	}
	algorithm, rest, _ := strings.Cut(header, " ")
	if err := s.checkAlgorithm(algorithm); err != nil {
		return err
	}
	var credential string
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, ",")
		part = strings.Trim(part, " ")
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return s.refuse(Incomplete, "'"+shorten(part)+"' not a valid key=value pair (missing equal-sign) in Authorization header.")
		}
		var field *string
		switch name {
		case "Credential":
			field = &credential
		case "SignedHeaders":
			field = &s.signed
		case "Signature":
			field = &s.signature
		default:
			return s.refuse(Incomplete, "Authorization header has the unknown parameter '"+shorten(name)+"'.")
		}
		if *field != "" {
			return s.refuse(Incomplete, "Authorization header has more than one '"+name+"' parameter.")
		}
		*field = value
	}
	stamp, dates := s.request.date()
	var missing strings.Builder
	for _, p := range [...]struct{ name, value string }{{"Credential", credential}, {"Signature", s.signature}, {"SignedHeaders", s.signed}} {
		if p.value == "" {
			missing.WriteString("Authorization header requires '" + p.name + "' parameter. ")
		}
	}
	if dates == 0 {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() > 0 {
		// AWS echoes the header here; it may hold a secret, so we do not.
		return s.refuse(Incomplete, strings.TrimSpace(missing.String()))
	}
	if dates > 1 {
		return s.refuse(Ambiguous, "The request has more than one date.")
	}
	tokens := s.request.Header["X-Amz-Security-Token"]
	if len(tokens) > 1 {
		return s.refuse(Ambiguous, "The request has more than one X-Amz-Security-Token.")
	}
	if len(tokens) == 1 {
		s.Token = tokens[0]
	}
	return s.read(credential, stamp)
}

// fromQuery reads the parameters of a presigned request.
func (s *Signature) fromQuery(q authQuery) error {
	algorithm, _ := q.get(queryAlgorithm)
	if algorithm == "" {
		return s.refuse(Incomplete, "AWS query-string parameters must include 'X-Amz-Algorithm'. Re-examine the query-string parameters.")
	}
	if err := s.checkAlgorithm(algorithm); err != nil {
		return err
	}
	for _, name := range [...]string{queryCredential, querySignature, queryHeaders, queryDate, queryExpires} {
		if v, _ := q.get(name); v == "" {
			return s.refuse(Incomplete, "AWS query-string parameters must include '"+name+"'. Re-examine the query-string parameters.")
		}
	}
	credential, _ := q.get(queryCredential)
	stamp, _ := q.get(queryDate)
	s.signature, _ = q.get(querySignature)
	s.signed, _ = q.get(queryHeaders)
	s.Token, _ = q.get(queryToken)
	if len(credential) > maxAuthorization || len(s.signed) > maxAuthorization {
		return s.refuse(Incomplete, "The authentication parameters are too long.")
	}
	if _, twice := s.request.Header["X-Amz-Security-Token"]; twice {
		return s.refuse(Ambiguous, "A presigned request carries its session token in the query.")
	}
	expires, _ := q.get(queryExpires)
	seconds, err := strconv.Atoi(expires)
	switch {
	case err != nil || expires[0] == '+':
		return s.refuse(Incomplete, "X-Amz-Expires should be a number")
	case seconds < 0:
		return s.refuse(Incomplete, "X-Amz-Expires must be non-negative")
	case seconds > longest:
		return s.refuse(Incomplete, "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
	}
	s.Expires = time.Duration(seconds) * time.Second
	return s.read(credential, stamp)
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

// checkHeaders sees to it that nothing the services obey can be changed or added
// after signing: Host and every x-amz-* header that is present are signed, and
// the list of signed headers says each of them once, in order.
func (s *Signature) checkHeaders() error {
	last := ""
	for name := range strings.SplitSeq(s.signed, ";") {
		if name <= last || !isHeaderName(name) {
			return s.refuse(Mismatch, noMatch)
		}
		last = name
	}
	if !s.Signs("host") {
		return s.refuse(Unsigned, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range s.request.Header {
		if len(name) < 6 || !strings.EqualFold(name[:6], "X-Amz-") || s.Signs(strings.ToLower(name)) {
			continue
		}
		if name == "X-Amz-Security-Token" && s.rules&LateToken != 0 {
			continue
		}
		return s.refuse(Unsigned, "'"+shorten(name)+"' must be a 'SignedHeader' in the AWS Authorization.")
	}
	if _, ok := s.request.Header["X-Amz-Date"]; !ok && !s.presigned && !s.Signs("date") {
		return s.refuse(Unsigned, "'Date' must be a 'SignedHeader' in the AWS Authorization.")
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

// date returns the time a request says, and how many times it says one. Other
// than S3 asks, X-Amz-Date wins over Date, as all clients expect.
func (r *Request) date() (string, int) {
	for _, name := range [...]string{"X-Amz-Date", "Date"} {
		if values := r.Header[name]; len(values) > 0 {
			return values[0], len(values)
		}
	}
	return "", 0
}

// readTime reads ISO 8601's basic form and, from a Date header, the HTTP forms.
func readTime(s string) (time.Time, bool) {
	if len(s) == len(basicFormat) {
		return readBasic(s)
	}
	at, err := http.ParseTime(s)
	return at.UTC(), err == nil
}

// readBasic reads 20060102T150405Z; time.Parse takes four times as long.
func readBasic(s string) (time.Time, bool) {
	if s[8] != 'T' || s[15] != 'Z' {
		return time.Time{}, false
	}
	var n [6]int
	for i, at := range [...][2]int{{0, 4}, {4, 6}, {6, 8}, {9, 11}, {11, 13}, {13, 15}} {
		for _, c := range []byte(s[at[0]:at[1]]) {
			if c < '0' || c > '9' {
				return time.Time{}, false
			}
			n[i] = n[i]*10 + int(c-'0')
		}
	}
	at := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	// time.Date carries over what does not exist; no such date is accepted.
	ok := at.Day() == n[2] && int(at.Month()) == n[1] && n[3] < 24 && n[4] < 60 && n[5] < 60
	return at, ok
}
