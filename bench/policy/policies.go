package policy

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A rule is one small policy, which each of the three languages can say.
type rule struct {
	name    string
	forbids bool
	action  string // empty means all
	under   string // prefix of the resources that it is about; empty means all
	exact   bool   // under is the whole name of the only one
	when    condition
}

type condition int

const (
	always condition = iota
	sameTeam
	fromInside // 10.0.0.0/8
	plainText  // not over TLS
	fewKeys    // max-keys below 100
)

// sets are the policies that are measured: with prefixes and conditions as
// people write them, and the least that a policy can say.
var sets = []struct {
	name  string
	rules []rule
}{{"typical", typical()}, {"exact", exact()}}

// exact are 31 policies, each of which allows one action on one object.
func exact() []rule {
	var all []rule
	for i := range 31 {
		action := []string{"s3:GetObject", "s3:PutObject"}[i%2]
		all = append(all, rule{name: fmt.Sprint("one", i), action: action, under: fmt.Sprintf("arn:aws:s3:::app%d/x", i/2), exact: true})
	}
	return all
}

// typical are 32 small policies: two for each of fifteen applications, and two that
// forbid.
func typical() []rule {
	all := []rule{
		{name: "encrypted", forbids: true, when: plainText},
		{name: "secrets", forbids: true, action: "s3:PutObject", under: "arn:aws:s3:::app3/secret/"},
	}
	for i := range 15 {
		bucket := fmt.Sprintf("arn:aws:s3:::app%d/", i)
		all = append(all,
			rule{name: fmt.Sprint("read", i), action: "s3:GetObject", under: bucket, when: condition(i % 5 % 3)},
			rule{name: fmt.Sprint("write", i), action: "s3:PutObject", under: bucket + "data/", when: []condition{sameTeam, fewKeys}[i%2]})
	}
	return all
}

// iam says each rule as an IAM policy.
func iam(r rule) string {
	s := map[string]any{"Sid": r.name, "Effect": "Allow", "Action": r.action, "Resource": r.under + "*"}
	if r.exact {
		s["Resource"] = r.under
	}
	if r.action == "" {
		s["Action"] = "s3:*"
	}
	if r.forbids {
		s["Effect"] = "Deny"
	}
	switch r.when {
	case sameTeam:
		s["Condition"] = map[string]any{"StringEquals": map[string]string{"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
	case fromInside:
		s["Condition"] = map[string]any{"IpAddress": map[string]string{"aws:SourceIp": "10.0.0.0/8"}}
	case plainText:
		s["Condition"] = map[string]any{"Bool": map[string]string{"aws:SecureTransport": "false"}}
	case fewKeys:
		s["Condition"] = map[string]any{"NumericLessThan": map[string]string{"s3:max-keys": "100"}}
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": s})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// cedarText says all rules as Cedar policies.
func cedarText(all []rule) string {
	var out strings.Builder
	for _, r := range all {
		effect, action, resource, when := "permit", "action", "resource", ""
		if r.forbids {
			effect = "forbid"
		}
		if r.action != "" {
			action = fmt.Sprintf("action == Action::%q", r.action)
		}
		switch r.when {
		case sameTeam:
			when = "context.resourceTeam == context.principalTeam"
		case fromInside:
			when = `context.ip.isInRange(ip("10.0.0.0/8"))`
		case plainText:
			when = "!context.secure"
		case fewKeys:
			when = "context.maxKeys < 100"
		}
		switch {
		case r.exact:
			resource = fmt.Sprintf("resource == Object::%q", r.under)
		case r.under != "" && when != "":
			when = fmt.Sprintf("context.resource like %q && %s", r.under+"*", when)
		case r.under != "":
			when = fmt.Sprintf("context.resource like %q", r.under+"*")
		}
		if when != "" {
			when = " when { " + when + " }"
		}
		fmt.Fprintf(&out, "@id(%q)\n%s (principal, %s, %s)%s;\n", r.name, effect, action, resource, when)
	}
	return out.String()
}

// rego says all rules as one Rego module.
func rego(all []rule) string {
	var out strings.Builder
	out.WriteString("package s3\n\nimport rego.v1\n\ndefault decision := false\n\ndefault deny := false\n\ndefault allow := false\n\ndecision if {\n\tallow\n\tnot deny\n}\n")
	for _, r := range all {
		head := "allow"
		if r.forbids {
			head = "deny"
		}
		fmt.Fprintf(&out, "\n# %s\n%s if {\n", r.name, head)
		if r.action != "" {
			fmt.Fprintf(&out, "\tinput.action == %q\n", r.action)
		}
		switch {
		case r.exact:
			fmt.Fprintf(&out, "\tinput.resource == %q\n", r.under)
		case r.under != "":
			fmt.Fprintf(&out, "\tstartswith(input.resource, %q)\n", r.under)
		}
		switch r.when {
		case sameTeam:
			out.WriteString("\tinput.resourceTeam == input.principalTeam\n")
		case fromInside:
			out.WriteString("\tnet.cidr_contains(\"10.0.0.0/8\", input.ip)\n")
		case plainText:
			out.WriteString("\tnot input.secure\n")
		case fewKeys:
			out.WriteString("\tinput.maxKeys < 100\n")
		}
		out.WriteString("}\n")
	}
	return out.String()
}

// A question is asked of all three.
type question struct {
	action, resource, team, owner, ip string
	secure                            bool
	maxKeys                           int64
}

// questions are every combination that tells rules apart.
func questions() []question {
	var all []question
	for _, action := range []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"} {
		for _, key := range []string{"x", "data/x", "secret/x", "data/secret"} {
			for _, app := range []int{0, 1, 2, 3, 7, 14, 15} {
				for i := range 8 {
					q := question{action: action, resource: fmt.Sprintf("arn:aws:s3:::app%d/%s", app, key), team: "dns", owner: "dns", ip: "10.1.2.3", secure: true, maxKeys: 10}
					if i&1 != 0 {
						q.owner = "web"
					}
					if i&2 != 0 {
						q.ip, q.maxKeys = "192.0.2.7", 1000
					}
					q.secure = i&4 == 0
					all = append(all, q)
				}
			}
		}
	}
	return all
}
