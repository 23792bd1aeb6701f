package material

import (
	"crypto"
	_ "crypto/sha1" // of OAEP
	_ "crypto/sha256"
	_ "crypto/sha512"
	"fmt"
)

// The MessageTypes.
const (
	raw        = "RAW"
	digest     = "DIGEST"
	externalMu = "EXTERNAL_MU"
)

// hashed returns what is signed: the hash of a RAW message, or a DIGEST itself, which
// must have the length of one.
func hashed(h crypto.Hash, msg []byte, kind string) ([]byte, error) {
	switch kind {
	case "", raw:
		sum := h.New()
		sum.Write(msg)
		return sum.Sum(nil), nil
	case digest:
		if len(msg) != h.Size() {
			return nil, fmt.Errorf("%w: a %v digest has %d bytes", ErrInput, h, h.Size())
		}
		return msg, nil
	}
	return nil, unfit(kind)
}

func unfit(kind string) error {
	if kind != raw && kind != digest && kind != externalMu {
		return fmt.Errorf("%w: no such message type", ErrInput)
	}
	return fmt.Errorf("%w: the algorithm does not take messages of type %s", ErrInput, kind)
}
