package detect

import (
	"encoding"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/detect/baseline"
	"sumun.dev/detect/enrich"
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
	"sumun.dev/store"
)

// An Engine applies rules to records, and remembers what they need from one to
// the next. What it remembers belongs to one account each, and can be taken to
// another engine; of more than maxKnown accounts, those that were quiet longest
// are forgotten. It is not safe for concurrent use: several engines share the
// work by account.
type Engine struct {
	rules   []*rule.Rule
	every   map[record.Class][]int
	calls   map[call][]int // rules that name the call, or all of its service ("*"), or the operation of any service
	folded  map[call][]int // likewise, of rules that mean calls in any case; in lower case
	lists   func(aws.Account, aws.Region) intel.Lists
	net     *enrich.Net
	parts   *window.Keep[aws.Account, part]
	scene   rule.Scene
	look    intel.Look
	current *record.Record
	weighs  func(finding.Suspicion) // weighs what is seen, for heard
	heard   func(finding.Suspicion)
	notes   func(finding.Suspicion) // takes for normal what is learnt

	learning bool              // what is learnt is told only by what it is
	first    *baseline.Account // knows how names are written, for all accounts
	here     *part             // of current
	at       int               // the rule that looks at it
	most     int               // bytes that all parts may hold, beside what is normal
	yield    func(finding.Suspicion)
	known    map[aws.Account]bool // whose logs were seen
	kin      func(owner, other aws.Account) bool
	apart    bool
}

// A part is what is remembered of one account.
type part struct {
	normal *baseline.Account
	actors *actors
	groups *groups      // of instances
	states []rule.State // by rule; nil for those that have seen nothing, or remember nothing
	learnt []rule.State // likewise, of what was learnt
	held   int          // by all states, in bytes
}

// maxHeld bounds what the states and the actors of all accounts hold together, in
// bytes.
const maxHeld = 128 << 20

// Weight is what may be shed of a part.
func (p *part) Weight() int { return p.held + p.actors.Held() + p.groups.Held() }

// shed makes the part do with less, in what takes most of it; of equals the first.
func (p *part) shed() {
	var most window.Holder = p.actors
	if p.groups.Held() > most.Held() {
		most = p.groups
	}
	for _, states := range [...][]rule.State{p.states, p.learnt} {
		for _, s := range states {
			if s != nil && s.Held() > most.Held() {
				most = s
			}
		}
	}
	before := most.Held()
	most.Shed()
	if most != window.Holder(p.actors) && most != window.Holder(p.groups) {
		p.held += most.Held() - before
	}
}

// bound keeps the memory of all accounts together within what it may come to. The
// account that holds most gives up, where it holds most, what was quiet longest: so
// one that is flooded makes none of the others forget. It goes by nothing but what is
// remembered, and is the same wherever that was taken to.
func (e *Engine) bound() {
	if e.parts.Held() <= e.most {
		return
	}
	for e.parts.Held() > e.most*7/8 {
		var who aws.Account
		var most *part
		for a, p := range e.parts.All() {
			if most == nil || p.Weight() > most.Weight() || p.Weight() == most.Weight() && a < who {
				who, most = a, p
			}
		}
		if most == nil || most.Weight() == 0 {
			return
		}
		most.shed()
		e.parts.Weigh(who)
	}
}

// Options are what an engine knows from outside.
type Options struct {
	Rules []*rule.Rule // none: all built-in ones
	Net   *enrich.Net  // nil: nothing is known of addresses
	// Lists says what counts in a place; nil: the built-in test domains.
	Lists func(aws.Account, aws.Region) intel.Lists
	// Kin reports whether another account belongs to the owner of one. Nil: all
	// accounts whose records the engine sees belong together.
	Kin func(owner, other aws.Account) bool
	// Apart says that other engines see the rest of what instances do: who joins
	// what all of them find (Group) finds attacks on instances.
	Apart bool
}

// NewEngine returns an engine that remembers nothing yet.
func NewEngine(o Options) *Engine {
	e := &Engine{
		rules: o.Rules, first: baseline.New(), lists: o.Lists, kin: o.Kin, apart: o.Apart, known: map[aws.Account]bool{},
		every: map[record.Class][]int{}, calls: map[call][]int{}, folded: map[call][]int{}, most: maxHeld, parts: window.NewKeep[aws.Account, part](maxKnown),
	}
	if e.rules == nil {
		e.rules = Rules()
	}
	if e.lists == nil {
		book := intel.NewBook(intel.Builtin()...)
		e.lists = func(account aws.Account, region aws.Region) intel.Lists {
			return book.At(store.Place{Account: account, Region: region})
		}
	}
	for i, r := range e.rules {
		if len(r.Calls) == 0 {
			e.every[r.Class] = append(e.every[r.Class], i)
		}
		for _, c := range r.Calls {
			service, operation, ok := strings.Cut(c, ":")
			if !ok {
				panic("detect: " + c + " is no call") // a constant of a rule is wrong
			}
			at, index := call{service, operation}, e.calls
			if r.AnyCase {
				at, index = at.folded(), e.folded
			}
			if !slices.Contains(index[at], i) {
				index[at] = append(index[at], i)
			}
		}
	}
	e.scene.Report = e.report
	e.weighs = func(s finding.Suspicion) { e.weigh(s, e.heard) }
	e.notes = func(s finding.Suspicion) { e.here.normal.Note(e.current, habit(&s)) }
	e.Locate(o.Net)
	return e
}

// Locate has the engine look addresses up in another book from now on; nil knows
// nothing of any.
func (e *Engine) Locate(n *enrich.Net) {
	if n == nil {
		n = &enrich.Net{}
	}
	e.net, e.scene.Net = n, n
}

// Rules returns how many rules the engine applies.
func (e *Engine) Rules() int { return len(e.rules) }

type call struct{ service, operation string }

func (c call) folded() call { return call{strings.ToLower(c.service), strings.ToLower(c.operation)} }

func (e *Engine) part(account aws.Account) *part {
	p := e.parts.Again(account)
	if p == nil {
		p = e.parts.Find(account)
	}
	if p == nil {
		p = e.parts.At(account)
		*p = part{normal: baseline.New(), actors: newActors(), groups: newGroups(), states: make([]rule.State, len(e.rules)), learnt: make([]rule.State, len(e.rules))}
		if len(e.known) < maxKnown {
			e.known[account] = true
		}
		// Those that are quiet from now on have to do with less too.
		if n := e.parts.Len(); n&(n-1) == 0 {
			for _, other := range e.parts.All() {
				other.normal.Beside(e.first, n)
			}
		}
	}
	p.normal.Beside(e.first, e.parts.Len())
	return p
}

// Learn takes a record as an example of what is normal: the call, and what rules
// say of it that do not judge by habits themselves. What they remember of what is
// learnt, they do not judge by.
func (e *Engine) Learn(r *record.Record) {
	if r.API == nil {
		return
	}
	p := e.part(r.Account)
	p.normal.Learn(r, e.net.Look(r.API.IP))
	e.begin(p, r, e.notes)
	e.learning = true
	defer func() { e.learning = false }()
	learn := func(i int) {
		if !e.rules[i].ByHabit {
			e.apply(p.learnt, i)
		}
	}
	for _, i := range e.every[r.Class] {
		learn(i)
	}
	e.called(r, learn)
	e.bound()
}

func (e *Engine) begin(p *part, r *record.Record, yield func(finding.Suspicion)) {
	e.here, e.current, e.yield, e.scene.Shared = p, r, yield, nil
	e.scene.Lists, e.scene.Normal = e.lists(r.Account, r.Region), p.normal
}

// See judges a record and yields what is suspicious about it. Records of one
// account come in their order of time, as far as that can be had.
func (e *Engine) See(r *record.Record, yield func(finding.Suspicion)) {
	p := e.part(r.Account)
	e.heard = yield
	e.begin(p, r, e.weighs)
	// A question of nobody known is no suspicion: there would be nothing to
	// respond on. Who asked may be known by the address only. Nor is a question for
	// a domain that the account trusts.
	if d := r.DNS; d != nil {
		e.scene.Lists = e.scene.Lists.For(d.Name, &e.look)
		if d.Instance == "" && !d.Source.IsValid() || e.scene.Lists.Trusts(d.Name) {
			return
		}
	}
	if r.API != nil {
		p.groups.link(r)
	}
	// Calls from an address that the account trusts are not judged; what they did
	// is remembered of who made them.
	if r.API != nil && e.scene.Lists.TrustsAddr(r.API.IP) {
		p.actors.act(r, func() bool { return e.usual(r) })
		e.bound()
		return
	}
	for _, i := range e.every[r.Class] {
		e.apply(p.states, i)
	}
	if r.API != nil {
		p.actors.act(r, func() bool { return e.usual(r) })
		e.called(r, func(i int) { e.apply(p.states, i) })
	}
	e.bound()
}

// called goes over the rules that name a call; one that names it in two ways comes
// once.
func (e *Engine) called(r *record.Record, do func(rule int)) {
	var seen []int
	find := func(index map[call][]int, c call) {
		for _, at := range [...]call{c, {c.service, "*"}, {"*", c.operation}} {
			for _, i := range index[at] {
				if !slices.Contains(seen, i) {
					seen = append(seen, i)
					do(i)
				}
			}
		}
	}
	c := call{r.API.Service, r.API.Operation}
	find(e.calls, c)
	if len(e.folded) > 0 {
		find(e.folded, c.folded())
	}
}

// state returns what a rule remembers; it begins when the rule first looks at a
// record.
func (e *Engine) state(states []rule.State, i int) rule.State {
	if states[i] == nil && e.rules[i].State != nil {
		states[i] = e.rules[i].State()
	}
	return states[i]
}

func (e *Engine) apply(states []rule.State, i int) {
	of := e.rules[i]
	if of.Concerns != nil && !of.Concerns(&e.scene, e.current) {
		return
	}
	st := e.state(states, i)
	e.scene.State, e.at = st, i
	if st == nil {
		of.See(&e.scene, e.current)
		return
	}
	before := st.Held()
	of.See(&e.scene, e.current)
	e.here.held += st.Held() - before
}

func (e *Engine) report(s finding.Suspicion) {
	r := e.current
	s.Rule = e.rules[e.at].Name
	if s.At.IsZero() {
		s.At = r.Time
	}
	if len(s.Evidence) == 0 && !e.learning { // nobody asks what is learnt
		s.Evidence = []finding.Evidence{rule.Evidence(r)}
	}
	e.yield(s)
}

// saved is a part as it is written down.
type saved struct {
	Normal []byte
	Actors []byte
	Groups []byte
	States map[string][]byte // by rule
	Learnt map[string][]byte // likewise
}

// Save writes what is remembered of an account; nil when that is nothing.
func (e *Engine) Save(account aws.Account) ([]byte, error) {
	p := e.parts.Find(account)
	if p == nil {
		return nil, nil
	}
	var out saved
	var err error
	if out.Normal, err = p.normal.MarshalBinary(); err != nil {
		return nil, fmt.Errorf("save what is normal: %w", err)
	}
	if out.Actors, err = p.actors.MarshalBinary(); err != nil {
		return nil, fmt.Errorf("save who did what: %w", err)
	}
	if out.Groups, err = p.groups.MarshalBinary(); err != nil {
		return nil, fmt.Errorf("save what instances did: %w", err)
	}
	if out.States, err = e.write(p.states); err != nil {
		return nil, err
	}
	if out.Learnt, err = e.write(p.learnt); err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// write writes what rules remember, by their names.
func (e *Engine) write(states []rule.State) (map[string][]byte, error) {
	out := map[string][]byte{}
	for i, s := range states {
		if s == nil {
			continue
		}
		b, err := s.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("save state of %s: %w", e.rules[i].Name, err)
		}
		out[e.rules[i].Name] = b
	}
	return out, nil
}

// Load takes up what Save wrote; what the engine remembered of the account is
// forgotten. On an error it remembers what it did before.
func (e *Engine) Load(account aws.Account, b []byte) error {
	var in saved
	if err := json.Unmarshal(b, &in); err != nil {
		return fmt.Errorf("load account %s: %w", account, err)
	}
	var old *part
	if p := e.parts.Find(account); p != nil {
		was := *p
		old = &was
	}
	e.parts.Forget(account)
	p := e.part(account)
	err := load(p.normal, in.Normal)
	if err == nil && in.Actors != nil {
		err = load(p.actors, in.Actors)
	}
	if err == nil && in.Groups != nil {
		err = load(p.groups, in.Groups)
	}
	for i, r := range e.rules {
		if written, ok := in.States[r.Name]; ok && r.State != nil && err == nil {
			err = load(e.state(p.states, i), written)
		}
		if written, ok := in.Learnt[r.Name]; ok && r.State != nil && err == nil {
			err = load(e.state(p.learnt, i), written)
		}
	}
	for _, s := range slices.Concat(p.states, p.learnt) {
		if s != nil {
			p.held += s.Held()
		}
	}
	if err != nil {
		if e.parts.Forget(account); old != nil {
			*e.parts.At(account) = *old
		}
		return fmt.Errorf("load account %s: %w", account, err)
	}
	e.bound()
	return nil
}

func load(to encoding.BinaryUnmarshaler, b []byte) error { return to.UnmarshalBinary(b) }
