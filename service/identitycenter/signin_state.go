package identitycenter

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"sumun.dev/store"
)

// How long what signing in makes is good for.
const (
	deviceLife  = 10 * time.Minute
	codeLife    = time.Minute
	sessionLife = 8 * time.Hour // IAM Identity Center User Guide, "Configure the session duration"
	tokenLife   = time.Hour     // of an access token that can be refreshed
	clientLife  = 90 * 24 * time.Hour
	maxWaiting  = 1000 // devices that wait for somebody to approve them, in one identity store
)

// device is a client that waits for its user to approve it. Rows lie under
// "STORE/DIGEST", the digest being of its secret code.
type device struct {
	Store, UserCode   string
	Client            string // its id
	Expires           time.Time
	Approved, Refused bool
	User              string            `json:",omitempty"`
	Asserted          map[string]string `json:",omitempty"` // what an identity provider has said of the user
	Scopes            []string          `json:",omitempty"`
}

// authorization is what an authorization code stands for.
type authorization struct {
	Store, Client, Redirect, Challenge string
	User                               string
	Asserted                           map[string]string `json:",omitempty"`
	Scopes                             []string          `json:",omitempty"`
	Expires                            time.Time
}

// session is what a client may do for a user: its tokens name it.
type session struct {
	Store, ID, User, Client string
	Asserted                map[string]string `json:",omitempty"`
	Scopes                  []string          `json:",omitempty"`
	Refreshed               int               // how often; a token that was refreshed before ends the session
	Expires                 time.Time
}

// browser is a person who has signed in with a browser.
type browser struct {
	Store, User string
	Asserted    map[string]string `json:",omitempty"`
	MustChange  bool              `json:",omitempty"` // signed in with a one-time password
	Expires     time.Time
}

// secret returns a random text of 160 bits.
func secret() string { return hexadecimal(40) }

// at returns the place of an identity store. What is no store is nowhere.
func (s *Service) at(ctx context.Context, storeID string) (*place, error) {
	p, err := s.directories.Get(ctx, storeID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errNowhere
	}
	return p, err
}

var errNowhere = errors.New("identitycenter: there is no such identity store")

func (p *place) of() store.Place { return store.Place{Account: p.Account, Region: p.Region} }

// storeIn finds the identity store that a start URL names:
// "https://d-0123456789.awsapps.com/start", or the plane's own pages.
func storeIn(startURL string) string {
	for part := range strings.FieldsFuncSeq(startURL, func(r rune) bool { return r == '/' || r == '.' || r == ':' }) {
		if len(part) == 12 && strings.HasPrefix(part, "d-") && strings.Trim(part[2:], "0123456789abcdef") == "" {
			return part
		}
	}
	return ""
}

// expire takes away what has run out: the due record names the kind and the row.
func (s *Service) expire(ctx context.Context, due store.Due) error {
	kind, id, _ := strings.Cut(due.ID, ":")
	var err error
	switch kind {
	case "device":
		err = s.devices.Delete(ctx, id)
	case "code":
		err = s.codes.Delete(ctx, id)
	case "session":
		err = s.sessions.Delete(ctx, id)
	case "browser":
		err = s.browsers.Delete(ctx, id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// end schedules the end of a row.
func end(ctx context.Context, p *place, kind, id string, when time.Time) {
	store.Schedule(ctx, store.Due{Kind: expiring, ID: kind + ":" + id, At: when, Place: p.of()})
}

// ofUser is the value of the index "user"; what is nobody's yet has none.
func ofUser(storeID, userID string) []string {
	if userID == "" {
		return nil
	}
	return []string{storeID + "/" + userID}
}

// endSessions signs a user out everywhere: clients, browsers, and what the user has
// approved and no client has fetched yet.
func (s *Service) endSessions(ctx context.Context, storeID, userID string) error {
	return errors.Join(endAll(ctx, s.sessions, storeID, userID), endAll(ctx, s.browsers, storeID, userID), endAll(ctx, s.devices, storeID, userID), endAll(ctx, s.codes, storeID, userID))
}

func endAll[T any](ctx context.Context, t *store.Table[T], storeID, userID string) error {
	return every(indexed(ctx, t, "user", ofUser(storeID, userID)[0]), func(row store.Entry[T]) error { return t.Delete(ctx, row.ID) })
}

// Tokens are sealed: they tell where the session is, and nobody can make one up.

type tokenKind string

const (
	accessToken  tokenKind = "sso.access"
	refreshToken tokenKind = "sso.refresh"
)

func (s *Service) token(kind tokenKind, x *session, expires time.Time) string {
	return s.env.Store.NextToken([]string{string(kind)}, strings.Join([]string{x.Store, x.ID, strconv.Itoa(x.Refreshed), expires.UTC().Format(time.RFC3339)}, "/"))
}

var errToken = errors.New("identitycenter: the token is not valid")

// opened returns the live session that a token names, and where it is.
func (s *Service) opened(ctx context.Context, kind tokenKind, token string) (*session, *place, error) {
	text, err := s.env.Store.OpenToken([]string{string(kind)}, token)
	parts := strings.Split(text, "/")
	if err != nil || len(parts) != 4 {
		return nil, nil, errToken
	}
	expires, err := time.Parse(time.RFC3339, parts[3])
	if err != nil || !time.Now().Before(expires) {
		return nil, nil, errToken
	}
	p, err := s.at(ctx, parts[0])
	if err != nil {
		return nil, nil, known(err, errNowhere, errToken)
	}
	x, err := s.sessions.In(p.of()).Get(ctx, parts[0]+"/"+parts[1])
	if err != nil {
		return nil, nil, known(err, store.ErrNotFound, errToken)
	}
	if !time.Now().Before(x.Expires) {
		return nil, nil, errToken
	}
	if kind == refreshToken && strconv.Itoa(x.Refreshed) != parts[2] {
		return x, p, errUsedAgain
	}
	return x, p, nil
}

// errUsedAgain means that a refresh token was used twice: one of the two who have
// it has stolen it. RFC 9700, section 4.14.2.
var errUsedAgain = errors.New("identitycenter: the refresh token was used before")

// known turns an error into another one.
func known(err, from, to error) error {
	if errors.Is(err, from) {
		return to
	}
	return err
}

// signedIn returns the user of a session, who must still be there and enabled.
func (s *Service) signedIn(ctx context.Context, p *place, storeID, userID string) (*user, error) {
	u, err := s.users.In(p.of()).Get(ctx, storeID+"/"+userID)
	if err != nil {
		return nil, known(err, store.ErrNotFound, errToken)
	}
	if u.Disabled {
		return nil, errToken
	}
	return u, nil
}
