package respond

import (
	"slices"
	"strings"
)

// An Outcome is how a step ended.
type Outcome string

// The outcomes, by their names in the API.
const (
	Success   Outcome = "Success"
	Failed    Outcome = "Failed"
	TimedOut  Outcome = "TimedOut"
	Cancelled Outcome = "Cancelled"
)

// A Run is how far a runbook has come. The zero Run is at the end of nothing;
// Begin starts one. It holds no more than what decides how it goes on, so that
// it can be kept between steps.
type Run struct {
	At         string  // the step to do; empty when the run has ended
	End        Outcome // how it ended, or will when nothing else happens
	Cancelling bool    // on its way through what onCancel asks for
}

// Done reports whether no step is left.
func (r Run) Done() bool { return r.At == "" }

// Begin returns a run at its first step.
func (b *Runbook) Begin() Run { return Run{At: b.Steps[0].Name, End: Success} }

// Step returns the step of that name, and false when there is none.
func (b *Runbook) Step(name string) (*Step, bool) {
	i := b.index(name)
	if i < 0 {
		return nil, false
	}
	return &b.Steps[i], true
}

// After returns the run after its step has ended. jump is where aws:branch sends
// it, empty for other actions.
// Systems Manager User Guide, "Properties and parameters shared by all actions".
func (b *Runbook) After(r Run, o Outcome, jump string) Run {
	i := b.index(r.At)
	if i < 0 {
		return Run{End: Failed}
	}
	s := &b.Steps[i]
	if o == Success {
		return b.onward(r, i, jump)
	}
	if s.IsCritical() && !r.Cancelling {
		r.End = o
	}
	if to, ok := strings.CutPrefix(s.OnFailure, "step:"); ok {
		return b.to(r, i, to)
	}
	if s.OnFailure == Continue {
		return b.onward(r, i, "")
	}
	if !r.Cancelling {
		r.End = o // a run that aborts has failed, critical or not
	}
	r.At = ""
	return r
}

// Cancel returns the run after it was told to stop: onCancel of the step that it
// is at decides what is still done.
func (b *Runbook) Cancel(r Run) Run {
	i := b.index(r.At)
	r.End, r.Cancelling = Cancelled, true
	if i < 0 {
		r.At = ""
		return r
	}
	s := &b.Steps[i]
	if to, ok := strings.CutPrefix(s.OnCancel, "step:"); ok {
		r.At = to
		return r
	}
	if s.OnCancel == Continue {
		return b.onward(r, i, "")
	}
	r.At = ""
	return r
}

// IsCritical reports whether the step's failure is the run's: by default, unless
// the run continues after it.
func (s *Step) IsCritical() bool {
	if s.Critical != nil {
		return *s.Critical
	}
	return s.OnFailure != Continue
}

func (b *Runbook) onward(r Run, i int, jump string) Run {
	s := &b.Steps[i]
	switch {
	case s.End:
		r.At = ""
	case jump != "":
		r.At = jump
	case s.Next != "":
		r.At = s.Next
	case i+1 < len(b.Steps):
		r.At = b.Steps[i+1].Name
	default:
		r.At = ""
	}
	return r
}

func (b *Runbook) to(r Run, i int, name string) Run {
	r.At = name
	if b.Steps[i].End {
		r.At = ""
	}
	return r
}

// Following lists the steps that may come after a step has succeeded.
func (b *Runbook) Following(name string) []string {
	i := b.index(name)
	if i < 0 || b.Steps[i].End {
		return nil
	}
	s := &b.Steps[i]
	if s.Action == Branch {
		all := branchTargets(s)
		slices.Sort(all)
		return slices.Compact(all)
	}
	if next := b.onward(Run{}, i, "").At; next != "" {
		return []string{next}
	}
	return nil
}

func (b *Runbook) index(name string) int {
	for i := range b.Steps {
		if b.Steps[i].Name == name {
			return i
		}
	}
	return -1
}
