// Package pattern matches events against the event patterns of EventBridge.
//
// A Pattern is one parsed pattern; a Set holds many of them in one automaton,
// so that the cost of matching an event hardly grows with their number. Start
// reading at Set.Match: scan.go flattens the event along the fields that some
// pattern names, field.go turns each value into the conditions it meets, set.go
// walks the tree of all patterns with them, and array.go keeps matches inside
// one element of an array.
//
// The language is that of the EventBridge User Guide, "Creating event patterns"
// and "Comparison operators for use in event patterns". Where the guide is
// silent, the behaviour is that of AWS's open-source Event Ruler.
package pattern

import (
	"errors"
	"sync"
)

// Limits of what is read. MaxEvent is EventBridge's largest entry; the others
// keep hostile input from costing more than it is worth.
const (
	MaxPattern      = 4096    // characters in a pattern, the model's limit; the default quota is 2,048
	MaxEvent        = 1 << 20 // bytes in an event
	MaxDepth        = 1000    // levels of nesting in an event or a pattern
	MaxCombinations = 1000    // alternatives that the $or of a pattern multiply to
)

// An Error says why a pattern is not valid, in EventBridge's words.
type Error struct {
	Reason string
	// Limit tells that the pattern is well formed but exceeds MaxCombinations,
	// which PutRule answers with LimitExceededException.
	Limit bool
}

// Error returns the message of InvalidEventPatternException.
func (e *Error) Error() string { return "Event pattern is not valid. Reason: " + e.Reason }

// ErrEvent tells that an event is not a JSON object, or exceeds a limit.
// TestEventPattern answers it with "Parameter Event is not valid."
var ErrEvent = errors.New("event is not a JSON object within the limits")

// ErrArrays tells that the arrays of an event allow so many combinations that
// some patterns could not be decided; those do not match.
var ErrArrays = errors.New("too many combinations of array elements to decide every pattern")

// A Pattern is a parsed event pattern. It is immutable.
type Pattern struct {
	all  []conjunction // any of them suffices
	wild bool

	once sync.Once
	set  *Set[struct{}] // of this pattern alone, made when first needed
}

// Parse reads a pattern. The error is an *Error.
func Parse(source []byte) (*Pattern, error) {
	all, err := parse(string(source))
	if err != nil {
		return nil, err
	}
	p := &Pattern{all: all}
	for _, c := range all {
		for _, f := range c {
			p.wild = p.wild || f.wild()
		}
	}
	return p, nil
}

// HasWildcard reports whether the pattern uses the wildcard operator, of which
// EventBridge allows 30 rules a bus.
func (p *Pattern) HasWildcard() bool { return p.wild }

// Matches reports whether the event matches. The error is ErrEvent or ErrArrays.
func (p *Pattern) Matches(event []byte) (bool, error) {
	p.once.Do(func() { p.set = NewSet(map[struct{}]*Pattern{{}: p}) })
	ids, err := p.set.Match(event, nil)
	return len(ids) > 0, err
}
