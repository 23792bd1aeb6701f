package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
)

// keyName is what a signing key is derived from.
type keyName struct{ secret, date, region, service string }

// signingKey is a derived key, ready to sign.
type signingKey struct {
	key  [sha256.Size]byte
	macs sync.Pool // hash.Hash, keyed
}

// derive makes the key of a scope.
// IAM User Guide, "Create a signed AWS API request", step 4.
func derive(n keyName) *signingKey {
	k := mac([]byte("AWS4"+n.secret), n.date)
	k = mac(k, n.region)
	k = mac(k, n.service)
	k = mac(k, terminator)
	s := new(signingKey)
	copy(s.key[:], k)
	return s
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// sign writes the signature of text into digits, which has 64 bytes.
func (k *signingKey) sign(digits, text []byte) {
	h, _ := k.macs.Get().(hash.Hash)
	if h == nil {
		h = hmac.New(sha256.New, k.key[:])
	}
	h.Reset()
	h.Write(text)
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	k.macs.Put(h)
	hex.Encode(digits, sum[:])
}

// maxKeys bounds each generation of the cache. A key lives for a day and a
// region, so this is enough for some thousand callers at a time.
const maxKeys = 4096

// keyCache remembers signing keys. It has two generations: when the young one is
// full it becomes the old one, and what is still used is taken over.
type keyCache struct {
	mu         sync.RWMutex
	young, old map[keyName]*signingKey
}

func (c *keyCache) get(n keyName) (*signingKey, bool) {
	c.mu.RLock()
	k, ok := c.young[n]
	if ok {
		c.mu.RUnlock()
		return k, true
	}
	k, ok = c.old[n]
	c.mu.RUnlock()
	if ok {
		c.put(n, k)
	}
	return k, ok
}

func (c *keyCache) put(n keyName, k *signingKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || len(c.young) >= maxKeys {
		c.young, c.old = make(map[keyName]*signingKey), c.young
	}
	c.young[n] = k
}
