package wire

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"time"
)

// plans remembers what planOf made: a function of the type alone, as in encoding/json.
var plans sync.Map // reflect.Type → *plan

// planOf returns the plan of a structure.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	b := builder{}
	p := b.plan(t)
	b.settle()
	for t, q := range b {
		plans.LoadOrStore(t, q)
	}
	return p
}

// A builder holds the plans under construction, so that recursion ends.
type builder map[reflect.Type]*plan

// settle finds out where something below constrains: in rounds, until nothing more
// is found, since structures may contain themselves.
func (b builder) settle() {
	for changed := true; changed; {
		changed = false
		for _, p := range b {
			changed = p.settle() || changed
		}
	}
}

func (b builder) plan(t reflect.Type) *plan {
	if p := b[t]; p != nil {
		return p
	}
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := &plan{t: t, name: t.Name(), body: map[string]*field{}, member: map[string]*field{}}
	b[t] = p
	payload := ""
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Name == "_" {
			payload = p.itself(sf)
			continue
		}
		if !sf.IsExported() {
			continue
		}
		f := b.field(sf, i)
		p.add(f)
	}
	for _, f := range p.fields {
		if payload != "" && (f.goName == payload || f.name == payload || f.member == payload) {
			p.payload, f.in, p.located = f, inPayload, true
			delete(p.body, f.name)
		}
	}
	return p
}

// itself reads the blank field, which speaks of the structure as a whole, and
// returns the name of the member that is the whole body, if one is.
func (p *plan) itself(sf reflect.StructField) (payload string) {
	parts := strings.Split(sf.Tag.Get("aws"), ",")
	p.xmlName, p.ns, p.nspfx = parts[0], sf.Tag.Get("ns"), sf.Tag.Get("nspfx")
	for _, o := range parts[1:] {
		if o == "union" {
			p.union = true
		}
		if name, ok := strings.CutPrefix(o, "payload="); ok {
			payload = name
		}
	}
	return payload
}

func (p *plan) add(f *field) {
	p.fields = append(p.fields, f)
	p.union = p.union || f.union
	if f.required && !f.ptr && f.scalar() {
		if n := countBits(p.needs); n < 64 {
			f.need = 1 << n
			p.needs |= f.need
		}
	}
	switch f.in {
	case inBody:
		p.body[f.name] = f
	case inPayload:
		p.payload, p.located = f, true
	default:
		p.located = true
	}
	for _, n := range []string{f.goName, f.member, f.name} {
		if _, taken := p.member[n]; !taken {
			p.member[n] = f
		}
	}
}

func countBits(u uint64) (n int) {
	for ; u != 0; u &= u - 1 {
		n++
	}
	return n
}

func (b builder) field(sf reflect.StructField, i int) *field {
	parts := strings.Split(sf.Tag.Get("aws"), ",")
	f := &field{index: i, goName: sf.Name, name: parts[0], member: lowerFirst(sf.Name),
		queryName: sf.Tag.Get("q"), ns: sf.Tag.Get("ns"), nspfx: sf.Tag.Get("nspfx")}
	if f.name == "" {
		f.name = sf.Name
	}
	f.quoted = string(appendJSONString(nil, f.name)) + ":"
	t := sf.Type
	if t.Kind() == reflect.Pointer {
		f.ptr, t = true, t.Elem()
	}
	var ts string
	sensitive := false
	for _, o := range parts[1:] {
		f.option(o)
		sensitive = sensitive || o == "sensitive"
		if v, ok := strings.CutPrefix(o, "ts="); ok {
			ts = v
		}
	}
	f.shape = b.shape(t, sf.Tag, "", "")
	f.shape.sensitive = f.shape.sensitive || sensitive
	if ts != "" {
		f.shape.ts = ts
	}
	return f
}

func (f *field) option(o string) {
	switch o {
	case "required":
		f.required = true
	case "in=header":
		f.in = inHeader
	case "in=headers":
		f.in = inHeaders
	case "in=uri":
		f.in = inURI
	case "in=query":
		f.in = inQuery
	case "in=status":
		f.in = inStatus
	case "in=payload":
		f.in = inPayload
	case "flat":
		f.flat = true
	case "attr":
		f.attr = true
	case "token":
		f.token = true
	case "jsonvalue":
		f.jsonvalue = true
	case "union":
		f.union = true
	}
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	streamType = reflect.TypeFor[io.ReadCloser]()
	anyType    = reflect.TypeFor[any]()
	bytesType  = reflect.TypeFor[[]byte]()
	textsType  = reflect.TypeFor[map[string]string]()
)

// shape reads the type t and those tags whose names carry the prefix ("k" for
// a map's key) and the suffix (the level below the member).
func (b builder) shape(t reflect.Type, tag reflect.StructTag, prefix, level string) *shape {
	s := &shape{t: t}
	get := func(name string) string { return tag.Get(prefix + name + level) }
	s.sensitive = level != "" && get("sensitive") != ""
	if level != "" {
		s.ts = get("ts")
	}
	next := "1"
	if level != "" {
		next = string(level[0] + 1)
	}
	switch {
	case t == timeType:
		s.kind = kTime
	case t == streamType:
		s.kind = kStream
	case t == anyType:
		s.kind = kDocument
	case t == bytesType:
		s.kind = kBlob
	default:
		switch t.Kind() {
		case reflect.String:
			s.kind = kString
		case reflect.Bool:
			s.kind = kBool
		case reflect.Int32:
			s.kind = kInt32
		case reflect.Int64:
			s.kind = kInt64
		case reflect.Float32:
			s.kind = kFloat32
		case reflect.Float64:
			s.kind = kFloat64
		case reflect.Slice:
			s.kind = kList
			s.elemName = tag.Get("el" + next)
			s.elem = b.shape(t.Elem(), tag, "", next)
		case reflect.Map:
			s.kind = kMap
			s.keyName, s.valueName = tag.Get("mk"+next), tag.Get("mv"+next)
			s.key = b.shape(t.Key(), tag, "k", next)
			s.elem = b.shape(t.Elem(), tag, "", next)
		case reflect.Struct:
			s.kind = kStruct
			s.st = b.plan(t)
		default:
			panic(fmt.Sprintf("wire: %v is not a type of the model", t))
		}
	}
	s.rules = rulesOf(t, s.kind, get("len"), get("range"), get("pattern"))
	return s
}

// settle marks the shapes below which something constrains; it reports a change.
func (p *plan) settle() bool {
	changed := false
	for _, f := range p.fields {
		changed = f.shape.settle() || changed
	}
	return changed
}

func (s *shape) settle() bool {
	if s == nil {
		return false
	}
	changed, had := s.elem.settle(), s.checks
	changed = s.key.settle() || changed
	// What has rules of its own goes on: what is inside may be found to have some later.
	s.checks = had || s.rules != nil || s.elem != nil && s.elem.checks || s.key != nil && s.key.checks
	if s.st != nil {
		for _, f := range s.st.fields {
			s.checks = s.checks || f.required || f.checks
		}
		s.checks = s.checks || s.st.union
	}
	return changed || s.checks != had
}
