package gateway_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever strangers send, the gate answers, serves none of it and does not panic.
func FuzzServeHTTP(f *testing.F) {
	f.Add("POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: TrentService.CreateKey\r\nContent-Length: 2\r\n\r\n{}")
	f.Add("POST / HTTP/1.1\r\nHost: sts.h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 26\r\n\r\nAction=GetCallerIdentity&A")
	f.Add("POST /detector HTTP/1.1\r\nHost: guardduty.h\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIAALICE0000/20260101/us-east-1/guardduty/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\nX-Amz-Date: 20260101T000000Z\r\n\r\n")
	f.Add("GET //a/../b?X-Amz-Algorithm=AWS4-HMAC-SHA256&&=%2 HTTP/1.1\r\nHost: h\r\n\r\n")
	f.Add("POST /service/TrentService/operation/CreateKey HTTP/1.1\r\nHost: h\r\nSmithy-Protocol: rpc-v2-cbor\r\nContent-Length: 1\r\n\r\n\xa0")
	h := newHouse(f, nil)
	h.user("alice", allow(`"*"`))
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil {
			return
		}
		r.RemoteAddr = "192.0.2.1:1"
		w := httptest.NewRecorder()
		h.gate.ServeHTTP(w, r)
		if w.Code < 400 || w.Code == 500 {
			t.Errorf("%d %s for %q", w.Code, w.Body, raw)
		}
	})
}
