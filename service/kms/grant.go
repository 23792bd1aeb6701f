package kms

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// grantRoutes are those of grants: grant.go, grantlist.go, grantend.go. What a
// grant allows is in grantdocument.go, how it is found on a call in grantsof.go.
func (s *Service) grantRoutes() []wire.Route {
	return []wire.Route{
		kmsapi.CreateGrant.To(s.createGrant, s.keyToGrant),
		kmsapi.ListGrants.To(s.listGrants, s.keyWithGrants),
		kmsapi.ListRetirableGrants.To(s.listRetirableGrants, s.touchRetirable),
		kmsapi.RetireGrant.To(s.retireGrant, s.grantToRetire),
		kmsapi.RevokeGrant.To(s.revokeGrant, s.keyToRevokeOn),
	}
}

// maxGrants is how many grants a key can have. KMS Developer Guide, "Resource quotas".
const maxGrants = 50_000

// Bounds of an encryption context in a grant. KMS API Reference, GrantConstraints.
const (
	maxPairs = 8
	maxValue = 384
)

func (s *Service) keyToGrant(ctx context.Context, in *kmsapi.CreateGrantRequest) ([]wire.Touch, error) {
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	t, err := s.identify(ctx, in.KeyId, false)
	if err != nil {
		return nil, err
	}
	call := aws.CallOf(ctx)
	values := map[string][]string{
		"kms:GrantIsForAWSResource": {boolText(forService(call))},
		"kms:GrantOperations":       operationNames(in.Operations),
		"kms:GranteePrincipal":      {spelled(ctx, in.GranteePrincipal)},
	}
	if in.RetiringPrincipal != nil {
		values["kms:RetiringPrincipal"] = []string{spelled(ctx, *in.RetiringPrincipal)}
	}
	if c := in.Constraints; c != nil {
		both := maps.Clone(c.EncryptionContextSubset)
		if c.EncryptionContextSubset != nil {
			values[constraintType] = append(values[constraintType], subsetConstraint)
		}
		if c.EncryptionContextEquals != nil {
			values[constraintType] = append(values[constraintType], equalsConstraint)
			if both == nil {
				both = map[string]string{}
			}
			maps.Copy(both, c.EncryptionContextEquals)
		}
		addContext(values, both)
	}
	touch, err := s.touchKey(ctx, t, "kms:CreateGrant", values)
	if err != nil {
		return nil, err
	}
	return []wire.Touch{touch}, nil
}

// The condition key that tells how a grant is constrained, and its values.
const (
	constraintType   = "kms:GrantConstraintType"
	equalsConstraint = "EncryptionContextEquals"
	subsetConstraint = "EncryptionContextSubset"
)

// forService reports whether a service of AWS calls for itself or for somebody,
// which is what kms:GrantIsForAWSResource tells.
func forService(call *aws.Call) bool { return len(call.Via) > 0 || call.Principal.Kind == aws.Service }

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

func operationNames(all []kmsapi.GrantOperation) []string {
	var names []string
	for _, op := range all {
		if !slices.Contains(names, string(op)) {
			names = append(names, string(op))
		}
	}
	slices.Sort(names)
	return names
}

func (s *Service) createGrant(ctx context.Context, in *kmsapi.CreateGrantRequest) (*kmsapi.CreateGrantResponse, error) {
	t, err := s.identify(ctx, in.KeyId, false)
	if err != nil {
		return nil, err
	}
	k, err := s.key(ctx, t.ARN)
	if err != nil {
		return nil, err
	}
	if err := k.usable(t.ARN, time.Now()); err != nil {
		return nil, err
	}
	g, err := s.newGrant(ctx, t.ARN, k, in)
	if err != nil {
		return nil, err
	}
	grants := s.grants.At(t.ARN)
	if g.Name != "" {
		same, err := grants.PageBy(ctx, byName, g.names()[0], store.Range{Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(same) == 1 {
			return s.granted(t.ARN, same[0].Value, in.DryRun)
		}
	}
	if err := s.countGrants(ctx, t.ARN, k.ID, 1); err != nil {
		return nil, err
	}
	if err := grants.Insert(ctx, grantID(k.ID, g.ID), g); err != nil {
		return nil, err
	}
	if g.Retiring != "" {
		r := &retirable{Retiring: g.Retiring, Key: t.ARN.String(), Grant: g.ID}
		if err := s.retirables(t.ARN, g).Insert(ctx, retirableID(t.ARN, g.ID), r); err != nil {
			return nil, err
		}
	}
	return s.granted(t.ARN, g, in.DryRun)
}

func (s *Service) granted(key aws.ARN, g *grant, dry *bool) (*kmsapi.CreateGrantResponse, error) {
	if err := dryRun(dry); err != nil {
		return nil, err
	}
	return &kmsapi.CreateGrantResponse{GrantId: new(g.ID), GrantToken: new(s.newToken(key, g.ID))}, nil
}

// newGrant makes a grant of what is asked, or says what is wrong with it.
func (s *Service) newGrant(ctx context.Context, key aws.ARN, k *key, in *kmsapi.CreateGrantRequest) (*grant, error) {
	call := aws.CallOf(ctx)
	g := &grant{
		ID: randomHex(32), Key: k.ID, Created: time.Now().UTC(), Operations: operationNames(in.Operations),
		Issuing: accountARN(call.Partition, issuer(call)),
	}
	if in.Name != nil {
		g.Name = *in.Name
	}
	if len(g.Operations) == 0 {
		return nil, aws.ValidationException.New("A grant must allow at least one operation.")
	}
	suits := operationsOn(k)
	for _, op := range g.Operations {
		if !slices.Contains(suits, op) {
			return nil, aws.ValidationException.New("Grant operation %s is not valid for a key with key usage %s and key spec %s.", op, k.Usage, k.Spec)
		}
	}
	if err := g.constrain(k, in.Constraints); err != nil {
		return nil, err
	}
	var err error
	if g.Grantee, err = s.grantable(ctx, in.GranteePrincipal); err != nil {
		return nil, err
	}
	if in.RetiringPrincipal != nil {
		g.Retiring, err = s.grantable(ctx, *in.RetiringPrincipal)
		g.RetiredIn = cmp.Or(principalARN(ctx, *in.RetiringPrincipal).Account, key.Account)
	}
	return g, err
}

func randomHex(size int) string {
	b := make([]byte, size)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// issuer is the account that makes the grant: the caller's, or the one that a
// service acts in.
func issuer(call *aws.Call) aws.Account {
	if a := call.Principal.Account; a != "" {
		return a
	}
	return call.Account
}

func accountARN(partition string, a aws.Account) string {
	return aws.ARN{Partition: partition, Service: "iam", Account: a, Resource: "root"}.String()
}

// operationsOn lists the operations that a grant on the key can allow.
// KMS Developer Guide, "Grant operations".
func operationsOn(k *key) []string {
	always := []string{"DescribeKey", "CreateGrant", "RetireGrant"}
	switch {
	case k.Spec == symmetric:
		return append(always, "Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
			"GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext")
	case k.Usage == encrypting:
		return append(always, "GetPublicKey", "Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo")
	case k.Usage == signing:
		return append(always, "GetPublicKey", "Sign", "Verify")
	case k.Usage == macing:
		return append(always, "GenerateMac", "VerifyMac")
	case k.Usage == agreeing:
		return append(always, "GetPublicKey", "DeriveSharedSecret")
	}
	return always
}

// constrain sets the encryption context that the grant asks for.
// KMS Developer Guide, "Using grant constraints".
func (g *grant) constrain(k *key, c *kmsapi.GrantConstraints) error {
	if c == nil || c.EncryptionContextEquals == nil && c.EncryptionContextSubset == nil {
		return nil
	}
	if k.Spec != symmetric {
		return aws.ValidationException.New("Grant constraints are valid only for symmetric encryption keys.")
	}
	for _, pairs := range []map[string]string{c.EncryptionContextEquals, c.EncryptionContextSubset} {
		if len(pairs) > maxPairs {
			return aws.ValidationException.New("A grant constraint can have at most %d encryption context pairs.", maxPairs)
		}
		for key, value := range pairs {
			if key == "" || len(key) > maxValue || len(value) > maxValue {
				return aws.ValidationException.New("Keys and values of a grant constraint can have at most %d characters.", maxValue)
			}
		}
	}
	g.Equals, g.Subset = c.EncryptionContextEquals, c.EncryptionContextSubset
	return nil
}

// principalARN is the ARN of a principal as callers name it, of an account too when
// its number stands alone; zero of services and of what is none.
func principalARN(ctx context.Context, principal string) aws.ARN {
	if account, err := aws.ParseAccount(principal); err == nil {
		return aws.ARN{Partition: aws.CallOf(ctx).Partition, Service: "iam", Account: account, Resource: "root"}
	}
	arn, err := aws.ParseARN(principal)
	if err != nil {
		return aws.ARN{}
	}
	return arn
}

// spelled is a principal as policies ask about it: an account by its ARN, however it
// was named.
func spelled(ctx context.Context, principal string) string {
	if arn := principalARN(ctx, principal); !arn.IsZero() {
		return arn.String()
	}
	return principal
}

// grantable returns a principal as grants keep it: users and roles by their unique
// ids, so that a namesake made later is not granted anything.
func (s *Service) grantable(ctx context.Context, principal string) (string, error) {
	if strings.HasSuffix(principal, ".amazonaws.com") && !strings.Contains(principal, ":") {
		return principal, nil
	}
	arn := principalARN(ctx, principal)
	if arn.Partition != aws.CallOf(ctx).Partition || arn.Region != "" || strings.ContainsAny(principal, "*?") {
		return "", notPrincipal(principal)
	}
	kind, name, _ := strings.Cut(arn.Resource, "/")
	switch arn.Service + ":" + kind {
	case "iam:root":
		return arn.String(), nil
	case "sts:assumed-role", "sts:federated-user":
		if name == "" || kind == "assumed-role" && strings.Count(name, "/") != 1 {
			return "", notPrincipal(principal)
		}
		return principal, nil
	case "iam:user", "iam:role":
		id, err := s.env.Principals.UniqueID(ctx, arn)
		if errors.Is(err, store.ErrNotFound) {
			return "", notPrincipal(principal)
		}
		return id, err
	}
	return "", notPrincipal(principal)
}

func notPrincipal(principal string) error {
	return kmsapi.InvalidArnException.New("ARN does not refer to a valid principal: %s", principal)
}

// countGrants adds to the number of a key's grants, and refuses what is too many.
func (s *Service) countGrants(ctx context.Context, arn aws.ARN, id string, more int) error {
	counts := s.counts.At(arn)
	c, err := counts.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		c, err = &grantCount{}, nil
	}
	if err != nil {
		return err
	}
	if c.N += more; c.N > maxGrants {
		return kmsapi.LimitExceededException.New("You can have at most %d grants on %s.", maxGrants, arn)
	}
	return counts.Put(ctx, id, c)
}

// names are what a grant made again with the same parameters is found by.
func (g *grant) names() []string {
	if g.Name == "" {
		return nil
	}
	return []string{granteeOn(g.Key, g.sameness())}
}

// sameness tells apart what CreateGrant is given, the key aside.
func (g *grant) sameness() string {
	b, err := json.Marshal([]any{g.Name, g.Grantee, g.Retiring, g.Issuing, g.Operations, g.Equals, g.Subset})
	if err != nil {
		panic("kms: " + err.Error()) // texts and maps of texts are always written
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
