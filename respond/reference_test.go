package respond

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func scope() *Scope {
	return &Scope{
		Parameters: map[string]any{"Word": "w", "Count": int64(3), "Yes": true, "List": []any{"a", "b"}, "Map": map[string]any{"k": int64(1)}, "Evil": "{{ Word }}"},
		Steps:      map[string]map[string]any{"one": {"Id": "i-1", "Ids": []any{"i-1", "i-2"}}},
		Globals:    map[string]string{GlobalRegion: "eu-west-1", AutomationRun: "run"},
	}
}

func TestFill(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"text", `"plain"`, `"plain"`},
		{"whole", `"{{ Word }}"`, `"w"`},
		{"tight", `"{{Word}}"`, `"w"`},
		{"keeps_integer", `"{{ Count }}"`, `3`},
		{"keeps_boolean", `"{{ Yes }}"`, `true`},
		{"keeps_list", `"{{ List }}"`, `["a","b"]`},
		{"keeps_map", `"{{ Map }}"`, `{"k":1}`},
		{"within_text", `"a {{ Word }} b {{ Count }} c {{ List }}"`, `"a w b 3 c [\"a\",\"b\"]"`},
		{"step", `["{{ one.Id }}", "{{ one.Ids }}"]`, `["i-1",["i-1","i-2"]]`},
		{"global", `{"r": "{{ global:REGION }}/{{ automation:EXECUTION_ID }}"}`, `{"r":"eu-west-1/run"}`},
		{"values_are_not_read_again", `"{{ Evil }} {{ Evil }}"`, `"{{ Word }} {{ Word }}"`},
		{"whole_value_is_not_read_again", `"{{ Evil }}"`, `"{{ Word }}"`},
		{"no_reference", `"{{ a b }} {{}} {{ x"`, `"{{ a b }} {{}} {{ x"`},
		{"other_values", `[1, 2.5, null, false]`, `[1,2.5,null,false]`},
		{"three_braces", `"{{{ Word }}"`, `"{w"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := Canonical([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			out, err := scope().Fill(in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(out)
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, want %s (%v)", got, c.want, err)
			}
		})
	}
	for _, bad := range []string{"{{ Nothing }}", "{{ one.Other }}", "{{ two.Id }}", "{{ global:MOON }}", "x {{ Nothing }}"} {
		if _, err := scope().Fill(bad); !errors.Is(err, ErrReference) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestFillIsBounded(t *testing.T) {
	s := &Scope{Parameters: map[string]any{"Long": strings.Repeat("x", 100_000)}}
	if _, err := s.Fill(strings.Repeat("{{ Long }}", 10)); !errors.Is(err, ErrReference) {
		t.Errorf("a megabyte: %v", err)
	}
	if _, err := s.Fill([]any{"{{ Long }}", "{{ Long }}", "{{ Long }}", "{{ Long }}", "{{ Long }}", "{{ Long }}"}); !errors.Is(err, ErrReference) {
		t.Errorf("a megabyte in parts: %v", err)
	}
}

func FuzzFill(f *testing.F) {
	f.Add("a {{ Word }} b")
	f.Add("{{ Evil }}{{ one.Id }}{{ global:REGION }}")
	f.Add("{{ {{ Word }} }}")
	f.Fuzz(func(t *testing.T, text string) {
		out, err := scope().Fill(text)
		if err == nil && !strings.Contains(text, "{{") && out != any(text) {
			t.Errorf("%q became %v", text, out)
		}
	})
}

func TestSelect(t *testing.T) {
	const answer = `{"Users":[{"Name":"a","Tags":[{"K":"1"}]},{"Name":"b"}],"Count":2,"On":true,"M":{"x y":{"z":1}},"None":null}`
	for _, c := range []struct{ selector, kind, want string }{
		{"$.Users[0].Name", String, `"a"`},
		{"$['Users'][1]['Name']", String, `"b"`},
		{"$.Users[*].Name", StringList, `["a","b"]`},
		{"$.Users[*].Tags[*].K", StringList, `["1"]`},
		{"$.Users[*].Tags[*].K", String, `"1"`},
		{"$.Users", MapList, `[{"Name":"a","Tags":[{"K":"1"}]},{"Name":"b"}]`},
		{"$.Count", Integer, `2`},
		{"$.On", Boolean, `true`},
		{`$.M["x y"]`, StringMap, `{"z":1}`},
		{"$.Nobody[*].Name", StringList, `[]`},
		{"$.Users[2].Name", String, "finds nothing"},
		{"$.Nobody", String, "finds nothing"},
		{"$.Count.x", String, "finds nothing"},
		{"$.Count", String, "not of type String"},
		{"$.None", String, "not of type String"},
		{"$.Users[*].Name", MapList, "not of type MapList"},
		{"$..Name", String, "recursive descent"},
		{"$.Users[?(@.Name)]", String, "not served"},
		{"Users", String, "does not begin"},
		{"$.", String, "not a member's name"},
		{"$.a[", String, "not closed"},
	} {
		t.Run(c.selector+"_"+c.kind, func(t *testing.T) {
			x, err := Canonical([]byte(answer))
			if err != nil {
				t.Fatal(err)
			}
			v, err := Output{"Out", c.selector, c.kind}.Take(x)
			if err != nil {
				if !errors.Is(err, ErrSelector) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %s", err, c.want)
				}
				return
			}
			got, err := json.Marshal(v)
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, want %s (%v)", got, c.want, err)
			}
		})
	}
}

func TestSleepUntil(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"PT10M": 10 * time.Minute, "P1DT2H3M4S": 26*time.Hour + 3*time.Minute + 4*time.Second, "PT0S": 0, "P7D": 7 * 24 * time.Hour,
		"": -1, "P": -1, "PT": -1, "10": -1, "P1Y": -1, "PT5": -1, "PT1S1M": -1, "PT-1S": -1, "P8D": -1, "PT99999999S": -1,
	} {
		at, err := SleepUntil(map[string]any{"Duration": text}, now)
		if want < 0 {
			if err == nil {
				t.Errorf("%q was taken as %s", text, at.Sub(now))
			}
			continue
		}
		if err != nil || at.Sub(now) != want {
			t.Errorf("%q: %s, %v", text, at.Sub(now), err)
		}
	}
	if at, err := SleepUntil(map[string]any{"Timestamp": "2026-01-02T00:00:00Z"}, now); err != nil || at.Sub(now) != 24*time.Hour {
		t.Errorf("timestamp: %s, %v", at, err)
	}
	if _, err := SleepUntil(map[string]any{"Timestamp": "2027-01-02T00:00:00Z"}, now); err == nil {
		t.Error("a year of sleep was taken")
	}
}
