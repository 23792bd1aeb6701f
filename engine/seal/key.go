package seal

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"sumun.dev/engine/once"
)

// KeySize is the length of a root key in bytes.
const KeySize = 32

// A Key is a root key. Its id is derived from it, so that nobody has to keep one.
type Key struct {
	secret [KeySize]byte
	prk    once.Secret // HKDF's extract of the secret
	id     [idSize]byte
}

// ID names the key without telling it: eight hexadecimal digits.
func (k Key) ID() string { return hex.EncodeToString(k.id[:]) }

// Format keeps the key out of every print, %#v included.
func (k Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, "root key "+k.ID()) }

// GenerateKey returns a new random key.
func GenerateKey() Key {
	var secret [KeySize]byte
	rand.Read(secret[:]) // never fails
	return newKey(secret)
}

// ErrKey says that a text is no root key; it never quotes the text.
var ErrKey = errors.New("seal: a root key is 32 bytes in base64 or 64 hexadecimal digits")

// ParseKey reads a key written in base64 (either alphabet, padded or not) or
// hexadecimal.
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != KeySize {
		flat := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
		b, err = base64.RawStdEncoding.Strict().DecodeString(flat)
	}
	if err != nil {
		return Key{}, ErrKey
	}
	return NewKey(b)
}

// NewKey returns the key of these bytes, KeySize of them.
func NewKey(b []byte) (Key, error) {
	if len(b) != KeySize {
		return Key{}, ErrKey
	}
	secret := [KeySize]byte(b)
	if weak(secret) {
		return Key{}, fmt.Errorf("%w; this one is a single byte repeated", ErrKey)
	}
	return newKey(secret), nil
}

// encode writes the key as ParseKey reads it.
func (k Key) encode() string { return base64.StdEncoding.EncodeToString(k.secret[:]) }

func newKey(secret [KeySize]byte) Key {
	prk := once.Extract(secret[:], "sumun root key v1")
	id, err := prk.Key("id", idSize)
	if err != nil {
		panic("seal: " + err.Error())
	}
	return Key{secret, prk, [idSize]byte(id)}
}

// weak finds the key somebody typed to get past the check.
func weak(secret [KeySize]byte) bool {
	for _, b := range secret {
		if b != secret[0] {
			return false
		}
	}
	return true
}
