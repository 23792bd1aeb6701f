package kms

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/store"
)

// What falls due for imports.
const (
	jobExpire = "kms.expireMaterial"
	jobToken  = "kms.endToken"
)

// How long a token is good for, how long after that it is told from a wrong one,
// and how many a key has at once. KMS API Reference, GetParametersForImport.
const (
	tokenLife   = 24 * time.Hour
	tokenMemory = 30 * 24 * time.Hour
	maxTokens   = 100
	tokenSize   = 33
	tokenForm   = 1
)

// An importToken is what is kept of a token, under the key's id and the token's
// hash: whoever reads ids cannot import.
type importToken struct {
	Algorithm string
	Wrapping  []byte // private key, PKCS #8; nil when the token's time is over
	Until     time.Time
}

// keepToken makes a token for material that is wrapped so.
func (s *Service) keepToken(ctx context.Context, k *key, algorithm string, wrapping []byte) ([]byte, time.Time, error) {
	have, err := s.imports.Page(ctx, store.Range{Prefix: k.ID + "/", Limit: maxTokens})
	if err != nil {
		return nil, time.Time{}, err
	}
	if len(have) == maxTokens {
		oldest := have[0]
		for _, t := range have[1:] {
			if t.Value.Until.Before(oldest.Value.Until) {
				oldest = t
			}
		}
		store.Unschedule(ctx, jobToken, oldest.ID)
		if err := s.imports.Delete(ctx, oldest.ID); err != nil {
			return nil, time.Time{}, err
		}
	}
	token := make([]byte, tokenSize)
	rand.Read(token) // never fails
	token[0] = tokenForm
	until := time.Now().UTC().Add(tokenLife)
	id := tokenID(k, token)
	store.Schedule(ctx, store.Due{Kind: jobToken, ID: id, At: until})
	return token, until, s.imports.Insert(ctx, id, &importToken{Algorithm: algorithm, Wrapping: wrapping, Until: until})
}

// tokenOf finds what a token stands for.
func (s *Service) tokenOf(ctx context.Context, k *key, token []byte) (*importToken, error) {
	wrong := kmsapi.InvalidImportTokenException.New("The import token is invalid or is associated with a different KMS key.")
	if len(token) != tokenSize || token[0] != tokenForm {
		return nil, wrong
	}
	t, err := s.imports.Get(ctx, tokenID(k, token))
	if errors.Is(err, store.ErrNotFound) {
		return nil, wrong
	}
	if err != nil {
		return nil, err
	}
	if t.Wrapping == nil || !t.Until.After(time.Now()) {
		return nil, kmsapi.ExpiredImportTokenException.New("The import token is expired. Use GetParametersForImport to get a new import token and public key, use the new public key to encrypt the key material, and then try the request again.")
	}
	return t, nil
}

func tokenID(k *key, token []byte) string {
	sum := sha256.Sum256(token)
	return k.ID + "/" + hex.EncodeToString(sum[:])
}

// endToken takes away the wrapping key of a token that is over, and the token later.
func (s *Service) endToken(ctx context.Context, due store.Due) error {
	t, err := s.imports.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if t.Wrapping == nil {
		return s.imports.Delete(ctx, due.ID)
	}
	clear(t.Wrapping)
	t.Wrapping = nil
	store.Schedule(ctx, store.Due{Kind: jobToken, ID: due.ID, At: t.Until.Add(tokenMemory)})
	return s.imports.Put(ctx, due.ID, t)
}
