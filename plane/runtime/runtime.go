// Package runtime is the note a running plane leaves for the other commands: where it listens and which keys it made.
package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// A Note says where a plane listens.
type Note struct {
	PID      int    `json:"pid"`
	Data     string `json:"data"`
	API      string `json:"api"`   // URL of the AWS APIs
	Admin    string `json:"admin"` // URL of the admin listener
	DNS      string `json:"dns,omitempty"`
	Metadata string `json:"metadata,omitempty"` // URL for instances
	Region   string `json:"region"`
	Account  string `json:"account"`
	// Token lets whoever may read the note change the root keys and send logs in, by the
	// admin listener.
	Token string `json:"token,omitempty"`

	CA string `json:"ca,omitempty"` // file that verifies the API's certificate, when TLS is on

	// Keys of a plane that keeps nothing; a durable plane keeps its own in credentials.json.
	Credentials map[string]Key `json:"credentials,omitempty"`
}

// A Key is an access key by the name of who holds it: root, administrator.
type Key struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

// Folder returns where the note of the plane with this data folder lies: the
// data folder, or for a plane that keeps nothing the user's runtime folder.
func Folder(data string) (string, error) {
	if data != ":memory:" {
		return data, nil
	}
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
		return filepath.Join(d, "sumun"), nil
	}
	d := filepath.Join(os.TempDir(), "sumun-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(d, 0o700); err != nil {
		return "", err
	}
	// Somebody else may have made a folder of this name first, to read the keys.
	s, err := os.Lstat(d)
	if err != nil {
		return "", err
	}
	owner, ok := s.Sys().(*syscall.Stat_t)
	if !s.IsDir() || s.Mode().Perm() != 0o700 || ok && int(owner.Uid) != os.Getuid() {
		return "", fmt.Errorf("%s must be a folder of yours with mode 0700; remove it or set XDG_RUNTIME_DIR", d)
	}
	return d, nil
}

const file = "runtime.json"

// Write leaves the note, readable by its owner only.
func (n *Note) Write() error {
	d, err := Folder(n.Data)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(d, 0o700); err != nil {
		return err
	}
	return WriteFile(filepath.Join(d, file), n)
}

// WriteFile replaces a file with v as JSON at once: a reader sees the old or the
// new text, its mode is 0600, and it is on disk when WriteFile returns.
func WriteFile(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	if _, err := f.Write(append(text, '\n')); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(name)) // the new name is the folder's to keep
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// ErrNotRunning means that no plane runs with this data folder.
var ErrNotRunning = errors.New("no plane runs")

// Read returns the note of the plane with this data folder. The plane must run.
func Read(data string) (*Note, error) {
	d, err := Folder(data)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(d, file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotRunning
	}
	if err != nil {
		return nil, err
	}
	var n Note
	if err := json.Unmarshal(text, &n); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(d, file), err)
	}
	if err := syscall.Kill(n.PID, 0); errors.Is(err, syscall.ESRCH) {
		return nil, ErrNotRunning
	}
	return &n, nil
}

// Remove takes the note away, unless another plane has left its own there since:
// planes that keep nothing share one folder.
func (n *Note) Remove() error {
	last, err := Read(n.Data)
	if errors.Is(err, ErrNotRunning) || err == nil && last.PID != n.PID {
		return nil
	}
	d, err := Folder(n.Data)
	if err != nil {
		return err
	}
	return os.Remove(filepath.Join(d, file))
}

// CredentialsFile holds, in the folder of a durable plane, the keys made at its
// first start.
const CredentialsFile = "credentials.json"
