package seal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Variable is the environment variable that may hold the root key. Earlier keys
// follow after commas.
const Variable = "SUMUN_ROOT_KEY"

// ErrNoKey says that there are data but no key to open them with. A new key
// would only hide that they are lost.
var ErrNoKey = errors.New("seal: there are data, but not the root key that opens them; no new one is made")

// Find returns the plane's root: from SUMUN_ROOT_KEY when that is set, and unsets
// it so that no child process inherits it; else from the file. When there is no
// file either and the plane is fresh (no data exist) it makes a key and keeps it
// in the file, readable by its owner only; ErrNoKey when data exist.
//
// The file holds one key in base64 per line, the current one first; lines that
// begin with # are comments.
func Find(file string, fresh bool) (*Root, error) {
	if text, set := os.LookupEnv(Variable); set {
		os.Unsetenv(Variable)
		root, err := parse(strings.Split(text, ","))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", Variable, err)
		}
		return root, nil
	}
	root, err := Read(file)
	switch {
	case err == nil:
		return root, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case !fresh:
		return nil, fmt.Errorf("%w: %s is missing, and %s is not set", ErrNoKey, file, Variable)
	}
	return create(file)
}

// Read reads a root key file. It refuses one that others may read or write.
func Read(file string) (*Root, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > 64<<10 {
		return nil, fmt.Errorf("%s: %w", file, ErrKey)
	}
	if exposed(info.Mode()) {
		return nil, fmt.Errorf("seal: %s can be read by others (mode %04o); chmod 600 it, and think of the key as known", file, info.Mode().Perm())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	root, err := parse(strings.Split(string(text), "\n"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return root, nil
}

func parse(lines []string) (*Root, error) {
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
	return NewRoot(keys[0], keys[1:]...), nil
}

// create makes a key and keeps it. The file gets its name when it is complete
// and on the disk, and never replaces another.
func create(file string) (*Root, error) {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	key := GenerateKey()
	tmp, err := os.CreateTemp(dir, ".root.key-*") // 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(fill(tmp, key), tmp.Close()); err != nil {
		return nil, fmt.Errorf("keep the root key: %w", err)
	}
	if err := os.Link(tmp.Name(), file); err != nil {
		return nil, fmt.Errorf("keep the root key: %w", err)
	}
	if err := syncFolder(dir); err != nil {
		return nil, fmt.Errorf("keep the root key: %w", err)
	}
	return NewRoot(key), nil
}

func fill(f *os.File, key Key) error {
	text := "# The plane's root key. Whoever has it can read all data; without it nobody can.\n" + key.encode() + "\n"
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Sync()
}
