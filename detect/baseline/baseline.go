// Package baseline learns what is normal in an account, and says how unusual a call is.
package baseline

import (
	"encoding/json"
	"time"

	"sumun.dev/detect/enrich"
	"sumun.dev/detect/record"
)

// maxCounted bounds how many values are counted in an account; what comes
// after that is judged by what is known, and learnt no more.
const maxCounted = 1 << 18

// An Account is what is normal in one account. It is not safe for concurrent use.
type Account struct {
	Counts map[string]uint64    // feature, whose, value → how often
	Began  map[string]time.Time // whose → the first record learnt
}

// New returns an account of which nothing is known.
func New() *Account {
	return &Account{Counts: map[string]uint64{}, Began: map[string]time.Time{}}
}

// A Judgement is how unusual a call is for who made it.
type Judgement struct {
	// Learnt is how long the actor has been watched; 0 when it is new.
	Learnt time.Duration
	// Calls is how many calls of the actor were learnt.
	Calls uint64
	// Unusual lists the features that nothing learnt explains, the most unusual
	// first.
	Unusual []Feature
}

// A Feature is one respect in which a call can be unusual.
type Feature struct {
	Name  string // api, network, userAgent, region
	Value string
	Seen  uint64 // how often the actor was seen with the value
	Total uint64 // of how many calls
}

type feature struct{ name, value string }

func features(a *record.API, region string, at enrich.Place) []feature {
	network := a.Source
	if at.ASN != 0 {
		network = at.ASOrg
	} else if a.IP.IsValid() {
		bits := 24
		if a.IP.Is6() {
			bits = 48
		}
		if p, err := a.IP.Prefix(bits); err == nil {
			network = p.String()
		}
	}
	return []feature{{"api", a.Service + ":" + a.Operation}, {"network", network}, {"userAgent", a.Agent}, {"region", region}}
}

// Learn takes a call as normal.
func (a *Account) Learn(r *record.Record, at enrich.Place) {
	if r.API == nil {
		return
	}
	who := r.API.Actor.Principal()
	if _, known := a.Began[who]; !known && len(a.Began) < maxCounted {
		a.Began[who] = r.Time
	}
	a.count("calls\x00" + who)
	for _, f := range features(r.API, string(r.Region), at) {
		a.count(f.name + "\x00" + who + "\x00" + f.value)
	}
}

func (a *Account) count(key string) {
	if _, ok := a.Counts[key]; ok || len(a.Counts) < maxCounted {
		a.Counts[key]++
	}
}

// Judge says how unusual a call is.
func (a *Account) Judge(r *record.Record, at enrich.Place) Judgement {
	var j Judgement
	if r.API == nil {
		return j
	}
	who := r.API.Actor.Principal()
	j.Calls = a.Counts["calls\x00"+who]
	if began, ok := a.Began[who]; ok {
		j.Learnt = max(r.Time.Sub(began), 0)
	}
	for _, f := range features(r.API, string(r.Region), at) {
		if seen := a.Counts[f.name+"\x00"+who+"\x00"+f.value]; seen == 0 {
			j.Unusual = append(j.Unusual, Feature{f.name, f.value, seen, j.Calls})
		}
	}
	return j
}

// MarshalBinary writes what is known.
func (a *Account) MarshalBinary() ([]byte, error) { return json.Marshal(a) }

// UnmarshalBinary reads what MarshalBinary wrote.
func (a *Account) UnmarshalBinary(b []byte) error { return json.Unmarshal(b, a) }
