//go:build pkcs11 && cgo

package roothsm

import (
	"crypto/cipher"
	"errors"
	"fmt"

	"github.com/ThalesGroup/crypto11"
)

// Open logs in to the token and finds its key.
func Open(s Settings) (*HSM, error) {
	c, err := crypto11.Configure(&crypto11.Config{Path: s.Module, TokenLabel: s.Token, Pin: s.PIN})
	if err != nil {
		return nil, fmt.Errorf("the token %s of %s cannot be opened: %w", s.Token, s.Module, err)
	}
	gcm, err := find(c, s)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &HSM{settings: s, gcm: gcm, close: c.Close}, nil
}

// find returns the one key of the token that has the label. Labels need not differ
// (PKCS #11, 4.4), and tokens have no order: of two keys, the next start could take
// the other.
func find(c *crypto11.Context, s Settings) (cipher.AEAD, error) {
	keys, err := c.FindKeys(nil, []byte(s.Key))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the secret key %s of the token %s cannot be looked for: %w", s.Key, s.Token, err)
	case len(keys) == 0:
		return nil, fmt.Errorf("the token %s has no secret key %s; make one, such as with pkcs11-tool --keygen --key-type AES:32 --label %s --sensitive", s.Token, s.Key, s.Key)
	case len(keys) > 1:
		return nil, fmt.Errorf("the token %s has %d secret keys %s: give each a label of its own", s.Token, len(keys), s.Key)
	}
	gcm, err := keys[0].NewGCM()
	if err != nil {
		return nil, fmt.Errorf("the key %s cannot do AES-GCM: %w", s.Key, err)
	}
	return gcm, nil
}
