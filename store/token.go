package store

import (
	"encoding/base64"
)

// maxToken bounds what is decoded: an id, its seal, and base64's third.
const maxToken = 2 * MaxID

// NextToken returns the token of the page after the row of that id, sealed and
// bound to what the caller lists: operation, account, region, filters. It is
// empty when after is: there is no next page. Letters, digits, - and _ only.
func (s *Store) NextToken(bind []string, after string) string {
	if after == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(s.seal.Seal([]byte(after), tokenData(bind)))
}

// OpenToken returns the id that NextToken was given, when the same is bound;
// ErrToken otherwise. The empty token is that of the first page.
func (s *Store) OpenToken(bind []string, token string) (string, error) {
	return s.OpenTokenOf(maxToken, bind, token)
}

// OpenTokenOf is OpenToken for tokens of up to max characters: those that hold
// more than the id of a row.
func (s *Store) OpenTokenOf(max int, bind []string, token string) (string, error) {
	if token == "" {
		return "", nil
	}
	if len(token) > max {
		return "", ErrToken
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return "", ErrToken
	}
	after, err := s.seal.Open(b, tokenData(bind))
	if err != nil {
		return "", ErrToken
	}
	return string(after), nil
}

func tokenData(bind []string) []byte {
	return binding(append([]string{"page"}, bind...)...)
}
