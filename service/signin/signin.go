// Package signin is AWS Sign-In: the door to the console for people's browsers.
//
// signin.go lists its pages, where.go says how they are reached; password.go signs IAM
// users in, federation.go whoever has temporary credentials; session.go is what signing
// in leaves, tell.go what the trail hears of it.
package signin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// API is the service as the plane mounts it. It has no operations of its own.
var API = wire.Service{ID: "Signin", Name: "signin", Prefix: "signin", EndpointPrefix: "signin", SigningName: "signin", EventSource: aws.SignInSource, Global: true}

// Options are what signing in is told of the rest of the plane.
type Options struct {
	Users Users

	// Account returns the open account with a number or alias; store.ErrNotFound when
	// there is none.
	Account func(ctx context.Context, text string) (aws.Account, error)
	// Credential returns whose temporary credentials these are, and their secret. It
	// answers *aws.Error when they count no more, or never did.
	Credential func(ctx context.Context, keyID, token string) (*aws.Principal, []byte, error)
	// Stands answers *aws.Error when who has signed in is no longer there.
	Stands func(ctx context.Context, p *aws.Principal) error
	// Shown is how the trail shows somebody: userIdentity, and the name to look up.
	Shown func(p *aws.Principal) (json.RawMessage, string)

	// Enter returns a context in which the service acts of its own accord in an account.
	Enter func(ctx context.Context, at store.Place) context.Context
	// As returns a context in which p acts from an address.
	As func(ctx context.Context, p *aws.Principal, from netip.Addr) context.Context
	// From tells where a request comes from, and how it was encrypted; nil: not.
	From func(*http.Request) (netip.Addr, *aws.TLS)
}

// Users are IAM's.
type Users interface {
	// TrySignIn looks at a name, a password and a code in the account of the call.
	TrySignIn(ctx context.Context, name, password, code string) (*service.SignIn, error)
	// SignIn completes an attempt that was right, within a unit of work, and reports
	// whether it still is.
	SignIn(ctx context.Context, in *service.SignIn) (bool, error)
}

// Service signs people in.
type Service struct {
	env      service.Env
	options  Options
	sessions *store.Table[session]
	tokens   *store.Table[token]
	tries    tries
	room     chan struct{} // bounds how many passwords wait to be looked at
}

const triesAtOnce = 64

// New returns a door to which nobody has come yet.
func New(env service.Env, o Options) *Service {
	return &Service{
		env: env, options: o, room: make(chan struct{}, triesAtOnce),
		sessions: store.NewTable(env.Store, "signin.sessions", store.Global[session]()),
		tokens:   store.NewTable(env.Store, "signin.tokens", store.Global[token]()),
	}
}

// Routes lists no operations: what there is are pages.
func (s *Service) Routes() []wire.Route { return nil }

// Needs is by what a user changes the password that must be changed.
func (s *Service) Needs() []wire.AnyOperation {
	return []wire.AnyOperation{&iamapi.ChangePassword}
}

// Jobs takes away what has run out.
func (s *Service) Jobs() []service.Job { return []service.Job{{Kind: expiring, Run: s.expire}} }

// pages are all that there is to see, by method and path.
var pages = map[string]func(*Service, *visit) error{
	"GET /console":       (*Service).showConsole,
	"POST /authenticate": (*Service).authenticate,
	"POST /password":     (*Service).changePassword,
	"POST /logout":       (*Service).logOut,
	"GET /federation":    (*Service).federate,
}

const maxForm = 16 << 10 // bytes

// ServeHTTP serves the pages. There are no scripts.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service.SecurePage(w.Header())
	v := &visit{ResponseWriter: w, r: r}
	var path string
	v.base, path = baseOf(r)
	v.at = whereOf(r)
	v.from, v.tls = s.options.From(r)
	serve := pages[r.Method+" "+path]
	if serve == nil {
		refuse(w, http.StatusNotFound, "There is no such page.")
		return
	}
	if err := s.env.Store.InTouch(); err != nil {
		refuse(w, http.StatusServiceUnavailable, "This node has lost touch with the others. Please try again.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := s.recognise(v)
	if err == nil && r.Method == http.MethodPost && (r.ParseForm() != nil || !service.SameSite(r) || !s.forms().Holds(v.cookie, r.PostForm.Get("form"))) {
		refuse(w, http.StatusForbidden, "The form is too old or from somewhere else. Go back and load the page again.")
		return
	}
	if err == nil {
		err = serve(s, v)
	}
	var sayable *aws.Error
	switch {
	case err == nil:
	case errors.As(err, &sayable):
		refuse(w, max(sayable.Status, http.StatusBadRequest), sayable.Message)
	default:
		s.env.Log.ErrorContext(r.Context(), "a sign-in page failed", "path", path, "error", err)
		refuse(w, http.StatusInternalServerError, "Something went wrong.")
	}
}

// A visit is one request for a page.
type visit struct {
	http.ResponseWriter
	r    *http.Request
	base string // before the pages' paths
	at   where
	from netip.Addr
	tls  *aws.TLS

	cookie  string      // what the browser is known by
	account aws.Account // of the session
	id      string      // of the session, or a text that is nobody's
	session *session    // nil: nobody has signed in with the browser
}

func (s *Service) forms() service.Forms {
	return service.Forms{Store: s.env.Store, Name: "signin.form"}
}

// now is the time to the second, as the trail shows it.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }
