package sts

import (
	"crypto/sha256"
	"sync"

	"sumun.dev/aws"
)

// opened remembers sessions whose tokens were opened, so that the next call with
// one need not be decrypted and read again. What it knows cannot change: whether
// the session is over, or whom it came from is gone, is asked on every call all
// the same. It is bounded in sessions and in bytes.
type opened struct {
	mu         sync.RWMutex
	young, old map[openedKey]*unsealed // asked for lately, and before that
	bytes      int                     // of the young
}

// A key of its own without the right token finds nothing.
type openedKey struct {
	keyID  string
	digest [sha256.Size]byte
}

func keyOf(keyID, token string) openedKey { return openedKey{keyID, sha256.Sum256([]byte(token))} }

// An unsealed session is what a token says. It is shared and does not change.
type unsealed struct {
	claims    *claims
	principal aws.Principal
	secret    []byte
	weight    int
}

// What is remembered at most, in each half.
const (
	mostOpened  = 8192
	bytesOpened = 16 << 20
)

func (o *opened) find(key openedKey) *unsealed {
	o.mu.RLock()
	s, old := o.young[key], o.old[key]
	o.mu.RUnlock()
	if s == nil && old != nil {
		o.keep(key, old)
		return old
	}
	return s
}

// keep remembers a session. When the young are too many they become the old, and
// the old are forgotten: what is used all the time stays.
func (o *opened) keep(key openedKey, s *unsealed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.young[key] != nil || s.weight > bytesOpened/16 {
		return
	}
	if o.young == nil || len(o.young) >= mostOpened || o.bytes+s.weight > bytesOpened {
		o.old, o.young, o.bytes = o.young, map[openedKey]*unsealed{}, 0
	}
	o.young[key] = s
	o.bytes += s.weight
}
