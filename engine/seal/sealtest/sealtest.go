// Package sealtest gives processes of one test the same root key.
package sealtest

import (
	"os"
	"path/filepath"
	"testing"

	"sumun.dev/engine/seal"
)

// RootIn returns the root of a folder's key, which the first to ask makes.
func RootIn(t testing.TB, folder string) *seal.Root {
	t.Helper()
	file := filepath.Join(folder, "key")
	_, err := os.Stat(file)
	root, err := seal.Find(file, os.IsNotExist(err))
	if err != nil {
		t.Fatal(err)
	}
	return root
}
