package nats

import (
	"context"
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"sumun.dev/spine"
	"sumun.dev/spine/spinetest"
)

// startServer runs a NATS server of the test's own, and returns what kills it.
func startServer(t *testing.T, program, dir string, port int) (kill func()) {
	t.Helper()
	cmd := exec.Command(program, "-js", "-sd", dir, "-a", "127.0.0.1", "-p", strconv.Itoa(port))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			c.Close()
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

func TestOutageOfTheServerIsWaitedOut(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	program, err := exec.LookPath("nats-server")
	if err != nil {
		t.Skip("no nats-server to start: apt-get install nats-server")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	dir := t.TempDir()
	kill := startServer(t, program, dir, port)
	defer func() { kill() }()

	s, err := Open(t.Context(), Options{URL: "nats://127.0.0.1:" + strconv.Itoa(port), Seal: spinetest.Sealer(key), Log: quiet(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	s.beat, s.lease = 200*time.Millisecond, time.Second
	got := make(chan spine.Delivery, 100)
	if _, err := s.Subscribe(spine.Subscription{Name: "reader", Stream: "dns", Handle: func(_ context.Context, batch []spine.Delivery) error {
		for _, d := range batch {
			got <- d
		}
		return nil
	}}); err != nil {
		t.Fatal(err)
	}
	read := func(n int) {
		t.Helper()
		want := spinetest.Event("dns", n).ID
		timeout := time.After(30 * time.Second)
		for {
			select {
			case d := <-got:
				if d.ID == want {
					return
				}
			case <-timeout:
				t.Fatalf("%s was not delivered", want)
			}
		}
	}
	if err := s.Publish(t.Context(), spinetest.Event("dns", 1)); err != nil {
		t.Fatal(err)
	}
	read(1)

	kill()
	published := make(chan error, 1)
	go func() { published <- s.Publish(t.Context(), spinetest.Event("dns", 2)) }()
	select {
	case err := <-published:
		t.Fatalf("Publish without a server returned %v", err)
	case <-time.After(time.Second):
	}
	kill = startServer(t, program, dir, port)
	if err := <-published; err != nil {
		t.Fatalf("Publish after the outage: %v", err)
	}
	start := time.Now()
	read(2)
	t.Logf("delivered %v after it was stored", time.Since(start))
}
