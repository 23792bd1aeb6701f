package mldsa

import (
	"crypto/sha3"
	"math/bits"
)

// q is the prime that all is computed modulo.
const q = 8380417

// A poly is a polynomial of 256 coefficients, from 0 to q-1 unless it is said otherwise.
type poly [256]int32

// zetas are the powers of the root of unity 1753 in the order of reversed bits: FIPS 204,
// appendix B.
var zetas = func() (z [256]int32) {
	power := int64(1)
	for i := range 256 {
		z[bits.Reverse8(uint8(i))] = int32(power)
		power = power * 1753 % q
	}
	return z
}()

// reduce brings a number between -q and 2q into 0 to q-1, in constant time.
func reduce(a int32) int32 {
	a += a >> 31 & q
	a -= q
	return a + a>>31&q
}

// centred returns the representative between -(q-1)/2 and (q-1)/2.
func centred(a int32) int32 { return a - ((q-1)/2-a)>>31&q }

// multiply multiplies modulo q; the compiler divides by a constant without a division.
func multiply(a, b int32) int32 { return int32(uint64(a) * uint64(b) % q) }

// ntt is algorithm 41.
func ntt(p *poly) {
	m := 0
	for size := 128; size >= 1; size /= 2 {
		for start := 0; start < 256; start += 2 * size {
			m++
			zeta := zetas[m]
			for j := start; j < start+size; j++ {
				t := multiply(zeta, p[j+size])
				p[j+size] = reduce(p[j] - t)
				p[j] = reduce(p[j] + t)
			}
		}
	}
}

// inverse is algorithm 42.
func inverse(p *poly) {
	m := 256
	for size := 1; size < 256; size *= 2 {
		for start := 0; start < 256; start += 2 * size {
			m--
			zeta := q - zetas[m]
			for j := start; j < start+size; j++ {
				t := p[j]
				p[j] = reduce(t + p[j+size])
				p[j+size] = multiply(zeta, reduce(t-p[j+size]))
			}
		}
	}
	for j := range p {
		p[j] = multiply(8347681, p[j]) // 256⁻¹
	}
}

// times multiplies transformed polynomials.
func times(a, b *poly) (p poly) {
	for j := range p {
		p[j] = multiply(a[j], b[j])
	}
	return p
}

// product is the product of two vectors of transformed polynomials.
func product(row, v []poly) (p poly) {
	for i := range row {
		for j := range p {
			p[j] = reduce(p[j] + multiply(row[i][j], v[i][j]))
		}
	}
	return p
}

// within reports whether all coefficients are less than bound away from 0. Where one
// is not, the round is thrown away, and which it was may be known.
func within(p *poly, bound int32) bool {
	for _, v := range p {
		c := centred(v)
		if c >= bound || c <= -bound {
			return false
		}
	}
	return true
}

// decompose splits a number into r1·2γ2 + r0, with r0 from -γ2+1 to γ2: algorithm 36. It
// divides by constants only, since a division takes a time that tells what it divides.
func decompose(r, gamma2 int32) (r1, r0 int32) {
	if gamma2 == (q-1)/88 {
		r1 = (r + (q-1)/88 - 1) / (2 * ((q - 1) / 88))
	} else {
		r1 = (r + (q-1)/32 - 1) / (2 * ((q - 1) / 32))
	}
	r0 = r - r1*2*gamma2
	// The last of the intervals wraps around to the first.
	wraps := ((q-1)/(2*gamma2) - 1 - r1) >> 31
	r1 &^= wraps
	r0 -= q & wraps
	return r1, r0
}

// expand is algorithm 32: the matrix of a public key.
func expand(set Set, rho []byte) [][]poly {
	a := make([][]poly, set.k)
	for r := range a {
		a[r] = make([]poly, set.l)
		for s := range a[r] {
			uniform(&a[r][s], rho, byte(s), byte(r))
		}
	}
	return a
}

// uniform is algorithm 30.
func uniform(p *poly, rho []byte, s, r byte) {
	h := sha3.NewSHAKE128()
	h.Write(rho)
	h.Write([]byte{s, r})
	var b [168]byte // a block of SHAKE128
	for j := 0; j < len(p); {
		h.Read(b[:])
		for i := 0; i < len(b) && j < len(p); i += 3 {
			if v := int32(b[i]) | int32(b[i+1])<<8 | int32(b[i+2]&0x7f)<<16; v < q {
				p[j] = v
				j++
			}
		}
	}
}

// mask is algorithm 34.
func mask(set *Set, y []poly, secret []byte, kappa int) {
	b := make([]byte, 32*set.gammaBits)
	defer clear(b)
	for i := range y {
		shake(b, secret, []byte{byte(kappa + i), byte((kappa + i) >> 8)})
		unpack(&y[i], b, set.gammaBits)
		for j, v := range y[i] {
			y[i][j] = reduce(set.gamma1 - v)
		}
	}
}

// ball is algorithm 29: a polynomial of τ coefficients that are 1 or -1.
func ball(set *Set, seed []byte) (c poly) {
	h := sha3.NewSHAKE256()
	h.Write(seed)
	var signs [8]byte
	h.Read(signs[:])
	for n, i := int32(0), 256-set.tau; i < 256; n, i = n+1, i+1 {
		var b [1]byte
		for h.Read(b[:]); int32(b[0]) > i; h.Read(b[:]) {
		}
		c[i] = c[b[0]]
		c[b[0]] = 1
		if signs[n/8]>>(n%8)&1 == 1 {
			c[b[0]] = q - 1
		}
	}
	return c
}

// pack appends the coefficients in so many bits each, lowest bit first: algorithm 16.
func pack(out []byte, p *poly, width int) []byte {
	acc, have := uint64(0), 0
	for _, v := range p {
		acc |= uint64(v) << have
		for have += width; have >= 8; have -= 8 {
			out = append(out, byte(acc))
			acc >>= 8
		}
	}
	return out
}

// unpack reads what pack wrote; b has 32 bytes for each bit of the width.
func unpack(p *poly, b []byte, width int) {
	acc, have := uint64(0), 0
	for j := range p {
		for ; have < width; have += 8 {
			acc |= uint64(b[0]) << have
			b = b[1:]
		}
		p[j] = int32(acc & (1<<width - 1))
		acc >>= width
		have -= width
	}
}
