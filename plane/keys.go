package plane

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/plane/admin"
	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
	"sumun.dev/spine"
	"sumun.dev/store"
	"sumun.dev/store/sqlite"
)

// Keys are a plane's root keys and all that is sealed under them.
type Keys struct {
	store *store.Store
	spine spine.Spine
	root  *seal.Root
	log   *slog.Logger

	nodes *store.Table[Node] // nil: no other process shares the store
	self  Node

	change  sync.Mutex // one at a time
	more    chan struct{}
	trouble atomic.Pointer[string] // why what is stored is not sealed again, as of the last attempt
}

// A Node is a process that shares the store with others, and the root keys that it
// has.
type Node struct {
	Host    string    `json:"host"`
	Data    string    `json:"data"`
	Mark    string    `json:"mark"` // of the data folder: containers may have the same host and path
	PID     int       `json:"pid"`
	Keys    []string  `json:"keys"`
	Current string    `json:"current"` // which it seals under
	Seen    time.Time `json:"seen"`
}

func (n Node) String() string { return fmt.Sprintf("%s on %s (process %d)", n.Data, n.Host, n.PID) }

// id is the same after a restart, so that it replaces what the node said before.
func (n Node) id() string {
	sum := sha256.Sum256([]byte(n.Host + "\x00" + n.Data + "\x00" + n.Mark))
	return hex.EncodeToString(sum[:16])
}

// How often a node says which keys it has, after what silence it counts as not
// running, after what silence it is forgotten, and how often a node looks whether
// another has left a change unfinished.
const (
	nodeBeat   = 10 * time.Second
	nodeGone   = 45 * time.Second
	nodeForgot = 24 * time.Hour
	nodeLook   = time.Minute
)

// streams are those of the spine.
var streams = []string{aws.TrailStream, aws.DNSStream, aws.FindingsStream, aws.BusStream, aws.IngestStream}

func newKeys(cfg *config.Config, st *store.Store, sp spine.Spine, root *seal.Root, log *slog.Logger) (*Keys, error) {
	k := &Keys{store: st, spine: sp, root: root, log: log, more: make(chan struct{}, 1)}
	k.self = Node{Data: cfg.Data, PID: os.Getpid()}
	k.self.Host, _ = os.Hostname()
	if data, err := filepath.Abs(cfg.Data); err == nil {
		k.self.Data = data
	}
	if cfg.Store.Postgres != "" {
		var err error
		if k.self.Mark, err = markOf(filepath.Join(cfg.Data, nodeFile)); err != nil {
			return nil, err
		}
		k.nodes = store.NewTable(st, "plane.nodes", store.Global[Node]()).In(store.Place{})
	}
	return k, nil
}

// nodeFile holds, in the data folder, what tells the node from others.
const nodeFile = "node.json"

// markOf reads a node's mark, which the first to ask makes.
func markOf(file string) (string, error) {
	var m struct {
		Mark string `json:"mark"`
	}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m.Mark = rand.Text()
		err = runtime.WriteFile(file, m)
	case err == nil:
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return "", fmt.Errorf("the mark of this node: %w", err)
	}
	return m.Mark, nil
}

// OpenKeys opens the root keys of a plane that does not run. Only a store that no
// other process can have open meanwhile is opened so.
func OpenKeys(ctx context.Context, cfg *config.Config, log *slog.Logger) (*Keys, error) {
	if cfg.Store.Postgres != "" {
		return nil, errors.New("other nodes may share the PostgreSQL store, and each must have a key before it is used: start this node, and change its keys while it runs")
	}
	if err := owned(filepath.Join(cfg.Data, sqlite.File)); err != nil {
		return nil, err
	}
	st, root, err := OpenStore(ctx, cfg)
	if err != nil {
		return nil, err
	}
	st.Log = log
	sp, err := openSpine(ctx, cfg, Options{}, root, log)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	k, err := newKeys(cfg, st, sp, root, log)
	if err != nil {
		return nil, errors.Join(err, sp.Close(ctx), st.Close())
	}
	return k, nil
}

// owned makes sure that a file is there, and the caller's own: what root makes in the
// folder of another user, such as a new root.key, that user's plane could not read.
func owned(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("there are no data: %w", err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to the user with the id %d, and what others make beside it that user's plane could not read: run this as that user (sudo -u '#%d')", file, owner.Uid, owner.Uid)
	}
	return nil
}

// Close closes what OpenKeys has opened.
func (k *Keys) Close(ctx context.Context) error {
	return errors.Join(k.spine.Close(ctx), k.store.Close())
}

// run finishes what is left of a change, until ctx ends: also one that an earlier
// process has begun, or another node, which may be gone.
func (k *Keys) run(ctx context.Context) {
	for pause := time.Second; ; {
		err := k.Finish(ctx)
		var again <-chan time.Time
		switch {
		case err != nil && ctx.Err() == nil:
			k.log.Warn("what is sealed under earlier root keys is not all sealed again; tries again", "error", err, "pause", pause)
			k.trouble.Store(new(err.Error()))
			again, pause = time.After(pause), min(2*pause, time.Minute)
		case err == nil:
			k.trouble.Store(nil)
			pause = time.Second
			if k.nodes != nil {
				again = time.After(nodeLook)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-k.more:
		case <-again:
		}
	}
}

// Finish seals again what stands under earlier keys, all of it.
func (k *Keys) Finish(ctx context.Context) error {
	for ctx.Err() == nil {
		done, err := k.store.Reseal(ctx)
		if done || err != nil {
			return err
		}
	}
	return ctx.Err()
}

// attend says which keys this node has, and follows what others do, until ctx ends.
func (k *Keys) attend(ctx context.Context) {
	if k.nodes == nil {
		return
	}
	if err := k.forget(ctx); err != nil && ctx.Err() == nil {
		k.log.Warn("nodes that are gone are not forgotten", "error", err)
	}
	for sleep(ctx, nodeBeat) {
		k.tell(ctx)
	}
}

// forget takes away what nodes said that were not heard of for long: where each start
// has another name, they would be more and more.
func (k *Keys) forget(ctx context.Context) error {
	var gone []string
	for e, err := range k.nodes.All(ctx, "") {
		if err != nil {
			return err
		}
		if time.Since(e.Value.Seen) >= nodeForgot {
			gone = append(gone, e.ID)
		}
	}
	for _, id := range gone {
		err := k.store.Update(ctx, func(ctx context.Context) error { return k.nodes.Delete(ctx, id) })
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// tell is a beat whose failure is only logged: the next comes soon.
func (k *Keys) tell(ctx context.Context) {
	if err := k.beat(ctx); err != nil && ctx.Err() == nil {
		k.log.Warn("this node cannot say which root keys it has", "error", err)
	}
}

func (k *Keys) beat(ctx context.Context) error {
	if k.nodes == nil {
		return nil
	}
	if err := k.root.Refresh(ctx); err != nil {
		k.log.Warn("the root keys cannot be read again", "error", err)
	}
	if err := k.store.Follow(ctx); err != nil {
		return err
	}
	return k.say(ctx)
}

// stay says that this node runs, until ctx ends. Nothing else may hold that up, as
// reading the root keys again can.
func (k *Keys) stay(ctx context.Context) {
	if k.nodes == nil {
		return
	}
	for sleep(ctx, nodeSays) {
		if err := k.say(ctx); err != nil && ctx.Err() == nil {
			k.log.Warn("this node cannot say that it runs", "error", err)
		}
	}
}

func (k *Keys) say(ctx context.Context) error {
	return k.store.Update(ctx, func(ctx context.Context) error {
		me := k.self
		me.Keys, me.Current, me.Seen = k.root.Keys(), k.root.Current(), time.Now().UTC()
		return k.nodes.Put(ctx, me.id(), &me)
	})
}

// leave says that this node runs no more.
func (k *Keys) leave(ctx context.Context) error {
	if k.nodes == nil {
		return nil
	}
	err := k.store.Update(ctx, func(ctx context.Context) error { return k.nodes.Delete(ctx, k.self.id()) })
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// others returns the other nodes that were heard of in a while.
func (k *Keys) others(ctx context.Context, while time.Duration) (others []Node, err error) {
	if k.nodes == nil {
		return nil, nil
	}
	for e, err := range k.nodes.All(ctx, "") {
		if err != nil {
			return nil, err
		}
		if n := *e.Value; n.id() != k.self.id() && time.Since(n.Seen) < while {
			others = append(others, n)
		}
	}
	return others, nil
}

// rootKeys is what the admin listener does with the root keys.
func (p *Plane) rootKeys() *admin.Keys {
	k := p.current.Load().keys
	return &admin.Keys{
		Report:   func(ctx context.Context) (any, error) { return k.Report(ctx) },
		Progress: func(ctx context.Context) (any, error) { return k.Progress(ctx) },
		Rotate:   func(ctx context.Context) (any, error) { return k.Rotate(ctx) },
		Drop:     k.Drop,
	}
}

// A Rotated says what Rotate has done.
type Rotated struct {
	Key     string `json:"key"`     // current now
	Earlier string `json:"earlier"` // current before, the same when nothing had to be changed
	Made    bool   `json:"made"`    // Key is new; otherwise it was there, and not yet used
	Source  string `json:"source"`  // where it is kept
}

// Rotate makes another root key current, and begins to seal again what stands under
// earlier ones (Finish). The key is the newest when that is not in use yet: one that
// the operator has put there, or that an earlier Rotate has made before it was
// interrupted; else a new one, which is kept before it is used. While an earlier
// change is not finished, no key is made. A key that was current before is not taken
// again: what it has sealed since and what the next has could not be told apart by
// their times (weigh). Every node must have the key first.
func (k *Keys) Rotate(ctx context.Context) (*Rotated, error) {
	k.change.Lock()
	defer k.change.Unlock()
	if err := k.root.Refresh(ctx); err != nil {
		return nil, err
	}
	state, err := k.store.RootKeys(ctx)
	if err != nil {
		return nil, err
	}
	r := &Rotated{Key: k.root.Keys()[0], Earlier: state.Current, Source: k.root.Source()}
	if used := state.Since[r.Key]; r.Key != state.Current && !used.IsZero() {
		return nil, fmt.Errorf("the root key %s, the newest in %s, is an earlier one, in use since %s and replaced: no key is used twice. Put it behind %s, which is current, then rotate again",
			r.Key, r.Source, used.Format(time.RFC3339), state.Current)
	}
	if r.Key == state.Current && state.Resealed.IsZero() {
		k.wake()
		return r, nil
	}
	if r.Key == state.Current {
		if r.Key, err = k.root.Make(ctx); errors.Is(err, seal.ErrFixed) {
			return nil, fmt.Errorf("%w: put a new key before the others (%s=NEW,OLD), start every node with it, then rotate", err, seal.Variable)
		}
		if err != nil {
			return nil, err
		}
		r.Made = true
		k.log.Info("a root key was made", "key", r.Key, "kept", r.Source)
	}
	if err := k.lack(ctx, r.Key); err != nil {
		return nil, err
	}
	// Whoever asked may be gone from here on: what is begun is done, and what does not
	// succeed at once is tried again in the background.
	ctx = context.WithoutCancel(ctx)
	defer k.wake()
	if err := k.store.Rekey(ctx, r.Key); err != nil {
		return nil, err
	}
	k.log.Warn("the root key was changed", "current", r.Key, "before", r.Earlier)
	k.tell(ctx)
	return r, nil
}

func (k *Keys) wake() {
	k.trouble.Store(nil) // of an earlier attempt
	select {
	case k.more <- struct{}{}:
	default:
	}
}

// lack names the running nodes that do not have a key.
func (k *Keys) lack(ctx context.Context, id string) error {
	others, err := k.others(ctx, nodeGone)
	if err != nil {
		return err
	}
	var names []string
	for _, n := range others {
		if !slices.Contains(n.Keys, id) {
			names = append(names, n.String())
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("the root key %s is kept in %s and not used yet, since these nodes do not have it: %s. Give it to each (root.key, root.kms and root.hsm are read again every %s; a variable needs a restart), then rotate again",
		id, k.root.Source(), strings.Join(names, "; "), nodeBeat)
}

// A RootKey is what a report says of one root key.
type RootKey struct {
	ID    string     `json:"id"`
	State string     `json:"state"` // current, new (not used yet), earlier, or missing: needed, and not here
	Since time.Time  `json:"since,omitzero"`
	Holds store.Held `json:"holds"`

	// Needs is what would be lost without the key, and Ends what people would have
	// to get anew: sign-ins and the like.
	Needs []string `json:"needs,omitempty"`
	Ends  []string `json:"ends,omitempty"`
}

// A KeyReport is what is known of a plane's root keys.
type KeyReport struct {
	Source   string    `json:"source"`
	Current  string    `json:"current"`
	Resealed time.Time `json:"resealed,omitzero"` // when all was sealed under the current key; zero: not all is
	Trouble  string    `json:"trouble,omitempty"` // why the last attempt to seal all again failed
	Keys     []RootKey `json:"keys"`
	Nodes    []Node    `json:"nodes,omitempty"` // the others
}

// KeyProgress is how far a change has come.
type KeyProgress struct {
	Current  string    `json:"current"`
	Resealed time.Time `json:"resealed,omitzero"`
	Trouble  string    `json:"trouble,omitempty"`
}

// Progress says when all was sealed under the current key, if it is, else what went
// wrong.
func (k *Keys) Progress(ctx context.Context) (KeyProgress, error) {
	state, err := k.store.RootKeys(ctx)
	return KeyProgress{state.Current, state.Resealed, k.hindered()}, err
}

func (k *Keys) hindered() string {
	if why := k.trouble.Load(); why != nil {
		return *why
	}
	return ""
}

// Report says of each root key what is sealed under it and what still needs it. It
// reads all that is stored.
func (k *Keys) Report(ctx context.Context) (*KeyReport, error) {
	state, err := k.store.RootKeys(ctx)
	if err != nil {
		return nil, err
	}
	tally, err := k.store.Tally(ctx)
	if err != nil {
		return nil, err
	}
	r := &KeyReport{Source: k.root.Source(), Current: state.Current, Resealed: state.Resealed, Trouble: k.hindered()}
	if r.Nodes, err = k.others(ctx, nodeForgot); err != nil {
		return nil, err
	}
	ids := k.root.Keys()
	for _, id := range slices.Sorted(maps.Keys(tally)) {
		if !slices.Contains(ids, id) && tally[id].Readable() > 0 {
			ids = append(ids, id)
		}
	}
	place := slices.Index(ids, state.Current)
	for i, id := range ids {
		key := RootKey{ID: id, Since: state.Since[id], Holds: tally[id]}
		switch {
		case id == state.Current:
			key.State, key.Needs = "current", []string{"all that is sealed from now on"}
		case !k.root.Knows(id):
			key.State, key.Needs = "missing", []string{held(key.Holds)}
		case i < place && key.Since.IsZero():
			key.State = "new"
			if key.Holds.Readable() > 0 {
				key.Needs = []string{held(key.Holds)}
			}
		default:
			key.State = "earlier"
			if err := k.weigh(ctx, &key, state, r.Nodes); err != nil {
				return nil, err
			}
		}
		r.Keys = append(r.Keys, key)
	}
	return r, nil
}

// How long what is handed out under a root key can be valid, which is sealed once and
// kept by others.
const (
	sessionsLast      = 36 * time.Hour      // GetSessionToken, the longest of STS
	registrationsLast = 90 * 24 * time.Hour // of clients with IAM Identity Center
)

// keyLag is how long after a change a node can have sealed under the earlier key what
// goes past the store, to the event log: until it has heard of the change.
const keyLag = time.Minute

// weigh adds what needs a key that is not current any more.
func (k *Keys) weigh(ctx context.Context, key *RootKey, state store.RootKeys, nodes []Node) error {
	until := retired(key.ID, state)
	if key.Holds.Readable() > 0 {
		key.Needs = append(key.Needs, held(key.Holds))
	} else if state.Resealed.IsZero() {
		key.Needs = append(key.Needs, "the change to "+state.Current+", which is not finished")
	}
	for _, n := range nodes {
		if n.Current == key.ID {
			key.Needs = append(key.Needs, fmt.Sprintf("the node %s, which at %s had not heard of the change", n, n.Seen.Format(time.RFC3339)))
		}
	}
	for _, stream := range streams {
		oldest, some, err := k.spine.Oldest(ctx, stream)
		if err != nil {
			return fmt.Errorf("how old is the stream %s: %w", stream, err)
		}
		if some && oldest.Before(until.Add(keyLag)) {
			key.Needs = append(key.Needs, fmt.Sprintf("the stream %s, which keeps events from %s on, until retention has removed those from before %s",
				stream, oldest.UTC().Format(time.RFC3339), until.Add(keyLag).Format(time.RFC3339)))
		}
	}
	for _, e := range []struct {
		what string
		last time.Duration
	}{
		{"session credentials of STS", sessionsLast},
		{"clients registered with IAM Identity Center", registrationsLast},
	} {
		if end := until.Add(keyLag + e.last); time.Now().Before(end) {
			key.Ends = append(key.Ends, fmt.Sprintf("%s, which can be valid until %s", e.what, end.Format(time.RFC3339)))
		}
	}
	return nil
}

// retired returns when a key ended to be the current one: when the next became it. Of
// a key whose own time is not known that is the last change.
func retired(id string, state store.RootKeys) time.Time {
	since, known := state.Since[id]
	next := state.Since[state.Current]
	if known {
		for _, at := range state.Since {
			if at.After(since) && at.Before(next) {
				next = at
			}
		}
	}
	return next
}

func held(h store.Held) string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{h.Rows, "rows"}, {h.Events, "events in the outbox"}, {h.Due, "due records"}, {h.Notes, "notes and records set aside"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprint(p.n, " ", p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// ErrNeeded says that a root key cannot be dropped.
var ErrNeeded = errors.New("the root key is still needed")

// Drop forgets a root key, here and where it is kept, when nothing needs it any more.
// endSessions agrees to what would have to be handed out anew. Each node has keys of
// its own to drop.
func (k *Keys) Drop(ctx context.Context, id string, endSessions bool) error {
	k.change.Lock()
	defer k.change.Unlock()
	report, err := k.Report(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(report.Keys, func(key RootKey) bool { return key.ID == id })
	if i < 0 || report.Keys[i].State == "missing" {
		return fmt.Errorf("there is no root key %q; those in %s are %s", id, report.Source, strings.Join(k.root.Keys(), ", "))
	}
	key := report.Keys[i]
	needs := key.Needs
	if !endSessions {
		needs = append(needs, key.Ends...)
	}
	if len(needs) > 0 {
		return fmt.Errorf("%w: %s by %s", ErrNeeded, id, strings.Join(needs, "; by "))
	}
	if err := k.root.Drop(ctx, id); errors.Is(err, seal.ErrFixed) {
		return fmt.Errorf("%w: nothing needs %s any more; leave it out of %s from the next start on", err, id, cmp.Or(report.Source, seal.Variable))
	} else if err != nil {
		return err
	}
	k.log.Warn("a root key was dropped", "key", id)
	k.tell(ctx)
	return nil
}
