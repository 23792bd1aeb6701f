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
	hashesAtOnce = 4  // bounds the memory that strangers can claim
	bindsAtOnce  = 16 // bounds the connections to directories that they can claim
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
// nobody has, or whose user must wait, takes as long as any other. With errWrong it
// returns the user whose password it is not, if any. ctx carries no unit of work:
// hashing must not hold one open.
func (s *Service) login(ctx context.Context, storeID, name, text string) (*user, *password, error) {
	if len(text) > 4*longestPass {
		return nil, nil, errWrong
	}
	u, err := s.guarded(ctx, storeID, name)
	if err != nil {
		return nil, nil, err
	}
	p, waits := &password{}, error(nil)
	if u != nil {
		if p, waits = s.beginTry(ctx, u); waits != nil && !errors.Is(waits, errWait) {
			return nil, nil, waits
		}
	}
	h := p.Hash
	if h.Sum == nil {
		h = hash{make([]byte, 16), make([]byte, hashLength)} // of no password
	}
	right, err := s.matches(ctx, h, text)
	switch {
	case err != nil:
		return nil, nil, err
	case waits != nil:
		return nil, nil, waits
	case u == nil:
		return nil, nil, errWrong
	case u.DN != "":
		if right, err = s.elsewhere(ctx, u, text); err != nil {
			return nil, nil, err
		}
	}
	if !right || p.OneTime != nil && !time.Now().Before(*p.OneTime) {
		return u, nil, errWrong
	}
	return u, p, s.tried(ctx, u, func(p *password) { p.Wrong, p.Until = 0, time.Time{} })
}

// guarded returns the user who may sign in with a name and a password, be it one
// of ours or of the directory that the user comes from; nil when nobody may.
func (s *Service) guarded(ctx context.Context, storeID, name string) (*user, error) {
	row, err := one(ctx, s.users, "by", byName(storeID, name))
	if err != nil || row == nil || row.Value.Disabled {
		return nil, err
	}
	u := row.Value
	if u.DN != "" {
		if x := s.source(aws.CallOf(ctx).Account, u.Source); x == nil || x.LDAP == nil {
			return nil, nil
		}
		return u, nil
	}
	if _, err := s.passwords.Get(ctx, u.Store+"/"+u.ID); errors.Is(err, store.ErrNotFound) || u.Source != "" {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return u, nil
}

// elsewhere has the directory that a user comes from check the password. One that
// cannot be asked makes nobody wait.
func (s *Service) elsewhere(ctx context.Context, u *user, text string) (bool, error) {
	select {
	case s.binding <- struct{}{}:
		defer func() { <-s.binding }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	source := s.source(aws.CallOf(ctx).Account, u.Source)
	err := ldap.Verify(ctx, &source.LDAP.Server, u.DN, text)
	if err == nil || errors.Is(err, ldap.ErrWrong) {
		return err == nil, nil
	}
	s.env.Log.WarnContext(ctx, "a directory could not check a password", "source", source.Name, "server", source.LDAP.Server, "error", err)
	return false, s.tried(ctx, u, func(p *password) {
		if p.Wrong--; p.Wrong < freeTries {
			p.Until = time.Time{}
		}
	})
}

// beginTry counts a try as a wrong one before it is looked at, so that many at a
// time are no more than one after another; who guesses must wait.
func (s *Service) beginTry(ctx context.Context, u *user) (p *password, err error) {
	err = s.env.Store.Update(ctx, func(ctx context.Context) error {
		id := u.Store + "/" + u.ID
		p, err = s.passwords.Get(ctx, id)
		if errors.Is(err, store.ErrNotFound) && u.DN != "" { // wrong ones of a directory's users are counted here too
			p, err = &password{}, nil
		}
		if err != nil {
			return err
		}
		if time.Now().Before(p.Until) {
			return errWait
		}
		if p.Wrong++; p.Wrong >= freeTries {
			p.Until = now().Add(min(firstWait<<min(p.Wrong-freeTries, 10), longestWait))
		}
		return s.passwords.Put(ctx, id, p)
	})
	if p == nil {
		p = &password{}
	}
	return p, err
}

// tried changes what is kept of the tries of a user who is still there.
func (s *Service) tried(ctx context.Context, u *user, change func(*password)) error {
	return s.env.Store.Update(ctx, func(ctx context.Context) error {
		p, err := s.passwords.Get(ctx, u.Store+"/"+u.ID)
		if errors.Is(err, store.ErrNotFound) {
			return errWrong
		}
		if err != nil {
			return err
		}
		change(p)
		return s.passwords.Put(ctx, u.Store+"/"+u.ID, p)
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
