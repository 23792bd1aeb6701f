package identitycenter

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"sumun.dev/api/ssoapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/saml/idp"
)

const (
	samlAudience = "https://signin.aws.amazon.com/saml"
	attributeURI = "https://aws.amazon.com/SAML/Attributes/"
)

// entity is the name under which the instance signs.
func entity(instance string) string {
	return "https://portal.sso.amazonaws.com/saml/assertion/" + instance
}

// newSigner makes the key with which an instance signs.
func newSigner(instance string) (key, certificate []byte, err error) {
	p, err := idp.New(entity(instance))
	if err != nil {
		return nil, nil, err
	}
	return p.Save()
}

func (i *instance) signer() (*idp.IdP, error) { return idp.Load(entity(i.ID), i.Key, i.Certificate) }

// metadata is what accounts are told of the instance.
func (i *instance) metadata() (string, error) {
	p, err := i.signer()
	if err != nil {
		return "", err
	}
	return p.Metadata(), nil
}

// assume opens a session of a role as AWS does: by an assertion that the instance
// signs and the account's SAML provider vouches for. STS verifies it like anybody's.
func (s *Service) assume(ctx context.Context, v *visitor, p *permissionSet, row *provision) (*stsapi.Credentials, error) {
	partition := aws.CallOf(ctx).Partition
	signer, err := v.instance.signer()
	if err != nil {
		return nil, err
	}
	lasts, err := sessionLength(p.Duration)
	if err != nil {
		return nil, err
	}
	tags, err := v.instance.sessionTags(v.user, v.session.Asserted)
	if err != nil {
		return nil, err
	}
	provider := providerARN(partition, row.Account, v.instance)
	attributes := map[string][]string{
		attributeURI + "Role":            {row.arn(partition).String() + "," + provider.String()},
		attributeURI + "RoleSessionName": {sessionName(v.user.name())},
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		attributes[attributeURI+"PrincipalTag:"+key] = []string{tags[key]}
	}
	response, err := signer.Respond(signer.Login(v.user.ID, samlAudience, samlAudience, attributes))
	if err != nil {
		return nil, err
	}
	out, err := stsapi.AssumeRoleWithSAML.Call(ctx, s.env.AWS, &stsapi.AssumeRoleWithSAMLRequest{
		RoleArn: row.arn(partition).String(), PrincipalArn: provider.String(), SAMLAssertion: response, DurationSeconds: new(int32(lasts.Seconds())),
	})
	var refused *aws.Error
	if errors.As(err, &refused) && refused.Status < 500 {
		// The account's owner, or a policy of the organisation, has closed the way.
		return nil, ssoapi.InvalidRequestException.New("The role %s cannot be assumed: %s", p.Name, refused.Message)
	}
	if err != nil {
		return nil, err
	}
	return out.Credentials, nil
}

// sessionName makes a user's name one for a session: 2 to 64 of the characters
// that STS allows.
func sessionName(user string) string {
	name := strings.Map(func(r rune) rune {
		if r < 128 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("+=,.@-_", r)) {
			return r
		}
		return '_'
	}, user)
	for len(name) < 2 {
		name += "_"
	}
	return name[:min(len(name), 64)]
}
