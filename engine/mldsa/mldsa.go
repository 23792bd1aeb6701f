// Package mldsa signs and verifies message representatives with ML-DSA.
//
// A message representative, µ in FIPS 204, is 64 bytes hashed from the public key and
// a message by whoever has the message (section 6.2). The library that signs whole
// messages (github.com/cloudflare/circl) does not take one; here are algorithms 7 and 8
// of FIPS 204 from the point where µ is known, for keys that the library made. Tests
// hold every signature against the library's: they are the same, byte by byte.
//
// Signatures are deterministic, as the library's are.
package mldsa

import (
	"crypto/sha3"
	"crypto/subtle"
	"errors"
)

// MuSize is the length of a message representative in bytes.
const MuSize = 64

// A Set is a parameter set of FIPS 204, section 4.
type Set struct {
	k, l      int
	eta       int32
	tau, beta int32
	gamma1    int32
	gammaBits int // bits of a coefficient of z
	gamma2    int32
	omega     int
	challenge int // bytes of the challenge: λ/4
}

// MLDSA44, MLDSA65 and MLDSA87 return the parameter sets.
func MLDSA44() Set { return Set{4, 4, 2, 39, 78, 1 << 17, 18, (q - 1) / 88, 80, 32} }
func MLDSA65() Set { return Set{6, 5, 4, 49, 196, 1 << 19, 20, (q - 1) / 32, 55, 48} }
func MLDSA87() Set { return Set{8, 7, 2, 60, 120, 1 << 19, 20, (q - 1) / 32, 75, 64} }

// etaBits is how many bits a coefficient of a secret has.
func (s *Set) etaBits() int {
	if s.eta == 2 {
		return 3
	}
	return 4
}

// w1Bits is how many bits a coefficient of a commitment has.
func (s *Set) w1Bits() int {
	if s.gamma2 == (q-1)/88 {
		return 6
	}
	return 4
}

// The lengths of what is encoded, in bytes.
func (s *Set) publicSize() int  { return 32 + s.k*320 }
func (s *Set) privateSize() int { return 128 + (s.k+s.l)*32*s.etaBits() + s.k*416 }

// SignatureSize is the length of a signature in bytes.
func (s *Set) SignatureSize() int { return s.challenge + s.l*32*s.gammaBits + s.omega + s.k }

// ErrKey says that bytes are not the encoding of a key of the set.
var ErrKey = errors.New("mldsa: not a key of this parameter set")

// A Signer is a private key ready to sign. It is safe for concurrent use.
type Signer struct {
	set        Set
	seed       [32]byte // K
	a          [][]poly // k rows of l; A, s1, s2 and t0 are transformed (ntt)
	s1, s2, t0 []poly
}

// NewSigner reads a private key in FIPS 204's encoding (algorithm 25).
func NewSigner(set Set, private []byte) (*Signer, error) {
	if len(private) != set.privateSize() {
		return nil, ErrKey
	}
	rho, b := private[:32], private[32:]
	s := &Signer{set: set, seed: [32]byte(b), a: expand(set, rho)}
	b = b[32+64:] // over K and tr, which µ was made with
	bits := set.etaBits()
	var err error
	take := func(n, bits int, top int32) []poly {
		out := make([]poly, n)
		for i := range out {
			unpack(&out[i], b, bits)
			for j, v := range out[i] {
				if bits < 5 && v > 2*set.eta {
					err = ErrKey
				}
				out[i][j] = reduce(top - v)
			}
			ntt(&out[i])
			b = b[32*bits:]
		}
		return out
	}
	s.s1 = take(set.l, bits, set.eta)
	s.s2 = take(set.k, bits, set.eta)
	s.t0 = take(set.k, 13, 1<<12)
	return s, err
}

// Zero overwrites the key, which must not be in use.
func (s *Signer) Zero() {
	clear(s.seed[:])
	for _, v := range [][]poly{s.s1, s.s2, s.t0} {
		clear(v)
	}
}

// Sign returns the signature of µ: FIPS 204, algorithm 7, with a zero rnd.
func (s *Signer) Sign(mu *[MuSize]byte) []byte {
	set := &s.set
	secret := make([]byte, 64)
	shake(secret, s.seed[:], make([]byte, 32), mu[:])
	defer clear(secret)
	y, z := make([]poly, set.l), make([]poly, set.l)
	w, hint := make([]poly, set.k), make([]poly, set.k)
	challenge := make([]byte, set.challenge)
	// Each round is taken with a chance between a fifth and a quarter.
	for kappa := 0; ; kappa += set.l {
		mask(set, y, secret, kappa)
		copy(z, y)
		for i := range z {
			ntt(&z[i])
		}
		for i := range w {
			w[i] = product(s.a[i], z)
			inverse(&w[i])
		}
		shake(challenge, mu[:], commitment(set, w))
		c := ball(set, challenge)
		ntt(&c)
		if s.respond(&c, y, z) && s.hint(&c, w, hint) {
			return encode(set, challenge, z, hint)
		}
	}
}

// respond sets z to y + c·s1, and reports whether it tells nothing of s1.
func (s *Signer) respond(c *poly, y, z []poly) bool {
	for i := range z {
		t := times(c, &s.s1[i])
		inverse(&t)
		for j := range t {
			z[i][j] = reduce(y[i][j] + t[j])
		}
		if !within(&z[i], s.set.gamma1-s.set.beta) {
			return false
		}
	}
	return true
}

// hint makes the hint by which a verifier finds the commitment without t0, and reports
// whether the round may be shown.
func (s *Signer) hint(c *poly, w, hint []poly) bool {
	set, ones := &s.set, 0
	for i := range w {
		t := times(c, &s.s2[i])
		inverse(&t)
		low := poly{}
		for j := range t {
			t[j] = reduce(w[i][j] - t[j])
			_, low[j] = decompose(t[j], set.gamma2)
			low[j] = reduce(low[j])
		}
		if !within(&low, set.gamma2-set.beta) {
			return false
		}
		u := times(c, &s.t0[i])
		inverse(&u)
		if !within(&u, set.gamma2) {
			return false
		}
		for j := range t {
			high, _ := decompose(t[j], set.gamma2)
			with, _ := decompose(reduce(t[j]+u[j]), set.gamma2)
			hint[i][j] = 0
			if high != with {
				hint[i][j] = 1
				ones++
			}
		}
	}
	return ones <= set.omega
}

// encode is algorithm 26.
func encode(set *Set, challenge []byte, z, hint []poly) []byte {
	sig := make([]byte, 0, set.SignatureSize())
	sig = append(sig, challenge...)
	for i := range z {
		var p poly
		for j, v := range z[i] {
			p[j] = set.gamma1 - centred(v)
		}
		sig = pack(sig, &p, set.gammaBits)
	}
	places := make([]byte, set.omega+set.k)
	n := 0
	for i := range hint {
		for j, v := range hint[i] {
			if v == 1 {
				places[n] = byte(j)
				n++
			}
		}
		places[set.omega+i] = byte(n)
	}
	return append(sig, places...)
}

// Verify reports whether sig is a signature of µ under a public key in FIPS 204's
// encoding: algorithm 8. Whether µ was made with that public key is the caller's affair.
func Verify(set Set, public []byte, mu *[MuSize]byte, sig []byte) bool {
	if len(public) != set.publicSize() || len(sig) != set.SignatureSize() {
		return false
	}
	challenge, rest := sig[:set.challenge], sig[set.challenge:]
	z := make([]poly, set.l)
	for i := range z {
		unpack(&z[i], rest, set.gammaBits)
		for j, v := range z[i] {
			z[i][j] = reduce(set.gamma1 - v)
		}
		if !within(&z[i], set.gamma1-set.beta) {
			return false
		}
		ntt(&z[i])
		rest = rest[32*set.gammaBits:]
	}
	hint, ok := hints(&set, rest)
	if !ok {
		return false
	}
	c := ball(&set, challenge)
	ntt(&c)
	w := make([]poly, set.k)
	a := expand(set, public[:32])
	for i := range w {
		var t poly
		unpack(&t, public[32+320*i:], 10)
		for j := range t {
			t[j] <<= 13
		}
		ntt(&t)
		t = times(&c, &t)
		w[i] = product(a[i], z)
		for j := range t {
			w[i][j] = reduce(w[i][j] - t[j])
		}
		inverse(&w[i])
	}
	again := make([]byte, set.challenge)
	shake(again, mu[:], corrected(&set, w, hint))
	return subtle.ConstantTimeCompare(again, challenge) == 1
}

// hints is algorithm 21: it takes only the one encoding that encode writes.
func hints(set *Set, b []byte) ([]poly, bool) {
	hint := make([]poly, set.k)
	places, ends := b[:set.omega], b[set.omega:]
	n := 0
	for i := range hint {
		end := int(ends[i])
		if end < n || end > set.omega {
			return nil, false
		}
		for first := n; n < end; n++ {
			if n > first && places[n-1] >= places[n] {
				return nil, false
			}
			hint[i][places[n]] = 1
		}
	}
	for _, b := range places[n:] {
		if b != 0 {
			return nil, false
		}
	}
	return hint, true
}

// commitment encodes the high bits of w: algorithm 28.
func commitment(set *Set, w []poly) []byte {
	return corrected(set, w, nil)
}

// corrected encodes the high bits of w where the hint has corrected them: algorithm 40.
func corrected(set *Set, w, hint []poly) []byte {
	var out []byte
	m := (q - 1) / (2 * set.gamma2)
	for i := range w {
		var high poly
		for j, v := range w[i] {
			r1, r0 := decompose(v, set.gamma2)
			if hint != nil && hint[i][j] == 1 { // of a signature, which is public
				step := m - 1
				if r0 > 0 {
					step = 1
				}
				r1 = (r1 + step) % m
			}
			high[j] = r1
		}
		out = pack(out, &high, set.w1Bits())
	}
	return out
}

// shake fills out from SHAKE256 of the parts.
func shake(out []byte, parts ...[]byte) {
	h := sha3.NewSHAKE256()
	for _, p := range parts {
		h.Write(p)
	}
	h.Read(out)
}
