package sts

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"io"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
)

const (
	maxToken  = 16 << 10  // characters: what the gate takes of a header
	maxClaims = 256 << 10 // bytes of what a token unfolds to
)

// The first byte of what a token seals says its form. Long claims are compressed;
// of short ones, which most are, that would cost more than it saves.
const (
	plainForm  = 1
	packedForm = 2
	longClaims = 1 << 10
)

// seal returns the session token. It is bound to the access key id, so that the
// token of one session does not go with the key of another.
func (s *Service) seal(c *claims) (string, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // a path of 512 ampersands would outgrow the token
	if err := enc.Encode(c); err != nil {
		panic(err) // strings and times always marshal
	}
	content := append([]byte{plainForm}, text.Bytes()...)
	if text.Len() > longClaims {
		content = append([]byte{packedForm}, deflate(text.Bytes())...)
	}
	token := s.env.Store.NextToken([]string{"sts.session", c.KeyID}, string(content))
	if len(token) > maxToken {
		return "", stsapi.PackedPolicyTooLargeException.New("Packed policy consumes %d%% of allotted space, please use smaller policy.", len(token)*100/maxToken)
	}
	return token, nil
}

// Temporary returns who holds a temporary access key, and its secret. A token
// that is not the key's own is InvalidClientTokenId, one past its time ExpiredToken.
func (s *Service) Temporary(keyID, token string) (*aws.Principal, []byte, error) {
	if len(token) > maxToken {
		return nil, nil, invalidToken()
	}
	key := keyOf(keyID, token)
	known := s.open.find(key)
	if known == nil {
		var err error
		if known, err = s.unseal(keyID, token); err != nil {
			return nil, nil, err
		}
		s.open.keep(key, known)
	}
	if !time.Now().Before(known.claims.Expires) {
		return nil, nil, aws.ErrorKind{Code: "ExpiredToken", Status: 403}.New("The security token included in the request is expired")
	}
	p := known.principal // a copy: a user's own session is brought up to date with the user
	return &p, known.secret, nil
}

func invalidToken() error {
	return aws.ErrorKind{Code: "InvalidClientTokenId", Status: 403}.New("The security token included in the request is invalid.")
}

// unseal opens and reads a token.
func (s *Service) unseal(keyID, token string) (*unsealed, error) {
	text, err := s.env.Store.OpenTokenOf(maxToken, []string{"sts.session", keyID}, token)
	if err != nil || text == "" {
		return nil, invalidToken()
	}
	c, size, err := unfold(text)
	if err != nil {
		return nil, err
	}
	return &unsealed{c, *c.principal(), []byte(c.Secret), 1<<10 + 2*size}, nil
}

// unfold reads what seal has sealed, and says how long it is.
func unfold(text string) (*claims, int, error) {
	content := []byte(text[1:])
	if text[0] == packedForm {
		var err error
		if content, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(content)), maxClaims)); err != nil {
			return nil, 0, err
		}
	}
	c := &claims{}
	return c, len(content), json.Unmarshal(content, c)
}
