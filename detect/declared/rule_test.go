package declared

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sumun.dev/detect/baseline"
	"sumun.dev/detect/enrich"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/finding"
)

const shared = `
name: image-shared
type: Backdoor:EC2/C&CActivity.B!DNS
signal: AMIExternalAccess
class: api
calls: [ec2.amazonaws.com:ModifyImageAttribute]
when: |
  not api.failed and any(request("launchPermission.add.items.userId", "launchPermission.add.items.group"), external(#))
key: first(request("imageId"))
account: first(filter(request("launchPermission.add.items.userId"), external(#)))
`

func told(name, fields string, second int) string {
	return fmt.Sprintf(`{"eventTime":"%s","eventSource":"%s","eventName":"%s","recipientAccountId":"111122223333","awsRegion":"us-east-1","eventID":"e%d","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann","accountId":"111122223333"},%s}`,
		time.Date(2026, 1, 1, 0, 0, second, 0, time.UTC).Format(time.RFC3339), name[:strings.Index(name, ":")], name[strings.Index(name, ":")+1:], second, fields)
}

// try applies a rule to records, and returns what it reports for each.
func try(t *testing.T, source string, records ...string) (found [][]finding.Suspicion) {
	t.Helper()
	r, err := Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	s := &rule.Scene{Net: &enrich.Net{}, Normal: baseline.New()}
	if r.State != nil {
		s.State = r.State()
	}
	for _, line := range records {
		rec, err := cloudtrail.Read([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, nil)
		s.Report = func(one finding.Suspicion) { found[len(found)-1] = append(found[len(found)-1], one) }
		r.See(s, rec)
		if r.State != nil { // what is written and read back goes on as it was
			b, err := s.State.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			s.State = r.State()
			if err := s.State.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
		}
	}
	return found
}

func spoken(found [][]finding.Suspicion) string {
	var s strings.Builder
	for _, f := range found {
		fmt.Fprint(&s, len(f))
	}
	return s.String()
}

func TestACondition(t *testing.T) {
	item := func(s string) string {
		return told("ec2.amazonaws.com:ModifyImageAttribute", `"requestParameters":{"imageId":"ami-1","launchPermission":{"add":{"items":[`+s+`]}}}`, 1)
	}
	found := try(t, shared, item(`{"userId":"444455556666"}`), item(`{"group":"all"}`), item(`{"userId":"111122223333"}`), item(``),
		told("ec2.amazonaws.com:ModifyImageAttribute", `"errorCode":"Client.UnauthorizedOperation","requestParameters":{"launchPermission":{"add":{"items":[{"group":"all"}]}}}`, 1),
		told("ec2.amazonaws.com:ModifyImageAttribute", `"requestParameters":{"launchPermission":{"remove":{"items":[{"group":"all"}]}}}`, 1))
	if got := spoken(found); got != "110000" {
		t.Fatal(got)
	}
	s := found[0][0]
	if s.Key != "ami-1" || s.API.OtherAccount != "444455556666" || s.Signal != "AMIExternalAccess" || s.Caller.Principal != "arn:aws:iam::111122223333:user/ann" {
		t.Errorf("%+v", s)
	}
}

// A field that a call leaves out is nothing, and no reason to give up the rest.
func TestWhatIsLeftOut(t *testing.T) {
	for condition, want := range map[string]string{
		`first(request("on")) == "false" or last(request("on")) == "off" or first(request("kept")) == "false"`: "10",
		`first(request("on")) != "true" and last(request("on")) != "true"`:                                     "11",
		`(first(request("on")) ?? "x") == "x" and first(request("kept")) startsWith "f"`:                       "10",
	} {
		found := try(t, "{name: left, type: 'Backdoor:EC2/C&CActivity.B!DNS', class: api, when: '"+condition+"'}",
			told("a.amazonaws.com:Set", `"requestParameters":{"kept":false}`, 1), told("a.amazonaws.com:Set", `"requestParameters":null`, 2))
		if got := spoken(found); got != want {
			t.Errorf("%s: %s", condition, got)
		}
	}
}

func TestACount(t *testing.T) {
	const sweep = `
name: sweep
type: Backdoor:EC2/C&CActivity.B!DNS
class: api
calls: [secretsmanager.amazonaws.com:GetSecretValue]
count: {at-least: 3, within: 10s, by: actor.principal, distinct: first(request("secretId"))}
`
	var records []string
	for i, id := range []string{"a", "b", "a", "c", "d", "e", "", "f", "g"} {
		second := i
		if i >= 7 {
			second += 20
		}
		records = append(records, told("secretsmanager.amazonaws.com:GetSecretValue", `"requestParameters":{"secretId":"`+id+`"}`, second))
	}
	found := try(t, sweep, records...)
	if got := spoken(found); got != "000111000" {
		t.Fatal(got)
	}
	if e := found[3][0].Evidence; len(e) != 3 || e[2].ID != "e3" {
		t.Errorf("%+v", e)
	}
}

func TestASequence(t *testing.T) {
	const backdoor = `
name: backdoor
type: Backdoor:EC2/C&CActivity.B!DNS
class: api
sequence:
  - calls: [iam.amazonaws.com:CreateUser]
  - calls: [iam.amazonaws.com:AttachUserPolicy]
    when: any(request("policyArn"), admin(#))
  - calls: [iam.amazonaws.com:CreateAccessKey]
within: 1m
by: first(request("userName"))
`
	create := func(second int) string {
		return told("iam.amazonaws.com:CreateUser", `"requestParameters":{"userName":"eve"}`, second)
	}
	attach := func(policy string, second int) string {
		return told("iam.amazonaws.com:AttachUserPolicy", `"requestParameters":{"userName":"eve","policyArn":"arn:aws:iam::aws:policy/`+policy+`"}`, second)
	}
	key := func(user string, second int) string {
		return told("iam.amazonaws.com:CreateAccessKey", `"requestParameters":{"userName":"`+user+`"}`, second)
	}
	for _, c := range []struct {
		records []string
		want    string
	}{
		{[]string{create(0), attach("AdministratorAccess", 1), key("eve", 2)}, "001"},
		{[]string{create(0), attach("AdministratorAccess", 1), key("bob", 2), key("eve", 3), key("eve", 4)}, "00010"},
		{[]string{create(0), attach("ReadOnlyAccess", 1), key("eve", 2)}, "000"},
		{[]string{attach("AdministratorAccess", 1), create(2), key("eve", 3)}, "000"},
		{[]string{create(0), attach("AdministratorAccess", 1), key("eve", 62)}, "000"},
		{[]string{create(0), create(50), attach("AdministratorAccess", 51), key("eve", 70)}, "0001"},
	} {
		if got := spoken(try(t, backdoor, c.records...)); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	edit := func(old, new string) string { return strings.Replace(shared, old, new, 1) }
	for source, why := range map[string]string{
		"":                                         "name",
		"- a":                                      "",
		edit("image-shared", "Image Shared"):       "name",
		edit("class: api", "class: apis"):          "class",
		edit("C&CActivity.B!DNS", "Nothing"):       "type",
		edit("not api.failed", "not api.faild"):    "when",
		edit("not api.failed", "now() > time"):     "when",
		edit("not api.failed and", "1 + "):         "when",
		edit("key:", "keys:"):                      "keys",
		edit("ec2.amazonaws.com:Modify", "Modify"): "calls",
		edit("[ec2.amazonaws.com:ModifyImageAttribute]", `["*:*"]`):                   "calls",
		shared + "severity: 9.5\n":                                                    "severity",
		shared + "count: {at-least: 1, within: 10m, by: actor.principal}\n":           "at-least",
		shared + "count: {at-least: 3, within: 90h, by: actor.principal}\n":           "within",
		shared + "count: {at-least: 3, within: 1h}\n":                                 "by",
		shared + "within: 1h\n":                                                       "within",
		shared + "sequence: [{when: 'true'}, {when: 'true'}]\nwithin: 1h\nby: time\n": "sequence",
		edit("not api.failed", strings.Repeat("true and ", 2000)+"true"):              "when",
		"name: x1\n" + strings.Repeat("#", maxFile):                                   "larger",
	} {
		r, err := Parse([]byte(source))
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%.200s\n  gives %v, %v; want it to name %q", source, r, err, why)
		}
	}
}

// A condition that goes wrong for a record does not hold, and stops nothing.
func TestAConditionThatCannotBeWorkedOut(t *testing.T) {
	found := try(t, strings.Replace(shared, "not api.failed", `request("imageId")[7] == "x" and not api.failed`, 1),
		told("ec2.amazonaws.com:ModifyImageAttribute", `"requestParameters":{"imageId":"ami-1"}`, 1))
	if spoken(found) != "0" {
		t.Error(found)
	}
}

func TestGuests(t *testing.T) {
	for doc, want := range map[string]string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole"}]}`:                                                                 "[444455556666]",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`:                                                                          "[]",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["111122223333","*"]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`:                                                 "[*]",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:SourceVpce":"vpce-0a1b2c3d4e5f67890"}}}]}`: "[]",
		`{`: "[]",
		``:  "[]",
	} {
		if got := fmt.Sprint(Guests("111122223333", doc)); got != want {
			t.Errorf("%s: %s, want %s", doc, got, want)
		}
	}
}

func TestAdmin(t *testing.T) {
	for what, want := range map[string]bool{
		"arn:aws:iam::aws:policy/AdministratorAccess": true, "arn:aws:iam::111122223333:policy/AdministratorAccess": false, "arn:aws:iam::aws:policy/ReadOnlyAccess": false,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`: true, "": false,
	} {
		if Admin(what) != want {
			t.Errorf("%s: %t", what, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(shared)
	f.Add("name: x1\ntype: Backdoor:EC2/C&CActivity.B!DNS\nclass: dns\nwhen: entropy(query.hostname) > 3.5\n")
	f.Fuzz(func(t *testing.T, source string) {
		r, err := Parse([]byte(source))
		if err == nil && (r.Name == "" || r.See == nil || len(r.Types) != 1) {
			t.Errorf("%q: %+v", source, r)
		}
	})
}

func BenchmarkRule(b *testing.B) {
	r, err := Parse([]byte(shared))
	if err != nil {
		b.Fatal(err)
	}
	rec, err := cloudtrail.Read([]byte(told("ec2.amazonaws.com:ModifyImageAttribute", `"requestParameters":{"imageId":"ami-1","launchPermission":{"add":{"items":[{"userId":"111122223333"}]}}}`, 1)))
	if err != nil {
		b.Fatal(err)
	}
	s := &rule.Scene{Net: &enrich.Net{}, Normal: baseline.New(), Report: func(finding.Suspicion) { b.Fatal("reported") }}
	b.ReportAllocs()
	for b.Loop() {
		r.See(s, rec)
	}
}

func TestANoteNamesItsRecord(t *testing.T) {
	for _, file := range []string{"logs/a.json.gz", "", "odd\x00name"} {
		r := &record.Record{Time: time.Date(2026, 1, 1, 10, 0, 0, 5, time.UTC), ID: "e", Origin: record.Origin{File: file, Line: 7, Offset: 1 << 40}, API: &record.API{Service: "iam.amazonaws.com", Operation: "A"}}
		note, err := evidenceNote(r)
		if err != nil {
			t.Fatal(err)
		}
		if ev, err := readNote(note); err != nil || ev != rule.Evidence(r) {
			t.Errorf("%q: %+v, %v", note, ev, err)
		}
	}
	for _, bad := range []string{"", "x", "{", strings.Repeat("\x00", 6)} {
		if ev, err := readNote(bad); err == nil {
			t.Errorf("%q: %+v", bad, ev)
		}
	}
}
