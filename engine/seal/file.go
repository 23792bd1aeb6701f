package seal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Variable is the environment variable that may hold the root keys, the newest
// first, with commas between them.
const Variable = "SUMUN_ROOT_KEY"

// ErrNoKey says that there are data but no key to open them with. A new key
// would only hide that they are lost.
var ErrNoKey = errors.New("seal: there are data, but not the root key that opens them; no new one is made")

// Find returns the plane's root: from SUMUN_ROOT_KEY when that is set, else from
// the file. When there is no file either and the plane is fresh (no data exist) it
// makes a key and keeps it in the file, readable by its owner only; ErrNoKey when
// data exist.
func Find(file string, fresh bool) (*Root, error) {
	ctx := context.Background() // neither source waits for anything
	if e, set := Environment(); set {
		return Open(ctx, e, fresh)
	}
	root, err := Open(ctx, File(file), fresh)
	if errors.Is(err, ErrNoKey) {
		return nil, fmt.Errorf("%w, and %s is not set", err, Variable)
	}
	return root, err
}

// Environment returns SUMUN_ROOT_KEY as a source, and unsets it so that no child
// process inherits it; false when it is not set.
func Environment() (Source, bool) {
	text, set := os.LookupEnv(Variable)
	if !set {
		return nil, false
	}
	os.Unsetenv(Variable)
	keys, err := parse(strings.Split(text, ","))
	return &environment{keys, err}, true
}

// environment holds what the variable said when the process began.
type environment struct {
	keys []Key
	err  error
}

func (e *environment) String() string { return Variable }

func (e *environment) Read(context.Context) ([]Key, error) {
	if e.err != nil {
		return nil, fmt.Errorf("%s: %w", Variable, e.err)
	}
	return e.keys, nil
}

func (e *environment) Make(ctx context.Context) (Key, error) { return Key{}, e.Keep(ctx, nil) }

func (e *environment) Keep(context.Context, []Key) error {
	return fmt.Errorf("%w: they come from %s", ErrFixed, Variable)
}

// A File is a file of root keys: one in base64 per line, the newest first. Lines
// that begin with # are comments, which are made anew when a key is added or
// dropped.
type File string

func (f File) String() string { return string(f) }

// Read reads the file. It refuses one that others may read or write.
func (f File) Read(context.Context) ([]Key, error) {
	file, err := os.Open(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > 64<<10 {
		return nil, fmt.Errorf("%s: %w", f, ErrKey)
	}
	if exposed(info.Mode()) {
		return nil, fmt.Errorf("seal: %s can be read by others (mode %04o); chmod 600 it, and think of the key as known", f, info.Mode().Perm())
	}
	text := make([]byte, info.Size())
	defer clear(text)
	n, err := file.ReadAt(text, 0)
	if n < len(text) {
		return nil, err // it has become shorter
	}
	keys, err := parse(strings.Split(string(text), "\n"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	return keys, nil
}

func parse(lines []string) ([]Key, error) {
	var keys []Key
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, err := ParseKey(line)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, ErrKey
	}
	return keys, nil
}

// Make makes a random key.
func (f File) Make(context.Context) (Key, error) { return GenerateKey(), nil }

// Keep replaces the file at once: whoever reads, and whoever comes after a crash,
// finds the old keys or the new ones. What a crash leaves has the one name beside
// it that the next Keep replaces.
func (f File) Keep(_ context.Context, keys []Key) error {
	if err := f.keep(keys); err != nil {
		return fmt.Errorf("keep the root keys: %w", err)
	}
	return nil
}

func (f File) keep(keys []Key) error {
	dir := filepath.Dir(string(f))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	next := string(f) + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(w, keys), w.Close()); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	// The first keys never take the place of others that came meanwhile.
	put := os.Rename
	if _, err := os.Lstat(string(f)); errors.Is(err, fs.ErrNotExist) {
		put = os.Link
	}
	if err := put(next, string(f)); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncFolder(dir)
}

func fill(f *os.File, keys []Key) error {
	var text strings.Builder
	text.WriteString("# The plane's root keys, the newest first. Whoever has them can read all data; without them nobody can.\n")
	for _, k := range keys {
		fmt.Fprintf(&text, "# %s\n%s\n", k.ID(), k.encode())
	}
	if _, err := f.WriteString(text.String()); err != nil {
		return err
	}
	return f.Sync()
}
