// Package seal encrypts records under a root key that stays inside.
//
// Every message has a key of its own (engine/once), so that there is no bound on
// the number of messages.
//
// A sealed message is
//
//	version (1) · id of the root key (4) · salt (16) · ciphertext and tag (16)
//
// and version, id and salt are authenticated with the associated data.
package seal

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"sumun.dev/engine/once"
)

// Overhead is how many bytes longer than its plaintext a sealed message is.
const Overhead = headerSize + tagSize

const (
	version    = 1
	idSize     = 4
	saltSize   = once.SaltSize
	headerSize = 1 + idSize + saltSize
	tagSize    = once.TagSize
)

// What Open answers. Neither says more, so that a stranger learns nothing.
var (
	ErrTampered   = errors.New("seal: the message is damaged, or belongs elsewhere")
	ErrUnknownKey = errors.New("seal: the message was sealed under another root key")
)

// KeyOf returns the id of the root key that sealed a message; empty when it is
// not in the form of one. Whether that key sealed it only Open can tell.
func KeyOf(sealed []byte) string {
	if len(sealed) < Overhead || sealed[0] != version {
		return ""
	}
	return hex.EncodeToString(sealed[1 : 1+idSize])
}

// KeyOf is the function of the same name.
func (r *Root) KeyOf(sealed []byte) string { return KeyOf(sealed) }

// Seal encrypts plain under the current key and binds it to ad, which Open must be
// given again.
func (r *Root) Seal(plain, ad []byte) []byte { return r.ring.Load().current.seal(plain, ad) }

// SealUnder is Seal under the key of that id, current or not: ErrUnknownKey when
// the root has no such key.
func (r *Root) SealUnder(id string, plain, ad []byte) ([]byte, error) {
	key := r.ring.Load().named(id)
	if key == nil {
		return nil, fmt.Errorf("%w: %s", ErrUnknownKey, id)
	}
	return key.seal(plain, ad), nil
}

func (key *Key) seal(plain, ad []byte) []byte {
	out := make([]byte, headerSize, headerSize+len(plain)+tagSize)
	out[0] = version
	copy(out[1:], key.id[:])
	once.NewSalt(out[1+idSize : headerSize])
	return key.prk.Seal(out, label, out[1+idSize:headerSize], plain, bound(out[:headerSize], ad))
}

// Open decrypts what Seal returned for the same ad: ErrUnknownKey when no key of
// the root has sealed it, ErrTampered when it is not exactly what Seal returned.
func (r *Root) Open(sealed, ad []byte) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != version {
		return nil, ErrTampered
	}
	header, body := sealed[:headerSize], sealed[headerSize:]
	key := r.ring.Load().find([idSize]byte(header[1 : 1+idSize]))
	if key == nil {
		return nil, ErrUnknownKey
	}
	plain, err := key.prk.Open(label, header[1+idSize:], body, bound(header, ad))
	if err != nil {
		return nil, ErrTampered
	}
	return plain, nil
}

// label tells the keys of sealed messages from others that are derived alike.
const label = "sumun seal v1"

// bound joins header and associated data; the header has a fixed length.
func bound(header, ad []byte) []byte {
	b := make([]byte, 0, headerSize+8+len(ad))
	b = append(b, header...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(ad)))
	return append(b, ad...)
}
