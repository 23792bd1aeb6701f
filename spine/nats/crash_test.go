package nats

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/spine/spinetest"
)

const crashDir = "SUMUN_TEST_CRASH_DIR"

// TestCrashChild is the process that TestAcknowledgedEventsSurviveKill kills.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("runs only as the child of TestAcknowledgedEventsSurviveKill")
	}
	s, err := Open(t.Context(), Options{Dir: dir, Seal: spinetest.Sealer(key), Log: quiet(t)})
	if err != nil {
		t.Fatal(err)
	}
	for worker := range 4 {
		go func() {
			for n := 0; ; n++ {
				e := spinetest.Event(aws.TrailStream, 0)
				e.ID = fmt.Sprintf("%d-%d-%d", os.Getpid(), worker, n)
				if err := s.Publish(t.Context(), e); err != nil {
					return
				}
				fmt.Printf("acknowledged %s\n", e.ID)
			}
		}()
	}
	select {}
}

func TestAcknowledgedEventsSurviveKill(t *testing.T) {
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	dir := filepath.Join(t.TempDir(), "spine")
	acknowledged := map[string]bool{}
	for range rounds {
		for _, id := range runAndKill(t, dir, time.Duration(50+rand.IntN(250))*time.Millisecond) {
			acknowledged[id] = true
		}
		s, err := Open(t.Context(), Options{Dir: dir, Seal: spinetest.Sealer(key), Log: quiet(t)})
		if err != nil {
			t.Fatal(err)
		}
		kept, last := map[string]bool{}, uint64(0)
		for d, err := range s.Replay(t.Context(), aws.TrailStream, time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			if d.Position <= last {
				t.Fatalf("position %d follows %d", d.Position, last)
			}
			kept[d.ID], last = true, d.Position
		}
		for id := range acknowledged {
			if !kept[id] {
				t.Fatalf("event %s was acknowledged and is lost", id)
			}
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d acknowledged events survived %d kills", len(acknowledged), rounds)
	if len(acknowledged) < 10*rounds {
		t.Errorf("only %d events: the test proves little", len(acknowledged))
	}
}

// runAndKill starts a child, kills it some time after its first acknowledgement,
// and returns what it acknowledged.
func runAndKill(t *testing.T, dir string, after time.Duration) []string {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$", "-test.v")
	child.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	started := time.AfterFunc(20*time.Second, func() { child.Process.Kill() })
	var ids []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		id, ok := strings.CutPrefix(lines.Text(), "acknowledged ")
		if !ok {
			continue
		}
		if ids = append(ids, id); len(ids) == 1 {
			started.Stop()
			time.AfterFunc(after, func() { child.Process.Kill() })
		}
	}
	_ = child.Wait()
	// The last line may have been cut by the kill.
	if len(ids) > 0 {
		ids = ids[:len(ids)-1]
	}
	return ids
}
