package metadata

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"time"
)

// Headers of sessions. EC2 User Guide, "Use IMDSv2".
const (
	tokenHeader = "X-aws-ec2-metadata-token"
	ttlHeader   = "X-aws-ec2-metadata-token-ttl-seconds"
)

const maxLifetime = 6 * time.Hour

// lifetime reads how long a session is to last: 1 second to 6 hours.
func lifetime(text string) (time.Duration, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 || n > uint64(maxLifetime/time.Second) {
		return 0, false
	}
	return time.Duration(n) * time.Second, true
}

// tokens makes and knows session tokens: the end of the session, and a proof that it
// was told to this instance. They are good until the plane ends.
type tokens struct{ key [32]byte }

func newTokens() *tokens {
	t := &tokens{}
	rand.Read(t.key[:]) // never fails
	return t
}

func (t *tokens) proof(i *Instance, end []byte) []byte {
	h := hmac.New(sha256.New, t.key[:])
	h.Write(end)
	h.Write(i.Address.AsSlice())
	h.Write([]byte(i.ID))
	return h.Sum(nil)
}

func (t *tokens) issue(i *Instance, until time.Time) string {
	end := binary.BigEndian.AppendUint64(nil, uint64(until.UnixNano()))
	return base64.URLEncoding.EncodeToString(append(end, t.proof(i, end)...))
}

func (t *tokens) good(token string, i *Instance, now time.Time) bool {
	b, err := base64.URLEncoding.DecodeString(token)
	if err != nil || len(b) != 8+sha256.Size {
		return false
	}
	return hmac.Equal(b[8:], t.proof(i, b[:8])) && now.UnixNano() < int64(binary.BigEndian.Uint64(b[:8]))
}
