package sigv4

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Bounds of an aws-chunked body.
const (
	maxChunk    = 16 << 20 // a signed chunk is kept in memory until its signature is proven
	minChunk    = 8 << 10  // only the last chunk may be smaller
	maxLine     = 4 << 10
	maxTrailers = 16
)

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// chunks reads an aws-chunked body and proves each chunk before handing it out.
// Amazon S3 API Reference, "Signature Calculations for the Authorization Header:
// Transferring Payload in Multiple Chunks", and the page on trailing headers.
type chunks struct {
	r        *bufio.Reader
	s        *Signature
	signed   bool   // every chunk carries a signature
	trailed  bool   // headers follow the last chunk
	left     int64  // bytes of the body that are still to come
	previous string // signature of the chunk before
	small    bool   // a chunk under minChunk has come: it must have been the last

	chunk   []byte // of a signed chunk, what was not handed out yet
	room    []byte
	open    int64 // of an unsigned chunk, what was not handed out yet
	trailer map[string]string
	err     error // how the body ended
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for c.err == nil && len(c.chunk) == 0 && c.open == 0 {
		c.err = c.advance()
	}
	if len(c.chunk) > 0 {
		n := copy(p, c.chunk)
		c.chunk = c.chunk[n:]
		return n, nil
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.open)])
	c.open -= int64(n)
	if c.open == 0 && err == nil {
		err = c.lineEnd()
	}
	if err != nil {
		c.err = c.bad("The body ends within a chunk.")
	}
	return n, c.err
}

// advance reads the next chunk's head and, when it is signed, the chunk.
func (c *chunks) advance() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	digits, extension, _ := strings.Cut(line, ";")
	size, err := strconv.ParseUint(digits, 16, 62)
	if err != nil || digits[0] == '+' {
		return c.bad("A chunk has no size.")
	}
	if int64(size) > c.left {
		return c.s.refuse(BadLength, "The body is longer than x-amz-decoded-content-length.")
	}
	if !c.signed {
		if extension != "" {
			return c.bad("An unsigned chunk has an extension.")
		}
		c.left -= int64(size)
		c.open = int64(size)
		if size == 0 {
			return c.end()
		}
		return nil
	}
	signature, ok := strings.CutPrefix(extension, "chunk-signature=")
	if !ok || !isHash(signature) {
		return c.bad("A chunk has no signature.")
	}
	if size > maxChunk {
		return c.bad("A signed chunk is larger than 16 MiB.")
	}
	if c.small && size > 0 {
		return c.bad("Only the last chunk is allowed to have a size less than 8192 bytes")
	}
	c.small = size < minChunk
	c.room = slices.Grow(c.room[:0], int(size))[:size]
	if _, err := io.ReadFull(c.r, c.room); err != nil {
		return c.bad("The body ends within a chunk.")
	}
	sum := sha256.Sum256(c.room)
	if err := c.prove(signature, "AWS4-HMAC-SHA256-PAYLOAD", emptyHash, hex.EncodeToString(sum[:])); err != nil {
		return err
	}
	c.left -= int64(size)
	if size == 0 {
		return c.end()
	}
	if err := c.lineEnd(); err != nil {
		return err
	}
	c.chunk = c.room
	return nil
}

// prove compares the signature of a chunk or trailer, which covers the one before.
func (c *chunks) prove(signature, algorithm string, hashes ...string) error {
	b := append(make([]byte, 0, 512), algorithm...)
	b = append(b, '\n')
	b = append(b, c.s.stamp...)
	b = append(b, '\n')
	b = c.s.appendScope(b)
	b = append(b, '\n')
	b = append(b, c.previous...)
	for _, h := range hashes {
		b = append(b, '\n')
		b = append(b, h...)
	}
	var want [2 * sha256.Size]byte
	c.s.key.sign(want[:], b)
	if subtle.ConstantTimeCompare(want[:], []byte(signature)) != 1 {
		return c.s.refuse(Mismatch, noMatch)
	}
	c.previous = signature
	return nil
}

// end reads what follows the last chunk. Its own error is io.EOF when all is well.
func (c *chunks) end() error {
	if c.left != 0 {
		return c.s.refuse(BadLength, "You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header.")
	}
	if c.trailed {
		if err := c.readTrailer(); err != nil {
			return err
		}
	} else if err := c.lineEnd(); err != nil {
		return err
	}
	// Nothing may follow: it would belong to no one.
	if _, err := c.r.ReadByte(); err != io.EOF {
		return c.bad("Something follows the last chunk.")
	}
	return io.EOF
}

// readTrailer reads the trailing headers that x-amz-trailer announced, no others.
func (c *chunks) readTrailer() error {
	announced := c.s.trailers()
	c.trailer = map[string]string{}
	var signedText bytes.Buffer
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		if line == "" && c.signed && len(c.trailer) > 0 {
			continue // AWS's example has an empty line before the trailer's signature
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if c.signed && name == "x-amz-trailer-signature" {
			sum := sha256.Sum256(signedText.Bytes())
			if !isHash(value) {
				return c.bad("The trailer has no signature.")
			}
			if err := c.prove(value, "AWS4-HMAC-SHA256-TRAILER", hex.EncodeToString(sum[:])); err != nil {
				return err
			}
			if err := c.lastLine(); err != nil {
				return err
			}
			return c.allCame(announced)
		}
		_, twice := c.trailer[name]
		if !ok || twice || !slices.Contains(announced, name) || len(c.trailer) == maxTrailers {
			return c.bad("The request contained trailing data that was not well-formed or did not conform to our published schema.")
		}
		c.trailer[name] = value
		signedText.WriteString(name + ":" + value + "\n")
	}
	if c.signed {
		return c.bad("The trailer has no signature.")
	}
	return c.allCame(announced)
}

func (c *chunks) allCame(announced []string) error {
	if len(announced) != len(c.trailer) {
		return c.bad("The request announced trailing headers that did not come.")
	}
	return nil
}

// lastLine reads the empty line at the end of a signed trailer; some clients leave it out.
func (c *chunks) lastLine() error {
	if _, err := c.r.Peek(1); err == io.EOF {
		return nil
	}
	return c.lineEnd()
}

// line reads up to a line end, which is CR LF. S3 also accepts LF alone in trailers.
func (c *chunks) line() (string, error) {
	b, err := c.r.ReadSlice('\n')
	if err != nil || len(b) > maxLine {
		return "", c.bad("The body ends before its last chunk.")
	}
	return string(bytes.TrimSuffix(b[:len(b)-1], []byte{'\r'})), nil
}

func (c *chunks) lineEnd() error {
	line, err := c.line()
	if err == nil && line != "" {
		err = c.bad("A chunk is longer than it says.")
	}
	return err
}

func (c *chunks) bad(message string) error { return c.s.refuse(BadStream, message) }
