package triage

import (
	"encoding/binary"
	"hash/maphash"

	"sumun.dev/detect/record"
)

// copies remember what was seen of late: overlapping trails, delivery at least
// once, and a file beside its packed self bring the same record several times. A
// copy has the same id and says the same: whoever forges an id hides nothing by it.
// The zero value remembers nothing.
type copies struct {
	seed maphash.Seed
	rows [][4]uint64 // the latest of each row first
	said []byte      // memory for what a record says
}

// maxSaid is how much of that memory is kept for the next.
const maxSaid = 64 << 10

// maxRows rows of four take 4 MiB. In the order of time, copies are near each other.
const maxRows = 1 << 17

// again reports whether a record was seen of late, and remembers it.
func (c *copies) again(r *record.Record) bool {
	if r.ID == "" || r.API == nil && r.Kubernetes == nil {
		return false
	}
	if c.rows == nil {
		c.seed, c.rows = maphash.MakeSeed(), make([][4]uint64, maxRows)
	}
	n := c.content(r)
	row := &c.rows[n%maxRows]
	for i, old := range row {
		if old == n {
			copy(row[1:i+1], row[:i])
			row[0] = n
			return true
		}
	}
	copy(row[1:], row[:])
	row[0] = n
	return false
}

// content is a hash of what a record says.
func (c *copies) content(r *record.Record) uint64 {
	h := c.said[:0]
	text := func(all ...string) {
		for _, s := range all {
			h = append(append(h, s...), 0xff) // which stands in no text
		}
	}
	is := func(b bool) {
		if b {
			h = append(h, 1)
		} else {
			h = append(h, 0)
		}
	}
	text(r.ID, string(r.Account), string(r.Region))
	h = binary.LittleEndian.AppendUint64(h, uint64(r.Time.UnixNano()))
	if a := r.API; a != nil {
		by := &a.Actor
		text(a.Service, a.Operation, a.Type, a.Error, a.Message, a.RequestID, a.Source, a.Agent, a.VPCEndpoint, a.Host, a.Category)
		text(by.Type, by.ID, by.ARN, by.Account, by.AccessKey, by.Name, by.InvokedBy, by.Provider, by.SourceID, by.Issuer.ARN, by.Issuer.Type, by.Delivery, by.OnBehalfOf)
		is(a.ReadOnly)
		is(a.SaysRead)
		is(a.Management)
		is(by.MFA)
		is(by.RootOf)
		is(by.OnConsole)
		for _, d := range [...]*record.Document{&a.Request, &a.Response, &a.Additional, &a.Details} {
			h = append(append(h, d.Raw()...), 0xff)
		}
		for _, of := range a.Resources {
			text(of.ARN, of.Account, of.Type)
		}
	}
	if k := r.Kubernetes; k != nil {
		text(k.Cluster, k.Stage, k.Verb, k.URI, k.User, k.Agent, k.Decision)
		h = binary.LittleEndian.AppendUint64(h, uint64(k.Code))
		for _, from := range k.Sources {
			h = append(from.AppendTo(h), 0xff)
		}
		for _, d := range [...]*record.Document{&k.Request, &k.Response} {
			h = append(append(h, d.Raw()...), 0xff)
		}
	}
	if c.said = h; cap(h) > maxSaid {
		c.said = nil
	}
	return maphash.Bytes(c.seed, h)
}
