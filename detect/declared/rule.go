// Package declared makes rules of what people write down: a YAML file with expressions.
//
// A rule names the finding type it raises, the calls it looks at, and a condition
// over the record in the expression language of expr-lang.org; it may ask for a
// number of records within a time, or for several in a row. docs/detection-rules.md
// has the whole language.
package declared

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/engine/yamltext"
	"sumun.dev/finding"
)

// Bounds of what a rule may ask for.
const (
	maxFile   = 64 << 10       // bytes
	maxNodes  = 1000           // of an expression
	maxCount  = 10_000         // records or values that add up
	maxWithin = 24 * time.Hour // how long they may take
	maxSteps  = 8
	maxKeys   = 1 << 16 // of one account that are counted at once; the quiet ones are forgotten
)

// file is a rule as it is written.
type file struct {
	Name     string   `yaml:"name"`
	Type     string   `yaml:"type"`
	Signal   string   `yaml:"signal"`
	Class    string   `yaml:"class"`
	Calls    []string `yaml:"calls"`
	When     string   `yaml:"when"`
	Severity float64  `yaml:"severity"`
	Key      string   `yaml:"key"`      // expression: sets findings apart
	Account  string   `yaml:"account"`  // expression: the other account that is let in
	Bucket   string   `yaml:"bucket"`   // expression: the S3 bucket that it is about
	Resource string   `yaml:"resource"` // expression: what it is about
	Count    *count   `yaml:"count"`
	Sequence []step   `yaml:"sequence"`
	Within   string   `yaml:"within"` // of a sequence
	By       string   `yaml:"by"`     // of a sequence
}

type count struct {
	AtLeast  int    `yaml:"at-least"`
	Within   string `yaml:"within"`
	By       string `yaml:"by"`
	Distinct string `yaml:"distinct"`
}

type step struct {
	Calls []string `yaml:"calls"`
	When  string   `yaml:"when"`
}

var classes = map[string]record.Class{
	"api": record.APIActivity, "dns": record.DNSActivity, "flow": record.NetworkActivity,
	"http": record.HTTPActivity, "kubernetes": record.Orchestration,
}

var (
	nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,63}$`)
	callForm = regexp.MustCompile(`^[a-z0-9.*-]{1,128}:[A-Za-z0-9*]{1,128}$`)
)

// Parse reads a rule. Whatever it does not know is an error, as is a type that
// is in no catalogue: findings need its title and severity.
func Parse(b []byte) (*rule.Rule, error) {
	if len(b) > maxFile {
		return nil, fmt.Errorf("the rule is larger than %d bytes", maxFile)
	}
	var f file
	if err := yamltext.Strict(b, &f); err != nil {
		return nil, err
	}
	r, err := f.compile()
	if err != nil && f.Name != "" {
		return nil, fmt.Errorf("rule %s: %w", f.Name, err)
	}
	return r, err
}

func (f *file) compile() (*rule.Rule, error) {
	if !nameForm.MatchString(f.Name) {
		return nil, errors.New("name: 2 to 64 of a-z, 0-9 and -, a letter first")
	}
	class, ok := classes[f.Class]
	if !ok {
		return nil, fmt.Errorf("class: %q is none of api, dns, flow, http, kubernetes", f.Class)
	}
	if _, ok := finding.KindOf(f.Type); !ok {
		return nil, fmt.Errorf("type: %q is no finding type that is known", f.Type)
	}
	if f.Severity < 0 || f.Severity >= 9 {
		return nil, errors.New("severity: 1.0 to 8.9, or nothing for the type's own")
	}
	named := slices.Clone(f.Calls)
	for _, s := range f.Sequence {
		named = append(named, s.Calls...)
	}
	for _, c := range named {
		if class != record.APIActivity {
			return nil, errors.New("calls: only class api has them")
		}
		if !callForm.MatchString(c) || c == "*:*" {
			return nil, fmt.Errorf("calls: %q is not like iam.amazonaws.com:CreateUser, *:CreateUser or iam.amazonaws.com:*", c)
		}
	}
	d := &declared{typ: f.Type, signal: f.Signal, severity: f.Severity}
	out := &rule.Rule{Name: f.Name, Types: []string{f.Type}, Class: class, Calls: f.Calls, See: d.see}
	var err error
	text := func(where, source string) *value {
		if source == "" || err != nil {
			return nil
		}
		var p *vm.Program
		if p, err = compile(source, expr.AsAny()); err != nil {
			err = fmt.Errorf("%s: %w", where, err)
			return nil
		}
		return newValue(p, class)
	}
	condition := func(where, source string) *condition {
		if source == "" || err != nil {
			return nil
		}
		var p *vm.Program
		if p, err = compile(source, expr.AsBool()); err != nil {
			err = fmt.Errorf("%s: %w", where, err)
			return nil
		}
		return newCondition(p, class)
	}
	d.when, d.key, d.account, d.bucket, d.resource = condition("when", f.When), text("key", f.Key), text("account", f.Account), text("bucket", f.Bucket), text("resource", f.Resource)
	if f.Calls == nil && class == record.APIActivity {
		out.Calls = calls(d.when)
	}
	switch {
	case err != nil:
		return nil, err
	case f.Count != nil && f.Sequence != nil:
		return nil, errors.New("count and sequence: one of both")
	case f.Count != nil:
		c := f.Count
		if c.AtLeast < 2 || c.AtLeast > maxCount {
			return nil, fmt.Errorf("count: at-least is 2 to %d", maxCount)
		}
		if d.within, err = within(c.Within); err != nil {
			return nil, fmt.Errorf("count: %w", err)
		}
		if c.By == "" {
			return nil, errors.New("count: by says what is counted together: actor.principal, or another expression")
		}
		d.need, d.by, d.distinct = c.AtLeast, text("count.by", c.By), text("count.distinct", c.Distinct)
		out.State = func() rule.State { return window.New(d.need, d.within, maxKeys) }
	case f.Sequence != nil:
		if n := len(f.Sequence); n < 2 || n > maxSteps {
			return nil, fmt.Errorf("sequence: 2 to %d steps", maxSteps)
		}
		if d.within, err = within(f.Within); err != nil {
			return nil, err
		}
		if f.By == "" || f.When != "" || f.Calls != nil {
			return nil, errors.New("sequence: by says whose steps belong together; calls and when stand at the steps")
		}
		d.by = text("by", f.By)
		for i, s := range f.Sequence {
			if s.When == "" && len(s.Calls) == 0 {
				return nil, fmt.Errorf("sequence: step %d has no calls and no when", i+1)
			}
			d.steps = append(d.steps, compiledStep{s.Calls, condition(fmt.Sprintf("sequence, step %d", i+1), s.When)})
		}
		out.Calls = d.calls(class)
		out.State = func() rule.State { return newProgress(len(d.steps), d.within) }
	case f.By != "" || f.Within != "":
		return nil, errors.New("by and within belong to count or sequence")
	case f.When == "" && len(f.Calls) == 0:
		return nil, errors.New("when: a rule without a condition needs calls")
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// calls are those of all steps; nil when a step may be any call.
func (d *declared) calls(class record.Class) (all []string) {
	for _, s := range d.steps {
		named := s.calls
		if named == nil && class == record.APIActivity {
			named = calls(s.when)
		}
		if named == nil {
			return nil
		}
		all = append(all, named...)
	}
	return all
}

func within(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second || d > maxWithin {
		return 0, fmt.Errorf("within: %q is not a time from 1s to 24h", s)
	}
	return d, nil
}

// matches reports whether a call is one of those of a step.
func matches(calls []string, a *record.API) bool {
	if len(calls) == 0 {
		return true
	}
	for _, c := range calls {
		service, operation, _ := strings.Cut(c, ":")
		if (service == "*" || service == a.Service) && (operation == "*" || operation == a.Operation) {
			return true
		}
	}
	return false
}
