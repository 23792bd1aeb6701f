package transform

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

const event = `{"version": "0", "id": "7bf73129", "detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2",
 "account": "123456789012", "time": "2015-11-11T21:29:54Z", "region": "us-east-1",
 "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
 "detail": {"instance-id": "i-0123456789", "state": "RUNNING", "count": 3, "ok": true, "none": null, "odd name": "x",
  "items": [{"n": 1, "t": "a"}, {"n": 2}], "quote": "say \"hi\", \\", "evil": "x\",\"role\":\"admin"}}`

func TestPathsSelect(t *testing.T) {
	for _, c := range []struct{ path, want string }{
		{"$.detail.state", `"RUNNING"`},
		{"$.detail.instance-id", `"i-0123456789"`},
		{"$.resources[0]", `"arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"`},
		{"$.resources[-1]", `"arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"`},
		{"$.detail.items[1].n", `2`},
		{"$.detail.items[*].n", `[1,2]`},
		{"$.detail.items[*].t", `["a"]`},
		{"$.detail.items.*", `[{"n":1,"t":"a"},{"n":2}]`},
		{"$['detail']['odd name']", `"x"`},
		{"$.detail.none", `null`},
		{"$.detail.missing[*]", `[]`},
		{"$.detail.missing", ``},
		{"$.detail.state.deeper", ``},
		{"$.resources[1]", ``},
		{"$.resources.x", ``},
	} {
		p, err := ParsePath(c.path)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if got, ok := p.Select([]byte(event)); string(got) != c.want || ok != (c.want != "") {
			t.Errorf("%s: %s, %v", c.path, got, ok)
		}
	}
	for _, bad := range []string{"", "detail", "$detail", "$..x", "$.a[", "$.a[]", "$.a[x]", "$.a[?(@.x)]", "$.a['", "$.a.", "$[1:2]"} {
		if _, err := ParsePath(bad); err != ErrPath {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestTemplatesRender(t *testing.T) {
	paths := map[string]string{"instance": "$.detail.instance-id", "state": "$.detail.state", "count": "$.detail.count", "gone": "$.detail.gone",
		"items": "$.detail.items", "none": "$.detail.none", "quote": "$.detail.quote", "evil": "$.detail.evil", "time": "$.time"}
	known := Reserved{"arn:aws:events:us-east-1:123456789012:rule/example", "example", "2026-11-23T12:00:00Z"}
	for _, c := range []struct{ template, want string }{
		{`"instance <instance> is in <state>"`, `"instance i-0123456789 is in RUNNING"`},
		{`"instance \"<instance>\" is in <state>"`, `"instance \"i-0123456789\" is in RUNNING"`},
		{"{\n \"instance\" : <instance>,\n \"state\": <state>\n}", `{"instance":"i-0123456789","state":"RUNNING"}`},
		{`{"state": "<state>", "text": "instance \"<instance>\" is in <state>"}`, `{"state":"RUNNING","text":"instance \"i-0123456789\" is in RUNNING"}`},
		{`{"state": [9, <state>, true], "count": <count>, "none": <none>}`, `{"state":[9,"RUNNING",true],"count":3,"none":null}`},
		{`{"gone": <gone>, "text": "<gone>."}`, `{"gone":"","text":"."}`},
		{`{"items": <items>}`, `{"items":[{"n":1,"t":"a"},{"n":2}]}`},
		{`"items <items>"`, `"items [{n:1,t:a},{n:2}]"`},
		{`"<quote>"`, `"say \"hi\", \\"`},
		{`{"who": "<evil>"}`, `{"who":"x\",\"role\":\"admin"}`},
		{`"<aws.events.rule-name> triggered at <aws.events.event.ingestion-time>"`, `"example triggered at 2026-11-23T12:00:00Z"`},
		{`{"rule": <aws.events.rule-arn>}`, `{"rule":"arn:aws:events:us-east-1:123456789012:rule/example"}`},
		{`{"e": <aws.events.event>}`, `{"e":{"version":"0","id":"7bf73129","detailType":"EC2 Instance State-change Notification","source":"aws.ec2","account":"123456789012","time":"2015-11-11T21:29:54Z","region":"us-east-1","resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"]}}`},
		{`"a < b and c > d"`, `"a < b and c > d"`},
		{"\"one <state>\"\n\"two\"", "\"one RUNNING\"\n\"two\""},
		{`<instance>`, `"i-0123456789"`},
		{`{"Domain": [<state>], "AutomationAssumeRole": ["arn:aws:iam::<count>:role/x"]}`, `{"Domain":["RUNNING"],"AutomationAssumeRole":["arn:aws:iam::3:role/x"]}`},
	} {
		tpl, err := ParseTemplate(c.template, paths)
		if err != nil {
			t.Errorf("%s: %v", c.template, err)
			continue
		}
		if got, err := tpl.Render([]byte(event), known, 1<<20); err != nil || string(got) != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.template, got, c.want)
		}
	}
}

func TestBadTemplatesAreRefused(t *testing.T) {
	var placeholder *PlaceholderError
	if _, err := ParseTemplate(`"<unknown>"`, nil); !errors.As(err, &placeholder) || placeholder.Name != "unknown" {
		t.Errorf("%v", err)
	}
	var name *NameError
	if _, err := ParseTemplate(`"x"`, map[string]string{"aws.x": "$.a"}); !errors.As(err, &name) {
		t.Errorf("%v", err)
	}
	var path *PathError
	if _, err := ParseTemplate(`"x"`, map[string]string{"x": "a"}); !errors.As(err, &path) {
		t.Errorf("%v", err)
	}
	var syntax *TemplateError
	for _, s := range []string{`hello`, `{"a":}`, `"open`, ``, `{"a": <x>`} {
		if _, err := ParseTemplate(s, map[string]string{"x": "$.x"}); !errors.As(err, &syntax) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// FuzzRender makes JSON of any event, whatever stands in it.
func FuzzRender(f *testing.F) {
	f.Add(`{"detail":{"x":"a\"b"}}`, "$.detail.x")
	f.Add(`{"detail":[1,{"x":"\\"}]}`, "$.detail[*]")
	f.Fuzz(func(t *testing.T, event, path string) {
		tpl, err := ParseTemplate(`{"a": <x>, "b": "b <x> b", "c": <aws.events.event>, "d": "<aws.events.event.json>"}`, map[string]string{"x": path})
		if err != nil || !json.Valid([]byte(event)) || event[0] != '{' {
			return
		}
		out, err := tpl.Render([]byte(event), Reserved{}, 1<<20)
		if err != nil {
			t.Skip()
		}
		var got map[string]any
		if err := json.Unmarshal(out, &got); err != nil || len(got) != 4 {
			t.Fatalf("%s from %s", out, event)
		}
	})
}

func TestTemplatesAreBounded(t *testing.T) {
	big := `{"detail":{"a":"` + strings.Repeat("x", 100_000) + `","b":"y"}}`
	tpl, err := ParseTemplate(`"`+strings.Repeat("<a>", 2000)+`"`, map[string]string{"a": "$.detail.a"})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := tpl.Render([]byte(big), Reserved{}, 600_000); !errors.Is(err, ErrTooLong) || out != nil {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	tpl, err = ParseTemplate(`"`+strings.Repeat("<b>", 2000)+`"`, map[string]string{"b": "$.detail.b"})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := tpl.Render([]byte(big), Reserved{}, 600_000); err != nil || len(out) != 2002 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}
