package baseline

import (
	"fmt"
	"net/netip"

	"sumun.dev/detect/enrich"
	"sumun.dev/detect/record"
)

// look fills what a call shows of each feature; empty for what is not known.
func (b *Account) look(r *record.Record, at enrich.Place) (v [features]string) {
	a, w := r.API, b.spelt
	v[API] = w.call(a)
	v[Region] = cut(string(r.Region))
	v[Hour] = hours[r.Time.UTC().Hour()]
	if a.ByService() {
		// Where a service calls from says nothing about the actor.
		return v
	}
	v[Network] = w.network(a, at)
	v[Country] = cut(at.Country)
	v[Agent] = w.family(a.Agent)
	return v
}

// people returns who a call's habits belong to: the principal, its peers, all.
func (b *Account) people(a *record.API) [scopes]string {
	return [scopes]string{b.spelt.as('p', cut(a.Actor.Principal())), b.spelt.as('g', Group(&a.Actor)), "a"}
}

// hours are those of the day, as an account names them.
var hours = func() (h [24]string) {
	for i := range h {
		h[i] = fmt.Sprintf("%02d", i)
	}
	return h
}()

// spelt is how what comes again and again is written, so that it is not written
// anew for each call.
type spelt struct {
	calls    map[[2]string]string
	networks map[where]string
	families map[string]string
	people   map[whose]string
}

// where is an address, or the network that it is known to belong to.
type where struct {
	ip  netip.Addr
	asn uint32
}

type whose struct {
	kind byte
	name string
}

// maxSpelt bounds what is kept of each kind; then it begins anew.
const maxSpelt = 1 << 12

func newSpelt() *spelt {
	return &spelt{map[[2]string]string{}, map[where]string{}, map[string]string{}, map[whose]string{}}
}

// once returns what is kept, or else keeps what spell says.
func once[K comparable](kept map[K]string, k K, spell func(K) string) string {
	if s, ok := kept[k]; ok {
		return s
	}
	if len(kept) >= maxSpelt {
		clear(kept)
	}
	s := cut(spell(k))
	kept[k] = s
	return s
}

func (w *spelt) call(a *record.API) string {
	return once(w.calls, [2]string{a.Service, a.Operation}, func(k [2]string) string { return k[0] + ":" + k[1] })
}

func (w *spelt) family(agent string) string { return once(w.families, agent, Family) }

func (w *spelt) as(kind byte, name string) string {
	return once(w.people, whose{kind, name}, func(k whose) string { return string(k.kind) + k.name })
}

func (w *spelt) network(a *record.API, at enrich.Place) string {
	if at.ASN == 0 && !a.IP.IsValid() {
		return cut(a.Source)
	}
	k := where{ip: a.IP}
	if at.ASN != 0 {
		k = where{asn: at.ASN} // its owner's name may change with the next file
	}
	return once(w.networks, k, func(k where) string {
		if k.asn != 0 {
			return fmt.Sprintf("AS%d", k.asn)
		}
		length := 24
		if k.ip.Is6() && !k.ip.Is4In6() {
			length = 48
		}
		p, err := k.ip.Unmap().Prefix(length)
		if err != nil {
			return a.Source
		}
		return p.String()
	})
}
