package scenario

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestVirtualMemory(t *testing.T) { playAll(t, Setting{Virtual: true}) }

func TestVirtualSQLite(t *testing.T) { playAll(t, Setting{Virtual: true, Durable: true}) }

// In real time scripts go through real listeners, embedded NATS and all.
func TestRealTime(t *testing.T) { playAll(t, Setting{Durable: true}) }

// folders lists the folders below this one that hold scripts.
func folders(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".txtar") && !slices.Contains(all, filepath.Dir(name)) && !strings.Contains(name, "testdata") {
			all = append(all, filepath.Dir(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	only := os.Getenv("SUMUN_TEST_ONLY")
	return slices.DeleteFunc(all, func(folder string) bool { return only != "" && !strings.Contains(only, folder) })
}

// playAll plays every script of the tree that the setting can play.
func playAll(t *testing.T, setting Setting) {
	for _, folder := range folders(t) {
		t.Run(filepath.ToSlash(folder), func(t *testing.T) {
			var can []*Script
			for _, s := range readAll(t, folder) {
				if setting.Can(s) == nil {
					can = append(can, s)
				}
			}
			if len(can) == 0 {
				t.Skip("no script here can be played in this setting")
			}
			shim := Clock(t, nil)
			if setting.Virtual {
				shim = Bubble(t, nil)
			}
			Play(shim, setting, can...)
		})
	}
}

func readAll(t *testing.T, folder string) []*Script {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var all []*Script
	for _, f := range files {
		s, err := Read(f, false)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}
