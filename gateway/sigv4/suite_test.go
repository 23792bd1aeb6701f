package sigv4

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// suite is where AWS's signing test suite lies, seen from here.
const suite = "../../../shared/data/sigv4"

// A vector is one case of AWS's suite.
type vector struct {
	name, form string // form is "header" or "query"
	raw        []byte // the signed request
	canonical  string // the canonical request
	rules      Rules
	keyID      string
	secret     string
	token      string
	at         time.Time
}

func vectors(t testing.TB) []vector {
	t.Helper()
	folders, _ := filepath.Glob(suite + "/*/context.json")
	if len(folders) == 0 {
		t.Skip("AWS's SigV4 suite is not at " + suite)
	}
	var all []vector
	for _, file := range folders {
		var c struct {
			Credentials struct {
				AccessKeyID string `json:"access_key_id"`
				Secret      string `json:"secret_access_key"`
				Token       string `json:"token"`
			} `json:"credentials"`
			Normalize bool      `json:"normalize"`
			Timestamp time.Time `json:"timestamp"`
			LateToken bool      `json:"omit_session_token"`
		}
		if err := json.Unmarshal(read(t, file), &c); err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{"header", "query"} {
			v := vector{
				name: filepath.Base(filepath.Dir(file)), form: form,
				raw:       read(t, filepath.Join(filepath.Dir(file), form+"-signed-request.txt")),
				canonical: string(read(t, filepath.Join(filepath.Dir(file), form+"-canonical-request.txt"))),
				keyID:     c.Credentials.AccessKeyID, secret: c.Credentials.Secret, token: c.Credentials.Token, at: c.Timestamp,
			}
			if !c.Normalize {
				v.rules |= KeepPath
			}
			if c.LateToken {
				v.rules |= LateToken
			}
			all = append(all, v)
		}
	}
	return all
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// received is a request as the server has it.
type received struct {
	http *http.Request
	*Request
	body []byte
}

// receive reads a request the way net/http's server does. The suite has targets
// with a space in them, which no server accepts: they are set in afterwards.
func receive(raw []byte) (*received, error) { return receiveWith(bufio.NewReader(nil), raw) }

// receiveWith reads with a buffer that is used again.
func receiveWith(buffer *bufio.Reader, raw []byte) (*received, error) {
	first, rest, _ := bytes.Cut(raw, []byte("\n"))
	target := ""
	if words := strings.Split(string(first), " "); len(words) > 3 {
		target = strings.Join(words[1:len(words)-1], " ")
		raw = fmt.Appendf(nil, "%s / %s\n%s", words[0], words[len(words)-1], rest)
	}
	buffer.Reset(bytes.NewReader(raw))
	r, err := http.ReadRequest(buffer)
	if err != nil {
		return nil, err
	}
	if target != "" {
		r.RequestURI = target
	}
	in, err := Received(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	return &received{http: r, Request: in, body: body}, err
}

func (v *vector) departs(string) Rules { return v.rules }

// accept is what a gate does: it parses, looks up the key, and verifies.
func (v *vector) accept(verifier *Verifier, r *received) (*Signature, error) {
	s, err := Parse(r.Request, v.departs)
	if err != nil {
		return nil, err
	}
	if s.KeyID != v.keyID {
		return nil, Refuse(UnknownKey)
	}
	if s.Token != v.token {
		return nil, Refuse(UnknownToken)
	}
	if err := s.CheckScope("service", "us-east-1"); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(r.body)
	return s, verifier.Verify(s, v.secret, &sum, v.at)
}

func TestAWSSuiteIsAccepted(t *testing.T) {
	verifier := new(Verifier)
	for _, v := range vectors(t) {
		t.Run(v.name+"/"+v.form, func(t *testing.T) {
			r, err := receive(v.raw)
			if err != nil {
				t.Fatal(err)
			}
			s, err := v.accept(verifier, r)
			var room scratch
			if parsed, _ := Parse(r.Request, v.departs); parsed != nil {
				sum := sha256.Sum256(r.body)
				room.canonical(parsed, fmt.Sprintf("%x", sum))
				if got := string(room.text); got != v.canonical {
					t.Errorf("canonical request:\n%s\nwant:\n%s", got, v.canonical)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			if s.Presigned() != (v.form == "query") || s.Region != "us-east-1" || s.Service != "service" {
				t.Errorf("parsed as %+v", s)
			}
		})
	}
}

func TestAWSSuiteIsRefused(t *testing.T) {
	verifier := new(Verifier)
	for _, v := range vectors(t) {
		r, err := receive(v.raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []struct {
			name string
			with func(*vector)
			want Reason
		}{
			{"another_secret", func(v *vector) { v.secret += "x" }, Mismatch},
			{"too_late", func(v *vector) { v.at = v.at.Add(time.Hour + time.Second) }, map[string]Reason{"header": Skewed, "query": Lapsed}[v.form]},
			{"too_early", func(v *vector) { v.at = v.at.Add(-15*time.Minute - time.Second) }, Skewed},
			{"another_session", func(v *vector) { v.token += "x" }, UnknownToken},
		} {
			w := v
			bad.with(&w)
			_, err := w.accept(verifier, r)
			var e *Error
			if !errors.As(err, &e) || e.Reason != bad.want {
				t.Errorf("%s/%s %s: %v, want reason %d", v.name, v.form, bad.name, err, bad.want)
			}
		}
	}
}
