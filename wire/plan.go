package wire

import (
	"reflect"
	"unicode"
	"unicode/utf8"
)

// A kind is what a value is on the wire.
type kind uint8

const (
	kString kind = iota
	kBool
	kInt32
	kInt64
	kFloat32
	kFloat64
	kTime
	kBlob
	kStream
	kList
	kMap
	kStruct
	kDocument
)

// A place is where in an HTTP message a member of a REST operation stands.
type place uint8

const (
	inBody place = iota
	inHeader
	inHeaders
	inURI
	inQuery
	inStatus
	inPayload
)

// A shape is what the tags say of one value: a member, an element, a map's key.
type shape struct {
	kind      kind
	t         reflect.Type // never a pointer
	st        *plan        // kStruct
	elem      *shape       // of a list, of a map's values
	key       *shape       // of a map
	elemName  string       // name of a list's elements; empty means "member"
	keyName   string       // names of a map's key and value in XML and query
	valueName string
	ts        string
	sensitive bool
	rules     *rules // nil when nothing constrains the value itself
	checks    bool   // something at or below constrains
}

// A field is one member of a structure.
type field struct {
	*shape
	index  int
	goName string // the AWS name with its first letter raised
	name   string // on the wire
	member string // in violations and the trail: goName with its first letter lowered
	quoted string // "name": ready for JSON
	ptr    bool
	need   uint64 // the bit of a required scalar, else 0

	in                                            place
	required, flat, attr, token, jsonvalue, union bool
	queryName, ns, nspfx                          string
}

// A plan is how a structure is read and written.
type plan struct {
	t       reflect.Type
	name    string // of the type, as AWS has it
	fields  []*field
	body    map[string]*field // members that stand in the body, by name on the wire
	member  map[string]*field // all members, by Go name, lowered Go name and wire name
	needs   uint64
	union   bool
	located bool // some member stands outside the body

	xmlName string // what the structure is called as a root element
	ns      string
	nspfx   string
	payload *field // the member that is the whole body
}

// scalar reports whether the Go zero value hides absence.
func (s *shape) scalar() bool {
	switch s.kind {
	case kBlob, kStream, kList, kMap, kStruct, kDocument:
		return false
	}
	return true
}

// lowerFirst is how AWS writes member names in violations and trail records.
func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// fieldIn returns the member's value in the structure v: what a pointer points
// to, and whether the member is present. Required scalars are always present.
func (f *field) value(v reflect.Value) (reflect.Value, bool) {
	fv := v.Field(f.index)
	if f.ptr {
		return fv.Elem(), !fv.IsNil()
	}
	switch f.kind {
	case kBlob, kStream, kList, kMap, kDocument:
		return fv, !fv.IsNil()
	}
	return fv, true
}

// target returns the addressable value to decode the member into, made if need be.
func (f *field) target(v reflect.Value) reflect.Value {
	fv := v.Field(f.index)
	if !f.ptr {
		return fv
	}
	if fv.IsNil() {
		fv.Set(reflect.New(f.t))
	}
	return fv.Elem()
}
