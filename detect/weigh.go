package detect

import (
	"cmp"
	"container/list"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect/baseline"
	"sumun.dev/detect/record"
	"sumun.dev/finding"
)

// What rules say of one call is weighed by what else is known: the habits of who
// called, to whom a resource is given, and what else the same actor did within a
// day. A suspicion that habits explain entirely is dropped.

const (
	// mediumAtMost is the severity of a call that stands alone: High needs history
	// that does not know it, or company.
	mediumAtMost = 6.9
	highAtMost   = 8.9
	critical     = 9
	least        = 2 // what habits leave of a suspicion that is told

	manifold = 12 // different calls that change something, of who administers or deploys
	workdays = 3  // on which something was seen, of what is usual
	lost     = 4  // usual calls beside each signal, of who is busy

	together   = 24 * time.Hour // signals of one actor that belong together; GuardDuty User Guide, "Extended Threat Detection"
	maxKnown   = 1 << 14        // accounts
	maxActors  = 1 << 12        // of an account
	maxMade    = 1 << 12        // principals and keys
	maxSignals = 16             // of an actor
	maxShown   = 4              // evidence of a signal
	maxWork    = lost*maxSignals + 1
)

// The sequences, by what is attacked.
const (
	onCredentials = "AttackSequence:IAM/CompromisedCredentials"
	onData        = "AttackSequence:S3/CompromisedData"
	onCluster     = "AttackSequence:EKS/CompromisedCluster"
	onHosts       = "AttackSequence:EC2/CompromisedInstanceGroup" // group.go
)

// habit names what a suspicion would be the habit of: the signal, and whom it
// lets in.
func habit(s *finding.Suspicion) string {
	name := s.Type + " " + s.Signal
	if s.API != nil {
		name += " " + s.API.OtherAccount
	}
	return name
}

// weigh yields a suspicion as severe as all that is known makes it.
func (e *Engine) weigh(s finding.Suspicion, yield func(finding.Suspicion)) {
	r := e.current
	if r.API == nil || s.Caller == nil || s.Threat.List != "" {
		yield(s)
		e.join(s, yield)
		return
	}
	told := level(&s)
	severity := told
	j := e.here.normal.Judge(r, e.net.Look(r.API.IP))
	if e.family(&s) {
		s.API.Affiliated = true
		severity /= 3
	}
	if j.Ready {
		severity = e.byHabit(&s, &j, severity)
	}
	who := e.here.actors.of(&r.API.Actor)
	n := e.here.actors.signal(who, &s, severity)
	// Before anything is learnt only what comes together at once counts as company.
	near := together
	if !j.Ready {
		near = time.Hour
	}
	company := 0
	seen := map[finding.Evidence]bool{place(n.Signals[len(n.Signals)-1]): true}
	for _, g := range n.Signals[:len(n.Signals)-1] {
		if g.Severity >= 4 && within(g, s.At, near) && !n.busy() && !seen[place(g)] {
			seen[place(g)] = true
			company++
		}
	}
	switch {
	case company == 0 && (severity < least || severity <= least && severity < told):
		return
	case j.Ready && severity >= told || severity >= 7 && (company > 1 || company > 0 && j.Ready):
		severity = min(severity+float64(min(company, 3)), max(highAtMost, severity))
	default: // it is not known enough, or known too well, to be High
		severity = min(severity+float64(min(company, 3)), mediumAtMost)
	}
	s.Severity = max(severity, 1)
	yield(s)
	if seq := n.sequence(&s, who, near); seq != nil {
		yield(*seq)
	}
	e.group(s, yield)
}

// join adds what needs no weighing, what instances do, calls of a cluster's API and
// calls from listed addresses, to what its actor did.
func (e *Engine) join(s finding.Suspicion, yield func(finding.Suspicion)) {
	s.Severity = level(&s)
	defer e.group(s, yield)
	who := ""
	switch {
	case s.Caller != nil && e.current.API != nil:
		who = e.here.actors.of(&e.current.API.Actor)
	case s.Kubernetes != nil && s.KubeCall != nil:
		who = "cluster " + s.Kubernetes.Cluster + " " + s.Kubernetes.User
	default:
		return
	}
	n := e.here.actors.signal(who, &s, s.Severity)
	if seq := n.sequence(&s, who, together); seq != nil {
		yield(*seq)
	}
}

// level is how severe a suspicion is by itself.
func level(s *finding.Suspicion) float64 {
	kind, _ := finding.KindOf(s.Type)
	return cmp.Or(s.Severity, kind.Severity)
}

// byHabit lowers the severity of what the actor, or its peers, do on several
// days in a known way, and raises that of what nobody does in a way nobody knows.
func (e *Engine) byHabit(s *finding.Suspicion, j *baseline.Judgement, severity float64) float64 {
	r := e.current
	days := e.here.normal.Noted(r, habit(s))
	if s.Sequence != nil || len(s.Unusual) > 0 {
		return severity
	}
	placed := j.Roams || !j.New(baseline.Principal, baseline.Network) || !j.New(baseline.Everybody, baseline.Network)
	equipped := !j.New(baseline.Principal, baseline.Agent) || !j.New(baseline.Peers, baseline.Agent)
	daily := j.Days >= 7
	if equipped && !placed {
		// People travel: half of the habit counts.
		severity -= 1.5 * float64(min(days[baseline.Principal], 2))
		if daily {
			severity = min(severity, mediumAtMost)
		}
		return severity
	}
	if !equipped {
		if days[baseline.Principal] == 0 {
			severity = min(severity+1, max(highAtMost, severity))
		}
		return severity
	}
	severity -= 3 * float64(min(days[baseline.Principal], 3))
	if j.Days >= 3 {
		severity -= 1.5 * float64(min(days[baseline.Peers], 3))
	}
	// Who is there every day does something for the first time now and then; all
	// the more those whose work is to change things.
	if daily {
		severity -= 2
		if j.Breadth >= manifold {
			severity -= 2
			// It is their work, if they change the service's things every few days, and
			// let in nobody by it.
			if j.Works >= workdays && (s.API == nil || s.API.OtherAccount == "" || s.API.Affiliated) {
				severity -= 2
			}
		}
	}
	// What is Low anyway, and done with a second factor from where the account is at
	// home, as the root user's few tasks are, needs nobody's attention.
	if r.API.Actor.MFA && j.Seen(baseline.Everybody, baseline.Network) >= workdays && j.Seen(baseline.Everybody, baseline.Agent) >= workdays {
		severity--
	}
	return severity
}

// family reports whether a call lets in only accounts that belong to the same
// owner.
func (e *Engine) family(s *finding.Suspicion) bool {
	if s.API == nil || s.API.OtherAccount == "" || s.API.OtherAccount == e.current.API.Actor.Account {
		return false
	}
	if !e.kindred(s.API.OtherAccount) {
		return false
	}
	// The suspicion names one account; all that the call names count.
	raw := e.current.API.Request.Raw()
	for i := 0; i < len(raw); {
		if raw[i] < '0' || raw[i] > '9' {
			i++
			continue
		}
		j := i
		for j < len(raw) && raw[j] >= '0' && raw[j] <= '9' {
			j++
		}
		if j-i == 12 && !e.kindred(string(raw[i:j])) {
			return false
		}
		i = j
	}
	return true
}

// kindred reports whether an account, or that of an ARN, belongs to the owner.
func (e *Engine) kindred(account string) bool {
	a := aws.Account(account)
	if arn, err := aws.ParseARN(account); err == nil {
		a = arn.Account
	}
	if owner := e.current.Account; e.kin != nil {
		return a == owner || e.kin(owner, a)
	}
	return e.known[a]
}

// actors are who did what of late in an account. What was quiet longest is forgotten.
type actors struct {
	by    map[string]*list.Element // of *actor
	quiet *list.List               // the last was quiet longest
	made  map[string]*list.Element // of *maker, by principal or access key
	old   *list.List               // likewise
	held  int                      // by actors, in bytes
}

// An actor is one principal, and those that it made.
type actor struct {
	Name    string
	Work    []work // usual calls that changed something, each once; the latest last
	Signals signals
	Keys    []string // access keys and principals that it used
	Remotes []finding.Remote
	Buckets []string
}

// weight is what an actor takes, in bytes, roughly.
func (n *actor) weight() int {
	return 256 + 64*(len(n.Keys)+len(n.Buckets)+len(n.Work)) + 256*len(n.Remotes) + n.Signals.weight()
}

const perMaker = 256 // bytes

// Held returns how many bytes of memory is taken, roughly.
func (a *actors) Held() int { return a.held + perMaker*len(a.made) }

// Shed drops an eighth of the actors, those that were quiet longest, or of what they
// made when that takes more.
func (a *actors) Shed() {
	if a.held >= perMaker*len(a.made) {
		for range (len(a.by) + 7) / 8 {
			a.dropActor()
		}
		return
	}
	for range (len(a.made) + 7) / 8 {
		a.dropMaker()
	}
}

func (a *actors) dropActor() {
	n := a.quiet.Remove(a.quiet.Back()).(*actor)
	a.held -= n.weight()
	delete(a.by, n.Name)
}

func (a *actors) dropMaker() { delete(a.made, a.old.Remove(a.old.Back()).(*maker).Made) }

// work is a call that its actor is known to make.
type work struct {
	Call string
	At   time.Time
}

type maker struct {
	Made, By string
	At       time.Time
}

func newActors() *actors {
	return &actors{by: map[string]*list.Element{}, quiet: list.New(), made: map[string]*list.Element{}, old: list.New()}
}

// of names who is behind an actor: whoever made the principal or the key it uses.
func (a *actors) of(by *record.Actor) string {
	name := by.Principal()
	for range 4 { // a chain of roles; whoever forges longer ones gains nothing
		el := a.made[name]
		if el == nil && by != nil && by.AccessKey != "" {
			el = a.made[by.AccessKey]
		}
		by = nil
		if el == nil || el.Value.(*maker).By == name {
			break
		}
		name = el.Value.(*maker).By
	}
	return name
}

// act takes in a call that may matter for what comes later. usual is asked whether
// it is work that its actor is known for.
func (a *actors) act(r *record.Record, usual func() bool) {
	c := r.API
	if c.ByService() || c.Failed() {
		return
	}
	switch c.Operation {
	case "CreateUser", "CreateAccessKey", "CreateLoginProfile":
		if user := c.Request.Str("userName"); user != "" && c.Service == "iam.amazonaws.com" {
			a.make("arn:aws:iam::"+string(r.Account)+":user/"+user, r)
		}
		a.make(c.Response.Str("accessKey", "accessKeyId"), r)
	case "CreateRole":
		if c.Service == "iam.amazonaws.com" {
			a.make("arn:aws:iam::"+string(r.Account)+":role/"+c.Request.Str("roleName"), r)
		}
	case "AssumeRole", "GetSessionToken", "GetFederationToken":
		a.make(c.Response.Str("credentials", "accessKeyId"), r)
	}
	if c.ReadOnly {
		return
	}
	name := c.Service + ":" + c.Operation
	n := a.at(a.of(&c.Actor))
	a.held -= n.weight()
	defer func() { a.held += n.weight() }()
	i := slices.IndexFunc(n.Work, func(w work) bool { return w.Call == name })
	switch {
	case i >= 0: // once is enough: repeating a call is cheap
		n.Work = slices.Delete(n.Work, i, i+1)
	case !usual():
		return
	case len(n.Work) >= maxWork:
		n.Work = slices.Delete(n.Work, 0, 1)
	}
	n.Work = append(n.Work, work{name, r.Time})
}

// usual reports whether a call is work that whoever makes it is known for: they
// change many things, made this call on other days, and are where, and have what,
// they had then. Whoever took their key at other hands is not.
func (e *Engine) usual(r *record.Record) bool {
	j := e.here.normal.Judge(r, e.net.Look(r.API.IP))
	return j.Ready && j.Days >= workdays && j.Breadth >= manifold && j.Seen(baseline.Principal, baseline.API) > 0 &&
		(j.Roams || !j.New(baseline.Principal, baseline.Network)) && !j.New(baseline.Principal, baseline.Agent)
}

func (a *actors) make(what string, r *record.Record) {
	if what == "" || what == r.API.Actor.Principal() {
		return
	}
	by := a.of(&r.API.Actor)
	if el := a.made[what]; el != nil {
		a.old.Remove(el)
	}
	a.made[what] = a.old.PushFront(&maker{what, by, r.Time})
	// What was made more than a day ago is on its own.
	for el := a.old.Back(); el != nil && (len(a.made) > maxMade || r.Time.Sub(el.Value.(*maker).At) > together); el = a.old.Back() {
		a.dropMaker()
	}
}

func (a *actors) at(name string) *actor {
	el := a.by[name]
	if el == nil {
		if len(a.by) >= maxActors {
			a.dropActor()
		}
		n := &actor{Name: name}
		a.held += n.weight()
		el = a.quiet.PushFront(n)
		a.by[name] = el
	}
	a.quiet.MoveToFront(el)
	return el.Value.(*actor)
}

// signal adds a suspicion to what its actor did within a day.
func (a *actors) signal(who string, s *finding.Suspicion, severity float64) *actor {
	n := a.at(who)
	a.held -= n.weight()
	defer func() { a.held += n.weight() }()
	n.Work = slices.DeleteFunc(n.Work, func(w work) bool { return s.At.Sub(w.At) > together })
	if n.Signals.over(s.At) {
		n.Keys, n.Remotes, n.Buckets = nil, nil, nil
	}
	n.Signals.add(s, severity)
	for _, key := range credentials(s) {
		note(&n.Keys, key)
	}
	for _, b := range s.Buckets {
		note(&n.Buckets, b.Name)
	}
	if s.API != nil {
		noteRemote(&n.Remotes, s.API.Remote)
	}
	return n
}

// credentials are what an actor used.
func credentials(s *finding.Suspicion) []string {
	if s.Caller != nil {
		return []string{s.Caller.Principal, s.Caller.AccessKey}
	}
	if s.Kubernetes != nil {
		return []string{s.Kubernetes.User}
	}
	return nil
}

// busy reports whether the signals are lost in much other work that changes
// things, as in the deployment of a whole system by who deploys systems.
func (n *actor) busy() bool { return len(n.Work) > lost*len(n.Signals) }

// sameAs are tactics that go by several names.
var sameAs = map[string]string{
	"Stealth": "DefenseEvasion", "DefenseImpairment": "DefenseEvasion", "Policy": "DefenseEvasion",
	"Recon": "Discovery", "PenTest": "Discovery", "UnauthorizedAccess": "InitialAccess",
}

// What makes a sequence: tactics, and how severe they are together.
const (
	tactics  = 3
	severity = 12
)

// sequence joins what an actor did into an attack, when it is enough.
func (n *actor) sequence(s *finding.Suspicion, who string, near time.Duration) *finding.Suspicion {
	if n.busy() {
		return nil
	}
	u := n.Signals.sum(s.At, near, 0)
	if !u.attack() {
		return nil
	}
	out := finding.Suspicion{Type: onCredentials, At: s.At, Severity: critical, Actor: true, API: s.API, KubeCall: s.KubeCall, Kubernetes: s.Kubernetes}
	if c := s.Caller; c != nil {
		out.Caller = &finding.Caller{AccessKey: c.AccessKey, ID: c.ID, Name: c.Name, Type: c.Type, ARN: c.ARN, Principal: who, Account: c.Account}
	}
	switch {
	case s.KubeCall != nil:
		// Whoever sets up a cluster by hand does several such things.
		if !u.grave && len(u.seen) < 4 {
			return nil
		}
		out.Type = onCluster
		out.Kubernetes = &finding.KubernetesDetails{Cluster: s.Kubernetes.Cluster, User: s.Kubernetes.User, Groups: s.Kubernetes.Groups}
	case u.data && len(n.Buckets) > 0:
		out.Type = onData
		out.Buckets = []finding.Bucket{{Name: n.Buckets[0]}}
	}
	q := &finding.Sequence{Actors: slices.Clone(n.Keys), Resources: slices.Clone(n.Buckets), Endpoints: slices.Clone(n.Remotes), Indicators: map[string][]string{}}
	out.Sequence = q
	n.Signals.tell(&out, near)
	for _, u := range s.Unusual {
		switch u.Feature {
		case "api":
			point(q, "UNUSUAL_API_FOR_ACCOUNT", u.Value)
		case "network":
			point(q, "UNUSUAL_ASN_FOR_USER", u.Value)
		}
	}
	return &out
}

// remembered is what of actors is written down, what was quiet longest first.
type remembered struct {
	Actors []*actor
	Made   []*maker
}

// MarshalBinary writes who did what.
func (a *actors) MarshalBinary() ([]byte, error) {
	var out remembered
	for el := a.quiet.Back(); el != nil; el = el.Prev() {
		out.Actors = append(out.Actors, el.Value.(*actor))
	}
	for el := a.old.Back(); el != nil; el = el.Prev() {
		out.Made = append(out.Made, el.Value.(*maker))
	}
	return json.Marshal(out)
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (a *actors) UnmarshalBinary(b []byte) error {
	var in remembered
	if err := json.Unmarshal(b, &in); err != nil {
		return fmt.Errorf("actors: %w", err)
	}
	got := newActors()
	for _, n := range in.Actors[max(0, len(in.Actors)-maxActors):] {
		if n == nil || slices.Contains(n.Signals, nil) || got.by[n.Name] != nil {
			return fmt.Errorf("actors: no actor, or twice the same")
		}
		n.Signals = n.Signals[max(0, len(n.Signals)-maxSignals):]
		n.Work = n.Work[max(0, len(n.Work)-maxWork):]
		got.by[n.Name] = got.quiet.PushFront(n)
		got.held += n.weight()
	}
	for _, m := range in.Made[max(0, len(in.Made)-maxMade):] {
		if m == nil || got.made[m.Made] != nil {
			return fmt.Errorf("actors: nothing made, or twice the same")
		}
		got.made[m.Made] = got.old.PushFront(m)
	}
	*a = *got
	return nil
}
