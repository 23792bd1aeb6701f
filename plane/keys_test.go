package plane

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/plane/config"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/store/postgres/postgrestest"
	"sumun.dev/store/sqlite"
)

// durable starts a plane on a folder, with its event log.
func durable(t *testing.T, folder string) *Plane {
	t.Helper()
	cfg := config.Default()
	cfg.Data, cfg.AccountID = folder, "111122223333"
	p, err := New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), NoUpstreams: true, NoNote: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, p) })
	return p
}

// hire makes a user.
func hire(t *testing.T, p *Plane, name string) {
	t.Helper()
	if _, err := byRoot(t, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: name}); err != nil {
		t.Fatal(err)
	}
}

func report(t *testing.T, p *Plane) (*KeyReport, map[string]RootKey) {
	t.Helper()
	r, err := p.current.Load().keys.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]RootKey{}
	for _, k := range r.Keys {
		by[k.ID] = k
	}
	return r, by
}

// A key is changed while the plane runs, stays as long as it is needed, and says by
// what.
func TestRootKeyIsRotatedAndDropped(t *testing.T) {
	p := durable(t, filepath.Join(t.TempDir(), "data"))
	k := p.current.Load().keys
	hire(t, p, "ann")
	for { // until the trail has it
		if _, some, err := k.spine.Oldest(t.Context(), aws.TrailStream); err != nil {
			t.Fatal(err)
		} else if some {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	old := k.root.Current()
	if _, by := report(t, p); by[old].State != "current" || by[old].Since.IsZero() || by[old].Holds.Rows == 0 {
		t.Errorf("before: %+v", by)
	}
	if err := k.Drop(t.Context(), old, true); !errors.Is(err, ErrNeeded) {
		t.Errorf("drop of the current key: %v", err)
	}
	done, err := k.Rotate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if done.Earlier != old || done.Key == old || !done.Made {
		t.Errorf("rotated: %+v", done)
	}
	if err := k.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, by := report(t, p)
	if r.Current != done.Key || r.Resealed.IsZero() || by[old].State != "earlier" || by[old].Holds.Readable() != 0 || by[done.Key].Holds.Rows == 0 {
		t.Errorf("after: %+v", r)
	}
	// The trail was written under the old key, and is not written again.
	if err := k.Drop(t.Context(), old, true); !errors.Is(err, ErrNeeded) || !strings.Contains(err.Error(), "stream "+aws.TrailStream) {
		t.Errorf("drop while the event log needs it: %v", err)
	}
	if err := k.Drop(t.Context(), "00000000", true); err == nil || !strings.Contains(err.Error(), old) {
		t.Errorf("drop of an unknown key: %v", err)
	}
	hire(t, p, "bob")
	if got := users(t, p); !slices.Equal(got, []string{"administrator", "ann", "bob"}) {
		t.Errorf("users after the change: %v", got)
	}
}

// Without an event log on disk nothing but sign-ins and the like needs the old key.
func TestDroppedRootKeyIsGone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	p := begun(t, folder)
	hire(t, p, "ann")
	k := p.current.Load().keys
	old := k.root.Current()
	if _, err := k.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := k.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := k.Drop(t.Context(), old, false)
	if !errors.Is(err, ErrNeeded) || !strings.Contains(err.Error(), "session credentials") || !strings.Contains(err.Error(), "Identity Center") {
		t.Errorf("drop: %v", err)
	}
	if err := k.Drop(t.Context(), old, true); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, RootKeyFile))
	if err != nil || strings.Contains(string(text), old) {
		t.Errorf("the file still has the key, %v", err)
	}
	now := k.root.Current()
	end(t, p)
	again := begun(t, folder)
	if r, _ := report(t, again); r.Current != now || len(r.Keys) != 1 {
		t.Errorf("after a start: %+v", r)
	}
	if got := users(t, again); !slices.Equal(got, []string{"administrator", "ann"}) {
		t.Errorf("users after a start: %v", got)
	}
	end(t, again)
}

// A start goes on with what an earlier process has not finished.
func TestRotationGoesOnAfterAStart(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	end(t, begun(t, folder))
	cfg := config.Default()
	cfg.Data = folder
	st, root, err := OpenStore(t.Context(), &cfg)
	if err != nil {
		t.Fatal(err)
	}
	old := root.Current()
	made, err := root.Make(t.Context())
	if err == nil {
		err = st.Rekey(t.Context(), made)
	}
	if err := errors.Join(err, st.Close()); err != nil {
		t.Fatal(err)
	}
	p := begun(t, folder)
	defer end(t, p)
	k := p.current.Load().keys
	for {
		progress, err := k.Progress(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if progress.Current != made {
			t.Fatalf("current is %s, want %s", progress.Current, made)
		}
		if !progress.Resealed.IsZero() {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, by := report(t, p); by[old].Holds.Readable() != 0 {
		t.Errorf("the old key holds %+v", by[old].Holds)
	}
}

// A key that was made and not used yet is taken before another is made.
func TestRotateTakesTheKeyThatIsThere(t *testing.T) {
	p := begun(t, filepath.Join(t.TempDir(), "data"))
	defer end(t, p)
	k := p.current.Load().keys
	made, err := k.root.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, by := report(t, p); by[made].State != "new" {
		t.Errorf("before: %+v", by[made])
	}
	if done, err := k.Rotate(t.Context()); err != nil || done.Key != made || done.Made {
		t.Errorf("%+v, %v; want %s", done, err, made)
	}
}

// An earlier key that somebody has put first is no new one.
func TestRotateTakesNoEarlierKey(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	p := begun(t, folder)
	defer end(t, p)
	k := p.current.Load().keys
	file := filepath.Join(folder, RootKeyFile)
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	done, err := k.Rotate(t.Context())
	if err == nil {
		err = k.Finish(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	both, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(first, both...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Rotate(t.Context()); err == nil || !strings.Contains(err.Error(), done.Earlier) || !strings.Contains(err.Error(), "earlier one") {
		t.Errorf("rotated back: %v", err)
	}
	if k.root.Current() != done.Key {
		t.Errorf("current is %s, want %s", k.root.Current(), done.Key)
	}
}

// A broken backend ends who waits for a change as soon as it is made.
type broken struct {
	store.Backend
	swapped func()
}

func (b *broken) Swap(ctx context.Context, check []byte, swaps []store.Swap) ([]bool, error) {
	defer b.swapped()
	return b.Backend.Swap(ctx, check, swaps)
}

// Who asked for a rotation may leave at any moment: what has begun comes to its end.
func TestRotationOutlivesWhoAskedForIt(t *testing.T) {
	cfg := config.Default()
	cfg.Data = filepath.Join(t.TempDir(), "data")
	ctx, leave := context.WithCancel(t.Context())
	p, err := New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true,
		backend: func(b store.Backend) store.Backend { return &broken{b, leave} }})
	if err != nil {
		t.Fatal(err)
	}
	defer end(t, p)
	k := p.current.Load().keys
	old := k.root.Current()
	if done, err := k.Rotate(ctx); err != nil || done.Earlier != old || ctx.Err() == nil {
		t.Fatalf("%+v, %v", done, err)
	}
	for {
		progress, err := k.Progress(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !progress.Resealed.IsZero() && progress.Current != old {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Keys of the environment are the operator's to change.
func TestRotateKeysOfTheEnvironment(t *testing.T) {
	const older, newer = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	folder := filepath.Join(t.TempDir(), "data")
	t.Setenv(seal.Variable, older)
	p := begun(t, folder)
	hire(t, p, "ann")
	old := p.current.Load().keys.root.Current()
	if _, err := p.current.Load().keys.Rotate(t.Context()); !errors.Is(err, seal.ErrFixed) || !strings.Contains(err.Error(), "NEW,OLD") {
		t.Errorf("without a newer key: %v", err)
	}
	end(t, p)
	t.Setenv(seal.Variable, newer+","+older)
	p = begun(t, folder)
	k := p.current.Load().keys
	if k.root.Current() != old {
		t.Error("the newer key is used before anybody asked for it")
	}
	done, err := k.Rotate(t.Context())
	if err != nil || done.Made || done.Earlier != old {
		t.Fatalf("%+v, %v", done, err)
	}
	if err := k.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := k.Drop(t.Context(), old, true); !errors.Is(err, seal.ErrFixed) {
		t.Errorf("drop: %v", err)
	}
	end(t, p)
	t.Setenv(seal.Variable, newer)
	p = begun(t, folder)
	defer end(t, p)
	if got := users(t, p); !slices.Equal(got, []string{"administrator", "ann"}) {
		t.Errorf("users with the newer key alone: %v", got)
	}
}

// No node seals under a key that another does not have.
func TestEveryNodeHasAKeyBeforeItIsUsed(t *testing.T) {
	database := postgrestest.Schema(t)
	one := node(t, database, nil)
	first := keyOf(t, one)
	two := node(t, database, first)
	keys, others := one.current.Load().keys, two.current.Load().keys
	old := keys.root.Current()
	_, err := keys.Rotate(t.Context())
	if err == nil || !strings.Contains(err.Error(), two.config.Data) || !strings.Contains(err.Error(), "do not have it") {
		t.Fatalf("the other node lacks the key: %v", err)
	}
	if keys.root.Current() != old {
		t.Fatal("the key is used all the same")
	}
	made := keys.root.Keys()[0]
	if err := os.WriteFile(filepath.Join(two.config.Data, RootKeyFile), keyOf(t, one), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := others.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	done, err := keys.Rotate(t.Context())
	if err != nil || done.Key != made {
		t.Fatalf("%+v, %v; want %s", done, err, made)
	}
	if err := keys.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The other node writes under it, whether or not it has heard of the change.
	hire(t, two, "ann")
	tally, err := keys.store.Tally(t.Context())
	if err != nil || tally[old].Readable() != 0 {
		t.Errorf("%+v, %v", tally, err)
	}
	if others.root.Current() != made {
		t.Errorf("the other node seals under %s", others.root.Current())
	}

	// A third, without the key, does not start; and of one that is behind the key says so.
	cfg := config.Default()
	cfg.Data, cfg.Store.Postgres = t.TempDir(), database
	if err := os.WriteFile(filepath.Join(cfg.Data, RootKeyFile), first, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true})
	if !errors.Is(err, store.ErrWrongKey) || !strings.Contains(err.Error(), made) {
		t.Errorf("a start without the key: %v", err)
	}
	if _, err := OpenKeys(t.Context(), &cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "other nodes") {
		t.Errorf("the keys of a shared store, opened beside the nodes: %v", err)
	}
	behind := others.self
	behind.Current, behind.Keys = old, []string{old}
	err = others.store.Update(t.Context(), func(ctx context.Context) error {
		old := behind
		old.Host, old.Seen = "elsewhere", time.Now()
		return others.nodes.Put(ctx, old.id(), &old)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Drop(t.Context(), old, true); !errors.Is(err, ErrNeeded) || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("drop while a node may seal under it: %v", err)
	}
	err = others.store.Update(t.Context(), func(ctx context.Context) error {
		old := behind
		old.Host, old.Seen = "elsewhere", time.Now().Add(-nodeForgot)
		return others.nodes.Put(ctx, old.id(), &old)
	})
	if err := errors.Join(err, others.beat(t.Context()), keys.forget(t.Context())); err != nil {
		t.Fatal(err)
	}
	for e, err := range keys.nodes.All(t.Context(), "") {
		if err != nil || e.Value.Host == "elsewhere" {
			t.Errorf("a node that is long gone is not forgotten: %+v, %v", e.Value, err)
		}
	}
	if err := keys.Drop(t.Context(), old, true); err != nil {
		t.Errorf("drop when nothing needs it: %v", err)
	}
}

// A node goes on with a change that another has begun and left.
func TestAnotherNodeFinishesAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root, err := seal.Open(t.Context(), seal.File(filepath.Join(t.TempDir(), "key")), true)
		if err != nil {
			t.Fatal(err)
		}
		st := store.Open(memory.New(), root)
		if err := st.CheckKey(t.Context()); err != nil {
			t.Fatal(err)
		}
		cfg := config.Default()
		cfg.Data, cfg.Store.Postgres = t.TempDir(), "shared"
		k, err := newKeys(&cfg, st, nil, root, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		go k.run(ctx)
		synctest.Wait()
		made, err := root.Make(ctx)
		if err == nil {
			err = st.Rekey(ctx, made) // and nobody tells this node to finish it
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * nodeLook)
		if p, err := k.Progress(ctx); err != nil || p.Current != made || p.Resealed.IsZero() {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// A stuck backend cannot read what is to be sealed again.
type stuck struct {
	store.Backend
	free atomic.Bool
}

func (s *stuck) Sealed(ctx context.Context, after store.Cursor, limit int) ([]store.Item, error) {
	if !s.free.Load() {
		return nil, errors.New("the disk is gone")
	}
	return s.Backend.Sealed(ctx, after, limit)
}

// Who waits for a rotation hears what holds it up, until it goes on.
func TestRotationSaysWhatHoldsItUp(t *testing.T) {
	cfg := config.Default()
	cfg.Data = filepath.Join(t.TempDir(), "data")
	disk := &stuck{}
	p, err := New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true,
		backend: func(b store.Backend) store.Backend { disk.Backend = b; return disk }})
	if err != nil {
		t.Fatal(err)
	}
	defer end(t, p)
	k := p.current.Load().keys
	if _, err := k.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	until := func(done func(KeyProgress) bool) {
		t.Helper()
		for {
			progress, err := k.Progress(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if done(progress) {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	until(func(p KeyProgress) bool {
		return strings.Contains(p.Trouble, "the disk is gone") && p.Resealed.IsZero()
	})
	disk.free.Store(true)
	until(func(p KeyProgress) bool { return p.Trouble == "" && !p.Resealed.IsZero() })
}

// Keys of a plane that does not run are opened by its own user only, and none are made
// where there is no plane.
func TestKeysAreOpenedByTheirOwner(t *testing.T) {
	cfg := config.Default()
	cfg.Data = filepath.Join(t.TempDir(), "data")
	log := slog.New(slog.DiscardHandler)
	if _, err := OpenKeys(t.Context(), &cfg, log); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := os.Stat(cfg.Data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
	end(t, begun(t, cfg.Data))
	k, err := OpenKeys(t.Context(), &cfg, log)
	if err == nil {
		err = k.Close(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to another user")
	}
	if err := os.Chown(filepath.Join(cfg.Data, sqlite.File), 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeys(t.Context(), &cfg, log); err == nil || !strings.Contains(err.Error(), "sudo -u '#12345'") {
		t.Errorf("another user's plane: %v", err)
	}
}

// Two containers can have the same host name and the same path, and are two nodes; one
// is the same after a restart.
func TestNodesOfOneNameAreTwo(t *testing.T) {
	database := postgrestest.Schema(t)
	one := node(t, database, nil)
	two := node(t, database, keyOf(t, one))
	keys, others := one.current.Load().keys, two.current.Load().keys
	others.self.Host, others.self.Data = keys.self.Host, keys.self.Data
	if err := others.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Rotate(t.Context()); err == nil || !strings.Contains(err.Error(), "do not have it") {
		t.Errorf("the other node lacks the key: %v", err)
	}
	again, err := markOf(filepath.Join(one.config.Data, nodeFile))
	if err != nil || again == "" || again != keys.self.Mark {
		t.Errorf("after a restart the mark is %q, not %q, %v", again, keys.self.Mark, err)
	}
}
