package material

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
)

// A privateKeyInfo is RFC 5208's structure, for algorithms that crypto/x509 does not
// know. Attributes are read past.
type privateKeyInfo struct {
	Version    int
	Algorithm  pkix.AlgorithmIdentifier
	PrivateKey []byte
	Attributes asn1.RawValue `asn1:"optional,tag:0"`
	PublicKey  asn1.RawValue `asn1:"optional,tag:1"` // RFC 5958
}

type publicKeyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	PublicKey asn1.BitString
}

// whole reports whether der is one element and nothing after it, which the parsers of
// crypto/x509 let pass.
func whole(der []byte) error {
	var v asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &v); err != nil || len(rest) > 0 {
		return fmt.Errorf("%w: not one DER element", ErrInput)
	}
	return nil
}

// unmarshal reads one DER element, and nothing may follow it.
func unmarshal(der []byte, into any) error {
	if rest, err := asn1.Unmarshal(der, into); err != nil || len(rest) > 0 {
		return fmt.Errorf("%w: not the DER of such a key", ErrInput)
	}
	return nil
}
