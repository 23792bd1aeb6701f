// Package killtest kills processes of a test at random instants.
package killtest

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sumun.dev/store/sqlite"
)

const (
	variable = "SUMUN_TEST_KILLED_FOLDER" // tells the process what it works on
	begun    = "killtest: begun"          // what it says when it does

	kills    = 12
	patience = 2 * time.Minute // with a process that nobody kills
)

// Folder returns the folder that the process works on, for the test that is the
// process. Any other run of that test is skipped.
func Folder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv(variable)
	if folder == "" {
		t.Skip("is a process that another test kills")
	}
	return folder
}

// Begin says that what the process does from here on may be cut short. Called
// earlier, it would be killed while it starts.
func Begin() { fmt.Println(begun) }

// Open opens the durable store of a folder.
func Open(t testing.TB, folder string) *sqlite.Backend {
	t.Helper()
	data := filepath.Join(folder, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	backend, err := sqlite.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

// Run runs the test child of the same binary on a folder, again and again, and kills
// it at random instants, later and later, until it has come to its end. After each
// kill it calls check, which may be nil.
func Run(t *testing.T, child, folder string, check func()) {
	t.Helper()
	for n := range kills {
		if run(t, child, folder, time.Duration(rand.IntN(40)+rand.IntN(1+25*n))*time.Millisecond) {
			t.Logf("killed %d times", n)
			return
		}
		if check != nil {
			check()
		}
	}
	t.Logf("killed %d times", kills)
	if !run(t, child, folder, patience) {
		t.Fatal("a process that nobody kills comes to no end")
	}
}

// run runs the process for at most d after it has begun, and reports whether it
// came to its end.
func run(t *testing.T, child, folder string, d time.Duration) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+child+"$", "-test.v")
	cmd.Env = append(os.Environ(), variable+"="+folder, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	begins, done := make(chan struct{}), make(chan error, 1)
	var said bytes.Buffer
	go func() {
		started := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if !started && strings.Contains(lines.Text(), begun) {
				started = true
				close(begins)
			}
			fmt.Fprintln(&said, lines.Text())
		}
		done <- cmd.Wait()
	}()
	end := func(err error) bool {
		if err != nil {
			t.Fatalf("the process failed by itself: %v\n%s", err, said.Bytes())
		}
		return true
	}
	select {
	case err := <-done:
		return end(err)
	case <-begins:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case err := <-done:
		return end(err)
	case <-timer.C:
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Logf("kill: %v", err)
	}
	<-done
	return false
}
