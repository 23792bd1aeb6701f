//go:build pkcs11 && cgo

package roothsm

import (
	"fmt"

	"github.com/ThalesGroup/crypto11"
)

// Open logs in to the token and finds its key.
func Open(s Settings) (*HSM, error) {
	c, err := crypto11.Configure(&crypto11.Config{Path: s.Module, TokenLabel: s.Token, Pin: s.PIN})
	if err != nil {
		return nil, fmt.Errorf("the token %s of %s cannot be opened: %w", s.Token, s.Module, err)
	}
	key, err := c.FindKey(nil, []byte(s.Key))
	if err != nil || key == nil {
		c.Close()
		return nil, fmt.Errorf("the token %s has no secret key %s (%v); make one, such as with pkcs11-tool --keygen --key-type AES:32 --label %s --sensitive", s.Token, s.Key, err, s.Key)
	}
	gcm, err := key.NewGCM()
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("the key %s cannot do AES-GCM: %w", s.Key, err)
	}
	return &HSM{settings: s, gcm: gcm, close: c.Close}, nil
}
