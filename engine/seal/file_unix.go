//go:build unix

package seal

import (
	"errors"
	"io/fs"
	"os"
)

// exposed reports whether anybody but the owner may read or write.
func exposed(m fs.FileMode) bool { return m.Perm()&0o077 != 0 }

// syncFolder makes a new name in dir durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
