package wire

import (
	"io"
	"net/http"
)

// A Request is one HTTP request as the gateway hands it over: read and bounded.
type Request struct {
	Method   string
	RawPath  string // as sent, escapes and all
	RawQuery string
	Header   http.Header
	Host     string
	Body     []byte
	Stream   io.ReadCloser // the body instead, for operations whose payload is a stream
	Scope    string        // the service in the signature's scope; empty when nothing is signed
	Bucket   string        // S3: the bucket that the host names, to be put before the path
}

// A Response is what goes back to the client.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	Stream io.ReadCloser // the body instead, when not nil
}
