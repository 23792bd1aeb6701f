package batch

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// FullAccess reports whether an RCP is RCPFullAWSAccess, the only one with an
// Allow: it is AWS's own, is attached everywhere and cannot be detached.
// Organizations User Guide, "RCP syntax".
func FullAccess(doc []byte) bool {
	var d struct {
		Version   string
		ID        string `json:"Id"`
		Statement jsontext.Value
	}
	if json.Unmarshal(doc, &d, strict) != nil {
		return false
	}
	type statement struct{ Sid, Effect, Principal, Action, Resource string }
	var all []statement
	if d.Statement.Kind() == '[' {
		if json.Unmarshal(d.Statement, &all, strict) != nil {
			return false
		}
	} else {
		all = make([]statement, 1)
		if json.Unmarshal(d.Statement, &all[0], strict) != nil {
			return false
		}
	}
	if len(all) != 1 {
		return false
	}
	s := all[0]
	return s.Effect == "Allow" && s.Principal == "*" && s.Action == "*" && s.Resource == "*"
}
