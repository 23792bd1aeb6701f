package sigv4

import "strings"

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
