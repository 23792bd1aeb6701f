package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// A stretch can be read in any order.
type stretch interface {
	io.ReaderAt
	Size() int64
}

// stretchOf returns in where it can be read in any order as it is: a file on disk,
// or what was laid down before.
func stretchOf(in io.Reader) stretch {
	switch in := in.(type) {
	case stretch:
		return in
	case *os.File:
		if info, err := in.Stat(); err == nil && info.Mode().IsRegular() {
			return io.NewSectionReader(in, 0, info.Size())
		}
	}
	return nil
}

// A laid is what a stream held, in a file that nobody else sees and that is gone
// with the process.
type laid struct {
	*io.SectionReader
	file *os.File
}

// Close frees the space.
func (l *laid) Close() error { return l.file.Close() }

// lay copies a stream to a temporary file, up to most bytes. What follows those is
// still in the stream: then more is true.
func lay(in io.Reader, most int64) (l *laid, more bool, err error) {
	f, err := os.CreateTemp("", "sumun-")
	if err != nil {
		return nil, false, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, false, errors.Join(err, f.Close())
	}
	size, err := io.Copy(f, io.LimitReader(in, most))
	if err != nil {
		return nil, false, errors.Join(err, f.Close())
	}
	// Perhaps nothing follows, which is the same for whoever reads on.
	return &laid{io.NewSectionReader(f, 0, size), f}, size == most, nil
}

// Spool makes what can be read once only, as standard input and pipes, readable
// several times: it lays it down in the folder for temporary files. Of a stream of
// more than 4 GiB the beginning is laid down, and it is read once, as before. clean
// frees the space.
func Spool(ctx context.Context, files []File) (again []File, clean func(), err error) {
	return spool(ctx, files, maxLaid)
}

func spool(ctx context.Context, files []File, most int64) (again []File, clean func(), err error) {
	var all []*laid
	clean = func() {
		for _, l := range all {
			l.Close() // the file has no name, and nothing is lost
		}
	}
	for _, f := range files {
		if !f.Once {
			again = append(again, f)
			continue
		}
		in, err := f.Open()
		if err != nil {
			again = append(again, f) // it is told when it is read
			continue
		}
		l, more, err := lay(&stopped{ctx, in}, most)
		if err != nil {
			in.Close()
			clean()
			return nil, nil, fmt.Errorf("lay down %s to read it twice: %w", f.Name, err)
		}
		all = append(all, l)
		if more {
			again = append(again, File{Name: f.Name, Once: true, Open: func() (io.ReadCloser, error) {
				return struct {
					io.Reader
					io.Closer
				}{io.MultiReader(l.SectionReader, in), in}, nil
			}})
			continue
		}
		if err := in.Close(); err != nil {
			clean()
			return nil, nil, fmt.Errorf("read %s: %w", f.Name, err)
		}
		again = append(again, File{Name: f.Name, Size: l.Size(), seen: new(glance), Open: func() (io.ReadCloser, error) {
			return &part{io.NewSectionReader(l.file, 0, l.Size())}, nil
		}})
	}
	return again, clean, nil
}

// A part of a file is closed with the file.
type part struct{ *io.SectionReader }

// Close does nothing.
func (*part) Close() error { return nil }

// Shelve makes what takes long to open, as objects of a store, quick to open again:
// when it is opened first, it is laid down, all together up to 4 GiB; what has no
// room is opened anew each time. clean frees the space.
func Shelve(files []File) (near []File, clean func(), err error) { return shelve(files, maxLaid) }

func shelve(files []File, most int64) (near []File, clean func(), err error) {
	if !slices.ContainsFunc(files, func(f File) bool { return f.Far }) {
		return files, func() {}, nil
	}
	l, _, err := lay(strings.NewReader(""), 0)
	if err != nil {
		return nil, nil, fmt.Errorf("lay down what lies far away: %w", err)
	}
	s := &shelf{file: l.file, left: most}
	near = slices.Clone(files)
	for i := range near {
		if f := &near[i]; f.Far {
			f.Open, f.Far = s.opener(*f), false
		}
	}
	return near, func() { l.Close() }, nil // the file has no name, and nothing is lost
}

// A shelf is a file that holds others, one after the other.
type shelf struct {
	file *os.File
	at   int64
	left int64
}

func (s *shelf) opener(f File) func() (io.ReadCloser, error) {
	open := f.Open
	from := int64(-1)
	return func() (io.ReadCloser, error) {
		if from >= 0 {
			return &part{io.NewSectionReader(s.file, from, f.Size)}, nil
		}
		in, err := open()
		if err != nil || f.Size <= 0 || f.Size > s.left {
			return in, err
		}
		n, err := io.Copy(io.NewOffsetWriter(s.file, s.at), io.LimitReader(in, f.Size))
		if err := errors.Join(err, in.Close()); err != nil {
			return nil, err
		}
		if n != f.Size {
			return nil, fmt.Errorf("has %d bytes of the %d that were told of it", n, f.Size)
		}
		from = s.at
		s.at += n
		s.left -= n
		return &part{io.NewSectionReader(s.file, from, f.Size)}, nil
	}
}
