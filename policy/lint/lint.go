// Package lint finds what is wrong, dangerous or needless in a policy, as IAM Access Analyzer's policy validation does.
//
// codes.go lists all findings. Each file below has one family of checks:
// elements, principals, actions, resources, conditions, values, variables,
// rights (PassRole and its like), redundant and size. What exists in AWS is
// asked of policy/facts.
package lint

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/policy/batch"
)

// A Finding is one thing to look at. Its fields are those of Access Analyzer's
// ValidatePolicy, flattened.
type Finding struct {
	Type    Type   `json:"findingType"`
	Code    string `json:"issueCode"`
	Details string `json:"findingDetails"`
	Path    string `json:"path"` // "Statement[0].Action[1]"
	Line    int    `json:"line"`
	Column  int    `json:"column"`        // from 1, in bytes
	Own     bool   `json:"own,omitempty"` // a check of ours, which Access Analyzer does not have

	at int
}

// A Type is how bad a finding is, in AWS's words.
type Type string

// The types of finding. IAM User Guide, "Access Analyzer policy check reference".
const (
	Error           Type = "ERROR"            // the policy does not work
	SecurityWarning Type = "SECURITY_WARNING" // it lets in more than is safe
	Warning         Type = "WARNING"          // it is not as is best
	Suggestion      Type = "SUGGESTION"       // it could be simpler
)

// Check returns the findings about a document that is to be used as kind, in the
// order in which they stand in it.
func Check(doc []byte, kind policy.Kind) []Finding {
	l := &linter{doc: doc, kind: kind}
	root, err := parse(doc)
	if err != nil {
		l.addAt("JSON_SYNTAX_ERROR", err.at, "", err.why)
		return l.done()
	}
	l.document(root)
	l.refused()
	return l.done()
}

type linter struct {
	doc       []byte
	kind      policy.Kind
	variables bool // the Version has them
	findings  []Finding
}

// add reports a finding about n. args fill in the sentence.
func (l *linter) add(code string, n *node, args ...any) { l.addAt(code, n.at, n.path, args...) }

func (l *linter) addAt(code string, at int, path string, args ...any) {
	f := find(code, args...)
	f.at, f.Path = at, path
	f.Line = 1 + strings.Count(string(l.doc[:at]), "\n")
	f.Column = at - strings.LastIndexByte(string(l.doc[:at]), '\n')
	l.findings = append(l.findings, f)
}

// refused adds what the service would say to a document in which nothing else
// that is wrong was found: no document that is refused goes without an error.
func (l *linter) refused() {
	if slices.ContainsFunc(l.findings, func(f Finding) bool { return f.Type == Error }) {
		return
	}
	_, err := policy.Parse(l.doc, l.kind)
	if err == nil || l.kind == policy.RCP && batch.FullAccess(l.doc) {
		return
	}
	why := err.Error()
	if e := (*aws.Error)(nil); errors.As(err, &e) {
		why = e.Message
	}
	l.addAt("REFUSED", 0, "", why)
}

func (l *linter) done() []Finding {
	slices.SortStableFunc(l.findings, func(a, b Finding) int { return cmp.Compare(a.at, b.at) })
	return slices.CompactFunc(l.findings, func(a, b Finding) bool { return a == b })
}
