// Package once encrypts every message under a key of its own.
//
// HKDF-SHA256 derives the key of a message from a long-lived secret and a random
// 128-bit salt, and AES-256-GCM encrypts that one message with it. So there is no
// bound on the number of messages such as random nonces under one key have at 2³²
// (NIST SP 800-38D, section 8.3). HKDF extracts once for each secret (Extract) and
// expands for each message, with the salt in its info (RFC 5869, sections 2.3 and
// 3.2).
//
// Both the store's root key (engine/seal) and symmetric KMS keys (engine/material)
// seal with it, each with labels of its own.
package once

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"hash"
	"sync"
)

const (
	SaltSize = 16 // bytes of a message's salt
	TagSize  = 16 // bytes that a ciphertext is longer than its message
)

// A Secret is what the keys of messages are derived from: HKDF's extract. Copies of
// it are the same secret.
type Secret struct {
	prk  [sha256.Size]byte
	macs *sync.Pool // of *mac: HMACs that have read the key already
}

// A mac makes one key at a time.
type mac struct {
	hmac hash.Hash
	text []byte // what is hashed
	key  [keySize]byte
}

const keySize = 32 // of AES-256

// Extract returns the secret of key material. The salt says what it is for.
func Extract(material []byte, salt string) Secret {
	prk, err := hkdf.Extract(sha256.New, material, []byte(salt))
	if err != nil {
		panic("once: " + err.Error()) // only in FIPS mode for short keys
	}
	defer clear(prk)
	return Secret{[sha256.Size]byte(prk), new(sync.Pool)}
}

// Key derives a key that encrypts nothing: HKDF's expand, n bytes for info.
func (s *Secret) Key(info string, n int) ([]byte, error) {
	return hkdf.Expand(sha256.New, s.prk[:], info, n)
}

// Zero overwrites the secret, which is of no use any more.
func (s *Secret) Zero() {
	clear(s.prk[:])
	s.macs = nil
}

// NewSalt fills salt with random bytes.
func NewSalt(salt []byte) { rand.Read(salt) } // never fails

// Seal appends ciphertext and tag of plain to dst. A salt must be new for every
// message; ad is authenticated and not encrypted.
func (s *Secret) Seal(dst []byte, label string, salt, plain, ad []byte) []byte {
	return s.aead(label, salt).Seal(dst, nonce, plain, ad)
}

// Open decrypts what Seal appended for the same label, salt and ad. Its error says
// only that something of it differs.
func (s *Secret) Open(label string, salt, body, ad []byte) ([]byte, error) {
	return s.aead(label, salt).Open(nil, nonce, body, ad)
}

// nonce is enough for a key that encrypts one message. Nobody writes to it.
var nonce = make([]byte, 12)

// aead returns the cipher of the message with that salt. Its key is HKDF's expand of
// one block, T(1) = HMAC(secret, label · salt · 1): the HMACs are kept, because to
// begin one costs as much as to use it.
func (s *Secret) aead(label string, salt []byte) cipher.AEAD {
	m, _ := s.macs.Get().(*mac)
	if m == nil {
		m = &mac{hmac: hmac.New(sha256.New, s.prk[:])}
	}
	defer s.macs.Put(m)
	m.text = append(append(append(m.text[:0], label...), salt...), 1)
	m.hmac.Reset()
	m.hmac.Write(m.text)
	m.hmac.Sum(m.key[:0])
	defer clear(m.key[:])
	return gcm(m.key[:])
}

// gcm is AES-GCM with nonces of 96 bits and tags of 128.
func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("once: " + err.Error()) // the caller's key has 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("once: " + err.Error()) // AES has blocks of 128 bits
	}
	return aead
}
