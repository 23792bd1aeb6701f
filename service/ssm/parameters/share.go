package parameters

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	policies "sumun.dev/policy"
	"sumun.dev/service"
	"sumun.dev/store"
)

// A parameter of the advanced tier is shared by its resource policy: an account
// that the policy names reads it by its ARN, when its own policies allow it too.
// User Guide, "Working with shared parameters".

const (
	maxPolicyText = 20 << 10
	maxShared     = 100 // accounts that one policy may name
)

// A share stands in the account that a parameter is shared with, under its ARN.
type share struct{ ARN string }

func (s *Service) putResourcePolicy(ctx context.Context, in *ssmapi.PutResourcePolicyRequest) (*ssmapi.PutResourcePolicyResponse, error) {
	p, err := s.sharable(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	switch {
	case !p.Advanced:
		return nil, invalidSharing("A parameter must be in the advanced tier to be shared.")
	case p.Type == ssmapi.ParameterTypeSecureString && awsKey(p.KeyID):
		return nil, invalidSharing("A SecureString parameter must be encrypted with a customer managed key to be shared.")
	case p.Policy != "" && in.PolicyId == nil:
		return nil, ssmapi.ResourcePolicyLimitExceededException.New("The parameter already has a resource policy. To change it, specify its PolicyId and PolicyHash.").With("Limit", 1).With("LimitType", "Policy")
	case p.Policy == "" && in.PolicyId != nil:
		return nil, ssmapi.ResourcePolicyNotFoundException.New("No policy was found with the specified policy ID and hash.")
	case p.Policy != "" && (*in.PolicyId != p.PolicyID || text(in.PolicyHash) != hashOf(p)):
		return nil, conflicting()
	}
	kept, accounts, err := s.readPolicy(ctx, in.Policy)
	if err != nil {
		return nil, err
	}
	if err := s.unshare(ctx, p); err != nil {
		return nil, err
	}
	arn := arnOf(aws.CallOf(ctx), p.Name)
	p.Shared = slices.DeleteFunc(accounts, func(a aws.Account) bool { return a == arn.Account })
	for _, account := range p.Shared {
		if err := s.shared.In(store.Place{Account: account, Region: arn.Region}).Put(ctx, arn.String(), &share{arn.String()}); err != nil {
			return nil, err
		}
	}
	if p.Policy = kept; p.PolicyID == "" {
		p.PolicyID = aws.UUID()
	}
	return &ssmapi.PutResourcePolicyResponse{PolicyId: new(p.PolicyID), PolicyHash: new(hashOf(p))}, s.parameters.Put(ctx, p.Name, p)
}

func (s *Service) getResourcePolicies(ctx context.Context, in *ssmapi.GetResourcePoliciesRequest) (*ssmapi.GetResourcePoliciesResponse, error) {
	p, err := s.sharable(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &ssmapi.GetResourcePoliciesResponse{Policies: []ssmapi.GetResourcePoliciesResponseEntry{}}
	if p.Policy == "" || in.NextToken != nil {
		return out, nil
	}
	shown, err := service.WithARNs(ctx, s.env.Principals, p.Policy)
	if err != nil {
		return nil, err
	}
	out.Policies = append(out.Policies, ssmapi.GetResourcePoliciesResponseEntry{PolicyId: new(p.PolicyID), PolicyHash: new(hashOf(p)), Policy: new(shown)})
	return out, nil
}

func (s *Service) deleteResourcePolicy(ctx context.Context, in *ssmapi.DeleteResourcePolicyRequest) (*ssmapi.DeleteResourcePolicyResponse, error) {
	p, err := s.sharable(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if p.Policy == "" || in.PolicyId != p.PolicyID {
		return nil, ssmapi.ResourcePolicyNotFoundException.New("No policy was found with the specified policy ID and hash.")
	}
	if in.PolicyHash != hashOf(p) {
		return nil, conflicting()
	}
	if err := s.unshare(ctx, p); err != nil {
		return nil, err
	}
	p.Policy, p.PolicyID = "", ""
	return &ssmapi.DeleteResourcePolicyResponse{}, s.parameters.Put(ctx, p.Name, p)
}

// sharable returns the caller's own parameter with this ARN.
func (s *Service) sharable(ctx context.Context, arn string) (*parameter, error) {
	if parsed, err := aws.ParseARN(arn); err == nil && !strings.HasPrefix(parsed.Resource, "parameter/") && parsed.Service == "ssm" {
		return nil, aws.UnsupportedOperation.New("Resource policies of %s are not served here yet.", arn)
	}
	if !strings.HasPrefix(arn, "arn:") {
		return nil, invalidSharing("ResourceArn is not an ARN.")
	}
	p, err := s.owned(ctx, arn)
	if ssmapi.ParameterNotFound.Is(err) {
		return nil, ssmapi.ResourceNotFoundException.New("The specified parameter to be shared could not be found.")
	}
	return p, err
}

// readPolicy returns a policy as it is kept, and the accounts that it names.
func (s *Service) readPolicy(ctx context.Context, document string) (string, []aws.Account, error) {
	if len(document) > maxPolicyText {
		return "", nil, malformed("The policy is too long.")
	}
	parsed, err := policies.Parse([]byte(document), policies.Resource)
	if err != nil {
		return "", nil, asMalformed(err)
	}
	if parsed.Public() {
		return "", nil, malformed("A parameter can't be shared with everyone.")
	}
	accounts, err := named(document)
	if err != nil {
		return "", nil, err
	}
	kept, err := service.WithIDs(ctx, s.env.Principals, document)
	return kept, accounts, asMalformed(err)
}

// named returns the accounts of the principals that a valid policy names.
func named(document string) ([]aws.Account, error) {
	var doc struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(document), &doc); err != nil {
		return nil, malformed("The policy is no JSON.")
	}
	var accounts []aws.Account
	for _, statement := range listOf(doc.Statement) {
		var st struct {
			Effect    string
			Principal struct{ AWS json.RawMessage }
		}
		if json.Unmarshal(statement, &st) != nil || st.Effect != "Allow" {
			continue // "*" and services are no accounts
		}
		for _, one := range listOf(st.Principal.AWS) {
			var who string
			if json.Unmarshal(one, &who) != nil {
				continue
			}
			account := aws.Account(who)
			if arn, err := aws.ParseARN(who); err == nil {
				account = arn.Account
			}
			if len(account) == 12 && strings.Trim(string(account), "0123456789") == "" && !slices.Contains(accounts, account) {
				accounts = append(accounts, account)
			}
		}
	}
	if len(accounts) > maxShared {
		return nil, malformed("The policy names too many accounts.")
	}
	return accounts, nil
}

// listOf returns the elements of what may be a list or one element.
func listOf(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	return []json.RawMessage{raw}
}

// unshare forgets whom p is shared with, those too whose users in the policy are gone.
func (s *Service) unshare(ctx context.Context, p *parameter) error {
	arn := arnOf(aws.CallOf(ctx), p.Name)
	for _, account := range p.Shared {
		err := s.shared.In(store.Place{Account: account, Region: arn.Region}).Delete(ctx, arn.String())
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	p.Shared = nil
	return nil
}

// sharedWith lists the parameters that are shared with the caller's account.
func (s *Service) sharedWith(ctx context.Context, after string, limit int) ([]candidate, error) {
	rows, err := s.shared.Page(ctx, store.Range{After: after, Limit: limit})
	if err != nil {
		return nil, err
	}
	all := make([]candidate, 0, len(rows))
	for _, row := range rows {
		r := referenceOf(ctx, row.Value.ARN)
		p, err := s.find(ctx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, candidate{row.ID, r.arn, p})
	}
	return all, nil
}

func hashOf(p *parameter) string {
	sum := sha256.Sum256([]byte(p.PolicyID + "\n" + p.Policy))
	return hex.EncodeToString(sum[:])
}

// awsKey reports whether a key is one that AWS manages.
func awsKey(id string) bool { return strings.Contains(id, "alias/aws/") }

func conflicting() error {
	return ssmapi.ResourcePolicyConflictException.New("The hash provided in the call doesn't match the stored hash. This exception is thrown when trying to update an obsolete policy version or when multiple requests to update a policy are sent.")
}

func invalidSharing(why string) error {
	return ssmapi.ResourcePolicyInvalidParameterException.New("%s", why).With("ParameterNames", []string{"ResourceArn"})
}

func malformed(why string) error {
	return ssmapi.MalformedResourcePolicyDocumentException.New("%s", why)
}

func asMalformed(err error) error {
	var e *aws.Error
	if !errors.As(err, &e) {
		return err
	}
	return malformed(e.Message)
}
