package gateway

import (
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"time"

	"sumun.dev/gateway/trail"
	"sumun.dev/wire"
)

// answer writes the response, or the error in the protocol's form.
func (g *Gateway) answer(v *visit) {
	response := v.response
	if v.err != nil {
		response = v.match.EncodeError(v.deed.err, v.id)
	}
	h := v.w.Header()
	maps.Copy(h, response.Header)
	h["X-Content-Type-Options"] = nosniff
	if response.Stream != nil {
		defer response.Stream.Close()
		v.w.WriteHeader(response.Status)
		if v.r.Method != http.MethodHead {
			_, _ = io.Copy(v.w, response.Stream) // the client is gone: nobody is left to tell
		}
		return
	}
	if bodyAllowed(response) && h.Get("Content-Length") == "" {
		h.Set("Content-Length", strconv.Itoa(len(response.Body)))
	}
	v.w.WriteHeader(response.Status)
	if v.r.Method != http.MethodHead && len(response.Body) > 0 {
		_, _ = v.w.Write(response.Body)
	}
}

// nosniff: what callers stored must not run in a browser. Nobody writes to it.
var nosniff = []string{"nosniff"}

func bodyAllowed(r *wire.Response) bool {
	return r.Status >= 200 && r.Status != http.StatusNoContent && r.Status != http.StatusNotModified
}

// leave gives back what the visit held, and counts it.
func (g *Gateway) leave(v *visit) {
	if v.release != nil {
		v.release()
	}
	if v.admitted {
		g.calls.leave()
	}
	about := aboutOf(v.match)
	var failed error
	if v.err != nil {
		failed = v.deed.err
	}
	if v.verified() {
		g.metrics.count(about, failed)
		g.metrics.took(about, time.Since(v.began))
	}
	if !g.Log.Enabled(v.ctx, slog.LevelDebug) {
		return
	}
	attrs := []any{"method", v.r.Method, "path", v.request.RawPath, "requestID", v.id, "took", time.Since(v.began), "source", v.r.RemoteAddr}
	if about != nil {
		attrs = append(attrs, "operation", about.String())
	}
	if v.call != nil {
		attrs = append(attrs, "account", v.call.Account, "region", v.call.Region, "user", trail.Username(v.call.Principal))
	}
	if v.err != nil {
		attrs = append(attrs, "code", v.deed.err.Code)
	}
	g.Log.DebugContext(v.ctx, "call", attrs...)
}
