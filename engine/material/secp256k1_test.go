package material

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

// A key, its public key and a signature of "attack at dawn" that OpenSSL 3.0 has made.
const (
	opensslPrivate   = "308184020100301006072a8648ce3d020106052b8104000a046d306b0201010420419aecf49fd6dae2c71073daa8b1fc2f0bd4289a855f8c9b0f648ad086b3851ca14403420004667db4f21e606a5cd94c3cadd922aa1fb074a03fdb725375f59ab8921732e5ebdbe3ae9263f081cbbd95224a7c4c36414b441ab7ac84f1a3a08e4450668af3b6"
	opensslPublic    = "3056301006072a8648ce3d020106052b8104000a03420004667db4f21e606a5cd94c3cadd922aa1fb074a03fdb725375f59ab8921732e5ebdbe3ae9263f081cbbd95224a7c4c36414b441ab7ac84f1a3a08e4450668af3b6"
	opensslSignature = "3044022021bc26d86b265c86c81186b0c9b6285bf096182fee473ce65ae34c28c8bd066d022053512e1954e56c6a213ffef1878117b50476e7265677987819497e42ca6a45d0"
)

func TestSecp256k1OfOpenSSL(t *testing.T) {
	unhex := func(s string) []byte { b, _ := hex.DecodeString(s); return b }
	private := unhex(opensslPrivate)
	k, err := Parse(Secp256k1, private)
	if err != nil {
		t.Fatal(err)
	}
	if spki, err := k.Public(); err != nil || !bytes.Equal(spki, unhex(opensslPublic)) {
		t.Errorf("another public key: %x, %v", spki, err)
	}
	if err := k.Verify("ECDSA_SHA_256", []byte("attack at dawn"), raw, unhex(opensslSignature)); err != nil {
		t.Errorf("its signature: %v", err)
	}
	if again, err := marshalSecp256k1(k.form.(*secpKey).private); err != nil || !bytes.Equal(again, private) {
		t.Errorf("it is written otherwise: %x, %v", again, err)
	}
	// The scalar changed, and the public key not.
	private[60] ^= 1
	if _, err := Parse(Secp256k1, private); !errors.Is(err, ErrInput) {
		t.Errorf("a public key of another: %v, want ErrInput", err)
	}
}

func TestSecp256k1Scalars(t *testing.T) {
	der, err := hex.DecodeString(opensslPrivate)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(der, []byte{4, 32, 0x41}) + 2
	for name, scalar := range map[string]string{
		"zero":             "0000000000000000000000000000000000000000000000000000000000000000",
		"the order":        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
		"more than it":     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"one of another's": "0000000000000000000000000000000000000000000000000000000000000001",
	} {
		b, _ := hex.DecodeString(scalar)
		bad := bytes.Clone(der)
		copy(bad[at:], b)
		if _, err := Parse(Secp256k1, bad); !errors.Is(err, ErrInput) {
			t.Errorf("%s: %v, want ErrInput", name, err)
		}
	}
}
