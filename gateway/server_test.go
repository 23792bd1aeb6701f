package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sumun.dev/engine/seal"
	"sumun.dev/gateway"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/store"
	storememory "sumun.dev/store/memory"
)

// listen serves the house on the loopback, as the plane does.
func (h *house) listen() string {
	h.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	server := h.gate.Server()
	go func() { _ = server.Serve(l) }()
	h.t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

// signedBytes is a signed call as it goes over the wire.
func signedBytes(t *testing.T, addr, path, body string, c sigv4.Credentials, change func(*http.Request)) []byte {
	t.Helper()
	r, err := http.NewRequest("POST", "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "TrentService.CreateKey")
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	if change != nil {
		change(r)
	}
	sigv4.Sign(r, []byte(body), c, sigv4.Scope{Region: "eu-central-1", Service: "kms"}, 0, time.Now())
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// statuses sends bytes and returns the status of each answer until the server closes.
func statuses(t *testing.T, addr string, raw []byte) []int {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Write(raw); err != nil {
		return nil
	}
	_ = c.(*net.TCPConn).CloseWrite()
	var all []int
	for r := bufio.NewReader(c); ; {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return all
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		all = append(all, resp.StatusCode)
	}
}

// What is verified is what is served: no second request hides in a signed one.
func TestNothingIsSmuggled(t *testing.T) {
	h := newHouse(t, nil)
	alice := h.user("alice", allow(`"*"`))
	addr := h.listen()
	body := `{"Description":"x"}`
	plain := string(signedBytes(t, addr, "/", body, alice, nil))
	unsigned := "POST / HTTP/1.1\r\nHost: " + addr + "\r\nX-Amz-Target: TrentService.CreateKey\r\nContent-Length: 2\r\n\r\n{}"
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	for _, c := range []struct {
		name, raw string
		want      string
	}{
		{"as_signed", plain, "[200]"},
		{"second_request_is_judged_by_itself", plain + unsigned, "[200 400]"},
		{"length_twice", strings.Replace(plain, length, length+"Content-Length: 0\r\n", 1), "[400]"},
		{"length_and_chunks", strings.Replace(plain, length, length+"Transfer-Encoding: chunked\r\n", 1), "[400 400]"},
		{"shorter_body", strings.Replace(plain, length, "Content-Length: 2\r\n", 1) + unsigned, "[400 400]"},
		{"host_twice", strings.Replace(plain, "Host: ", "Host: elsewhere\r\nHost: ", 1), "[400]"},
		{"other_host", strings.Replace(plain, "Host: "+addr, "Host: elsewhere", 1), "[400]"},
		{"absolute_target", strings.Replace(plain, "POST / ", "POST http://elsewhere/ ", 1), "[400]"},
		{"space_before_colon", strings.Replace(plain, "X-Amz-Target:", "X-Amz-Target :", 1), "[400]"},
		{"folded_target", strings.Replace(plain, "X-Amz-Target: ", "X-Amz-Target: \r\n ", 1), "[200]"}, // the same value, folded: RFC 9112, 5.2
		{"query_added", strings.Replace(plain, "POST / ", "POST /?Action=DeleteAlias ", 1), "[400]"},
	} {
		got := fmt.Sprint(statuses(t, addr, []byte(c.raw)))
		if c.name == "length_and_chunks" || c.name == "shorter_body" {
			// The server may close after the first refusal.
			if !strings.HasPrefix(got, "[400") || strings.Contains(got, "200") {
				t.Errorf("%s: %s", c.name, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestLargeHeadersAreRefused(t *testing.T) {
	h := newHouse(t, nil)
	alice := h.user("alice", allow(`"*"`))
	addr := h.listen()
	raw := signedBytes(t, addr, "/", `{}`, alice, func(r *http.Request) { r.Header.Set("X-Long", strings.Repeat("x", 80<<10)) })
	if got := statuses(t, addr, raw); len(got) > 0 && got[0] != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%v", got)
	}
}

// A call under way is finished and recorded before the gate is closed.
func TestDrainWaitsForCalls(t *testing.T) {
	h := newHouse(t, nil)
	alice := h.user("alice", allow(`"*"`))
	entered, leave := make(chan struct{}), make(chan struct{})
	h.during = func(context.Context) { close(entered); <-leave }
	answer := make(chan int)
	go func() { answer <- h.send(alice, kms("CreateKey", `{"Description":"x"}`)).Code }()
	<-entered
	short, cancel := context.WithCancel(context.Background())
	cancel()
	drained := make(chan error)
	go func() { drained <- h.gate.Drain(short) }()
	if err := <-drained; err == nil {
		t.Error("drained while a call was under way")
	}
	close(leave)
	if code := <-answer; code != 200 {
		t.Errorf("the call under way got %d", code)
	}
}

// full is a store whose disk is full.
type full struct{ store.Backend }

func (full) Commit(context.Context, *store.Batch) error { return store.ErrFull }

func TestAFullDiskStopsChangesNotReads(t *testing.T) {
	h := newHouse(t, func(o *gateway.Options) {
		o.Store = store.Open(full{storememory.New()}, seal.NewRoot(seal.GenerateKey()))
	})
	alice := h.user("alice", allow(`"*"`))
	if w := h.send(alice, kms("CreateKey", `{"Description":"x"}`)); w.Code != 503 || !strings.Contains(w.Body.String(), "no space left") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.send(alice, sts("Action=GetCallerIdentity&Version=2011-06-15")); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := names(h.trail()); got != "CreateKey ServiceUnavailable, GetCallerIdentity" {
		t.Errorf("trail %q", got)
	}
}

// Who comes when the gate is closing is told so, in a language that every client
// understands well enough to try again.
func TestAClosedGateAnswers(t *testing.T) {
	h := newHouse(t, nil)
	if err := h.gate.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := h.send(h.user("alice", allow(`"*"`)), kms("CreateKey", `{"Description":"x"}`))
	if w.Code != 503 || !strings.Contains(w.Body.String(), "shutting down") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
