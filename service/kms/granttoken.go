package kms

import (
	"strings"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
)

// Grants are in effect as soon as CreateGrant has answered, so a token does nothing
// that the grant does not. It is sealed by the plane, and checked all the same: who
// sends one that is none is told. KMS Developer Guide, "Grant tokens".

// maxGrantToken is the model's bound in characters.
const maxGrantToken = 8192

var tokenBinding = []string{"kms:GrantToken"}

func (s *Service) newToken(key aws.ARN, id string) string {
	return s.env.Store.NextToken(tokenBinding, key.String()+" "+id)
}

// openToken returns the key and the grant that a token stands for.
func (s *Service) openToken(token string) (aws.ARN, string, error) {
	text, err := s.env.Store.OpenTokenOf(maxGrantToken, tokenBinding, token)
	if err != nil || token == "" {
		return aws.ARN{}, "", kmsapi.InvalidGrantTokenException.New("The grant token is not valid.")
	}
	key, id, _ := strings.Cut(text, " ")
	arn, err := aws.ParseARN(key)
	if err != nil {
		return aws.ARN{}, "", kmsapi.InvalidGrantTokenException.New("The grant token is not valid.")
	}
	return arn, id, nil
}

// checkTokens refuses tokens that KMS has not given out.
func (s *Service) checkTokens(tokens []string) error {
	for _, token := range tokens {
		if _, _, err := s.openToken(token); err != nil {
			return err
		}
	}
	return nil
}
