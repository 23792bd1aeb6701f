package sigma

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sumun.dev/detect/enrich"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/finding"
)

// call is a session's, with a document of each kind.
const call = `{"eventTime":"2026-03-01T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"AttachUserPolicy","awsRegion":"us-east-1","sourceIPAddress":"198.51.100.7",
"userAgent":"aws-cli/2.15 Python","recipientAccountId":"111122223333","readOnly":false,"eventID":"e1",
"userIdentity":{"type":"AssumedRole","principalId":"AROA:ann","arn":"arn:aws:sts::111122223333:assumed-role/Admin/ann","accountId":"111122223333",
"sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/Admin","userName":"Admin"},"attributes":{"creationDate":"2026-03-01T09:00:00Z","mfaAuthenticated":"false"}}},
"requestParameters":{"userName":"bob","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess","port":8443,"public":true,"items":[{"cidr":"0.0.0.0/0"},{"cidr":"10.0.0.0/8"}],
"policyDocument":"{\"Effect\":\"Allow\"}","userData":"IyEvYmluL3NoCmN1cmwgaHR0cDovL2V4YW1wbGUuY29tCg==","path":"C:\\temp"},
"responseElements":null,"resources":[{"ARN":"arn:aws:iam::111122223333:user/bob","accountId":"111122223333","type":"AWS::IAM::User"}]}`

func read(t testing.TB, s string) *record.Record {
	t.Helper()
	r, err := cloudtrail.Read([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const head = "title: A rule\nlogsource: {product: aws, service: cloudtrail}\n"

// lookedUp reports whether an engine asks a rule about the call.
func lookedUp(rl *rule.Rule) bool {
	return len(rl.Calls) == 0 || slices.ContainsFunc(rl.Calls, func(c string) bool {
		for _, means := range []string{"iam.amazonaws.com:AttachUserPolicy", "iam.amazonaws.com:*", "*:AttachUserPolicy"} {
			if c == means || rl.AnyCase && strings.EqualFold(c, means) {
				return true
			}
		}
		return false
	})
}

// found are the suspicions of a detection about the call.
func found(t *testing.T, detection string) ([]finding.Suspicion, []error) {
	t.Helper()
	rules, errs := Parse([]byte(head + "detection:\n" + detection))
	if len(errs) > 0 {
		return nil, errs
	}
	var all []finding.Suspicion
	s := &rule.Scene{Net: &enrich.Net{}, Report: func(s finding.Suspicion) { all = append(all, s) }}
	r := read(t, call)
	if lookedUp(rules[0]) {
		rules[0].See(s, r)
	}
	return all, nil
}

func TestSelections(t *testing.T) {
	for of, want := range map[string]bool{
		"eventName: AttachUserPolicy":                                        true,
		"eventName: attachuserpolicy":                                        true, // in any case
		"eventName: Attachuserpolicy":                                        true,
		"eventName: ATTACHUSERPOLICY":                                        true,
		"eventSource: IAM.amazonaws.com\n  eventName: attachUserPolicy":      true,
		"eventName|cased: attachuserpolicy":                                  false,
		"eventName: [CreateUser, AttachUserPolicy]":                          true,
		"eventName: CreateUser":                                              false,
		"eventSource: iam.amazonaws.com\n  eventName: Attach*":               true,
		"eventSource: iam.amazonaws.com\n  eventName: Detach*":               false,
		"eventName: 'Attach????Policy'":                                      true,
		"eventName: 'Attach?Policy'":                                         false,
		`eventName: 'Attach\*'`:                                              false,
		"eventName|startswith: attach":                                       true,
		"eventName|endswith: policy":                                         true,
		"eventName|contains: userpol":                                        true,
		"eventName|contains|all: [Attach, Policy]":                           true,
		"eventName|contains|all: [Attach, Role]":                             false,
		"eventName|re: '^Attach(User|Role)Policy$'":                          true,
		"eventName|re: '^attach'":                                            false,
		"eventName|re|i: '^attach'":                                          true,
		"eventName|neq: CreateUser":                                          true,
		"eventName|neq: AttachUserPolicy":                                    false,
		"sourceIPAddress|cidr: 198.51.100.0/24":                              true,
		"sourceIPAddress|cidr: [10.0.0.0/8, 2001:db8::/32]":                  false,
		"errorCode: null":                                                    true,
		"errorCode: ''":                                                      true,
		"errorCode|exists: false":                                            true,
		"errorCode|exists: true":                                             false,
		"userAgent|exists: true":                                             true,
		"readOnly: false":                                                    true,
		"readOnly: 'true'":                                                   false,
		"managementEvent: true":                                              true,
		"requestParameters.public: true":                                     true,
		"requestParameters.port: 8443":                                       true,
		"requestParameters.port|gte: 8443":                                   true,
		"requestParameters.port|gt: 8443":                                    false,
		"requestParameters.port|lt: 9000":                                    true,
		"requestParameters.items.cidr: 0.0.0.0/0":                            true,
		"requestParameters.items|contains: 0.0.0.0/0":                        true,
		"requestParameters|contains: AdministratorAccess":                    true,
		`requestParameters|contains: '"Allow"'`:                              true, // in a text of the document
		`requestParameters|contains: '"userName":"bob"'`:                     true, // in its JSON
		`requestParameters.path: 'C:\temp'`:                                  true,
		`requestParameters.path: 'C:\\temp'`:                                 true,
		"requestParameters.userData|base64offset|contains: curl":             true,
		"requestParameters.userData|base64offset|contains: wget":             false,
		"requestParameters.userName|base64: bob":                             false,
		"responseElements|exists: true":                                      false,
		"resources.type: AWS::IAM::User":                                     true,
		"userIdentity.type: AssumedRole":                                     true,
		"userIdentity.sessionContext.attributes.mfaAuthenticated: 'false'":   true,
		"userIdentity.sessionContext.sessionIssuer.arn|endswith: role/admin": true,
		"'|all': [bob, 198.51.100.7]":                                        true,
		"'|all': [bob, 203.0.113.9]":                                         false,
	} {
		all, errs := found(t, " selection:\n  "+of+"\n condition: selection\n")
		if len(errs) > 0 || len(all) == 1 != want {
			t.Errorf("%s: %d, %v, want %v", of, len(all), errs, want)
		}
	}
}

// What a record does not say is not there, and categories are those that it says.
func TestWhatIsNotSaid(t *testing.T) {
	for _, c := range []struct {
		said, of string
		want     bool
	}{
		{`"readOnly":false,`, "readOnly: false", true},
		{`"readOnly":false,`, "readOnly|exists: true", true},
		{`"readOnly":true,`, "readOnly: true", true},
		{``, "readOnly: false", false},
		{``, "readOnly|exists: false", true},
		{`"readOnly":null,`, "readOnly|exists: true", false},
		{`"eventCategory":"Insight",`, "eventCategory: Insight", true},
		{`"eventCategory":"NetworkActivity","managementEvent":false,`, "eventCategory: NetworkActivity", true},
		{`"eventCategory":"NetworkActivity","managementEvent":false,`, "eventCategory: Data", false},
		{`"eventCategory":"Management",`, "eventCategory: Management", true},
		{``, "eventCategory|exists: true", false},
	} {
		rules, errs := Parse([]byte(head + "detection:\n a:\n  " + c.of + "\n condition: a\n"))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		text := []byte(strings.Replace(call, `"readOnly":false,`, c.said, 1))
		plain, end := cloudtrail.NewReader().Plain(text, 0)
		if end < 0 {
			t.Fatalf("%s is not plain", text)
		}
		for _, r := range []*record.Record{read(t, string(text)), plain} {
			n := 0
			rules[0].See(&rule.Scene{Net: &enrich.Net{}, Report: func(finding.Suspicion) { n++ }}, r)
			if n == 1 != c.want {
				t.Errorf("%s of %s: %d", c.of, c.said, n)
			}
		}
	}
}

func TestConditions(t *testing.T) {
	const ids = " yes: {eventName: AttachUserPolicy}\n no: {eventName: CreateUser}\n sel_a: {eventSource: iam.amazonaws.com}\n sel_b: {userAgent|contains: cli}\n sel_none: {userAgent: none}\n" +
		" _hidden: {userAgent: none}\n words: [nothing, 'assumed-role/*/ann']\n either: [{eventName: CreateUser}, {awsRegion: us-east-1}]\n"
	for condition, want := range map[string]bool{
		"yes": true, "no": false, "not no": true, "not yes": false, "yes and no": false, "yes or no": true, "no or yes and yes": true,
		"(no or yes) and no": false, "not (no or yes)": false, "yes and not no": true, "no or not no and yes": true, "not not yes": true,
		"1 of sel_*": true, "all of sel_*": false, "any of sel_*": true, "all of sel_? or yes": false, "yes and 1 of sel_*": true, "not 1 of sel_n*": true,
		"1 of them": true, "all of them": false, "words": true, "either": true, "YES": false, "yes AND NOT no": true, "all of s*b": true,
		"[no, yes]": true,
	} {
		all, errs := found(t, ids+" condition: "+condition+"\n")
		if condition == "YES" || strings.Contains(condition, "?") {
			if len(errs) != 1 {
				t.Errorf("%s: %v", condition, errs)
			}
			continue
		}
		if len(errs) > 0 || len(all) == 1 != want {
			t.Errorf("%s: %d, %v, want %v", condition, len(all), errs, want)
		}
	}
}

func TestWhatIsRefusedIsNamed(t *testing.T) {
	selection := func(s string) string { return head + "detection:\n selection:\n  " + s + "\n condition: selection\n" }
	condition := func(s string) string {
		return head + "detection:\n selection: {eventName: X}\n condition: " + s + "\n"
	}
	for text, want := range map[string]string{
		"":                                   "holds no rule",
		"- a\n":                              "",
		"title: [":                           "",
		"title: A\n":                         "logsource",
		"correlation: {type: event_count}\n": "correlation",
		"action: global\n":                   "action",
		"title: A\nfilter: {rules: [x]}\n":   "filter",
		"logsource: {product: aws, service: cloudtrail}\n":                      "title",
		"title: A\nlogsource: {product: windows, category: process_creation}\n": "process_creation windows",
		"title: A\nlogsource: {product: aws}\n":                                 "aws",
		"title: A\nlogsource: {product: aws, service: route53}\n":               "route53",
		head: "detection",
		head + "level: dire\ndetection: {a: {eventName: X}, condition: a}\n":   "dire",
		head + "detection: {a: {eventName: X}}\n":                              "condition",
		head + "detection: {a: {eventName: X}, condition: a, timeframe: 5m}\n": "timeframe",
		head + "detection: {a: {}, condition: a}\n":                            "a: is empty",
		head + "detection: {a: , condition: a}\n":                              "a: is neither",
		selection("eventName|windash: -x"):                                     "windash",
		selection("eventName|expand: '%names%'"):                               "expand",
		selection("eventName|fieldref: eventSource"):                           "fieldref",
		selection("eventName|wide|base64: x"):                                  "wide",
		selection("eventTime|hour: 3"):                                         "hour",
		selection("eventName|re: '(?=x)'"):                                     "expression",
		selection("eventName|re|contains: x"):                                  "contradict",
		selection("eventName|cidr: x"):                                         "network",
		selection("eventName|gt: x"):                                           "number",
		selection("eventName|exists: maybe"):                                   "exists",
		selection("eventName|contains: null"):                                  "null",
		selection("eventName: {a: b}"):                                         "a value is",
		selection("eventName: []"):                                             "no value",
		selection("eventname: X"):                                              "eventname",
		selection("requestParameters..a: X"):                                   "requestParameters..a",
		selection("tlsDetails.tlsVersion: X"):                                  "tlsVersion",
		selection("eventName: '" + strings.Repeat("x", maxText+1) + "'"):       "longer",
		condition("selection | count() by userName > 5"):                       "count",
		condition("selection and"):                                             "too early",
		condition("(selection"):                                                "bracket",
		condition("selection)"):                                                "not expected",
		condition("selection filter"):                                          "not expected",
		condition("selection and not filter"):                                  "filter",
		condition("1 of filter_*"):                                             "filter_*",
		condition("2 of sel*"):                                                 "2 of",
		condition("selection & selection"):                                     "cannot be read",
		condition(strings.Repeat("not ", 100) + "selection"):                   "deeper",
		head + "detection: {condition: 1 of them}\n":                           "them",
		strings.Repeat("#", MaxFile+1):                                         "larger",
	} {
		rules, errs := Parse([]byte(text))
		if len(rules) > 0 || len(errs) != 1 || !strings.Contains(errs[0].Error(), want) {
			t.Errorf("%.120q: %d rules, %v, want %q", text, len(rules), errs, want)
		}
	}
}

// A file may hold several rules; one that is refused takes no other with it.
func TestSeveralRulesOfOneFile(t *testing.T) {
	text := head + "detection: {a: {eventName: X}, condition: a}\n---\ntitle: Other logs\nlogsource: {product: windows}\ndetection: {a: {b: c}, condition: a}\n---\ntitle: Counts\ncorrelation: {type: event_count}\n---\n---\n" +
		strings.Replace(head, "A rule", "A second", 1) + "detection: {a: {eventName: Y}, condition: a}\n"
	rules, errs := Parse([]byte(text))
	if len(rules) != 2 || rules[0].Name != "sigma-a-rule" || rules[1].Name != "sigma-a-second" || len(errs) != 2 || !errors.As(errs[0], new(Elsewhere)) || !strings.Contains(errs[1].Error(), `"Counts": correlation`) {
		t.Errorf("%v, %v", rules, errs)
	}
}

func TestWhatAFindingSays(t *testing.T) {
	rules, errs := Parse([]byte(head + "id: 1234\nauthor: Ann\nlevel: high\ndescription: |\n  Long\n  story.\nfalsepositives: [Deployments]\ntags: [attack.t1098.003, attack.privilege_escalation, attack.persistence, cve.2026-1]\n" +
		"detection: {a: {eventName: AttachUserPolicy}, condition: a}\n"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var got finding.Suspicion
	s := &rule.Scene{Net: &enrich.Net{}, Report: func(s finding.Suspicion) { got = s }}
	rules[0].See(s, read(t, call))
	if got.Type != "PrivilegeEscalation:IAMUser/AnomalousBehavior" || got.Signal != "A rule" || got.Severity != 8 || got.Said.Author != "Ann" || got.Said.ID != "1234" ||
		!slices.Equal(got.Said.Techniques, []string{"T1098.003"}) || got.Said.FalsePositives[0] != "Deployments" || got.Said.Description != "Long\nstory." || got.Caller == nil || got.API.Operation != "AttachUserPolicy" {
		t.Errorf("%+v %+v", got, got.Said)
	}
	m := rule.ManualBy(got.Said)
	if m.Section("False positives") != "Deployments" || len(m.Techniques) != 1 || !strings.Contains(m.Section("What and why"), "Ann") {
		t.Errorf("%+v", m)
	}
	// Without a tactic, the call tells what it serves.
	rules, _ = Parse([]byte(head + "detection: {a: {eventName: AttachUserPolicy}, condition: a}\n"))
	rules[0].See(s, read(t, call))
	if got.Type != "PrivilegeEscalation:IAMUser/AnomalousBehavior" || got.Severity != 5 || len(rules[0].Types) != len(purposes) {
		t.Errorf("%+v", got)
	}
	for _, typ := range rules[0].Types {
		if _, ok := finding.KindOf(typ); !ok {
			t.Errorf("%s is no type", typ)
		}
	}
}

// A rule is looked up by the calls that its condition needs, so that many rules
// cost little.
func TestCalls(t *testing.T) {
	for detection, want := range map[string]string{
		"{a: {eventName: X1y}, condition: a}":                                                                  "*:X1y",
		"{a: {eventSource: iam.amazonaws.com, eventName: [Xa, Yb], userAgent: z}, condition: a}":               "iam.amazonaws.com:Xa iam.amazonaws.com:Yb",
		"{a: {eventSource: iam.amazonaws.com}, b: {eventName: Xa}, condition: a and b and not b}":              "iam.amazonaws.com:Xa",
		"{a: {eventSource: iam.amazonaws.com}, b: {eventName: Xa}, condition: a or b}":                         "*:Xa iam.amazonaws.com:*",
		"{a: {eventSource: iam.amazonaws.com, eventName|startswith: X}, condition: a}":                         "iam.amazonaws.com:*",
		"{a: {eventName: Xa}, b: {userAgent: x}, condition: a or b}":                                           "",
		"{a: {eventName: Xa}, condition: not a}":                                                               "",
		"{a: {eventName: x*}, condition: a}":                                                                   "",
		"{a: {eventName: xa}, condition: a}":                                                                   "*:xa",
		"{a: {eventSource: IAM.amazonaws.com, eventName: XA}, condition: a}":                                   "IAM.amazonaws.com:XA",
		"{a: {eventName|neq: Xa}, condition: a}":                                                               "",
		"{a: [{eventName: Xa}, {eventName: Ya}], condition: a}":                                                "*:Xa *:Ya",
		"{sel_a: {eventName: Xa}, sel_b: {eventName: Ya}, f: {userAgent: x}, condition: 1 of sel_* and not f}": "*:Xa *:Ya",
	} {
		rules, errs := Parse([]byte(head + "detection: " + detection + "\n"))
		if len(errs) > 0 || strings.Join(rules[0].Calls, " ") != want {
			t.Errorf("%s: %v, %v, want %q", detection, rules[0].Calls, errs, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	r := read(f, call)
	f.Add([]byte(head + "detection: {a: {eventName|contains: X}, b: [x], condition: a and not 1 of b*}\n"))
	f.Add([]byte(head + "detection:\n a: {requestParameters.x|re: '.*', eventTime|base64offset|contains: abc}\n condition: [a, all of them]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rules, errs := Parse(b)
		if len(rules)+len(errs) == 0 {
			t.Error("neither a rule nor an error")
		}
		for _, rl := range rules {
			for _, typ := range rl.Types {
				if _, ok := finding.KindOf(typ); !ok {
					t.Errorf("%s is no type", typ)
				}
			}
			reported := 0
			rl.See(&rule.Scene{Net: &enrich.Net{}, Report: func(s finding.Suspicion) { reported++ }}, r)
			if reported > 0 && !lookedUp(rl) {
				t.Errorf("%s would be passed over: %v", b, rl.Calls)
			}
		}
	})
}

func BenchmarkSee(b *testing.B) {
	r := read(b, call)
	for _, detection := range []string{
		"{a: {eventSource: iam.amazonaws.com, eventName: AttachUserPolicy}, f: {userAgent|contains: [terraform, cdk]}, condition: a and not f}",
		"{a: {requestParameters|contains: nothing}, condition: a}",
	} {
		rules, errs := Parse([]byte(head + "detection: " + detection + "\n"))
		if len(errs) > 0 {
			b.Fatal(errs)
		}
		s := &rule.Scene{Net: &enrich.Net{}, Report: func(finding.Suspicion) {}}
		b.Run(fmt.Sprint(len(detection)), func(b *testing.B) {
			for b.Loop() {
				rules[0].See(s, r)
			}
		})
	}
}
