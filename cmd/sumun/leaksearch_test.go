package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// A search knows what must not be found, in every form in which programs write
// things down. It reads a byte once, however much it looks for.
type search struct {
	needles map[[8]byte][]needle // by how they begin
	begins  [1 << 16]bool        // what the first two bytes of a needle are
	zstd    *zstd.Decoder
	read    map[[sha256.Size]byte][]string // what was found in contents, which come again
}

type needle struct {
	secret, form string
	text         []byte
}

// Forms are long enough not to be met by chance, and long values are looked for in
// pieces: a page of a database may end within them.
const (
	shortest = 12
	piece    = 32
)

func newSearch(t testing.TB) *search {
	t.Helper()
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dec.Close)
	return &search{needles: map[[8]byte][]needle{}, zstd: dec, read: map[[sha256.Size]byte][]string{}}
}

// add has value looked for. The secret's name is what is told when it is found.
func (s *search) add(t testing.TB, secret string, value []byte) {
	t.Helper()
	if len(value) < shortest {
		t.Fatalf("%s has %d bytes, which might be met by chance", secret, len(value))
	}
	for at := 0; at < len(value); at += piece {
		part := value[at:min(at+piece, len(value))]
		if len(part) < shortest {
			part = value[len(value)-shortest:]
		}
		for _, f := range forms(part) {
			n := needle{secret, f.name, f.text}
			key := [8]byte(n.text)
			if !slices.ContainsFunc(s.needles[key], func(o needle) bool { return bytes.Equal(o.text, n.text) }) {
				s.needles[key] = append(s.needles[key], n)
			}
			s.begins[binary.LittleEndian.Uint16(n.text)] = true
		}
	}
}

type form struct {
	name string
	text []byte
}

// forms are the ways in which b may be written down. Those that hold another are left out.
func forms(b []byte) []form {
	all := written(b)
	for _, f := range all {
		if strings.Contains(f.name, "base64") || strings.Contains(f.name, "hex") { // a text within a text: bytes in a JSON that is kept as bytes
			for align := range 3 {
				all = append(all, form{fmt.Sprintf("%s in base64 from byte %d", f.name, align), base64At(f.text, align)})
			}
			all = append(all, form{f.name + " in hex", []byte(hex.EncodeToString(f.text))})
		}
	}
	var kept []form
	for _, f := range all {
		if !slices.ContainsFunc(kept, func(o form) bool { return bytes.Contains(f.text, o.text) }) {
			kept = append(kept, f)
		}
	}
	return kept
}

func written(b []byte) []form {
	all := []form{{"raw", b}}
	for align := range 3 {
		text := base64At(b, align)
		all = append(all, form{fmt.Sprintf("base64 from byte %d", align), text},
			form{fmt.Sprintf("URL base64 from byte %d", align), []byte(strings.NewReplacer("+", "-", "/", "_").Replace(string(text)))})
	}
	escaped, err := json.Marshal(string(b))
	if err != nil {
		panic(err)
	}
	var plain, marked bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	if err := errors.Join(e.Encode(string(b)), xml.EscapeText(&marked, b)); err != nil {
		panic(err)
	}
	return append(all,
		form{"hex", []byte(hex.EncodeToString(b))},
		form{"capital hex", []byte(strings.ToUpper(hex.EncodeToString(b)))},
		form{"query escapes", []byte(url.QueryEscape(string(b)))},
		form{"path escapes", []byte(url.PathEscape(string(b)))},
		form{"JSON escapes", escaped[1 : len(escaped)-1]},
		form{"JSON escapes but of HTML", bytes.Trim(bytes.TrimSpace(plain.Bytes()), `"`)},
		form{"XML escapes", marked.Bytes()},
		form{"decimals", []byte(strings.Trim(fmt.Sprint(b), "[]"))},
	)
}

// base64At is what base64 of a longer text shows of b, when b begins align bytes
// after a multiple of three.
func base64At(b []byte, align int) []byte {
	text := base64.RawStdEncoding.EncodeToString(append(make([]byte, align), b...))
	return []byte(text[(8*align+5)/6 : 8*(align+len(b))/6])
}

// in returns what is found in data, as "SECRET as FORM", each once. What is packed in it
// with gzip, zlib or zstd is unpacked.
func (s *search) in(data []byte) []string {
	content := sha256.Sum256(data)
	found, ok := s.read[content]
	if ok {
		return found
	}
	s.look(data, 2, func(n needle, packed string) {
		if text := n.secret + " as " + n.form + packed; !slices.Contains(found, text) {
			found = append(found, text)
		}
	})
	s.read[content] = found
	return found
}

func (s *search) look(data []byte, depth int, found func(n needle, packed string)) {
	for i := 0; i+8 <= len(data); i++ {
		if s.begins[binary.LittleEndian.Uint16(data[i:])] {
			for _, n := range s.needles[[8]byte(data[i:])] {
				if bytes.HasPrefix(data[i:], n.text) {
					found(n, "")
				}
			}
		}
		if depth == 0 {
			continue
		}
		if name, plain := s.unpack(data[i:]); len(plain) > 0 {
			s.look(plain, depth-1, func(n needle, packed string) { found(n, packed+" in "+name) })
		}
	}
}

// unpack returns what is packed at the beginning of data, as far as it can be read.
func (s *search) unpack(data []byte) (name string, plain []byte) {
	const most = 64 << 20
	switch {
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b, 8}):
		if r, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
			r.Multistream(false)
			plain, _ = io.ReadAll(io.LimitReader(r, most)) // what comes before an error counts
		}
		return "gzip", plain
	case bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		if err := s.zstd.Reset(bytes.NewReader(data)); err == nil {
			plain, _ = io.ReadAll(io.LimitReader(s.zstd, most))
		}
		return "zstd", plain
	case data[0] == 0x78 && binary.BigEndian.Uint16(data)%31 == 0 && data[1]&0x20 == 0: // a window of 32 KiB, as everybody has
		if r, err := zlib.NewReader(bytes.NewReader(data)); err == nil {
			plain, _ = io.ReadAll(io.LimitReader(r, most))
		}
		return "zlib", plain
	}
	return "", nil
}

// inFolder returns what is found in each file under folder, by its name there, and how
// many bytes were read.
func (s *search) inFolder(t testing.TB, folder string) (found map[string][]string, size int) {
	t.Helper()
	found = map[string][]string{}
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		at, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		size += len(data)
		if here := slices.Concat(s.in(data), s.in([]byte(at))); len(here) > 0 {
			found[at] = here
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, size
}
