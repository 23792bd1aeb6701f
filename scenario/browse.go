package scenario

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// A window is a browser: what it shows, and the cookies that it has.
type window struct {
	cookies map[string]string
	page    string
}

const maxRedirects = 10

// browse URL | browse submit [NAME=VALUE]… | browse new
//
// browse shows a page of the plane as a browser would, with its cookies and
// redirections, and prints it. submit sends the page's first form with what is
// typed into it; new begins with another browser. A redirection that leads
// elsewhere is printed and not followed.
func (s *step) browse(args []string) error {
	const use = "usage: browse URL, browse submit [NAME=VALUE]…, or browse new"
	if s.window == nil || len(args) == 1 && args[0] == "new" {
		s.window = &window{cookies: map[string]string{}}
	}
	switch {
	case len(args) == 1 && args[0] == "new":
		return nil
	case len(args) >= 1 && args[0] == "submit":
		action, form, err := s.window.form()
		if err != nil {
			return err
		}
		for _, a := range args[1:] {
			name, value, ok := strings.Cut(a, "=")
			if !ok {
				return misused(use)
			}
			form.Set(name, value)
		}
		return s.visit(http.MethodPost, action, form)
	case len(args) == 1:
		return s.visit(http.MethodGet, args[0], nil)
	}
	return misused(use)
}

var (
	formStart = regexp.MustCompile(`<form method="post" action="([^"]+)">`)
	filled    = regexp.MustCompile(`<input [^>]*\bname="([^"]+)"[^>]* value="([^"]*)"`) // hidden, or typed before
)

// form reads the page's first form.
func (w *window) form() (string, url.Values, error) {
	at := formStart.FindStringSubmatchIndex(w.page)
	if at == nil {
		return "", nil, fmt.Errorf("the page has no form:\n%s", w.page)
	}
	text, _, _ := strings.Cut(w.page[at[0]:], "</form>")
	form := url.Values{}
	for _, m := range filled.FindAllStringSubmatch(text, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	return html.UnescapeString(w.page[at[2]:at[3]]), form, nil
}

func (s *step) visit(method, target string, form url.Values) error {
	client, endpoint := s.api()
	for range maxRedirects {
		switch {
		case strings.HasPrefix(target, "/"):
			target = endpoint + target
		case !strings.HasPrefix(target, endpoint+"/"):
			_, err := fmt.Fprintf(s.out, "redirected to %s\n", target)
			return err
		}
		req, err := http.NewRequestWithContext(s.ctx, method, target, strings.NewReader(form.Encode()))
		if err != nil {
			return misused("browse: %v", err)
		}
		if method == http.MethodPost {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for name, value := range s.window.cookies {
			req.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		resp.Body.Close()
		if err != nil {
			return err
		}
		for _, c := range resp.Cookies() {
			s.window.cookies[c.Name] = c.Value
		}
		if to := resp.Header.Get("Location"); resp.StatusCode/100 == 3 && to != "" {
			method, target, form = http.MethodGet, to, nil
			continue
		}
		s.window.page = string(body)
		if resp.StatusCode != http.StatusOK {
			fmt.Fprintf(s.errs, "%s\n%s\n", resp.Status, body)
			return errFailed
		}
		_, err = fmt.Fprintf(s.out, "%s\n", body)
		return err
	}
	return fmt.Errorf("more than %d redirections", maxRedirects)
}
