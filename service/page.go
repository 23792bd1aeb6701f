package service

import (
	"net/http"

	"sumun.dev/store"
)

// SecurePage sets the headers of a page for people's browsers: it loads nothing, is
// framed by nobody, kept nowhere, and tells no other site where it was.
func SecurePage(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// SameSite reports whether a browser that says so posts a form from a page of the same
// origin. Fetch Metadata Request Headers, Sec-Fetch-Site.
func SameSite(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "" || site == "same-origin" || site == "none"
}

// Forms binds the forms of a service's pages to the browser that they are shown in, so
// that no other site can post them.
type Forms struct {
	Store *store.Store
	Name  string // of the forms: "sso.form"
}

// Token is the text that a form carries when it is shown to the browser with this cookie.
func (f Forms) Token(cookie string) string {
	return f.Store.NextToken([]string{f.Name, cookie}, "form")
}

// Holds reports whether a form carries the text that the browser with this cookie was shown.
func (f Forms) Holds(cookie, token string) bool {
	text, err := f.Store.OpenToken([]string{f.Name, cookie}, token)
	return cookie != "" && err == nil && text == "form"
}
