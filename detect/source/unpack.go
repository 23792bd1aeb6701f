package source

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"sumun.dev/detect/source/flow"
	"sumun.dev/detect/source/parquet"
)

// The first bytes of what is packed.
var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
	zipMagic  = []byte("PK\x03\x04")
	table     = []byte(parquet.Magic)
)

const (
	// maxPacked is how often a file may be packed: a .gz within a .zip.
	maxPacked = 3
	// maxWindow is how far back a zstd file may refer, in bytes, and so what reading
	// it takes: what compressors use but at their "ultra" levels.
	maxWindow = 32 << 20
)

var (
	errBomb   = errors.New("unpacks to far more than it is: not read further")
	errPacked = errors.New("is packed more than three times")
	errTable  = errors.New("is a Parquet file, but its columns are not those of VPC flow logs")
	errBig    = fmt.Errorf("is a Parquet file of %d GiB or more in a stream or a packed file: not read", maxLaid>>30)
	errLaid   = fmt.Errorf("is a zip file of %d GiB or more in a stream or a packed file: not read", maxLaid>>30)
	errList   = fmt.Errorf("has a list of more than %d MiB: not read", maxList>>20)
)

// An unpacking hands over what one file holds: its content, or that of each member
// of an archive.
type unpacking struct {
	ctx  context.Context
	with *readers
	take func(name string, content io.Reader) error
	bad  func(member string, err error) // hears of members that cannot be read

	packed, unpacked int64   // bytes so far
	report           *Report // counts packed too
}

// file unpacks what lies on disk or comes in a stream.
func (u *unpacking) file(name string, in io.Reader) error {
	return u.open(name, io.TeeReader(in, (*packed)(u)), stretchOf(in), 0)
}

// open unpacks in. lies is where it can be read in any order, if it can.
func (u *unpacking) open(name string, in io.Reader, lies stretch, depth int) error {
	b, done := buffer(&u.with.packed, 64<<10, &stopped{u.ctx, in})
	defer done()
	head, err := b.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return err
	}
	switch {
	case bytes.HasPrefix(head, gzipMagic), bytes.HasPrefix(head, zstdMagic), bytes.HasPrefix(head, zipMagic), bytes.HasPrefix(head, table):
		if depth == maxPacked {
			return errPacked
		}
	default:
		return u.take(name, b)
	}
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		z, ok := u.with.gzips.take()
		if !ok {
			z = new(gzip.Reader)
		}
		if err := z.Reset(b); err != nil {
			return err
		}
		defer u.with.gzips.put(z)
		return u.open(name, &bounded{z, u}, nil, depth+1)
	case bytes.HasPrefix(head, zstdMagic):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		defer z.Close()
		return u.open(name, &bounded{z, u}, nil, depth+1)
	}
	// Zip and Parquet files tell at their end what they hold.
	read, big := u.zip, errLaid
	if bytes.HasPrefix(head, table) {
		read, big = u.parquet, errBig
	}
	if lies != nil {
		u.report.Bytes += lies.Size() - u.packed
		u.packed = lies.Size()
		return read(name, lies, depth)
	}
	l, more, err := lay(b, maxLaid)
	if err != nil {
		return err
	}
	defer l.Close()
	if more {
		return big
	}
	return read(name, l, depth)
}

// parquet hands over the lines of a table of VPC flow logs.
func (u *unpacking) parquet(name string, f stretch, _ int) error {
	p, err := parquet.Open(f, f.Size())
	if err != nil {
		return fmt.Errorf("is a Parquet file that %w", err)
	}
	// Pages may hold far more than the text that comes of them.
	p.Spend = func(bytes int64) error {
		if err := u.ctx.Err(); err != nil {
			return err
		}
		u.unpacked += bytes
		return u.bomb()
	}
	lines, done := buffer(&u.with.packed, 64<<10, &bounded{&stopped{u.ctx, p.Lines(flow.Column)}, u})
	defer done()
	if head, err := lines.Peek(1 << 12); len(head) == 0 || !flow.Recognise(firstLine(head)) {
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("is a Parquet file that %w", err)
		}
		return errTable
	}
	return u.take(name, lines)
}

func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return line
}

// listed bounds what is read of a zip file before its list is known.
type listed struct {
	io.ReaderAt
	left int64
}

// ReadAt reads until too much was read.
func (l *listed) ReadAt(p []byte, off int64) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, errList
	}
	return l.ReaderAt.ReadAt(p, off)
}

// zip reads the members of a zip file. One that cannot be read stops no other.
func (u *unpacking) zip(name string, f stretch, depth int) error {
	in := &listed{f, maxList}
	z, err := zip.NewReader(in, f.Size())
	if err != nil {
		return err
	}
	in.left = math.MaxInt64
	if len(z.File) > maxMembers {
		return fmt.Errorf("has %d members, more than %d", len(z.File), maxMembers)
	}
	members := slices.Clone(z.File)
	slices.SortStableFunc(members, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	for _, m := range members {
		if m.FileInfo().IsDir() || strings.HasPrefix(path.Base(m.Name), ".") {
			continue
		}
		switch err := u.member(name+"!"+m.Name, m, depth); {
		case fatal(err), errors.Is(err, errBomb):
			return err
		case err != nil:
			u.bad(name+"!"+m.Name, err)
		}
	}
	return nil
}

func (u *unpacking) member(name string, m *zip.File, depth int) error {
	in, err := m.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	return u.open(name, &bounded{in, u}, nil, depth+1)
}

// packed counts what is read of the file.
type packed unpacking

func (p *packed) Write(b []byte) (int, error) {
	p.packed += int64(len(b))
	p.report.Bytes += int64(len(b))
	return len(b), nil
}

// bomb refuses what has unpacked to far more than it is.
func (u *unpacking) bomb() error {
	if n := u.unpacked; n > maxUnpacked || n > 256<<20 && n/maxRatio > u.packed {
		return errBomb
	}
	return nil
}

// bounded ends when a file has unpacked, all members and layers together, to far
// more than it is.
type bounded struct {
	in io.Reader
	of *unpacking
}

func (b *bounded) Read(p []byte) (int, error) {
	if err := b.of.bomb(); err != nil {
		return 0, err
	}
	n, err := b.in.Read(p)
	b.of.unpacked += int64(n)
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
