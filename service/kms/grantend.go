package kms

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// validGrantID reports whether s can be the id of a grant.
func validGrantID(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32
}

func (s *Service) keyToRevokeOn(ctx context.Context, in *kmsapi.RevokeGrantRequest) ([]wire.Touch, error) {
	return s.touchForGrants(ctx, in.KeyId, "kms:RevokeGrant")
}

func (s *Service) revokeGrant(ctx context.Context, in *kmsapi.RevokeGrantRequest) (*kmsapi.RevokeGrantResponse, error) {
	t, err := s.identify(ctx, in.KeyId, false)
	if err != nil {
		return nil, err
	}
	if _, err := s.key(ctx, t.ARN); err != nil {
		return nil, err
	}
	if err := s.endGrant(ctx, t.ARN, in.GrantId, in.DryRun); err != nil {
		return nil, err
	}
	return &kmsapi.RevokeGrantResponse{}, nil
}

// endGrant takes a grant away.
func (s *Service) endGrant(ctx context.Context, arn aws.ARN, id string, dry *bool) error {
	if !validGrantID(id) {
		return kmsapi.InvalidGrantIdException.New("Grant ID %s is not valid.", id)
	}
	g, err := s.grants.At(arn).Get(ctx, grantID(keyIDOf(arn), id))
	if errors.Is(err, store.ErrNotFound) {
		return kmsapi.NotFoundException.New("Grant ID %s is not found.", id)
	}
	if err != nil {
		return err
	}
	if err := s.dropGrant(ctx, arn, g); err != nil {
		return err
	}
	if err := s.countGrants(ctx, arn, keyIDOf(arn), -1); err != nil {
		return err
	}
	return dryRun(dry)
}

// dropGrant deletes a grant, and what leads its retiring principal to it.
func (s *Service) dropGrant(ctx context.Context, key aws.ARN, g *grant) error {
	if err := s.grants.At(key).Delete(ctx, grantID(g.Key, g.ID)); err != nil || g.Retiring == "" {
		return err
	}
	return s.retirables(key, g).Delete(ctx, retirableID(key, g.ID))
}

// retired is the grant that a call wants to retire: by its token, or its key and id.
func (s *Service) retired(ctx context.Context, in *kmsapi.RetireGrantRequest) (aws.ARN, string, error) {
	if in.GrantToken != nil {
		if in.KeyId != nil || in.GrantId != nil {
			return aws.ARN{}, "", aws.ValidationException.New("Specify either a grant token, or a key ARN and a grant ID.")
		}
		arn, id, err := s.openToken(*in.GrantToken)
		if err == nil && arn.Region != aws.CallOf(ctx).Region {
			err = kmsapi.InvalidGrantTokenException.New("The grant token is of another Region.")
		}
		return arn, id, err
	}
	if in.KeyId == nil || in.GrantId == nil {
		return aws.ARN{}, "", aws.ValidationException.New("Specify either a grant token, or a key ARN and a grant ID.")
	}
	arn, err := aws.ParseARN(*in.KeyId)
	call := aws.CallOf(ctx)
	if err != nil || arn.Partition != call.Partition || arn.Service != "kms" || !validKeyID(keyIDOf(arn)) || arn.Account == "" || arn.Region != call.Region {
		return aws.ARN{}, "", kmsapi.InvalidArnException.New("Invalid arn %s", *in.KeyId)
	}
	if !validGrantID(*in.GrantId) {
		return aws.ARN{}, "", kmsapi.InvalidGrantIdException.New("Grant ID %s is not valid.", *in.GrantId)
	}
	return arn, *in.GrantId, nil
}

// grantToRetire asks the grant who may retire it, and not the key policy: its
// retiring principal, the grantee when RetireGrant is among its operations, and
// those whom the account that made it, or the key's own, allows to. Of a grant that
// is not there the key's own account is told so. KMS Developer Guide, "Retiring and
// revoking grants".
func (s *Service) grantToRetire(ctx context.Context, in *kmsapi.RetireGrantRequest) ([]wire.Touch, error) {
	arn, id, err := s.retired(ctx, in)
	if err != nil {
		return nil, err
	}
	g, err := s.grants.At(arn).Get(ctx, grantID(keyIDOf(arn), id))
	if errors.Is(err, store.ErrNotFound) {
		g, err = &grant{Issuing: accountARN(arn.Partition, arn.Account)}, nil
	}
	if err != nil {
		return nil, err
	}
	values := map[string][]string{}
	addContext(values, g.Subset)
	if g.Equals != nil {
		addContext(values, g.Equals)
	}
	if g.Equals != nil || g.Subset != nil {
		values[constraintType] = g.constraints()
	}
	t := wire.Touch{Action: "kms:RetireGrant", Resource: arn, PolicyKind: "key", Conditions: values}
	if t.Policy, err = policyText([]statement{retiring(g.Issuing), retiring(accountARN(arn.Partition, arn.Account))}); err != nil {
		return nil, err
	}
	caller, names := aws.CallOf(ctx).Principal, granteesOf(aws.CallOf(ctx))
	for _, who := range g.mayRetire() {
		if slices.Contains(names, who) && caller.Account != "" {
			// Whom the grant names needs no permission besides, whoever owns the key.
			t.Account, values["aws:ResourceAccount"] = caller.Account, []string{string(arn.Account)}
		}
		document, err := policyText([]statement{retiring(who)})
		if err != nil {
			return nil, err
		}
		t.Grants = append(t.Grants, wire.Grant{ID: id, Document: document})
	}
	return []wire.Touch{t}, nil
}

func retiring(who string) statement {
	return statement{"Allow", principalOf(who), []string{"kms:RetireGrant"}, "*", nil}
}

func (g *grant) constraints() []string {
	var kinds []string
	if g.Subset != nil {
		kinds = append(kinds, subsetConstraint)
	}
	if g.Equals != nil {
		kinds = append(kinds, equalsConstraint)
	}
	return kinds
}

// mayRetire are the principals that the grant itself lets retire it.
func (g *grant) mayRetire() []string {
	var who []string
	if g.Retiring != "" {
		who = append(who, g.Retiring)
	}
	if g.allows("kms:RetireGrant") {
		who = append(who, g.Grantee)
	}
	return who
}

func (s *Service) retireGrant(ctx context.Context, in *kmsapi.RetireGrantRequest) (*kmsapi.RetireGrantResponse, error) {
	arn, id, err := s.retired(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := s.endGrant(ctx, arn, id, in.DryRun); err != nil {
		return nil, err
	}
	return &kmsapi.RetireGrantResponse{}, nil
}

// endGrants takes away the grants of a key that is gone, some at a time: it reports
// whether there are more.
func (s *Service) endGrants(ctx context.Context, arn aws.ARN) (more bool, err error) {
	const limit = 2500
	page, err := s.grants.At(arn).Page(ctx, store.Range{Prefix: grantID(keyIDOf(arn), ""), Limit: limit})
	if err != nil {
		return false, err
	}
	for _, e := range page {
		if err := s.dropGrant(ctx, arn, e.Value); err != nil {
			return false, err
		}
	}
	if len(page) == limit {
		return true, nil
	}
	err = s.counts.At(arn).Delete(ctx, keyIDOf(arn))
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return false, err
}
