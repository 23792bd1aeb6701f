// Package baseline learns what is normal in an account, and says how unusual a call is.
//
// For each principal, each group of its peers, and the account as a whole, it
// knows on which days a value of a feature was seen: an API, a network, a
// country, a family of user agents, a region, an hour of the day. Days count, not
// calls: what a single burst did a thousand times is not normal for that. The day
// of the call that is judged, and the ones beside it, explain nothing; so logs may
// be learnt from before they are judged themselves.
package baseline

import (
	"bytes"
	"cmp"
	"encoding/gob"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"sumun.dev/detect/enrich"
	"sumun.dev/detect/record"
)

// Learning is how long an account is watched before anything counts as unusual
// in it, and Window is the time over which what was seen fades to half: GuardDuty
// learns for 7 to 14 days. User Guide, "GuardDuty anomaly detection".
const (
	Learning = 7 * 24 * time.Hour
	Window   = 14 * 24 * time.Hour
)

const (
	// maxEntries, and half as many names, bound what is known of an account: some 20 MiB.
	// What was not seen for longest is forgotten.
	maxEntries = 1 << 18
	// Of many accounts, which share memory, each keeps less, but never less than minEntries.
	allEntries = 3 << 18
	minEntries = 1 << 10
	maxName    = 256 // bytes of a value; what is longer counts as its beginning
	daysKept   = 64  // bits of an entry
)

// The features that are watched.
const (
	API = iota
	Network
	Country
	Agent
	Region
	Hour
	features
)

// What is counted besides features.
const (
	calls  = features + iota // all calls of somebody, whatever they are
	moved                    // those from a network that was new at the time
	noted                    // what Note was told
	wrote                    // calls of APIs that change something
	worked                   // services in which something was changed
	read                     // how much of objects, by day: the value is the day's slot
	kinds
)

var ofFeature = [features]string{"api", "network", "country", "userAgent", "region", "hour"}

// Whose habits are watched.
const (
	Principal = iota
	Peers
	Everybody
	scopes
)

var ofWhom = [scopes]string{"principal", "peers", "account"}

// An Account is what is normal in one account. It is not safe for concurrent use.
type Account struct {
	names   map[string]uint32
	list    []string // by number
	places  map[key]uint32
	entries []entry        // places says where
	breadth map[uint32]int // of whom: how many different calls that change something
	most    int            // entries kept
	spelt   *spelt
}

// A key is a value of a feature, and whose. It is one number, since most of what
// is asked of an account is to look keys up.
type key uint64

// keyOf makes a key. Names are fewer than 1<<24.
func keyOf(who uint32, feature uint8, value uint32) key {
	return key(who)<<40 | key(feature)<<32 | key(value)
}

func (k key) who() uint32    { return uint32(k >> 40) }
func (k key) feature() uint8 { return uint8(k >> 32) }
func (k key) value() uint32  { return uint32(k) }

// An entry is when a value was seen.
type entry struct {
	last  int32   // the latest day, since 1970
	days  uint64  // bit n: seen n days before last
	count float32 // how often; halved in each Window
}

// New returns an account of which nothing is known.
func New() *Account {
	return &Account{names: map[string]uint32{}, places: map[key]uint32{}, breadth: map[uint32]int{}, most: maxEntries, spelt: newSpelt()}
}

// Beside tells an account that it is one of many: they share how names are written,
// and of what is known of all together an account keeps its part.
func (b *Account) Beside(first *Account, accounts int) {
	b.spelt = first.spelt
	b.most = min(maxEntries, max(minEntries, allEntries/max(accounts, 1)))
	b.trim()
}

func (b *Account) trim() {
	if len(b.entries) > b.most || len(b.list) > b.most/2 {
		b.forget()
	}
}

// A Judgement is how unusual a call is for who made it.
type Judgement struct {
	// Ready says that the account was watched for long enough to tell.
	Ready bool
	// Days is on how many other days the actor was seen.
	Days int
	// Calls is how many calls of the actor were learnt, the older the less they count.
	Calls uint64
	// Unusual lists the features that nothing learnt explains, the most unusual
	// first; those of the principal only.
	Unusual []Feature
	// Roams says that the principal calls from a new network on most days, as
	// pipelines do that run on hired machines.
	Roams bool
	// Breadth is how many different APIs that change something the principal was
	// seen to use: many for those who administer or deploy.
	Breadth int
	// Works is on how many other days the principal changed something in the
	// service that is called, and Served on how many anybody did.
	Works, Served int

	seen [scopes][features]int // days
	of   [scopes]int
	has  [features]bool // the call shows it
}

// Seen returns on how many other days somebody was seen with the call's value of
// a feature.
func (j *Judgement) Seen(whose, feature int) int { return j.seen[whose][feature] }

// Of returns on how many other days somebody was seen at all.
func (j *Judgement) Of(whose int) int { return j.of[whose] }

// New reports whether somebody who is known was never seen with the value.
func (j *Judgement) New(whose, feature int) bool {
	return j.has[feature] && j.of[whose] > 0 && j.seen[whose][feature] == 0
}

// A Feature is one respect in which a call can be unusual.
type Feature struct {
	Name  string // api, network, country, userAgent, region, hour
	Value string
	Of    string  // whose habit it breaks: the widest of principal, peers and account
	Seen  uint64  // on how many days that was seen with the value
	Total uint64  // of how many
	Score float64 // 0 usual to 1 never seen in a long time
}

// Learn takes a call as normal. What was refused shows where and how somebody
// works, not what it does.
func (b *Account) Learn(r *record.Record, at enrich.Place) {
	if r.API == nil {
		return
	}
	day := dayOf(r.Time)
	values := b.look(r, at)
	if r.API.Failed() {
		values[API] = ""
	}
	var number [features]uint32
	for f, v := range values {
		if v != "" {
			number[f] = b.name(v)
		}
	}
	for _, who := range b.people(r.API) {
		n := b.name(who)
		if values[Network] != "" {
			if _, been := b.places[keyOf(n, Network, number[Network])]; !been {
				b.count(keyOf(n, moved, 0), day)
			}
		}
		if values[API] != "" && !r.API.ReadOnly {
			b.count(keyOf(n, wrote, number[API]), day)
			b.count(keyOf(n, worked, b.name(cut(r.API.Service))), day)
		}
		b.count(keyOf(n, calls, 0), day)
		for f, v := range values {
			if v != "" {
				b.count(keyOf(n, uint8(f), number[f]), day)
			}
		}
	}
	if n := ReadOf(r); n > 0 {
		b.read(b.name(b.people(r.API)[Principal]), day, n)
	}
	b.trim()
}

// slots is how many days of reading are kept of each principal.
const slots = 32

// perObject is what an object counts beside its size, for logs that do not tell it.
const perObject = 100 << 10

// ReadOf returns how much a call reads of an object in S3, in bytes; 0 for other calls.
// CloudTrail User Guide, "additionalEventData".
func ReadOf(r *record.Record) float64 {
	a := r.API
	if a == nil || a.Operation != "GetObject" || a.Service != "s3.amazonaws.com" || a.Failed() {
		return 0
	}
	const field = `"bytesTransferredOut":`
	_, after, ok := bytes.Cut(a.Additional.Raw(), []byte(field))
	if !ok {
		return perObject
	}
	after = bytes.TrimLeft(after, " ")
	end := 0
	for end < len(after) && strings.IndexByte("0123456789.eE+", after[end]) >= 0 {
		end++
	}
	n, err := strconv.ParseFloat(string(after[:end]), 64)
	if err != nil || !(n >= 0 && n < 1e15) {
		return perObject
	}
	return n + perObject
}

func (b *Account) read(who uint32, day int32, n float64) {
	k := keyOf(who, read, slotOf(day))
	e := b.entry(k)
	switch {
	case e.days == 0 || day > e.last:
		e = entry{last: day, days: 1}
	case day < e.last:
		return // of a day whose slot is taken
	}
	e.count += float32(n)
	if at, ok := b.places[k]; ok {
		b.entries[at] = e
		return
	}
	b.keep(k, e)
}

func slotOf(day int32) uint32 { return uint32((day%slots + slots) % slots) }

// Read returns the most that the principal of a call read of objects in S3 on
// another day, in bytes, and on how many other days it read any.
func (b *Account) Read(r *record.Record) (most float64, days int) {
	who, ok := b.names[b.people(r.API)[Principal]]
	if !ok {
		return 0, 0
	}
	day := dayOf(r.Time)
	for slot := range uint32(slots) {
		e := b.entry(keyOf(who, read, slot))
		if e.days == 0 || e.last >= day-1 && e.last <= day+1 || e.last < day-slots || e.last > day+slots {
			continue
		}
		most, days = max(most, float64(e.count)), days+1
	}
	return most, days
}

// Note learns something else that a call showed, such as what a rule said of it.
func (b *Account) Note(r *record.Record, what string) {
	day, value := dayOf(r.Time), b.name(cut(what))
	for _, who := range b.people(r.API) {
		b.count(keyOf(b.name(who), noted, value), day)
	}
}

// Noted returns on how many other days the principal, its peers and the account
// showed what Note learnt.
func (b *Account) Noted(r *record.Record, what string) (days [scopes]int) {
	value, ok := b.names[cut(what)]
	if !ok {
		return days
	}
	for s, who := range b.people(r.API) {
		if n, ok := b.names[who]; ok {
			days[s] = b.entry(keyOf(n, noted, value)).others(dayOf(r.Time))
		}
	}
	return days
}

func cut(s string) string {
	if len(s) > maxName {
		return s[:maxName]
	}
	return s
}

// dayOf numbers the days since 1970; those that no clock tells count as the last.
func dayOf(t time.Time) int32 {
	return int32(min(max(t.Unix()/86400, math.MinInt32/2), math.MaxInt32/2))
}

func (b *Account) name(s string) uint32 {
	n, ok := b.names[s]
	if !ok {
		n = uint32(len(b.list))
		b.names[s] = n
		b.list = append(b.list, s)
	}
	return n
}

// entry returns what is known of a key; the zero one when that is nothing.
func (b *Account) entry(k key) entry {
	if at, ok := b.places[k]; ok {
		return b.entries[at]
	}
	return entry{}
}

func (b *Account) keep(k key, e entry) {
	b.places[k] = uint32(len(b.entries))
	b.entries = append(b.entries, e)
	if k.feature() == wrote {
		b.breadth[k.who()]++
	}
}

func (b *Account) count(k key, day int32) {
	at, ok := b.places[k]
	if !ok {
		b.keep(k, entry{last: day, days: 1, count: 1})
		return
	}
	e := &b.entries[at]
	switch {
	case day == e.last:
		e.days |= 1
		e.count++
	case day > e.last:
		gap := day - e.last
		e.days = e.days<<min(gap, daysKept) | 1 // a shift by all bits leaves none
		e.count = e.count*float32(math.Exp2(-float64(gap)*24/Window.Hours())) + 1
		e.last = day
	default:
		if gap := e.last - day; gap < daysKept {
			e.days |= 1 << gap
			e.count += float32(math.Exp2(-float64(gap) * 24 / Window.Hours()))
		}
	}
}

// others returns on how many days e was seen, but for a day and the ones beside it.
func (e entry) others(day int32) int {
	days := e.days
	for d := day - 1; d <= day+1; d++ {
		if gap := e.last - d; gap >= 0 && gap < daysKept {
			days &^= 1 << gap
		}
	}
	return bits.OnesCount64(days)
}

// span returns how far apart the first and the last day are.
func (e entry) span() int {
	if e.days == 0 {
		return 0
	}
	return bits.Len64(e.days) - bits.TrailingZeros64(e.days)
}

// forget drops the quarter of what is known that was not seen for longest.
func (b *Account) forget() {
	all := slices.AppendSeq(make([]key, 0, len(b.places)), maps.Keys(b.places))
	slices.SortFunc(all, func(x, y key) int {
		ex, ey := b.entry(x), b.entry(y)
		switch {
		case ex.last != ey.last:
			return int(ey.last) - int(ex.last)
		case ex.days != ey.days:
			return bits.OnesCount64(ey.days) - bits.OnesCount64(ex.days)
		}
		return cmp.Compare(x, y)
	})
	kept := all[:min(len(all), b.most*3/4)]
	old := *b
	b.entries, b.places, b.names, b.list, b.breadth = nil, make(map[key]uint32, len(kept)), map[string]uint32{}, nil, map[uint32]int{}
	for _, k := range kept {
		who, value := b.name(old.list[k.who()]), uint32(0)
		if f := k.feature(); f < features || f == noted || f == wrote || f == worked {
			value = b.name(old.list[k.value()])
		} else if f == read {
			value = k.value()
		}
		if b.keep(keyOf(who, k.feature(), value), old.entry(k)); len(b.list) > b.most*3/8 {
			break
		}
	}
}

// worked returns when somebody changed something in a service.
func (b *Account) worked(who uint32, service string) entry {
	n, ok := b.names[cut(service)]
	if !ok {
		return entry{}
	}
	return b.entry(keyOf(who, worked, n))
}

// Judge says how unusual a call is.
func (b *Account) Judge(r *record.Record, at enrich.Place) Judgement {
	var j Judgement
	if r.API == nil {
		return j
	}
	day := dayOf(r.Time)
	values := b.look(r, at)
	var number [features]uint32
	var met [features]bool // that value
	for f, v := range values {
		if v != "" {
			number[f], met[f] = b.names[v]
		}
	}
	for s, who := range b.people(r.API) {
		n, ok := b.names[who]
		if !ok {
			continue
		}
		all := b.entry(keyOf(n, calls, 0))
		j.of[s] = all.others(day)
		switch s {
		case Principal:
			j.Days, j.Calls = j.of[s], uint64(all.count)
			j.Breadth = b.breadth[n]
			j.Works = b.worked(n, r.API.Service).others(day)
			j.Roams = j.Days >= 3 && 2*b.entry(keyOf(n, moved, 0)).others(day) > j.Days
		case Everybody:
			j.Ready = all.span() > int(Learning.Hours()/24)
			j.Served = b.worked(n, r.API.Service).others(day)
		}
		for f, ok := range met {
			if ok {
				j.seen[s][f] = b.entry(keyOf(n, uint8(f), number[f])).others(day)
			}
		}
	}
	for f, v := range values {
		j.has[f] = v != ""
		if v == "" || j.seen[Principal][f] > 0 {
			continue
		}
		if f == Network && at.ASN != 0 && at.ASOrg != "" {
			v += " " + at.ASOrg
		}
		u := Feature{Name: ofFeature[f], Value: v, Of: ofWhom[Principal], Total: uint64(j.of[Principal])}
		for s := Peers; s < scopes && j.seen[s][f] == 0 && j.of[s] > 0; s++ {
			u.Of, u.Total = ofWhom[s], uint64(j.of[s])
		}
		u.Score = float64(u.Total) / float64(u.Total+2)
		j.Unusual = append(j.Unusual, u)
	}
	slices.SortStableFunc(j.Unusual, func(x, y Feature) int {
		return slices.Index(ofWhom[:], y.Of) - slices.Index(ofWhom[:], x.Of)
	})
	return j
}

// Familiar reports whether whoever makes a call, or its account when they are hardly
// known, was seen to make it on other days. As long as nothing can be told, all is
// familiar.
func (b *Account) Familiar(r *record.Record) bool {
	day, who := dayOf(r.Time), b.people(r.API)
	everybody, ok := b.names[who[Everybody]]
	if !ok || b.entry(keyOf(everybody, calls, 0)).span() <= int(Learning.Hours()/24) {
		return true
	}
	of := everybody
	if n, ok := b.names[who[Principal]]; ok && b.entry(keyOf(n, calls, 0)).others(day) >= Known {
		of = n
	}
	call, ok := b.names[b.spelt.call(r.API)]
	return ok && b.entry(keyOf(of, API, call)).others(day) > 0
}

// Known is on how many other days somebody was seen who is measured by habits of
// their own.
const Known = 3

// written is an account as gob writes it down.
type written struct {
	Names   []string
	Who     []uint32
	Feature []uint8
	Value   []uint32
	Last    []int32
	Days    []uint64
	Count   []float32
}

// MarshalBinary writes what is known.
func (b *Account) MarshalBinary() ([]byte, error) {
	w := written{Names: b.list}
	for _, k := range slices.Sorted(maps.Keys(b.places)) {
		e := b.entry(k)
		w.Who, w.Feature, w.Value = append(w.Who, k.who()), append(w.Feature, k.feature()), append(w.Value, k.value())
		w.Last, w.Days, w.Count = append(w.Last, e.last), append(w.Days, e.days), append(w.Count, e.count)
	}
	var out bytes.Buffer
	err := gob.NewEncoder(&out).Encode(w)
	return out.Bytes(), err
}

// most is how many values a feature has, of so many names.
func most(feature uint8, names int) int {
	if feature == read {
		return slots
	}
	return names
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (b *Account) UnmarshalBinary(in []byte) error {
	var w written
	if err := gob.NewDecoder(bytes.NewReader(in)).Decode(&w); err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	n := len(w.Who)
	if len(w.Feature) != n || len(w.Value) != n || len(w.Last) != n || len(w.Days) != n || len(w.Count) != n {
		return fmt.Errorf("baseline: columns of unequal length")
	}
	got := New()
	if len(w.Names) >= 1<<24 {
		return fmt.Errorf("baseline: %d names", len(w.Names))
	}
	for _, s := range w.Names {
		got.name(s)
	}
	for i := range n {
		if int(w.Who[i]) >= len(got.list) || w.Feature[i] >= kinds || int(w.Value[i]) >= most(w.Feature[i], len(got.list)) || w.Last[i] > math.MaxInt32/2 || w.Last[i] < math.MinInt32/2 {
			return fmt.Errorf("baseline: entry %d names nothing", i)
		}
		k := keyOf(w.Who[i], w.Feature[i], w.Value[i])
		if _, twice := got.places[k]; twice {
			return fmt.Errorf("baseline: entry %d comes twice", i)
		}
		got.keep(k, entry{w.Last[i], w.Days[i], w.Count[i]})
	}
	*b = *got
	return nil
}
