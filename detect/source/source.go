// Package source reads logs into records, whatever they are and however they are packed.
//
// Paths are files, folders, globs or "-" for standard input; gzip, zstd and zip are
// unpacked (unpack.go). What a file holds is told by its content (read.go), never by
// its name. What cannot be read is counted and shown, and stops nothing (Report).
// Records of several files come in their order of time (merge.go).
package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sumun.dev/detect/record"
)

// Bounds of what is read.
const (
	maxLine     = 4 << 20  // bytes of a line or a JSON value; longer ones are counted as unreadable
	maxUnpacked = 64 << 30 // bytes that one file may unpack to
	maxLaid     = 4 << 30  // bytes of a stream that has to be laid down: a zip file, a Parquet file, standard input
	maxList     = 64 << 20 // bytes of the list of a zip file
	maxRatio    = 500      // how many times its size a file may unpack to, beyond the first 256 MiB
	maxMembers  = 100_000  // of a zip file
	maxShown    = 5        // examples kept of each kind of what cannot be read
	maxKinds    = 10_000   // of those; of hostile input, the last takes the rest
)

// A File is something that can be read.
type File struct {
	Name string
	Size int64 // bytes as it lies there, packed; 0 when it is not known
	Once bool  // a stream: what was read of it is gone
	Far  bool  // to open it takes long
	Open func() (io.ReadCloser, error)

	seen *glance // what is known since somebody has looked
}

// A glance is what is known of a file from reading it before.
type glance struct {
	first  time.Time // when it begins
	passed []string  // the formats that were asked for when it was passed over
}

// A From is where paths lead that name no file.
type From struct {
	Stdin io.Reader // what "-" is
	// Objects lists what a path of s3:// means; nil: there are none to be had.
	Objects func(ctx context.Context, path string) ([]File, error)
}

// Expand lists the files that paths mean, in a fixed order: folders with all that
// lies below, in the order of names; hidden files are passed over. A path that
// names nothing, or a folder without a file, is an error. What cannot be looked at
// below a folder, and links to folders, are files that cannot be opened: they are
// told of when all are read.
func Expand(ctx context.Context, paths []string, from From) ([]File, error) {
	var files []File
	seen := map[string]bool{}
	add := func(name string, size int64, once bool) {
		if !seen[name] {
			seen[name] = true
			files = append(files, File{Name: name, Size: size, Once: once, seen: new(glance), Open: func() (io.ReadCloser, error) { return os.Open(name) }})
		}
	}
	for _, p := range paths {
		if p == "-" {
			files = append(files, File{Name: "-", Once: true, Open: func() (io.ReadCloser, error) { return io.NopCloser(from.Stdin), nil }})
			continue
		}
		if strings.HasPrefix(p, "s3://") {
			if from.Objects == nil {
				return nil, fmt.Errorf("%s: buckets cannot be read here", p)
			}
			objects, err := from.Objects(ctx, p)
			if err != nil {
				return nil, err
			}
			if len(objects) == 0 {
				return nil, fmt.Errorf("%s: no object has a key like that", p)
			}
			for _, o := range objects {
				if !seen[o.Name] {
					seen[o.Name] = true
					o.seen = new(glance)
					files = append(files, o)
				}
			}
			continue
		}
		names := []string{p}
		if _, err := os.Lstat(p); err != nil {
			if !strings.ContainsAny(p, "*?[") {
				return nil, err
			}
			if names, err = filepath.Glob(p); err != nil {
				return nil, fmt.Errorf("%s: %w", p, err)
			}
			if len(names) == 0 {
				return nil, fmt.Errorf("%s: no file matches", p)
			}
		}
		met := false
		for _, name := range names {
			if info, err := os.Stat(name); err == nil && info.IsDir() {
				name += string(filepath.Separator) // of a link, what it leads to
			}
			err := filepath.WalkDir(name, func(path string, e fs.DirEntry, err error) error {
				switch {
				case err != nil && path == name:
					return err
				case path != name && strings.HasPrefix(e.Name(), "."):
					if e.IsDir() {
						return fs.SkipDir
					}
					return nil
				}
				var info fs.FileInfo
				if err == nil {
					info, err = os.Stat(path)
				}
				switch {
				case err != nil && path == name:
					return err
				case err != nil:
					files = append(files, closed(path, err))
				case path == name && info.IsDir(), e.IsDir():
					return nil
				case path != name && info.IsDir():
					files = append(files, closed(path, errLink))
				case path != name && !info.Mode().IsRegular():
					files = append(files, closed(path, errDevice))
				default:
					add(path, info.Size(), !info.Mode().IsRegular())
				}
				met = true
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		if !met {
			return nil, fmt.Errorf("%s: holds no file", p)
		}
	}
	return files, nil
}

// closed is a file that cannot be opened.
func closed(name string, err error) File {
	return File{Name: name, seen: new(glance), Open: func() (io.ReadCloser, error) { return nil, err }}
}

// A Report counts what was read and what could not be.
type Report struct {
	Files   int
	Records map[string]int // by format
	Bad     []Bad          // what could not be read, in the order it was met
	Late    int            // records that came after later ones had been judged
	Bytes   int64          // of the files as they lie there, packed

	known map[kind]int // of Bad
}

// A kind sets apart what could not be read.
type kind struct{ file, why string }

// A Bad is one kind of thing that could not be read in one file.
type Bad struct {
	File  string
	Why   string
	Count int
	At    []record.Origin // the first few
	Cut   bool            // what follows in the file was not read: it or the rest of it is missing
}

func (r *Report) bad(at record.Origin, why error) int {
	k := kind{at.File, why.Error()}
	i, ok := r.known[k]
	switch {
	case ok:
	case len(r.Bad) >= maxKinds:
		i = len(r.Bad) - 1
	default:
		if r.known == nil {
			r.known = map[kind]int{}
		}
		i = len(r.Bad)
		r.known[k] = i
		r.Bad = append(r.Bad, Bad{File: k.file, Why: k.why})
	}
	b := &r.Bad[i]
	b.Count++
	if len(b.At) < maxShown {
		b.At = append(b.At, at)
	}
	return i
}

// Unread returns how many pieces could not be read.
func (r *Report) Unread() int {
	n := 0
	for _, b := range r.Bad {
		n += b.Count
	}
	return n
}

// cut notes that a file, or what follows in it, cannot be read. What is no log at all
// is not missing.
func (r *Report) cut(at record.Origin, why error) {
	i := r.bad(at, why)
	r.Bad[i].Cut = r.Bad[i].Cut || !slices.ContainsFunc(passed, func(err error) bool { return errors.Is(why, err) })
}

var (
	errLink   = errors.New("is a link to a folder, which is not followed: name it to have it read")
	errDevice = errors.New("is neither a file nor a folder: name it to have it read")

	// passed are the reasons for which a file is passed over.
	passed = []error{errUnknown, errTable, errLink, errDevice}
)

// Cut returns how many files are missing, or a part of them.
func (r *Report) Cut() int {
	files := map[string]bool{}
	for _, b := range r.Bad {
		if b.Cut {
			files[b.File] = true
		}
	}
	return len(files)
}

// errStop ends reading early: whoever takes the records has enough.
var errStop = errors.New("stop")

// ErrPassed ends Records when one comes that Likely was asked for, from a file that it
// passed over.
var ErrPassed = errors.New("a file holds what its beginning did not tell")

// each reads a file and hands its records over in the order they stand there.
func each(ctx context.Context, f File, report *Report, with *readers, take func(format string, r *record.Record) error) error {
	in, err := f.Open()
	if err != nil {
		report.cut(record.Origin{File: f.Name}, err)
		return nil
	}
	defer in.Close()
	if g := f.seen; g != nil && g.passed != nil {
		given := take
		take = func(format string, r *record.Record) error {
			if slices.Contains(g.passed, format) {
				return ErrPassed
			}
			return given(format, r)
		}
	}
	u := &unpacking{
		ctx: ctx, report: report, with: with,
		take: func(name string, content io.Reader) error {
			if with.likely && name == f.Name && f.seen != nil {
				b, done := buffer(&with.content, sniffed, content)
				defer done()
				if head, _ := b.Peek(sniffed); with.passes(head) { // an error comes again
					f.seen.passed = with.only
					return nil
				}
				content = b
			}
			return read(name, content, report, with, take)
		},
		bad: func(name string, err error) { report.cut(record.Origin{File: name}, err) },
	}
	err = u.file(f.Name, in)
	if fatal(err) {
		return err
	}
	if err != nil {
		report.cut(record.Origin{File: f.Name}, err)
	}
	return nil
}

// fatal reports whether an error ends all reading, not that of one file.
func fatal(err error) bool {
	return errors.Is(err, errStop) || errors.Is(err, ErrPassed) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// sortFiles brings files into the order in which they begin, and then of their
// names.
func sortFiles(files []started) {
	slices.SortFunc(files, func(a, b started) int {
		return cmp.Or(a.first.Compare(b.first), cmp.Compare(a.Name, b.Name))
	})
}
