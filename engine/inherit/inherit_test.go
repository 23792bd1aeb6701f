package inherit_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"sumun.dev/engine/inherit"
)

// effective merges levels, each of which may have several documents, and writes the result.
func effective(t *testing.T, levels ...[]string) string {
	t.Helper()
	var docs [][]*inherit.Document
	for _, level := range levels {
		var over []*inherit.Document
		for _, text := range level {
			d, err := inherit.Parse([]byte(text))
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			over = append(over, d)
		}
		docs = append(docs, over)
	}
	out, err := json.Marshal(inherit.Merge(docs))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

const (
	colours  = `{"tags":{"colour":{"tag_key":{"@@assign":"Colour"},"tag_value":{"@@assign":["red","blue"]}}}}`
	locked   = `{"tags":{"colour":{"tag_key":{"@@assign":"Colour","@@operators_allowed_for_child_policies":["@@none"]},"tag_value":{"@@assign":["red","blue"],"@@operators_allowed_for_child_policies":["@@append"]}}}}`
	shut     = `{"tags":{"@@operators_allowed_for_child_policies":["@@none"],"colour":{"tag_key":{"@@assign":"Colour"}}}}`
	greener  = `{"tags":{"colour":{"tag_value":{"@@append":["green"]}}}}`
	without  = `{"tags":{"colour":{"tag_value":{"@@remove":["blue","black"]}}}}`
	renaming = `{"tags":{"colour":{"tag_key":{"@@assign":"COLOUR"},"tag_value":{"@@assign":["grey"]}}}}`
)

func TestMerge(t *testing.T) {
	for _, c := range []struct {
		name   string
		levels [][]string
		want   string
	}{
		{"nothing", [][]string{{}}, `null`},
		{"one level", [][]string{{colours}}, `{"tags":{"colour":{"tag_key":"Colour","tag_value":["red","blue"]}}}`},
		{"assign overwrites", [][]string{{colours}, {renaming}}, `{"tags":{"colour":{"tag_key":"COLOUR","tag_value":["grey"]}}}`},
		{"append adds", [][]string{{colours}, {greener}}, `{"tags":{"colour":{"tag_key":"Colour","tag_value":["red","blue","green"]}}}`},
		{"append adds once", [][]string{{colours}, {greener}, {greener}}, `{"tags":{"colour":{"tag_key":"Colour","tag_value":["red","blue","green"]}}}`},
		{"append to nothing", [][]string{{greener}}, `{"tags":{"colour":{"tag_value":["green"]}}}`},
		{"remove takes what is there", [][]string{{colours}, {greener}, {without}}, `{"tags":{"colour":{"tag_key":"Colour","tag_value":["red","green"]}}}`},
		{"an emptied list is gone", [][]string{{greener}, {`{"tags":{"colour":{"tag_value":{"@@remove":["green"]}}}}`}}, `null`},
		{"a later level may add again", [][]string{{greener}, {`{"tags":{"colour":{"tag_value":{"@@remove":["green"]}}}}`}, {greener}}, `{"tags":{"colour":{"tag_value":["green"]}}}`},
		{"what is not allowed has no effect", [][]string{{locked}, {renaming}}, `{"tags":{"colour":{"tag_key":"Colour","tag_value":["red","blue"]}}}`},
		{"what is allowed has", [][]string{{locked}, {greener}, {without}}, `{"tags":{"colour":{"tag_key":"Colour","tag_value":["red","blue","green"]}}}`},
		{"no level lifts a limit", [][]string{{locked}, {`{"tags":{"colour":{"tag_key":{"@@operators_allowed_for_child_policies":["@@all"]}}}}`}, {renaming}}, `{"tags":{"colour":{"tag_key":"Colour","tag_value":["red","blue"]}}}`},
		{"a limit holds for all below it", [][]string{{shut}, {renaming}, {`{"tags":{"size":{"tag_key":{"@@assign":"Size"}}}}`}}, `{"tags":{"colour":{"tag_key":"Colour"}}}`},
		{"a limit does not hold for its own level", [][]string{{locked, greener}}, `{"tags":{"colour":{"tag_key":"Colour","tag_value":["red","blue","green"]}}}`},
		{"limits of one level intersect", [][]string{
			{`{"tags":{"colour":{"tag_value":{"@@assign":["red"],"@@operators_allowed_for_child_policies":["@@append"]}}}}`,
				`{"tags":{"colour":{"tag_value":{"@@operators_allowed_for_child_policies":["@@append","@@remove"]}}}}`},
			{`{"tags":{"colour":{"tag_value":{"@@append":["green"],"@@remove":["red"]}}}}`},
		}, `{"tags":{"colour":{"tag_value":["red","green"]}}}`},
		{"of one level the first assigns", [][]string{{colours, renaming}}, `{"tags":{"colour":{"tag_key":"Colour","tag_value":["red","blue"]}}}`},
		{"append to a plain value", [][]string{{`{"a":{"@@assign":"x"}}`}, {`{"a":{"@@append":["y"]}}`}}, `{"a":"x"}`},
		{"other plain values", [][]string{{`{"a":{"@@assign":true},"b":{"@@assign":3},"c":{"@@assign":"off"}}`}}, `{"a":true,"b":3,"c":"off"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := effective(t, c.levels...); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// What is merged is not changed: documents are shared.
func TestMergeLeavesDocumentsAlone(t *testing.T) {
	a, err := inherit.Parse([]byte(colours))
	if err != nil {
		t.Fatal(err)
	}
	b, err := inherit.Parse([]byte(`{"tags":{"colour":{"tag_value":{"@@append":["green"],"@@remove":["red"]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	levels := [][]*inherit.Document{{a}, {b}}
	first, _ := json.Marshal(inherit.Merge(levels))
	second, _ := json.Marshal(inherit.Merge(levels))
	if string(first) != string(second) {
		t.Errorf("%s, then %s", first, second)
	}
}

func TestSyntax(t *testing.T) {
	for _, text := range []string{
		``, `x`, `[]`, `{"a":1}`, `{"a":{}} {}`, `{"a":{"@@assign":null}}`, `{"a":{"@@assign":{"b":1}}}`, `{"a":{"@@assign":[1]}}`,
		`{"a":{"@@append":"x"}}`, `{"a":{"@@remove":1}}`, `{"a":{"@@set":"x"}}`, `{"a":{"@@operators_allowed_for_child_policies":[]}}`,
		`{"a":{"@@operators_allowed_for_child_policies":["@@none","@@all"]}}`, `{"a":{"@@operators_allowed_for_child_policies":["assign"]}}`,
		`{"a":{},"a":{}}`, `{"a":"\ud800"}`, strings.Repeat(`{"a":`, 100) + strings.Repeat(`}`, 100), `{"a":{"@@assign":"x"`,
	} {
		if _, err := inherit.Parse([]byte(text)); !errors.Is(err, inherit.ErrSyntax) {
			t.Errorf("%.60s: %v", text, err)
		}
	}
	d, err := inherit.Parse([]byte(`{"tags":{},"@@operators_allowed_for_child_policies":["@@none"],"plans":{}}`))
	if err != nil || strings.Join(d.Names(), " ") != "plans tags" {
		t.Errorf("%v, %v", d, err)
	}
}

func FuzzMerge(f *testing.F) {
	for _, seed := range []string{colours, locked, shut, greener, without, renaming} {
		f.Add(seed, greener, without)
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var levels [][]*inherit.Document
		for _, text := range []string{a, b, c} {
			if d, err := inherit.Parse([]byte(text)); err == nil {
				levels = append(levels, []*inherit.Document{d})
			} else if !errors.Is(err, inherit.ErrSyntax) {
				t.Fatal(err)
			}
		}
		if _, err := json.Marshal(inherit.Merge(levels)); err != nil {
			t.Fatal(err)
		}
	})
}
