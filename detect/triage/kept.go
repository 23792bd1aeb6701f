package triage

import (
	"cmp"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"sumun.dev/detect/report"
	"sumun.dev/finding"
)

// What hostile logs can make of memory is bounded: of too many findings, the most
// severe are kept.
const (
	maxFindings = 50_000
	maxHeld     = 96 << 20 // bytes of all findings, about
)

// kept are the findings so far.
type kept struct {
	all        map[string]*held
	size       int64 // bytes of all
	most       int
	suppress   []Suppression
	suppressed []Suppressed
	dropped    int
}

// held is a finding and what it takes.
type held struct {
	*finding.Finding
	size int64
}

func newKept(o Options) *kept {
	k := &kept{all: map[string]*held{}, most: cmp.Or(o.most, maxFindings), suppress: o.Suppress}
	for _, s := range o.Suppress {
		k.suppressed = append(k.suppressed, Suppressed{Suppression: s})
	}
	return k
}

// add counts a suspicion. Times are those of the records: the same logs give the
// same findings, whenever they are read.
func (k *kept) add(home finding.Home, s finding.Suspicion) {
	id := s.In(home)
	h := k.all[id]
	if h != nil {
		h.Again(s, s.At)
	} else {
		h = &held{Finding: finding.Open(home, s, s.At)}
		k.all[id] = h
	}
	size := sizeOf(reflect.ValueOf(h.Finding), 0)
	k.size += size - h.size
	h.size = size
	if len(k.all) > k.most || k.size > maxHeld {
		k.thin()
	}
}

// thin makes room for a quarter of what can be kept: what is suppressed goes first,
// then the least severe.
func (k *kept) thin() {
	type ranked struct {
		*held
		hidden int // by which suppression; negative: by none
	}
	var all []ranked
	for _, h := range k.all {
		all = append(all, ranked{h, k.hides(h.Finding)})
	}
	slices.SortFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(min(a.hidden, 0), min(b.hidden, 0)), worse(a.Finding, b.Finding))
	})
	n, size := 0, int64(0)
	for _, h := range all {
		if n < k.most*3/4 && size+h.size <= maxHeld*3/4 {
			n++
			size += h.size
			continue
		}
		if h.hidden >= 0 {
			k.suppressed[h.hidden].Findings++
		} else {
			k.dropped++
		}
		delete(k.all, h.ID)
	}
	k.size = size
}

// hides returns which suppression covers a finding; negative when none does.
func (k *kept) hides(f *finding.Finding) int {
	if len(k.suppress) == 0 {
		return -1
	}
	who := report.Who(f)
	return slices.IndexFunc(k.suppress, func(s Suppression) bool { return s.Covers(f, who) })
}

// told returns the findings that are to be told, the most severe first, what was
// suppressed, and how many were dropped.
func (k *kept) told() (found []*finding.Finding, suppressed []Suppressed, dropped int) {
	for _, h := range k.all {
		if i := k.hides(h.Finding); i >= 0 {
			k.suppressed[i].Findings++
			continue
		}
		found = append(found, h.Finding)
	}
	slices.SortFunc(found, worse)
	return found, k.suppressed, k.dropped
}

// worse orders findings: the most severe first, then the earliest.
func worse(a, b *finding.Finding) int {
	return cmp.Or(cmp.Compare(b.Level(), a.Level()), a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID))
}

// shared are the types whose values hold nothing of their own.
var shared = map[reflect.Type]bool{reflect.TypeFor[time.Time](): true, reflect.TypeFor[netip.Addr](): true, reflect.TypeFor[*finding.Said](): true}

// sizeOf returns about how many bytes hang on a value, besides its own.
func sizeOf(v reflect.Value, depth int) (n int64) {
	if depth > 16 || shared[v.Type()] {
		return 0
	}
	switch v.Kind() {
	case reflect.String:
		return int64(v.Len())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return 0
		}
		return int64(v.Elem().Type().Size()) + sizeOf(v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			n += sizeOf(v.Field(i), depth+1)
		}
	case reflect.Slice:
		n = int64(v.Cap()) * int64(v.Type().Elem().Size())
		for i := range v.Len() {
			n += sizeOf(v.Index(i), depth+1)
		}
	case reflect.Array:
		for i := range v.Len() {
			n += sizeOf(v.Index(i), depth+1)
		}
	case reflect.Map:
		for of := v.MapRange(); of.Next(); {
			n += 2*int64(of.Key().Type().Size()+of.Value().Type().Size()) + sizeOf(of.Key(), depth+1) + sizeOf(of.Value(), depth+1)
		}
	}
	return n
}
