package sts

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"sumun.dev/aws"
)

// claims are what a session token holds: all that is needed to know the session,
// sealed so that any node can check it without reading the store.
type claims struct {
	KeyID     string      `json:"k"`
	Secret    string      `json:"s"`
	Partition string      `json:"p"`
	Account   aws.Account `json:"a"`
	Role      string      `json:"r"` // "role/path/name"
	RoleID    string      `json:"i"`
	RoleName  string      `json:"n"`
	Session   string      `json:"e"`
	Created   time.Time   `json:"c"`
	Expires   time.Time   `json:"x"`
	InvokedBy string      `json:"v,omitempty"`
}

// principal returns whom the session acts as.
func (c *claims) principal() *aws.Principal {
	return &aws.Principal{
		Kind: aws.AssumedRole, Account: c.Account, Name: c.RoleName, ID: c.RoleID + ":" + c.Session, AccessKeyID: c.KeyID,
		ARN: aws.ARN{Partition: c.Partition, Service: "sts", Account: c.Account, Resource: "assumed-role/" + c.RoleName + "/" + c.Session},
		Session: &aws.Session{
			Issuer:   aws.ARN{Partition: c.Partition, Service: "iam", Account: c.Account, Resource: c.Role},
			IssuerID: c.RoleID, IssuerName: c.RoleName, Name: c.Session, Created: c.Created, Expires: c.Expires, InvokedBy: c.InvokedBy,
		},
	}
}

// seal returns the session token. It is bound to the access key id, so that the
// token of one session does not go with the key of another.
func (s *Service) seal(c *claims) string {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // a path of 512 ampersands would outgrow the token
	if err := enc.Encode(c); err != nil {
		panic(err) // strings and times always marshal
	}
	return s.env.Store.NextToken([]string{"sts.session", c.KeyID}, text.String())
}

// Temporary returns who holds a temporary access key, and its secret. A token
// that is not the key's own is InvalidClientTokenId, one past its time ExpiredToken.
func (s *Service) Temporary(keyID, token string) (*aws.Principal, []byte, error) {
	text, err := s.env.Store.OpenToken([]string{"sts.session", keyID}, token)
	if err != nil || !strings.HasPrefix(text, "{") {
		return nil, nil, aws.ErrorKind{Code: "InvalidClientTokenId", Status: 403}.New("The security token included in the request is invalid.")
	}
	var c claims
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return nil, nil, err
	}
	if !time.Now().Before(c.Expires) {
		return nil, nil, aws.ErrorKind{Code: "ExpiredToken", Status: 403}.New("The security token included in the request is expired")
	}
	return c.principal(), []byte(c.Secret), nil
}
