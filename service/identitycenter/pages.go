package identitycenter

import (
	_ "embed"
	"html/template"
	"net/http"
	"sync"
)

//go:embed pages.html
var pagesHTML string

// A view is what a page shows.
type view struct {
	Store, Form, Next, Wrong string
	Name, Code, Ask          string
	Answer, State            string // of an identity provider
	Rows                     []string
	Sources                  []string // identity providers that people may sign in with
}

type pageName string

const (
	signInPage   pageName = "signin"
	passwordPage pageName = "password"
	startPage    pageName = "start"
	codePage     pageName = "code"
	devicePage   pageName = "device"
	clientPage   pageName = "client"
	donePage     pageName = "done"
	returnPage   pageName = "return"
	refusalPage  pageName = "refusal"
)

// templates parses the pages once.
var templates = sync.OnceValue(func() *template.Template { return template.Must(template.New("").Parse(pagesHTML)) })

// show writes a page, with a form bound to the browser.
func (s *Service) show(v *visit, name pageName, data view) error {
	data.Store, data.Form = v.store, s.forms().Token(v.cookie)
	v.Header().Set("Content-Type", "text/html; charset=utf-8")
	return templates().ExecuteTemplate(v, string(name), data)
}

// refuse shows a page that says why there is no other.
func refuse(w http.ResponseWriter, status int, why string) {
	secure(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = templates().ExecuteTemplate(w, string(refusalPage), view{Wrong: why}) // a client that is gone needs no answer
}
