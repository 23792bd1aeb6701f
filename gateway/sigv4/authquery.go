package sigv4

// authQuery holds the parameters of a query that authenticate.
type authQuery struct {
	values   [len(authNames)]string
	present  [len(authNames)]bool
	version2 bool // it is signed with Signature Version 2
}

var authNames = [...]string{
	queryAlgorithm, queryCredential, queryDate, queryExpires, queryHeaders, querySignature, queryToken, queryPayload,
}

// readQuery finds the parameters that authenticate. Each may stand there once,
// however it is escaped, and no escape in the whole query may be broken.
func readQuery(query string) (q authQuery, err error) {
	if query == "" {
		return q, nil
	}
	var keyID, signature bool
	eachParameter(query, func(rawName, rawValue string) bool {
		name, ok1 := decoded(rawName)
		if !ok1 || !wellEscaped(rawValue) {
			err = refuse(MalformedTarget, "Illegal hex character in escape % pattern.")
			return false
		}
		keyID = keyID || name == "AWSAccessKeyId"
		signature = signature || name == "Signature"
		for i, auth := range authNames {
			if name != auth {
				continue
			}
			if q.present[i] {
				err = &Error{Reason: Ambiguous, InQuery: true, Message: "The query has more than one '" + auth + "' parameter."}
				return false
			}
			q.present[i] = true
			q.values[i], _ = decoded(rawValue)
		}
		return true
	})
	q.version2 = keyID && signature
	return q, err
}

func wellEscaped(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if _, ok := escaped(s, i); !ok {
			return false
		}
		i += 2
	}
	return true
}

func (q *authQuery) get(name string) (string, bool) {
	for i, auth := range authNames {
		if auth == name {
			return q.values[i], q.present[i]
		}
	}
	return "", false
}

func (q *authQuery) has(name string) bool {
	_, ok := q.get(name)
	return ok
}

// authenticates reports whether any parameter claims to authenticate.
func (q *authQuery) authenticates() bool { return q.present != [len(authNames)]bool{} || q.version2 }
