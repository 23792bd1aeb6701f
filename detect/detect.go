// Package detect turns records of what happened into suspicions.
//
// source reads records of all kinds into the one model of record. rule has one
// folder for each kind of suspicion with its reasons and evidence; intel holds
// the lists that rules look up, enrich knows where addresses are, baseline what
// is normal. An Engine applies all rules to records in their order of time; this
// package also has the list of them.
package detect

import (
	"slices"

	"sumun.dev/detect/rule"
	"sumun.dev/detect/rule/bitcointool"
	"sumun.dev/detect/rule/blackhole"
	"sumun.dev/detect/rule/ccactivity"
	"sumun.dev/detect/rule/maliciousdomain"
)

// Rules lists all built-in rules, in alphabetical order of their names.
func Rules() []*rule.Rule {
	return slices.Clone(rules)
}

var rules = []*rule.Rule{
	&bitcointool.Rule,
	&blackhole.Rule,
	&ccactivity.Rule,
	&maliciousdomain.Rule,
}
