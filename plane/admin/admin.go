// Package admin is the loopback listener for operators: health, readiness, metrics and reset.
package admin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Options say what the listener offers.
type Options struct {
	Ready   func() error                // nil when calls are served
	Metrics http.Handler                // Prometheus text format
	Reset   func(context.Context) error // back to the first-start state; nil on a plane that keeps what it is told

	// Explain says why a call was decided as it was, by its request id; without
	// one, the newest refusal. It returns nil when nothing is known of it.
	Explain func(ctx context.Context, id string) (any, error)

	// Keys are the root keys, for whoever has the Token; nil on a plane that keeps
	// nothing.
	Keys  *Keys
	Token string

	// Ingest takes in a log from outside, for whoever has the Token: account and
	// region are whose it is where its records do not say so.
	Ingest func(ctx context.Context, in io.Reader, account, region string) (*Ingested, error)
}

// An Ingested says what became of a log that was sent in. Its records are durable.
type Ingested struct {
	Records    map[string]int `json:"records"`    // by format
	Unreadable int            `json:"unreadable"` // pieces that are no record; they are not kept
	Why        []string       `json:"why,omitempty"`
}

// maxIngest bounds a log that is sent in, in bytes as they come.
const maxIngest = 64 << 20

// Keys is what can be done with root keys.
type Keys struct {
	Report   func(context.Context) (any, error)
	Progress func(context.Context) (any, error)
	Rotate   func(context.Context) (any, error)
	Drop     func(ctx context.Context, id string, endSessions bool) error
}

// Handler answers /health, /ready, /metrics, /explain, /reset and, with the token in
// the Authorization header, /keys and /ingest. It refuses whatever a browser page could have sent
// (Origin, Sec-Fetch-Site) and Hosts that are not loopback, since neither a page nor
// DNS rebinding may reach it.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "status", "ok")
	})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if err := o.Ready(); err != nil {
			answer(w, http.StatusServiceUnavailable, "status", err.Error())
			return
		}
		answer(w, http.StatusOK, "status", "ready")
	})
	mux.Handle("GET /metrics", o.Metrics)
	mux.HandleFunc("GET /explain", func(w http.ResponseWriter, r *http.Request) {
		explain(w, r, o)
	})
	mux.HandleFunc("POST /reset", func(w http.ResponseWriter, r *http.Request) {
		if o.Reset == nil {
			answer(w, http.StatusForbidden, "error", "this plane keeps its data; only a plane started with --data :memory: can be reset")
			return
		}
		begin := time.Now()
		if err := o.Reset(r.Context()); err != nil {
			answer(w, http.StatusInternalServerError, "error", err.Error())
			return
		}
		answer(w, http.StatusOK, "reset", time.Since(begin).String())
	})
	mux.HandleFunc("GET /keys", o.keys(func(r *http.Request) (any, error) { return o.Keys.Report(r.Context()) }))
	mux.HandleFunc("GET /keys/progress", o.keys(func(r *http.Request) (any, error) { return o.Keys.Progress(r.Context()) }))
	mux.HandleFunc("POST /keys/rotate", o.keys(func(r *http.Request) (any, error) { return o.Keys.Rotate(r.Context()) }))
	mux.HandleFunc("POST /keys/drop", o.keys(func(r *http.Request) (any, error) {
		q := r.URL.Query()
		return map[string]string{"dropped": q.Get("id")}, o.Keys.Drop(r.Context(), q.Get("id"), q.Get("end-sessions") == "true")
	}))
	mux.HandleFunc("POST /ingest", o.ingest)
	return guard(mux)
}

// ingest takes in a log.
func (o Options) ingest(w http.ResponseWriter, r *http.Request) {
	if !o.trusts(r) {
		refuse(w)
		return
	}
	for name := range r.URL.Query() {
		if name != "account" && name != "region" {
			answer(w, http.StatusBadRequest, "error", "there is no parameter "+strconv.Quote(name)+"; known are account and region")
			return
		}
	}
	body := http.MaxBytesReader(w, r.Body, maxIngest)
	out, err := o.Ingest(r.Context(), body, r.URL.Query().Get("account"), r.URL.Query().Get("region"))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		answer(w, http.StatusRequestEntityTooLarge, "error", "the log is too large; send it in parts")
	case err != nil:
		answer(w, http.StatusBadRequest, "error", err.Error())
	default:
		send(w, http.StatusOK, out)
	}
}

// trusts reports whether a request has the token.
func (o Options) trusts(r *http.Request) bool {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return o.Token != "" && bearer && subtle.ConstantTimeCompare([]byte(token), []byte(o.Token)) == 1
}

func refuse(w http.ResponseWriter) {
	answer(w, http.StatusUnauthorized, "error", "the Authorization header must have the token of the plane's note")
}

// keys answers what do returns, to whoever has the token.
func (o Options) keys(do func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case o.Keys == nil || o.Token == "":
			answer(w, http.StatusForbidden, "error", "this plane keeps nothing, nor any root key")
		case !o.trusts(r):
			refuse(w)
		default:
			what, err := do(r)
			if err != nil {
				answer(w, http.StatusConflict, "error", err.Error())
				return
			}
			send(w, http.StatusOK, what)
		}
	}
}

func explain(w http.ResponseWriter, r *http.Request, o Options) {
	x, err := o.Explain(r.Context(), r.URL.Query().Get("id"))
	switch {
	case err != nil:
		answer(w, http.StatusInternalServerError, "error", err.Error())
	case x == nil:
		answer(w, http.StatusNotFound, "error", "nothing is known of it")
	default:
		send(w, http.StatusOK, x)
	}
}

func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := local(r); err != nil {
			answer(w, http.StatusForbidden, "error", err.Error())
			return
		}
		if r.URL.Path != "/ingest" {
			r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
		}
		next.ServeHTTP(w, r)
	})
}

func local(r *http.Request) error {
	for _, h := range []string{"Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode"} {
		if r.Header.Get(h) != "" {
			return errors.New("requests from browser pages are refused")
		}
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return errors.New("the Host header must name a loopback address")
	}
	return nil
}

func answer(w http.ResponseWriter, status int, key, value string) {
	send(w, status, map[string]string{key: value})
}

func send(w http.ResponseWriter, status int, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(what) // a client that is gone needs no answer
}
