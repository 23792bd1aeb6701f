package gunzip

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	fast "github.com/klauspost/compress/gzip"
)

// unpack reads all, and what ended it; nil at the end.
func unpack(z interface {
	io.Reader
	Reset(io.Reader) error
}, in io.Reader) ([]byte, error) {
	if err := z.Reset(in); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err := b.ReadFrom(io.LimitReader(z, 8<<20))
	return b.Bytes(), err
}

// same holds a stream to what the standard library makes of it.
func same(t testing.TB, r *Reader, packed []byte, in io.Reader) {
	t.Helper()
	want, wrong := unpack(new(gzip.Reader), bytes.NewReader(packed))
	got, err := unpack(r, in)
	if !bytes.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Fatalf("%d bytes, not %d (%v, %v); they differ at %d", len(got), len(want), err, wrong, at)
	}
	for _, kind := range []error{nil, io.EOF, gzip.ErrHeader, gzip.ErrChecksum} {
		if errors.Is(err, kind) != errors.Is(wrong, kind) {
			t.Fatalf("%v, not %v", err, wrong)
		}
	}
}

// logs are texts of all kinds: repeated near and far, and not at all.
func logs() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var lines bytes.Buffer
	for i := range 20_000 {
		fmt.Fprintf(&lines, "2 111122223333 eni-%08x 10.0.%d.%d 198.51.100.%d %d 443 6 %d %d ACCEPT OK\n", r.Uint32(), i%5, r.IntN(250), i%9, r.IntN(60000), r.IntN(99), i)
	}
	return map[string][]byte{
		"empty": {}, "one": []byte("x"), "zeros": make([]byte, 1<<20), "noise": noise, "lines": lines.Bytes(), "few": bytes.Repeat([]byte("abcdefg"), 50_000),
		"far": bytes.Repeat(noise[:33_000], 5), "mixed": append(bytes.Clone(noise[:70_000]), lines.Bytes()...), "skewed": []byte(strings.Repeat("a", 9999) + strings.Repeat("b", 99) + "c"),
	}
}

func TestWhatIsPackedIsUnpacked(t *testing.T) {
	r := new(Reader)
	for name, text := range logs() {
		for _, level := range []int{gzip.HuffmanOnly, gzip.DefaultCompression, gzip.NoCompression, gzip.BestSpeed, 4, gzip.BestCompression} {
			for kind, pack := range map[string]func(io.Writer) io.WriteCloser{
				"standard": func(w io.Writer) io.WriteCloser { z, _ := gzip.NewWriterLevel(w, level); return z },
				"fast":     func(w io.Writer) io.WriteCloser { z, _ := fast.NewWriterLevel(w, level); return z },
			} {
				var b bytes.Buffer
				z := pack(&b)
				z.Write(text)
				z.Close()
				got, err := unpack(r, bytes.NewReader(b.Bytes()))
				if err != nil || !bytes.Equal(got, text) {
					t.Errorf("%s, %s, level %d: %d bytes of %d, %v", name, kind, level, len(got), len(text), err)
				}
			}
		}
	}
}

func TestStreamsAreWhatTheStandardLibraryReads(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Name, z.Comment, z.Extra = "a name", "and more", bytes.Repeat([]byte("x"), 60_000)
	z.Write(logs()["lines"][:100_000])
	z.Flush()
	z.Write([]byte("more"))
	z.Close()
	one := b.Bytes()
	two := append(bytes.Clone(one), one...)
	// Members that end within a byte.
	var many bytes.Buffer
	for i := range 9 {
		z, _ := fast.NewWriterLevel(&many, i+1)
		z.Write([]byte(strings.Repeat("ab", i*i) + "x"))
		z.Close()
	}
	r := new(Reader)
	for _, packed := range [][]byte{one, two, many.Bytes(), append(bytes.Clone(two), 0), append(bytes.Clone(one), "rubbish beyond"...), {}, {0x1f}, {0x1f, 0x8b, 8}} {
		same(t, r, packed, bytes.NewReader(packed))
		same(t, r, packed, iotest.OneByteReader(bytes.NewReader(packed)))
		same(t, r, packed, iotest.DataErrReader(bytes.NewReader(packed)))
	}
	// Cut anywhere near the beginning and the end.
	for i := range len(one) {
		if i < 30 || i > 60_000 && i < 60_500 || i > len(one)-500 {
			same(t, r, one[:i], bytes.NewReader(one[:i]))
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		broken := bytes.Clone(one[60_000:])
		broken = append(bytes.Clone(head(one)), broken...)
		for range 1 + random.IntN(3) {
			broken[random.IntN(len(broken))] ^= 1 << random.IntN(8)
		}
		same(t, r, broken, bytes.NewReader(broken))
	}
	if _, err := unpack(r, io.MultiReader(bytes.NewReader(one[:70_000]), iotest.ErrReader(io.ErrClosedPipe))); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the error of the source is lost: %v", err)
	}
}

// head is a header without anything but what must be there.
func head(b []byte) []byte {
	h := bytes.Clone(b[:10])
	h[3] = 0
	return h
}

func FuzzReader(f *testing.F) {
	for _, text := range logs() {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(text[:min(len(text), 4000)])
		z.Close()
		f.Add(b.Bytes())
	}
	for _, block := range []string{"\x01\x00\x00\xff\xff", "\x03\x00", "\x05\xe0\x81\x08\x00\x00\x00\x00\x20\x7f\xeb\x0b\x00\x00", "\x4b\x4c\x04\x02"} {
		f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00" + block))
	}
	r := new(Reader)
	f.Fuzz(func(t *testing.T, b []byte) {
		same(t, r, b, bytes.NewReader(b))
		same(t, r, b, iotest.HalfReader(bytes.NewReader(b)))
	})
}

func BenchmarkReader(b *testing.B) {
	for name, z := range map[string]interface {
		io.Reader
		Reset(io.Reader) error
	}{"this": new(Reader), "klauspost": new(fast.Reader), "standard": new(gzip.Reader)} {
		b.Run(name, func(b *testing.B) {
			text := logs()["lines"]
			var packed bytes.Buffer
			w := fast.NewWriter(&packed)
			w.Write(text)
			w.Close()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if err := z.Reset(bytes.NewReader(packed.Bytes())); err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, z); err != nil || n != int64(len(text)) {
					b.Fatal(n, err)
				}
			}
		})
	}
}
