package gateway_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sumun.dev/gateway/sigv4"
)

// Strangers who claim large uploads and send nothing do not keep out those who
// are known.
func TestStrangersHoldNoMemory(t *testing.T) {
	h := newHouse(t, nil)
	alice := h.user("alice", allow(`"*"`))
	addr := h.listen()
	stranger := sigv4.Credentials{KeyID: "AKIASTRANGER00000000", Secret: "x"}
	for i, service := range []string{"lambda", "s3", "kms"} {
		for range 40 {
			r, _ := http.NewRequest("POST", "http://"+addr+"/", nil)
			sigv4.Sign(r, nil, stranger, sigv4.Scope{Region: "eu-central-1", Service: service}, 0, time.Now())
			var b bytes.Buffer
			if err := r.Write(&b); err != nil {
				t.Fatal(err)
			}
			length := fmt.Sprintf("Content-Length: %d\r\n", []int{60 << 20, 60 << 20, 7 << 20}[i])
			head := strings.Replace(b.String(), "Content-Length: 0\r\n", length, 1)
			if !strings.Contains(head, length) {
				t.Fatal(head)
			}
			claim(t, addr, head)
		}
	}
	// Who signs nothing shares a room of its own.
	for range 40 {
		claim(t, addr, "POST / HTTP/1.1\r\nHost: "+addr+"\r\nContent-Length: 1000000\r\n\r\n")
	}
	body := `{"Description":"` + strings.Repeat("x", 1000) + `"}` + strings.Repeat(" ", 100<<10)
	before := time.Now()
	if w := h.send(alice, kms("CreateKey", body)); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if took := time.Since(before); took > 5*time.Second {
		t.Errorf("waited %v for memory", took)
	}
}

// claim sends the head of a request and leaves the connection open.
func claim(t *testing.T, addr, head string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Write([]byte(head)); err != nil {
		t.Fatal(err)
	}
}

// Uploads of 70 MiB are for services that are served; an unknown key is refused
// in the words for an unknown key before its body has come.
func TestLargeBodiesNeedAKnownKey(t *testing.T) {
	h := newHouse(t, nil)
	alice := h.user("alice", allow(`"*"`))
	large := ask{path: "/2015-03-31/functions", service: "lambda", body: strings.Repeat(" ", 9<<20), contentType: "application/json"}
	if w := h.send(alice, large); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("9 MiB for a service that is not served: %d %s", w.Code, w.Body)
	}
	unknown := sigv4.Credentials{KeyID: "AKIASTRANGER00000000", Secret: "x"}
	if w := h.send(unknown, kms("CreateKey", strings.Repeat(" ", 100<<10))); w.Code != 400 || !strings.Contains(w.Body.String(), "UnrecognizedClientException") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
