package sigv4

import (
	"strconv"
	"time"
)

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
