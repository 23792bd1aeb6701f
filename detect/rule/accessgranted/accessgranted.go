// Package accessgranted finds resources of any service that are opened to other accounts.
package accessgranted

import (
	"bytes"
	"encoding/json"
	"strings"

	"sumun.dev/detect/declared"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
)

const typ = "Exfiltration:IAMUser/AnomalousBehavior"

// Rule reports calls whose request holds a policy that lets in somebody outside, or
// names another account as who gets something.
var Rule = rule.Rule{Name: "accessgranted", Types: []string{typ}, Class: record.APIActivity, See: see}

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	if a.ReadOnly || a.Failed() || r.Account == "" || a.ByService() || judgedElsewhere(a) {
		return
	}
	raw := a.Request.Raw()
	policies := bytes.Contains(raw, []byte("Statement"))
	if !policies && !(gives(a.Operation) && foreign(raw, string(r.Account))) {
		return
	}
	guest, severity := "", 8.0
	if policies {
		guest = guestOf(a.Request.Tree(), string(r.Account))
	}
	if guest == "" && gives(a.Operation) {
		guest, severity = named(a, string(r.Account)), 5
	}
	if guest == "" {
		return
	}
	out := s.Call(typ, "ResourceSharedWithOtherAccount", r)
	out.Severity, out.Key, out.API.OtherAccount = severity, a.Service+":"+a.Operation, guest
	s.Report(out)
}

// judgedElsewhere leaves calls to the rules that know more of them.
func judgedElsewhere(a *record.API) bool {
	switch strings.TrimSuffix(a.Service, ".amazonaws.com") {
	case "iam", "sts", "signin":
		return true
	case "s3":
		return a.Operation == "PutBucketPolicy" || a.Operation == "PutBucketReplication" || !a.Management
	case "kms":
		return a.Operation == "PutKeyPolicy" || a.Operation == "CreateGrant" || !a.Management
	case "lambda":
		return strings.HasPrefix(a.Operation, "AddPermission") || strings.HasPrefix(a.Operation, "AddLayerVersionPermission") || strings.HasPrefix(a.Operation, "UpdateFunctionConfiguration")
	case "ec2":
		return a.Operation == "ModifyImageAttribute" || a.Operation == "ModifySnapshotAttribute"
	case "rds":
		return strings.HasSuffix(a.Operation, "SnapshotAttribute")
	}
	return false
}

// gives reports whether an operation can give something away.
func gives(operation string) bool {
	for _, verb := range [...]string{"Delete", "Remove", "Revoke", "Disassociate", "Deregister", "Detach", "Accept", "Reject", "Cancel", "Stop", "Tag", "Untag", "Import", "Subscribe", "Move", "Close"} {
		if strings.HasPrefix(operation, verb) {
			return false
		}
	}
	return true
}

// foreign reports whether raw holds a number that could be another account, or
// something that could be everyone.
func foreign(raw []byte, account string) bool {
	if bytes.Contains(raw, []byte(`"*"`)) || bytes.Contains(raw, []byte(`"all"`)) {
		return true
	}
	for i := 0; i < len(raw); i++ {
		n := 0
		for i+n < len(raw) && raw[i+n] >= '0' && raw[i+n] <= '9' {
			n++
		}
		if n == 12 && string(raw[i:i+n]) != account {
			return true
		}
		i += n
	}
	return false
}

// guestOf finds a policy anywhere in a request, as an object or as its text, and
// says whom it lets in.
func guestOf(v any, account string) string {
	switch v := v.(type) {
	case map[string]any:
		if v["Statement"] != nil {
			b, err := json.Marshal(v)
			if err != nil {
				return ""
			}
			return first(declared.Guests(account, string(b)))
		}
		least := ""
		for _, e := range v {
			// Of several the first by name, so that the order of a map does not matter.
			if g := guestOf(e, account); g != "" && (least == "" || g < least) {
				least = g
			}
		}
		return least
	case []any:
		for _, e := range v {
			if g := guestOf(e, account); g != "" {
				return g
			}
		}
	case string:
		if len(v) > 0 && v[0] == '{' && strings.Contains(v, "Statement") {
			return first(declared.Guests(account, v))
		}
	}
	return ""
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// receivers are words in the names of fields that say who gets something.
var receivers = [...]string{"account", "principal", "owner", "userid", "grantee", "consumer", "destination"}

// named returns the other account that a request names as a receiver.
func named(a *record.API, account string) (guest string) {
	a.Request.Leaves(func(name, value string) bool {
		if strings.HasPrefix(value, "{") || !declared.External(account, value) {
			return true
		}
		name = strings.ToLower(name)
		if strings.Contains(name, "source") || strings.Contains(name, "remove") || strings.Contains(name, "role") {
			return true
		}
		for _, w := range receivers {
			if strings.Contains(name, w) && guest == "" {
				guest = value
			}
		}
		return guest == ""
	})
	return guest
}
