package material

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// maxWrapped bounds what is wrapped: an RSA-4096 private key has 2.4 KB.
const maxWrapped = 64 << 10

// kwpPrefix begins the initial value; the length of the plaintext follows it
// (RFC 5649, section 3).
const kwpPrefix = 0xA65959A6

// WrapKWP wraps plain, of any length from 1, under an AES key of 16, 24 or 32 bytes:
// AES Key Wrap with Padding, RFC 5649. ErrInput when one of the two does not fit.
func WrapKWP(kek, plain []byte) ([]byte, error) {
	block, err := aes.NewCipher(kek)
	if err != nil || len(plain) == 0 || len(plain) > maxWrapped {
		return nil, fmt.Errorf("%w: it cannot be wrapped", ErrInput)
	}
	padded := (len(plain) + 7) / 8 * 8
	out := make([]byte, 8+padded)
	binary.BigEndian.PutUint32(out, kwpPrefix)
	binary.BigEndian.PutUint32(out[4:], uint32(len(plain)))
	copy(out[8:], plain)
	if padded == 8 { // one block is encrypted as it is (section 4.1)
		block.Encrypt(out, out)
		return out, nil
	}
	wrapRounds(block, out)
	return out, nil
}

// UnwrapKWP is the inverse of WrapKWP: ErrCiphertext when wrapped was not wrapped
// under kek, and nothing says why; ErrInput when kek is no AES key.
func UnwrapKWP(kek, wrapped []byte) ([]byte, error) {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, fmt.Errorf("%w: not an AES key", ErrInput)
	}
	if len(wrapped) < 16 || len(wrapped)%8 != 0 || len(wrapped) > maxWrapped+8 {
		return nil, ErrCiphertext
	}
	out := append([]byte(nil), wrapped...)
	if len(out) == 16 {
		block.Decrypt(out, out)
	} else {
		unwrapRounds(block, out)
	}
	n := binary.BigEndian.Uint32(out[4:])
	padded := uint32(len(out) - 8)
	// One answer for all that may be wrong, in a time that does not tell which.
	ok := subtle.ConstantTimeEq(int32(binary.BigEndian.Uint32(out)^kwpPrefix), 0)
	fits := 0
	if n <= padded && n+8 > padded {
		fits = 1
	}
	padding := byte(0)
	for i := padded - 8; i < padded; i++ {
		past := byte(0)
		if i >= n {
			past = 0xff
		}
		padding |= out[8+i] & past
	}
	if ok&fits&subtle.ConstantTimeByteEq(padding, 0) != 1 {
		clear(out)
		return nil, ErrCiphertext
	}
	return out[8 : 8+n], nil
}

// wrapRounds and unwrapRounds are the index-based forms of RFC 3394, section 2.2:
// six times over all semiblocks after the first, in place.
func wrapRounds(block cipher.Block, b []byte) {
	var buf [16]byte
	a, r := b[:8], b[8:]
	t := uint64(0)
	for range 6 {
		for i := 0; i < len(r); i += 8 {
			t++
			copy(buf[:8], a)
			copy(buf[8:], r[i:i+8])
			block.Encrypt(buf[:], buf[:])
			binary.BigEndian.PutUint64(a, binary.BigEndian.Uint64(buf[:8])^t)
			copy(r[i:], buf[8:])
		}
	}
	clear(buf[:])
}

func unwrapRounds(block cipher.Block, b []byte) {
	var buf [16]byte
	a, r := b[:8], b[8:]
	t := uint64(6 * len(r) / 8)
	for range 6 {
		for i := len(r) - 8; i >= 0; i -= 8 {
			binary.BigEndian.PutUint64(buf[:8], binary.BigEndian.Uint64(a)^t)
			copy(buf[8:], r[i:i+8])
			block.Decrypt(buf[:], buf[:])
			copy(a, buf[:8])
			copy(r[i:], buf[8:])
			t--
		}
	}
	clear(buf[:])
}
