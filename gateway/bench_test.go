package gateway_test

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sumun.dev/gateway"
	"sumun.dev/gateway/sigv4"
)

const identityCall = "Action=GetCallerIdentity&Version=2011-06-15"

// signedIdentityCall is a call signed beforehand.
func signedIdentityCall(b *testing.B, h *house, addr string) *http.Request {
	b.Helper()
	r, err := http.NewRequest("POST", "http://"+addr+"/", strings.NewReader(identityCall))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sigv4.Sign(r, []byte(identityCall), h.user("alice", allow(`"*"`)), sigv4.Scope{Region: "eu-central-1", Service: "sts"}, 0, time.Now())
	return r
}

func quiet(o *gateway.Options) { o.Log = slog.New(slog.DiscardHandler) }

// The gate alone: signature, policy, audit into the memory spine, no network.
func BenchmarkGetCallerIdentity(b *testing.B) {
	h := newHouse(b, quiet)
	r := signedIdentityCall(b, h, "127.0.0.1:4566")
	r.RequestURI, r.RemoteAddr = "/", "127.0.0.1:1"
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(strings.NewReader(identityCall))
		w := httptest.NewRecorder()
		h.gate.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}

// The same over loopback connections, with the client on the same cores.
func BenchmarkOverTheLoopback(b *testing.B) {
	h := newHouse(b, quiet)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := h.gate.Server()
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	var raw bytes.Buffer
	if err := signedIdentityCall(b, h, l.Addr().String()).Write(&raw); err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		for pb.Next() {
			if _, err := c.Write(raw.Bytes()); err != nil {
				b.Error(err)
				return
			}
			resp, err := http.ReadResponse(in, nil)
			if err != nil || resp.StatusCode != 200 {
				b.Error(resp, err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
		}
	})
}
