package identitycenter

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// digest returns a short name for parts, so that no two lists of parts share one.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
