package sqlite_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/sqlite"
	"sumun.dev/store/storetest"
)

// crashed names the data that a child process writes to until it is killed.
const crashed = "SUMUN_TEST_CRASH"

func TestMain(m *testing.M) {
	dir := os.Getenv(crashed)
	if dir == "" {
		os.Exit(m.Run())
	}
	b, err := sqlite.Open(dir)
	if err == nil {
		err = storetest.CrashChild(store.Open(b, crashRoot()), os.Stdout)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// crashRoot is the same in parent and child.
func crashRoot() *seal.Root {
	key, err := seal.ParseKey(strings.Repeat("0123456789abcdef", 4))
	if err != nil {
		panic(err)
	}
	return seal.NewRoot(key)
}

// TestKilled kills a writing process 200 times.
func TestKilled(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	const fresh = 20 // rounds on the same data
	for range rounds / fresh {
		dir := t.TempDir()
		child := func() *exec.Cmd {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), crashed+"="+dir)
			return cmd
		}
		storetest.Crash(t, crashRoot(), fresh, child, func() store.Backend { return open(t, dir) })
	}
}
