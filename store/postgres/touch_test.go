package postgres_test

import (
	"context"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/postgres"
	"sumun.dev/store/postgres/postgrestest"
)

// until waits for something that takes a moment, and says how long it took.
func until(t *testing.T, most time.Duration, what string, is func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for !is() {
		if time.Since(begin) > most {
			t.Fatalf("%s: not within %s", what, most)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(begin)
}

// A wire to the server that can be cut without either end noticing.
type cable struct {
	net.Listener
	mu     sync.Mutex
	frozen chan struct{} // closed when bytes pass
}

func newCable(t *testing.T, server string) (*cable, string) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{Listener: l, frozen: make(chan struct{})}
	close(c.frozen)
	t.Cleanup(func() { l.Close() })
	target := u.Host
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				near.Close()
				continue
			}
			go c.copy(near, far)
			go c.copy(far, near)
		}
	}()
	u.Host = l.Addr().String()
	return c, u.String()
}

func (c *cable) copy(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		c.mu.Lock()
		pass := c.frozen
		c.mu.Unlock()
		<-pass
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (c *cable) freeze() (thaw func()) {
	pass := make(chan struct{})
	c.mu.Lock()
	c.frozen = pass
	c.mu.Unlock()
	return func() { close(pass) }
}

// A node that hears nothing, not even itself, knows within five seconds that what
// it remembers may be wrong; when it hears again, it forgets all of it first.
func TestANodeThatIsCutOffKnows(t *testing.T) {
	server := postgrestest.Schema(t)
	root := seal.NewRoot(seal.GenerateKey())
	one := store.Open(open(t, server), root)
	t.Cleanup(func() { one.Close() })
	c, through := newCable(t, server)
	b, err := postgres.Open(context.Background(), through)
	if err != nil {
		t.Fatal(err)
	}
	other := store.Open(b, root)
	t.Cleanup(func() { other.Close() })
	heard := make(chan store.Change, 1000)
	other.Watch("docs", func(c store.Change) { heard <- c })
	listening(t, one, heard)
	until(t, 4*time.Second, "the node hears itself", func() bool { return b.Silence() < 1500*time.Millisecond })
	if err := other.InTouch(); err != nil {
		t.Fatal(err)
	}

	thaw := c.freeze()
	if err := one.Update(t.Context(), func(ctx context.Context) error { return docs(one).Put(ctx, "revoked", &doc{1}) }); err != nil {
		t.Fatal(err)
	}
	took := until(t, store.MaxSilence+time.Second, "the node knows that it is cut off", func() bool { return other.InTouch() != nil })
	for len(heard) > 0 { // what came before the cut may be told after it
		if h := <-heard; h.ID == "revoked" {
			t.Errorf("heard %v through a cut cable", h)
		}
	}
	if err := one.InTouch(); err != nil {
		t.Errorf("the other node is cut off as well: %v", err)
	}
	t.Logf("known after %s", took)

	thaw()
	until(t, 10*time.Second, "the node is back", func() bool { return other.InTouch() == nil })
	for c := range heard {
		if c.ID == "revoked" || c.ID == "" { // the row, or everything
			break
		}
	}
}

// Connections that the server cuts, again and again, hold no news up for five seconds.
func TestNewsArriveThoughListenersAreCut(t *testing.T) {
	server := postgrestest.Schema(t)
	root := seal.NewRoot(seal.GenerateKey())
	one := store.Open(open(t, server), root)
	t.Cleanup(func() { one.Close() })
	b := open(t, server+"&application_name=sumun_test_deaf")
	other := store.Open(b, root)
	t.Cleanup(func() { other.Close() })
	heard := make(chan store.Change, 1000)
	other.Watch("docs", func(c store.Change) { heard <- c })
	listening(t, one, heard)
	conn := connect(t, server)
	for range 10 {
		var cut int
		if err := conn.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'sumun_test_deaf' AND query LIKE 'LISTEN%'`).Scan(&cut); err != nil {
			t.Fatal(err)
		}
		if err := one.Update(t.Context(), func(ctx context.Context) error { return docs(one).Put(ctx, "revoked", &doc{1}) }); err != nil {
			t.Fatal(err)
		}
		committed := time.Now()
		for known := false; !known; {
			select {
			case c := <-heard:
				known = c.ID == "revoked" || c.ID == ""
			case <-time.After(store.MaxSilence - time.Since(committed)):
				t.Fatalf("not heard within %s", store.MaxSilence)
			}
		}
		if err := other.InTouch(); err != nil {
			t.Error(err)
		}
	}
}
