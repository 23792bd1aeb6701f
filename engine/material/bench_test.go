package material

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"testing"
)

// The two lines of RSA-2048 are to be compared: what KMS's Sign adds to crypto/rsa.
func BenchmarkSignRSA2048(b *testing.B) {
	k, _ := fresh(b, RSA2048)
	msg := make([]byte, 32)
	b.Run("here", func(b *testing.B) {
		for b.Loop() {
			if _, err := k.Sign("RSASSA_PKCS1_V1_5_SHA_256", msg, raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("crypto_rsa", func(b *testing.B) {
		private := k.form.(*rsaKey).private
		for b.Loop() {
			sum := sha256.Sum256(msg)
			if _, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, sum[:]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSymmetric1KiB(b *testing.B) {
	k, _ := fresh(b, Symmetric)
	plain, aad := make([]byte, 1024), make([]byte, 100)
	sealed := k.Seal(nil, plain, aad)
	b.Run("seal", func(b *testing.B) {
		for b.Loop() {
			k.Seal(nil, plain, aad)
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			if _, err := k.Open(sealed, aad); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSign(b *testing.B) {
	for _, spec := range []Spec{P256, P384, P521, Secp256k1, Ed25519, MLDSA44, MLDSA65, MLDSA87} {
		b.Run(string(spec), func(b *testing.B) {
			k, _ := fresh(b, spec)
			msg, alg := make([]byte, 64), Algorithms(spec, signVerify)[0]
			for b.Loop() {
				if _, err := k.Sign(alg, msg, raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What the caller saves who keeps a Key.
func BenchmarkParseRSA2048(b *testing.B) {
	_, der := fresh(b, RSA2048)
	for b.Loop() {
		if _, err := Parse(RSA2048, der); err != nil {
			b.Fatal(err)
		}
	}
}
