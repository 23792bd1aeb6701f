package ldaptest

import (
	"os"
	"path/filepath"
	"testing"

	"sumun.dev/engine/certtest"
)

// certify writes server.pem and server.key, which an authority of the test's own
// vouches for, into folder. It returns the authority's certificate file.
func certify(t testing.TB, folder string) string {
	t.Helper()
	c := certtest.New(t, "directory")
	for name, text := range map[string][]byte{"server.pem": c.Cert, "server.key": c.Key, "ca.pem": c.CA} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, "ca.pem")
}
