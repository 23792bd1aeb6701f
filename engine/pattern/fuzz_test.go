package pattern

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// FuzzPattern reads any pattern, and matches any event, as the oracle does.
func FuzzPattern(f *testing.F) {
	f.Add(`{"detail":{"a":[{"prefix":"x"},{"anything-but":["y"]},{"numeric":[">",0,"<=",5]}]}}`, `{"detail":{"a":["x",4]}}`)
	f.Add(`{"$or":[{"a":[{"wildcard":"a*b*c"}]},{"b":[{"exists":false}]}]}`, `{"a":"abc","b":[{"c":null}]}`)
	f.Add(`{"a":{"b":[{"cidr":"10.0.0.0/8"}],"c":[{"suffix":{"equals-ignore-case":"é"}}]}}`, `{"a":[{"b":"10.1.2.3","c":"É"},{"b":1e2}]}`)
	f.Add(`{"a":[{"equals-ignore-case":"K"}]}`, `{"a":"\u212a"}`)
	f.Fuzz(func(t *testing.T, source, event string) {
		p, err := Parse([]byte(source))
		if err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("%T", err)
			}
			return
		}
		got, err := p.Matches([]byte(event))
		if err == ErrEvent && valid([]byte(event)) && strings.Count(event, "{")+strings.Count(event, "[") < MaxDepth {
			t.Fatalf("event %q refused", event)
		}
		if err != nil || !valid([]byte(event)) || strings.ContainsRune(event, '\uFFFD') || strings.Contains(event, `\ud`) || len(event) > 300 || strings.ContainsAny(event, "eE") {
			return
		}
		if want := oracle(p, leaves(event)); got != want {
			t.Fatalf("%s\n%s\n%v, the oracle says %v", source, event, got, want)
		}
	})
}

// TestSetAgreesWithOracle tries many small random patterns on small random
// events, where they often meet.
func TestSetAgreesWithOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	matches := 0
	for round := range 300 {
		patterns := map[int]*Pattern{}
		sources := map[int]string{}
		for i := range 20 {
			sources[i] = randomPattern(r)
			patterns[i] = mustParse(t, sources[i])
		}
		s := NewSet(patterns)
		if round%2 == 1 {
			s = NewSet[int](nil)
			for i, p := range patterns {
				s = s.With(i, p)
			}
		}
		for range 30 {
			event := randomEvent(r)
			got, err := s.Match([]byte(event), nil)
			if err != nil {
				t.Fatalf("%s: %v", event, err)
			}
			all := leaves(event)
			for i, p := range patterns {
				want := oracle(p, all)
				if slices.Contains(got, i) != want {
					t.Fatalf("%s\n%s\nset says %v", sources[i], event, !want)
				}
				if want {
					matches++
				}
			}
		}
	}
	if matches < 10_000 {
		t.Errorf("only %d matches: the test tests little", matches)
	}
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func randomValue(r *rand.Rand) string {
	return pick(r, `"a"`, `"ab"`, `"abc"`, `"aBc"`, `"bc"`, `"É"`, `"éa"`, `"10.0.0.1"`, `"10.0.1.1"`, `"::1"`, `""`, `"a.b"`, `"a*c"`, `1`, `1.0`, `2`, `2.5`, `-3`, `10`, `true`, `null`)
}

func randomEvent(r *rand.Rand) string {
	var value func(depth int) string
	value = func(depth int) string {
		switch n := r.IntN(10); {
		case depth > 3 || n < 4:
			return randomValue(r)
		case n < 7:
			var parts []string
			for range r.IntN(4) {
				parts = append(parts, value(depth+1))
			}
			return "[" + strings.Join(parts, ",") + "]"
		}
		var parts []string
		for range r.IntN(4) {
			parts = append(parts, fmt.Sprintf(`%s: %s`, pick(r, `"x"`, `"y"`, `"z"`, `"x.y"`), value(depth+1)))
		}
		return "{" + strings.Join(parts, " ,") + "}"
	}
	return fmt.Sprintf(`{"x":%s,"y":%s,"x":%s}`, value(0), value(0), value(1))
}

func randomPattern(r *rand.Rand) string {
	var object func(depth int) string
	object = func(depth int) string {
		var parts []string
		for range 1 + r.IntN(2) {
			name := pick(r, `"x"`, `"y"`, `"z"`, `"x.y"`)
			switch n := r.IntN(6); {
			case n == 0 && depth < 2:
				parts = append(parts, fmt.Sprintf(`"$or":[%s,%s]`, object(depth+1), object(depth+1)))
			case n < 3 && depth < 2:
				parts = append(parts, name+":"+object(depth+1))
			default:
				var values []string
				for range 1 + r.IntN(2) {
					values = append(values, randomCondition(r))
				}
				parts = append(parts, name+":["+strings.Join(values, ",")+"]")
			}
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return object(0)
}

func randomCondition(r *rand.Rand) string {
	text := pick(r, `"a"`, `"ab"`, `"bc"`, `"É"`, `"C"`)
	wild := pick(r, `"*"`, `"a*"`, `"*c"`, `"a*c"`, `"*b*"`, `"a\\*c"`, `"ab"`)
	return pick(r, randomValue(r), randomValue(r), `{"exists":true}`, `{"exists":false}`, `{"prefix":`+text+`}`, `{"suffix":`+text+`}`,
		`{"equals-ignore-case":`+text+`}`, `{"prefix":{"equals-ignore-case":`+text+`}}`, `{"suffix":{"equals-ignore-case":`+text+`}}`,
		`{"wildcard":`+wild+`}`, `{"anything-but":["a",`+text+`]}`, `{"anything-but":[1,2.5]}`, `{"anything-but":{"prefix":`+text+`}}`,
		`{"anything-but":{"wildcard":`+wild+`}}`, `{"anything-but":{"equals-ignore-case":["abc",`+text+`]}}`,
		`{"cidr":"10.0.0.0/24"}`, `{"cidr":"::/64"}`, `{"numeric":["=",1]}`, `{"numeric":[">",1,"<",10]}`, `{"numeric":["<=",2.5]}`, `{"numeric":[">=",-3]}`)
}
