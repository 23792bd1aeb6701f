package admin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHandler(t *testing.T) {
	resets := 0
	memory := Options{Ready: func() error { return nil }, Metrics: http.NotFoundHandler(), Reset: func(context.Context) error { resets++; return nil }}
	memory.Explain = func(_ context.Context, id string) (any, error) {
		switch id {
		case "broken":
			return nil, errors.New("the trail cannot be read")
		case "unknown":
			return nil, nil
		}
		return map[string]string{"requestId": "id" + id}, nil
	}
	durable := Options{
		Token: "secret", Keys: &Keys{
			Report:   func(context.Context) (any, error) { return map[string]string{"current": "0a1b2c3d"}, nil },
			Progress: func(context.Context) (any, error) { return map[string]string{}, nil },
			Rotate:   func(context.Context) (any, error) { return nil, errors.New("a node lacks it") },
			Drop: func(_ context.Context, id string, ends bool) error {
				if id != "0a1b2c3d" || !ends {
					return errors.New("still needed")
				}
				return nil
			},
		}, Ready: func() error { return errors.New("store is opening") }, Metrics: http.NotFoundHandler()}
	for _, c := range []struct {
		name, method, path, host string
		header                   [2]string
		o                        Options
		want                     int
		says                     string
	}{
		{name: "health", method: "GET", path: "/health", host: "127.0.0.1:4567", o: durable, want: 200, says: "ok"},
		{name: "ready", method: "GET", path: "/ready", host: "localhost:4567", o: memory, want: 200, says: "ready"},
		{name: "not_ready_says_why", method: "GET", path: "/ready", host: "[::1]:4567", o: durable, want: 503, says: "store is opening"},
		{name: "memory_plane_resets", method: "POST", path: "/reset", host: "127.0.0.1:4567", o: memory, want: 200, says: "reset"},
		{name: "durable_plane_refuses_reset", method: "POST", path: "/reset", host: "127.0.0.1:4567", o: durable, want: 403, says: "keeps its data"},
		{name: "reset_by_get_is_refused", method: "GET", path: "/reset", host: "127.0.0.1:4567", o: memory, want: 405},
		{name: "keys", method: "GET", path: "/keys", host: "127.0.0.1:4567", header: [2]string{"Authorization", "Bearer secret"}, o: durable, want: 200, says: "0a1b2c3d"},
		{name: "keys_without_token", method: "GET", path: "/keys", host: "127.0.0.1:4567", o: durable, want: 401},
		{name: "keys_with_another_token", method: "POST", path: "/keys/rotate", host: "127.0.0.1:4567", header: [2]string{"Authorization", "Bearer secreT"}, o: durable, want: 401},
		{name: "keys_with_a_bare_token", method: "POST", path: "/keys/rotate", host: "127.0.0.1:4567", header: [2]string{"Authorization", "secret"}, o: durable, want: 401},
		{name: "keys_refused", method: "POST", path: "/keys/rotate", host: "127.0.0.1:4567", header: [2]string{"Authorization", "Bearer secret"}, o: durable, want: 409, says: "a node lacks it"},
		{name: "key_needed", method: "POST", path: "/keys/drop?id=0a1b2c3d", host: "127.0.0.1:4567", header: [2]string{"Authorization", "Bearer secret"}, o: durable, want: 409, says: "still needed"},
		{name: "key_dropped", method: "POST", path: "/keys/drop?id=0a1b2c3d&end-sessions=true", host: "127.0.0.1:4567", header: [2]string{"Authorization", "Bearer secret"}, o: durable, want: 200, says: "dropped"},
		{name: "key_dropped_by_get_is_refused", method: "GET", path: "/keys/drop?id=0a1b2c3d", host: "127.0.0.1:4567", header: [2]string{"Authorization", "Bearer secret"}, o: durable, want: 405},
		{name: "keys_of_a_plane_in_memory", method: "GET", path: "/keys", host: "127.0.0.1:4567", header: [2]string{"Authorization", "Bearer "}, o: memory, want: 403},
		{name: "explains", method: "GET", path: "/explain?id=7", host: "127.0.0.1:4567", o: memory, want: 200, says: `{"requestId":"id7"}`},
		{name: "explains_the_newest", method: "GET", path: "/explain", host: "127.0.0.1:4567", o: memory, want: 200, says: `{"requestId":"id"}`},
		{name: "explains_nothing_unknown", method: "GET", path: "/explain?id=unknown", host: "127.0.0.1:4567", o: memory, want: 404, says: "nothing is known"},
		{name: "explain_fails", method: "GET", path: "/explain?id=broken", host: "127.0.0.1:4567", o: memory, want: 500, says: "cannot be read"},
		{name: "explain_to_a_page_is_refused", method: "GET", path: "/explain", host: "127.0.0.1:4567", header: [2]string{"Origin", "https://evil.example"}, o: memory, want: 403, says: "browser"},
		{name: "page_is_refused", method: "POST", path: "/reset", host: "127.0.0.1:4567", header: [2]string{"Origin", "https://evil.example"}, o: memory, want: 403, says: "browser"},
		{name: "fetch_metadata_is_refused", method: "POST", path: "/reset", host: "127.0.0.1:4567", header: [2]string{"Sec-Fetch-Site", "cross-site"}, o: memory, want: 403, says: "browser"},
		{name: "rebound_host_is_refused", method: "POST", path: "/reset", host: "evil.example:4567", o: memory, want: 403, says: "loopback"},
		{name: "foreign_address_is_refused", method: "GET", path: "/health", host: "192.0.2.1", o: memory, want: 403, says: "loopback"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := resets
			r := httptest.NewRequest(c.method, c.path, nil)
			r.Host = c.host
			if c.header[0] != "" {
				r.Header.Set(c.header[0], c.header[1])
			}
			w := httptest.NewRecorder()
			Handler(c.o).ServeHTTP(w, r)
			if w.Code != c.want || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%d %s, want %d with %q", w.Code, w.Body, c.want, c.says)
			}
			if done := resets > before; done != (c.name == "memory_plane_resets") {
				t.Errorf("reset ran: %v", done)
			}
		})
	}
}
