package postgres_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/postgres"
	"sumun.dev/store/postgres/postgrestest"
	"sumun.dev/store/storetest"
)

// crashed names the data that a child process writes to until it is killed.
const crashed = "SUMUN_TEST_CRASH"

func TestMain(m *testing.M) {
	url := os.Getenv(crashed)
	if url == "" {
		os.Exit(m.Run())
	}
	b, err := postgres.Open(context.Background(), url)
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

// TestKilled kills a node that writes; the server lives on.
func TestKilled(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	url := postgrestest.Schema(t)
	app := "crash_" + rand.Text()
	child := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashed+"="+url+"&application_name="+app)
		return cmd
	}
	storetest.Crash(t, crashRoot(), rounds, child, func() store.Backend {
		buried(t, url, app)
		expire(t, url)
		return open(t, url)
	})
}

// buried waits until the server has noticed that a node is dead: it may have a
// commit of it to finish.
func buried(t *testing.T, url, app string) {
	t.Helper()
	conn := connect(t, url)
	deadline := time.Now().Add(10 * time.Second)
	for alive := 1; alive > 0; time.Sleep(time.Millisecond) {
		err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1`, app).Scan(&alive)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%d connections of the dead node are left, %v", alive, err)
		}
	}
}
