// Package rule says what a detection rule is.
//
// Each folder below holds one rule: the code, a README (what and why, how it is
// found, false positives, response, ATT&CK) and evidence, records that must
// (hit.jsonl) and must not (miss.jsonl) raise it. Package detect lists them all.
package rule

import (
	"encoding"

	"sumun.dev/detect/baseline"
	"sumun.dev/detect/enrich"
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

// A Rule finds suspicions of one kind in records of one class.
type Rule struct {
	Name  string   // of its folder
	Types []string // the finding types it can raise
	Class record.Class

	// Calls are the API calls it looks at, "iam.amazonaws.com:CreateUser"; a rule
	// without any looks at every record of its class.
	Calls []string

	// AnyCase says that Calls are meant in upper or lower case.
	AnyCase bool

	// State makes what the rule remembers of one account; nil when it judges each
	// record alone. What it remembers is bounded, whatever the records are.
	State func() State

	// Said is what a rule that somebody brought says of itself; nil for built-in
	// ones, which have a README.
	Said *finding.Said

	// ByHabit says that the rule itself judges by what is normal: nothing that it
	// says is learnt.
	ByHabit bool

	// Concerns says quickly whether a record may matter to a rule with a state; nil:
	// each may. What does not, is neither suspicious nor worth remembering.
	Concerns func(*Scene, *record.Record) bool

	// See looks at a record that concerns the rule, and reports what is suspicious
	// about it.
	See func(*Scene, *record.Record)
}

// A State is what a rule remembers of one account. It moves with the account to
// another node, and stands a restart: what is read back judges as what was written.
// All states of an engine share its memory: each tells what it holds, and can shed it.
type State interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
	window.Holder
}

// A Scene is what a rule knows besides the record. It is good for one call of See.
type Scene struct {
	Lists  intel.Lists       // domains and addresses known for bad, or trusted
	Net    *enrich.Net       // where addresses are: country, network, cloud, Tor; never nil
	Normal *baseline.Account // what is normal in the record's account; never nil
	State  State             // the rule's own; nil when it has none

	// Shared is what rules of one kind work out once for all of them; nil again for
	// the next record.
	Shared any
	Spare  any  // what Shared was for records before, to be made use of again
	view   View // what Shared points to for flows
	names  *[maxNames]Name

	// Report takes a suspicion. Its time, and the record as evidence, are added
	// when they are missing.
	Report func(finding.Suspicion)
}
