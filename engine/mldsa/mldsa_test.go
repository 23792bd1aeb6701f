package mldsa

import (
	"bytes"
	"crypto/sha3"
	"fmt"
	"testing"

	"github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"
)

// A pair is a key of the library's and of ours.
type pair struct {
	name    string
	set     Set
	scheme  sign.Scheme
	private sign.PrivateKey
	public  sign.PublicKey
	signer  *Signer
	key     []byte
}

func pairs(t testing.TB, seed byte) []pair {
	t.Helper()
	all := []pair{
		{name: "44", set: MLDSA44(), scheme: mldsa44.Scheme()},
		{name: "65", set: MLDSA65(), scheme: mldsa65.Scheme()},
		{name: "87", set: MLDSA87(), scheme: mldsa87.Scheme()},
	}
	for i := range all {
		p := &all[i]
		p.public, p.private = p.scheme.DeriveKey(bytes.Repeat([]byte{seed}, 32))
		private, _ := p.private.MarshalBinary()
		p.key, _ = p.public.MarshalBinary()
		var err error
		if p.signer, err = NewSigner(p.set, private); err != nil {
			t.Fatal(err)
		}
		if p.set.SignatureSize() != p.scheme.SignatureSize() {
			t.Fatalf("%s: signatures of %d bytes, want %d", p.name, p.set.SignatureSize(), p.scheme.SignatureSize())
		}
	}
	return all
}

// representative hashes a message as its holder does: FIPS 204, algorithm 7, line 6,
// with an empty context.
func representative(public, msg []byte) *[MuSize]byte {
	h := sha3.NewSHAKE256()
	h.Write(public)
	tr := make([]byte, 64)
	h.Read(tr)
	h = sha3.NewSHAKE256()
	h.Write(tr)
	h.Write([]byte{0, 0})
	h.Write(msg)
	var mu [MuSize]byte
	h.Read(mu[:])
	return &mu
}

// Whoever signs, of the library and this package, signs the same bytes.
func TestSignsWhatTheLibrarySigns(t *testing.T) {
	for seed := range byte(4) {
		for _, p := range pairs(t, seed) {
			for n := range 8 {
				msg := fmt.Appendf(nil, "message %d", n)
				mu := representative(p.key, msg)
				want := p.scheme.Sign(p.private, msg, nil)
				sig := p.signer.Sign(mu)
				if !bytes.Equal(sig, want) {
					t.Fatalf("%s: another signature of %q", p.name, msg)
				}
				if !Verify(p.set, p.key, mu, sig) {
					t.Errorf("%s: its own signature does not verify", p.name)
				}
				mu[n] ^= 1
				if Verify(p.set, p.key, mu, sig) {
					t.Errorf("%s: the signature is of another message too", p.name)
				}
			}
		}
	}
}

// What is changed anywhere verifies neither here nor there.
func TestRefusesWhatTheLibraryRefuses(t *testing.T) {
	msg := []byte("attack at dawn")
	for _, p := range pairs(t, 9) {
		mu := representative(p.key, msg)
		sig := p.signer.Sign(mu)
		for i := 0; i < len(sig); i += 7 {
			bad := bytes.Clone(sig)
			bad[i] ^= 1 << (i % 8)
			if got, want := Verify(p.set, p.key, mu, bad), p.scheme.Verify(p.public, msg, bad, nil); got || want {
				t.Fatalf("%s: byte %d changed: %v, and the library says %v", p.name, i, got, want)
			}
		}
		for i := len(sig) - p.set.k - p.set.omega; i < len(sig); i++ { // the hint, whole
			bad := bytes.Clone(sig)
			bad[i]++
			if Verify(p.set, p.key, mu, bad) {
				t.Fatalf("%s: byte %d of the hint changed", p.name, i)
			}
		}
		if Verify(p.set, p.key, mu, sig[1:]) || Verify(p.set, p.key[1:], mu, sig) || Verify(p.set, nil, mu, nil) {
			t.Errorf("%s: cut short, and it verifies", p.name)
		}
	}
}

func TestRefusesKeysOfOtherSets(t *testing.T) {
	all := pairs(t, 1)
	for i, p := range all {
		private, _ := p.private.MarshalBinary()
		if _, err := NewSigner(all[(i+1)%3].set, private); err == nil {
			t.Errorf("a key of %s is one of another set", p.name)
		}
		if p.set.eta == 2 {
			private[128] = 0xff // coefficients of 7
			if _, err := NewSigner(p.set, private); err == nil {
				t.Errorf("%s: secrets past their bound", p.name)
			}
		}
	}
}

func FuzzVerify(f *testing.F) {
	all := pairs(f, 3)
	msg := []byte("message")
	for i, p := range all {
		f.Add(uint8(i), p.signer.Sign(representative(p.key, msg)))
	}
	f.Fuzz(func(t *testing.T, which uint8, sig []byte) {
		p := all[which%3]
		got := Verify(p.set, p.key, representative(p.key, msg), sig)
		if want := len(sig) == p.scheme.SignatureSize() && p.scheme.Verify(p.public, msg, sig, nil); got != want {
			t.Errorf("%s: %v, and the library says %v", p.name, got, want)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	for _, p := range pairs(b, 3) {
		b.Run(p.name, func(b *testing.B) {
			var mu [MuSize]byte
			for b.Loop() {
				mu[0]++
				p.signer.Sign(&mu)
			}
		})
	}
}
