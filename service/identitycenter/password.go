package identitycenter

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"sumun.dev/aws"
	"sumun.dev/engine/ldap"
	"sumun.dev/store"
)

// How passwords are hashed: Argon2id with the second choice of RFC 9106, in less
// memory. OWASP Password Storage Cheat Sheet.
const (
	hashTime     = 2
	hashMemory   = 19 << 10 // KiB
	hashLength   = 32
	hashesAtOnce = 4 // bounds the memory that strangers can claim
)

const (
	freeTries    = 5                // wrong passwords until the wait begins
	firstWait    = 30 * time.Second // doubled with each further wrong password
	longestWait  = 15 * time.Minute
	oneTimeLife  = 7 * 24 * time.Hour
	keptHashes   = 3 // that cannot be used again
	shortestPass = 8
	longestPass  = 64
)

// password is how a user of the built-in directory signs in. Rows lie under
// "STORE/USER".
type password struct {
	Hash    hash
	Past    []hash     `json:",omitempty"`
	OneTime *time.Time `json:",omitempty"` // until when a one-time password is good; nil for one of the user's own
	Wrong   int        `json:",omitempty"` // tries since the last right one
	Until   time.Time  // no try is looked at before
}

type hash struct{ Salt, Sum []byte }

// hashed hashes a text, a few at a time in the whole service.
func (s *Service) hashed(ctx context.Context, text string, salt []byte) (hash, error) {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return hash{}, ctx.Err()
	}
	return hash{salt, argon2.IDKey([]byte(text), salt, hashTime, hashMemory, 1, hashLength)}, nil
}

func (s *Service) newHash(ctx context.Context, text string) (hash, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program first
	return s.hashed(ctx, text, salt)
}

func (s *Service) matches(ctx context.Context, h hash, text string) (bool, error) {
	got, err := s.hashed(ctx, text, h.Salt)
	return err == nil && subtle.ConstantTimeCompare(got.Sum, h.Sum) == 1, err
}

var (
	errWrong = errors.New("identitycenter: the user name or the password is wrong")
	errWait  = errors.New("identitycenter: too many wrong passwords; try again later")
)

// login checks a user's name and password, in the place of the call. A name that
// nobody has takes as long as one that somebody has. ctx carries no unit of work:
// hashing must not hold one open.
func (s *Service) login(ctx context.Context, storeID, name, text string) (*user, *password, error) {
	row, err := one(ctx, s.users, "by", byName(storeID, name))
	if err != nil {
		return nil, nil, err
	}
	var u *user
	p := &password{Hash: hash{make([]byte, 16), make([]byte, hashLength)}}
	if row != nil && !row.Value.Disabled && row.Value.Source == "" {
		have, err := s.passwords.Get(ctx, storeID+"/"+row.Value.ID)
		if err == nil {
			u, p = row.Value, have
		} else if !errors.Is(err, store.ErrNotFound) {
			return nil, nil, err
		}
	}
	if row != nil && row.Value.DN != "" && !row.Value.Disabled {
		return s.loginElsewhere(ctx, row.Value, text)
	}
	if u != nil && time.Now().Before(p.Until) {
		return nil, nil, errWait
	}
	if len(text) > 4*longestPass {
		return nil, nil, errWrong
	}
	ok, err := s.matches(ctx, p.Hash, text)
	if err != nil {
		return nil, nil, err
	}
	if u == nil {
		return nil, nil, errWrong
	}
	if err := s.noteTry(ctx, storeID, u.ID, ok); err != nil {
		return nil, nil, err
	}
	if !ok || p.OneTime != nil && !time.Now().Before(*p.OneTime) {
		return nil, nil, errWrong
	}
	return u, p, nil
}

// loginElsewhere has the directory that a user comes from check the password. Wrong
// ones are counted here too, so that nobody guesses through us.
func (s *Service) loginElsewhere(ctx context.Context, u *user, text string) (*user, *password, error) {
	source := s.source(aws.CallOf(ctx).Account, u.Source)
	if source == nil || source.LDAP == nil {
		return nil, nil, errWrong
	}
	p, err := s.passwords.Get(ctx, u.Store+"/"+u.ID)
	if errors.Is(err, store.ErrNotFound) {
		p, err = &password{}, s.env.Store.Update(ctx, func(ctx context.Context) error { return s.passwords.Put(ctx, u.Store+"/"+u.ID, &password{}) })
	}
	if err != nil {
		return nil, nil, err
	}
	if time.Now().Before(p.Until) {
		return nil, nil, errWait
	}
	err = ldap.Verify(ctx, &source.LDAP.Server, u.DN, text)
	if err != nil && !errors.Is(err, ldap.ErrWrong) {
		s.env.Log.WarnContext(ctx, "a directory could not check a password", "source", source.Name, "server", source.LDAP.Server, "error", err)
		return nil, nil, errWrong
	}
	if err := s.noteTry(ctx, u.Store, u.ID, err == nil); err != nil {
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, errWrong
	}
	return u, &password{}, nil
}

// noteTry counts wrong passwords, and makes who guesses wait.
func (s *Service) noteTry(ctx context.Context, storeID, userID string, right bool) error {
	return s.env.Store.Update(ctx, func(ctx context.Context) error {
		p, err := s.passwords.Get(ctx, storeID+"/"+userID)
		if err != nil {
			return err
		}
		if right && p.Wrong == 0 {
			return nil
		}
		if right {
			p.Wrong, p.Until = 0, time.Time{}
		} else if p.Wrong++; p.Wrong >= freeTries {
			p.Until = now().Add(min(firstWait<<min(p.Wrong-freeTries, 10), longestWait))
		}
		return s.passwords.Put(ctx, storeID+"/"+userID, p)
	})
}

// weak says why a text is no password; empty when it is one.
// IAM Identity Center User Guide, "Password requirements".
func weak(text, name string) string {
	var lower, upper, digit, other bool
	for _, r := range text {
		switch {
		case unicode.IsLower(r):
			lower = true
		case unicode.IsUpper(r):
			upper = true
		case unicode.IsDigit(r):
			digit = true
		default:
			other = true
		}
	}
	switch n := utf8.RuneCountInString(text); {
	case n < shortestPass || n > longestPass:
		return "A password has between 8 and 64 characters."
	case !lower || !upper || !digit || !other:
		return "A password has a lower-case letter, an upper-case letter, a digit and another character."
	case strings.Contains(strings.ToLower(text), strings.ToLower(name)):
		return "A password does not contain the user name."
	}
	return ""
}

// setPassword gives a user a password of its own. It returns what is wrong with it.
func (s *Service) setPassword(ctx context.Context, u *user, text string) (string, error) {
	if why := weak(text, u.name()); why != "" {
		return why, nil
	}
	p, err := s.passwords.Get(ctx, u.Store+"/"+u.ID)
	if err != nil {
		return "", err
	}
	for _, h := range append(slices.Clone(p.Past), p.Hash) {
		used, err := s.matches(ctx, h, text)
		if err != nil {
			return "", err
		}
		if used {
			return "The password was used before.", nil
		}
	}
	h, err := s.newHash(ctx, text)
	if err != nil {
		return "", err
	}
	return "", s.env.Store.Update(ctx, func(ctx context.Context) error {
		now, err := s.passwords.Get(ctx, u.Store+"/"+u.ID)
		if err != nil {
			return err
		}
		past := append(now.Past, now.Hash)
		return s.passwords.Put(ctx, u.Store+"/"+u.ID, &password{Hash: h, Past: past[max(len(past)-keptHashes, 0):]})
	})
}
