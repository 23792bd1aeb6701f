// Package totp makes and checks time-based one-time passwords.
//
// RFC 6238 with its defaults, as authenticator apps have them: HMAC-SHA-1, steps
// of 30 seconds, six digits.
package totp

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238's default; HMAC does not rest on collisions
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"time"
)

// Period is how long a code is the current one.
const Period = 30 * time.Second

// Window is how many steps before and after its own a code is taken, for clocks
// that differ and for the time that typing takes. RFC 6238, 5.2 and 6.
const Window = 1

// reach is how many steps a device's clock may be off when two codes set it.
const reach = 10

const digits = 1_000_000

// Step returns the number of the step that t lies in.
func Step(t time.Time) int64 { return t.Unix() / int64(Period/time.Second) }

// Code returns the code of a step. RFC 4226, 5.3.
func Code(seed []byte, step int64) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac := hmac.New(sha1.New, seed)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%digits)
}

// Check returns the step within Window of now whose code this is. Steps up to
// used count no more: a code is taken once. It takes the same time whichever step
// matches, or none.
func Check(seed []byte, code string, now, used int64) (step int64, ok bool) {
	for s := now - Window; s <= now+Window; s++ {
		if equal(seed, s, code) && s > used {
			step, ok = s, true
		}
	}
	return step, ok
}

// Pair returns the later of the two steps whose codes these are, one after the
// other, at most reach steps from now: two codes tell how far the device's clock
// is off. RFC 6238, 6, "Resynchronization".
func Pair(seed []byte, first, second string, now int64) (step int64, ok bool) {
	for s := now - reach; s <= now+reach; s++ {
		if equal(seed, s-1, first) && equal(seed, s, second) {
			step, ok = s, true
		}
	}
	return step, ok
}

func equal(seed []byte, step int64, code string) bool {
	return subtle.ConstantTimeCompare([]byte(Code(seed, step)), []byte(code)) == 1
}
