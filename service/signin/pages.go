package signin

import (
	_ "embed"
	"html/template"
	"net/http"
	"sync"
	"time"
)

//go:embed pages.html
var pagesHTML string

// A view is what a page shows.
type view struct {
	Base, Form, Wrong string
	Account, Region   string // as typed
	Who, Until        string
	Destination       string
}

type pageName string

const (
	signInPage   pageName = "signin"
	passwordPage pageName = "password"
	sessionPage  pageName = "session"
	refusalPage  pageName = "refusal"
)

// templates parses the pages once.
var templates = sync.OnceValue(func() *template.Template { return template.Must(template.New("").Parse(pagesHTML)) })

// show writes a page, with a form bound to the browser.
func (s *Service) show(v *visit, status int, name pageName, data view) error {
	data.Base, data.Form = v.base, s.forms().Token(v.cookie)
	v.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.WriteHeader(status)
	return templates().ExecuteTemplate(v, string(name), data)
}

// showSession says who is signed in, and until when.
func (s *Service) showSession(v *visit, x *session, destination string) error {
	return s.show(v, http.StatusOK, sessionPage, view{
		Who: x.Principal.ARN.String(), Account: string(x.Principal.Account), Until: x.Until.UTC().Format(time.RFC3339), Destination: destination,
	})
}

// refuse shows a page that says why there is no other.
func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = templates().ExecuteTemplate(w, string(refusalPage), view{Wrong: why}) // a client that is gone needs no answer
}
