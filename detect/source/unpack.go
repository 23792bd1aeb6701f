package source

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The first bytes of what is packed.
var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
	zipMagic  = []byte("PK\x03\x04")
)

// maxPacked is how often a file may be packed: a .gz within a .zip.
const maxPacked = 3

var (
	errBomb   = errors.New("unpacks to far more than it is: not read further")
	errPacked = errors.New("is packed more than three times")
)

// unpack hands over what a file holds: its content, or that of each member of an
// archive.
func unpack(ctx context.Context, name string, in io.Reader, size int64, take func(name string, content io.Reader) error) error {
	counted := &counter{in: in}
	return unpackAt(ctx, name, counted, counted, take, 0)
}

// unpackAt unpacks in; packed counts what lies on disk.
func unpackAt(ctx context.Context, name string, in io.Reader, packed *counter, take func(string, io.Reader) error, depth int) error {
	b := bufio.NewReaderSize(&stopped{ctx, in}, 64<<10)
	head, err := b.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return err
	}
	switch {
	case bytes.HasPrefix(head, gzipMagic), bytes.HasPrefix(head, zstdMagic), bytes.HasPrefix(head, zipMagic):
		if depth == maxPacked {
			return errPacked
		}
	default:
		return take(name, b)
	}
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		z, err := gzip.NewReader(b)
		if err != nil {
			return err
		}
		defer z.Close()
		return unpackAt(ctx, name, &bounded{in: z, packed: packed}, packed, take, depth+1)
	case bytes.HasPrefix(head, zstdMagic):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return err
		}
		defer z.Close()
		return unpackAt(ctx, name, &bounded{in: z, packed: packed}, packed, take, depth+1)
	}
	return unzip(ctx, name, b, take, depth)
}

// unzip reads the members of a zip file. Its list stands at the end, so that the
// file has to be laid down first.
func unzip(ctx context.Context, name string, in io.Reader, take func(string, io.Reader) error, depth int) error {
	f, err := os.CreateTemp("", "sumun-zip-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	size, err := io.Copy(f, in)
	if err != nil {
		return err
	}
	z, err := zip.NewReader(f, size)
	if err != nil {
		return err
	}
	if len(z.File) > maxMembers {
		return fmt.Errorf("has %d members, more than %d", len(z.File), maxMembers)
	}
	members := slices.Clone(z.File)
	slices.SortStableFunc(members, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	for _, m := range members {
		if m.FileInfo().IsDir() || strings.HasPrefix(path.Base(m.Name), ".") {
			continue
		}
		in, err := m.Open()
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		packed := &counter{n: int64(min(m.CompressedSize64, 1<<62))}
		err = unpackAt(ctx, name+"!"+m.Name, &bounded{in: in, packed: packed}, packed, take, depth+1)
		in.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return nil
}

// counter counts what is read.
type counter struct {
	in io.Reader
	n  int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}

// bounded ends when it has unpacked to far more than was packed.
type bounded struct {
	in     io.Reader
	packed *counter
	n      int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.n > maxUnpacked || b.n > 256<<20 && b.n/maxRatio > b.packed.n {
		return 0, errBomb
	}
	n, err := b.in.Read(p)
	b.n += int64(n)
	return n, err
}

// stopped ends with its context.
type stopped struct {
	ctx context.Context
	in  io.Reader
}

func (s *stopped) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.in.Read(p)
}
