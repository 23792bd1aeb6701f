package sigv4

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strconv"
	"strings"
)

// Body returns a reader of the payload that r carries, r being the request's body
// as received. It holds the body to what the signature says of it: a declared
// hash, the signature of each aws-chunked piece, the declared length. What does
// not hold ends in an *Error instead of io.EOF, so a body counts only once it was
// read to its end. Verify must have succeeded before.
func (s *Signature) Body(r io.Reader) (*Body, error) {
	if s.key == nil {
		return nil, errors.New("sigv4: the body of an unverified request was asked for")
	}
	switch {
	case s.Payload == UnsignedPayload, s.rules&DeclaredPayload == 0:
		return &Body{next: r}, nil
	case isHash(s.Payload):
		return &Body{next: &hashed{r: r, sum: sha256.New(), s: s}}, nil
	}
	length, err := s.decodedLength()
	if err != nil {
		return nil, err
	}
	c := &chunks{
		r: bufio.NewReader(r), s: s, left: length, previous: s.signature,
		signed: s.Payload != StreamingTrailer, trailed: s.Payload != StreamingSigned,
	}
	return &Body{next: c, chunks: c}, nil
}

// A Body is the payload of a verified request.
type Body struct {
	next   io.Reader
	chunks *chunks
}

func (b *Body) Read(p []byte) (int, error) { return b.next.Read(p) }

// Trailer returns the headers that followed the body, named in lower case. It is
// complete when Read has returned io.EOF.
func (b *Body) Trailer() map[string]string {
	if b.chunks == nil {
		return nil
	}
	return b.chunks.trailer
}

// decodedLength reads how long a streamed body is without its framing.
func (s *Signature) decodedLength() (int64, error) {
	values := s.request.Header["X-Amz-Decoded-Content-Length"]
	if len(values) != 1 {
		return 0, s.refuse(BadLength, "You must provide the x-amz-decoded-content-length HTTP header.")
	}
	n, err := strconv.ParseUint(values[0], 10, 62)
	if err != nil {
		return 0, s.refuse(BadLength, "x-amz-decoded-content-length must be a number.")
	}
	return int64(n), nil
}

// trailers returns the names that x-amz-trailer announces.
func (s *Signature) trailers() []string {
	var names []string
	for _, v := range s.request.Header["X-Amz-Trailer"] {
		for name := range strings.SplitSeq(v, ",") {
			names = append(names, strings.ToLower(strings.TrimSpace(name)))
		}
	}
	return names
}

// hashed compares what was read with the declared hash.
type hashed struct {
	r   io.Reader
	sum hash.Hash
	s   *Signature
}

func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.sum.Write(p[:n])
	if err == io.EOF && hex.EncodeToString(h.sum.Sum(nil)) != h.s.Payload {
		return n, h.s.refuse(BadPayloadHash, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return n, err
}
