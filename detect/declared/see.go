package declared

import (
	"fmt"
	"strings"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

// declared is a rule made ready.
type declared struct {
	typ, signal string
	severity    float64

	when                           *condition // nil: always
	key, account, bucket, resource *value

	need         int // of count; 0 without
	by, distinct *value
	within       time.Duration
	steps        []compiledStep // of sequence
}

type compiledStep struct {
	calls []string
	when  *condition
}

// see judges a record. A condition that cannot be worked out for it (a list where
// a text was meant) does not hold.
func (d *declared) see(s *rule.Scene, r *record.Record) {
	e := envOf(s, r)
	if d.steps != nil {
		d.follow(s, r, e)
		return
	}
	if !e.holds(d.when) {
		return
	}
	if d.need == 0 {
		d.report(s, r, e, nil)
		return
	}
	by, value := e.text(d.by), e.text(d.distinct)
	if by == "" || d.distinct != nil && value == "" {
		return
	}
	note, err := evidenceNote(r)
	if err != nil {
		return
	}
	if enough := s.State.(*window.Counter).Add(by, window.Event{At: r.Time, Value: value, Note: note}); enough != nil {
		d.report(s, r, e, enough)
	}
}

// follow takes a sequence one step further.
func (d *declared) follow(s *rule.Scene, r *record.Record, e *env) {
	by := e.text(d.by)
	if by == "" {
		return
	}
	at := s.State.(*progress)
	for i := len(d.steps) - 1; i >= 0; i-- { // the last first: one record is one step
		step := d.steps[i]
		if r.API != nil && !matches(step.calls, r.API) || !e.holds(step.when) {
			continue
		}
		note, err := evidenceNote(r)
		if err != nil {
			return
		}
		if done := at.step(by, i, window.Event{At: r.Time, Note: note}); done != nil {
			d.report(s, r, e, done)
		}
	}
}

// maxNamed is how many of the records that added up a suspicion names.
const maxNamed = 10

func (d *declared) report(s *rule.Scene, r *record.Record, e *env, because []window.Event) {
	var out finding.Suspicion
	switch r.Class {
	case record.APIActivity:
		out = s.Call(d.typ, d.signal, r)
		if other := e.text(d.account); other != "" {
			out.API.OtherAccount = other
		}
	case record.DNSActivity:
		out = rule.Query(d.typ, r, finding.Threat{})
	case record.NetworkActivity:
		out = s.Traffic(d.typ, r)
	case record.HTTPActivity:
		out = s.Visit(d.typ, r)
	case record.Orchestration:
		out = s.KubeCall(d.typ, r)
	}
	out.Signal, out.Severity, out.Key = d.signal, d.severity, e.text(d.key)
	if b := e.text(d.bucket); b != "" {
		out.Buckets = []finding.Bucket{{Name: b}}
	}
	if about := e.text(d.resource); about != "" && out.API != nil {
		out.API.Affected = map[string]string{"resource": about}
	}
	for _, b := range because[max(len(because)-maxNamed, 0):] {
		if ev, err := readNote(b.Note); err == nil {
			out.Evidence = append(out.Evidence, ev)
		}
	}
	s.Report(out)
}

// text works out an expression; "" when there is none or it has no value. Of a
// list, all values count.
func (e *env) text(of *value) string {
	if of == nil {
		return ""
	}
	if of.quick != nil {
		s, _ := of.quick(e)
		return s
	}
	v, err := e.run(of.program)
	if err != nil || v == nil {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case []string:
		return strings.Join(v, ",")
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = fmt.Sprint(v[i])
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(v)
}
