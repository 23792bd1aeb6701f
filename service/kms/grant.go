package kms

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"sumun.dev/wire"
)

func (s *Service) grantRoutes() []wire.Route { return nil }

// names are what a grant made again with the same parameters is found by.
func (g *grant) names() []string {
	if g.Name == "" {
		return nil
	}
	return []string{granteeOn(g.Key, g.sameness())}
}

// sameness tells apart what CreateGrant is given, the key aside.
func (g *grant) sameness() string {
	b, err := json.Marshal([]any{g.Name, g.Grantee, g.Retiring, g.Issuing, slices.Sorted(slices.Values(g.Operations)), g.Equals, g.Subset})
	if err != nil {
		panic("kms: " + err.Error()) // texts and maps of texts are always written
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
