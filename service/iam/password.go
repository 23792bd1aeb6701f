package iam

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"strings"
	"time"
	"unicode"

	"golang.org/x/crypto/argon2"

	"sumun.dev/api/iamapi"
)

// A password is one that cannot be read any more, only tried.
type password struct {
	Salt, Hash []byte
	Set        time.Time
}

// Parameters of argon2id: 19 MiB and two passes. OWASP, "Password Storage Cheat
// Sheet". hashesMost bounds how many are made at once, and so the memory.
const (
	argonTime    = 2
	argonMemory  = 19 << 10 // KiB
	argonThreads = 1
	hashLength   = 32
	saltLength   = 16
	hashesMost   = 4
)

// hashing hands out turns to hash.
type hashing chan struct{}

func (h hashing) of(ctx context.Context, text string, salt []byte) ([]byte, error) {
	select {
	case h <- struct{}{}:
		defer func() { <-h }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(text), salt, argonTime, argonMemory, argonThreads, hashLength), nil
}

// make turns a text into a password.
func (h hashing) make(ctx context.Context, text string) (*password, error) {
	p := &password{Salt: make([]byte, saltLength), Set: now()}
	_, _ = rand.Read(p.Salt) // never fails: crypto/rand ends the program first
	var err error
	p.Hash, err = h.of(ctx, text, p.Salt)
	return p, err
}

// is reports whether text is the password.
func (h hashing) is(ctx context.Context, p *password, text string) (bool, error) {
	got, err := h.of(ctx, text, p.Salt)
	return subtle.ConstantTimeCompare(got, p.Hash) == 1, err
}

// passwordPolicy is what an account asks of its users' passwords.
type passwordPolicy struct {
	Length                             int32
	Symbols, Numbers, Uppercase, Lower bool
	UsersMayChange, HardExpiry         bool
	MaxAge                             int32 // days; 0: passwords do not expire
	Remembered                         int32 // passwords that must not come back
}

// customLength is the length that a policy asks for when it does not say.
// IAM API Reference, UpdateAccountPasswordPolicy, MinimumPasswordLength.
const customLength = 6

// Without a policy of its own, an account asks for eight characters of at least
// three kinds. IAM User Guide, "Set an account password policy", "Default policy".
const (
	defaultLength = 8
	defaultKinds  = 3
)

// symbols are those that a policy means. IAM API Reference,
// UpdateAccountPasswordPolicy, RequireSymbols.
const symbols = "!@#$%^&*()_+-=[]{}|'"

// check refuses a password that the policy does not allow; nil is the default.
func (p *passwordPolicy) check(text string) error {
	has := func(in func(rune) bool) bool { return strings.ContainsFunc(text, in) }
	upper := has(func(r rune) bool { return 'A' <= r && r <= 'Z' })
	lower := has(func(r rune) bool { return 'a' <= r && r <= 'z' })
	number := has(func(r rune) bool { return '0' <= r && r <= '9' })
	symbol := strings.ContainsAny(text, symbols)
	least := int32(defaultLength)
	if p != nil {
		least = p.Length
	}
	violation := iamapi.PasswordPolicyViolationException.New
	if length := int32(len([]rune(text))); length < least {
		return violation("Password should have a minimum length of %d", least)
	}
	if p == nil {
		kinds := 0
		for _, there := range []bool{upper, lower, number, symbol || has(unicode.IsPunct)} {
			if there {
				kinds++
			}
		}
		if kinds < defaultKinds {
			return violation("Password should have a minimum of %d of the following: uppercase letters, lowercase letters, numbers, and symbols", defaultKinds)
		}
		return nil
	}
	switch {
	case p.Uppercase && !upper:
		return violation("Password should have at least one uppercase letter")
	case p.Lower && !lower:
		return violation("Password should have at least one lowercase letter")
	case p.Numbers && !number:
		return violation("Password should have at least one number")
	case p.Symbols && !symbol:
		return violation("Password should have at least one symbol")
	}
	return nil
}

// remembered is how many old passwords must not come back.
func (p *passwordPolicy) remembered() int {
	if p == nil {
		return 0
	}
	return int(p.Remembered)
}

// expires says when a password that was set at t counts no more; nil: never.
func (p *passwordPolicy) expires(t time.Time) *time.Time {
	if p == nil || p.MaxAge == 0 {
		return nil
	}
	return new(t.AddDate(0, 0, int(p.MaxAge)))
}
