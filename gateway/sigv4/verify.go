package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strconv"
	"sync"
	"time"
)

// A Verifier proves signatures. The zero value is ready; it may be used by many
// goroutines and should live as long as its process, since it remembers keys.
type Verifier struct {
	keys keyCache
	room sync.Pool // *scratch
}

// Verify proves that the holder of secret signed the request, at most 15 minutes
// from now or, when it is presigned, within its time. Its error is an *Error.
//
// body is the SHA-256 of the whole body. It may be nil under DeclaredPayload only:
// then the body must be read through Signature.Body, which refuses another one.
func (v *Verifier) Verify(s *Signature, secret string, body *[sha256.Size]byte, now time.Time) error {
	if err := s.checkTime(now); err != nil {
		return err
	}
	var digits [2 * sha256.Size]byte
	payload := s.Payload
	computed := ""
	if body != nil {
		computed = hex.EncodeToString(body[:])
	}
	if s.rules&DeclaredPayload == 0 {
		if body == nil {
			return s.refuse(BadPayloadHash, "The body's hash was not computed.")
		}
		payload = computed
	}
	if !isHash(s.signature) {
		return s.refuse(Mismatch, noMatch)
	}
	room, _ := v.room.Get().(*scratch)
	if room == nil {
		room = new(scratch)
	}
	defer v.room.Put(room)
	if !room.canonical(s, payload) {
		return s.refuse(Mismatch, noMatch)
	}
	sum := sha256.Sum256(room.text)
	room.text = s.appendStringToSign(room.text[:0], sum)
	name := keyName{secret, s.Date, s.Region, s.Service}
	key, known := v.keys.get(name)
	if !known {
		key = derive(name)
	}
	key.sign(digits[:], room.text)
	if subtle.ConstantTimeCompare(digits[:], []byte(s.signature)) != 1 {
		return s.refuse(Mismatch, noMatch)
	}
	if body != nil && isHash(s.Payload) && s.Payload != computed {
		return s.refuse(BadPayloadHash, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	if !known {
		// Only now: a stranger who made up scopes would push out what is used.
		v.keys.put(name, key)
	}
	s.key = key
	return nil
}

// checkTime compares the clocks.
func (s *Signature) checkTime(now time.Time) error {
	now = now.UTC()
	if s.Time.After(now.Add(skew)) {
		return s.refuse(Skewed, "Signature not yet current: "+s.stamp+" is still later than "+
			now.Add(skew).Format(basicFormat)+" ("+now.Format(basicFormat)+" + 15 min.)")
	}
	if !s.presigned {
		if s.Time.Before(now.Add(-skew)) {
			return s.refuse(Skewed, s.expired(now, skew, "15 min."))
		}
		return nil
	}
	if now.After(s.Time.Add(s.Expires)) {
		return s.refuse(Lapsed, s.expired(now, s.Expires, strconv.Itoa(int(s.Expires/time.Second))+" sec."))
	}
	return nil
}

func (s *Signature) expired(now time.Time, window time.Duration, words string) string {
	return "Signature expired: " + s.stamp + " is now earlier than " +
		now.Add(-window).Format(basicFormat) + " (" + now.Format(basicFormat) + " - " + words + ")"
}

// appendStringToSign appends what is signed, given the canonical request's hash.
// IAM User Guide, "Create a signed AWS API request", step 3.
func (s *Signature) appendStringToSign(b []byte, sum [sha256.Size]byte) []byte {
	b = append(b, Algorithm...)
	b = append(b, '\n')
	b = append(b, s.stamp...)
	b = append(b, '\n')
	b = s.appendScope(b)
	b = append(b, '\n')
	return hex.AppendEncode(b, sum[:])
}

func (s *Signature) appendScope(b []byte) []byte {
	b = append(b, s.Date...)
	b = append(b, '/')
	b = append(b, s.Region...)
	b = append(b, '/')
	b = append(b, s.Service...)
	return append(b, '/', 'a', 'w', 's', '4', '_', 'r', 'e', 'q', 'u', 'e', 's', 't')
}
