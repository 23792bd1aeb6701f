package scenario

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"sumun.dev/gateway/sigv4"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// http [-H 'Name: value'] [--sign SERVICE] [--presign SERVICE EXPIRES] [--body TEXT] [--sent-body TEXT] METHOD PATH
//
// http makes a request of the APIs as it is written, and prints status line,
// headers and body of whatever is answered. --sign and --presign sign as the
// present principal; --sent-body then sends another body than was signed. With
// --presign the URL is printed and nothing is sent; a PATH may be such a URL.
func (s *step) http(args []string) error {
	h, err := readRequest(args)
	if err != nil {
		return err
	}
	client, endpoint := s.api()
	target := h.path
	if !strings.HasPrefix(target, endpoint+"/") {
		if !strings.HasPrefix(target, "/") {
			return misused("http: PATH begins with / or with %s/", endpoint)
		}
		target = endpoint + target
	}
	req, err := http.NewRequestWithContext(s.ctx, h.method, target, strings.NewReader(h.sent))
	if err != nil {
		return misused("http: %v", err)
	}
	req.Header = h.header
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
		req.Header.Del("Host")
	}
	scope := sigv4.Scope{Region: s.region, Service: h.service}
	switch {
	case h.presign:
		if err := sigv4.Presign(req, []byte(h.body), s.current, scope, rulesOf(h.service), time.Now(), h.expires); err != nil {
			return misused("http: %v", err)
		}
		_, err := fmt.Fprintln(s.out, req.URL)
		return err
	case h.service != "":
		sigv4.Sign(req, []byte(h.body), s.current, scope, rulesOf(h.service), time.Now())
	}
	resp, body, err := answerTo(client, req)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s %s\n", resp.Proto, resp.Status)
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		fmt.Fprintf(s.out, "%s: %s\n", name, strings.Join(resp.Header[name], ", "))
	}
	fmt.Fprintf(s.out, "\n%s\n", body)
	return nil
}

// answerTo sends a request and reads what is answered, up to maxAnswer.
func answerTo(client *http.Client, req *http.Request) (*http.Response, []byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp, body, err
}

func rulesOf(service string) sigv4.Rules {
	if service == "s3" {
		return sigv4.S3
	}
	return 0
}

type rawRequest struct {
	method, path string
	header       http.Header
	body, sent   string
	service      string // what it is signed for; empty when not
	presign      bool
	expires      time.Duration
}

func readRequest(args []string) (*rawRequest, error) {
	const use = "usage: http [-H 'Name: value'] [--sign SERVICE] [--presign SERVICE EXPIRES] [--body TEXT] [--sent-body TEXT] METHOD PATH"
	h := &rawRequest{header: http.Header{}}
	other := false
	for len(args) > 2 {
		var err error
		switch args[0] {
		case "-H":
			name, value, ok := strings.Cut(args[1], ":")
			if !ok {
				return nil, misused("http: -H %q is not 'Name: value'", args[1])
			}
			h.header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		case "--sign":
			h.service = args[1]
		case "--presign":
			h.service, h.presign = args[1], true
			h.expires, err = duration(args[2])
			args = args[1:]
		case "--body":
			h.body = args[1]
		case "--sent-body":
			h.sent, other = args[1], true
		default:
			return nil, misused(use)
		}
		if err != nil {
			return nil, misused("http: %v", err)
		}
		args = args[2:]
	}
	if len(args) != 2 {
		return nil, misused(use)
	}
	if !other {
		h.sent = h.body
	}
	h.method, h.path = args[0], args[1]
	return h, nil
}
