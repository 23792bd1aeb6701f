package pattern

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func mustParse(t testing.TB, source string) *Pattern {
	t.Helper()
	p, err := Parse([]byte(source))
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return p
}

const instance = `{"version":"0","id":"1","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2",
	"account":"111122223333","time":"2017-12-22T18:43:48Z","region":"us-west-1",
	"resources":["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"],
	"detail":{"instance-id":"i-1234567890abcdef0","state":"running","c-count":5,"d-count":3,"x-limit":301.8,"ok":true,"none":null,
	"source-ip":"10.0.0.33","v6":"2001:db8:1234:1a00::1","FileName":"photo.PNG","path":"/usr/lib/x/lib.jar","empty":"","list":[],
	"dotted.name":"d","quote":"a\"b\\c","micro":0.0000005}}`

func TestOperators(t *testing.T) {
	for _, c := range []struct {
		pattern string
		want    bool
	}{
		{`{"source":["aws.ec2"]}`, true},
		{`{"source":["aws.ec2"],"detail":{"state":["stopped","running"]}}`, true},
		{`{"source":["aws.ec2"],"detail":{"state":["stopped"]}}`, false},
		{`{"Source":["aws.ec2"]}`, false},
		{`{"resources":["x","arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"]}`, true},
		{`{"detail":{"c-count":[5]}}`, true},
		{`{"detail":{"c-count":[5.0]}}`, true},
		{`{"detail":{"c-count":[0.5e1]}}`, true},
		{`{"detail":{"c-count":["5"]}}`, false},
		{`{"detail":{"ok":[true]}}`, true},
		{`{"detail":{"ok":["true"]}}`, false},
		{`{"detail":{"none":[null]}}`, true},
		{`{"detail":{"missing":[null]}}`, false},
		{`{"detail":{"list":[null]}}`, false},
		{`{"detail":{"empty":[""]}}`, true},
		{`{"time":[{"prefix":"2017-12-22"}]}`, true},
		{`{"time":[{"prefix":""}]}`, true},
		{`{"detail":{"c-count":[{"prefix":"5"}]}}`, false},
		{`{"detail":{"FileName":[{"suffix":".png"}]}}`, false},
		{`{"detail":{"FileName":[{"suffix":{"equals-ignore-case":".png"}}]}}`, true},
		{`{"detail":{"FileName":[{"prefix":{"equals-ignore-case":"PHO"}}]}}`, true},
		{`{"detail-type":[{"equals-ignore-case":"ec2 INSTANCE state-change notification"}]}`, true},
		{`{"detail":{"path":[{"wildcard":"/usr/*/x/*.jar"}]}}`, true},
		{`{"detail":{"path":[{"wildcard":"*/lib/*"}]}}`, true},
		{`{"detail":{"path":[{"wildcard":"*/lib"}]}}`, false},
		{`{"detail":{"quote":[{"wildcard":"a*\\\\c"}]}}`, true},
		{`{"detail":{"quote":["a\"b\\c"]}}`, true},
		{`{"detail":{"state":[{"anything-but":"initializing"}]}}`, true},
		{`{"detail":{"state":[{"anything-but":["x","running"]}]}}`, false},
		{`{"detail":{"c-count":[{"anything-but":[100,5]}]}}`, false},
		{`{"detail":{"c-count":[{"anything-but":"5"}]}}`, true},
		{`{"detail":{"none":[{"anything-but":"x"}]}}`, true},
		{`{"detail":{"missing":[{"anything-but":"x"}]}}`, false},
		{`{"detail":{"state":[{"anything-but":{"prefix":"run"}}]}}`, false},
		{`{"detail":{"c-count":[{"anything-but":{"prefix":"run"}}]}}`, true},
		{`{"detail":{"state":[{"anything-but":{"suffix":["ing","x"]}}]}}`, false},
		{`{"detail":{"state":[{"anything-but":{"equals-ignore-case":"RUNNING"}}]}}`, false},
		{`{"detail":{"path":[{"anything-but":{"wildcard":"*/lib/*"}}]}}`, false},
		{`{"detail":{"path":[{"anything-but":{"wildcard":""}}]}}`, true},
		{`{"detail":{"c-count":[{"numeric":[">",0,"<=",5]}],"x-limit":[{"numeric":["=",3.018e2]}]}}`, true},
		{`{"detail":{"c-count":[{"numeric":["<",5]}]}}`, false},
		{`{"detail":{"c-count":[{"numeric":[">=",5]}]}}`, true},
		{`{"detail":{"micro":[{"numeric":[">",0,"<",0.000001]}]}}`, true},
		{`{"detail":{"source-ip":[{"cidr":"10.0.0.0/24"}]}}`, true},
		{`{"detail":{"source-ip":[{"cidr":"10.0.1.0/24"}]}}`, false},
		{`{"detail":{"v6":[{"cidr":"2001:db8:1234:1a00::/56"}]}}`, true},
		{`{"detail":{"v6":["2001:0db8:1234:1a00:0:0:0:1"]}}`, true},
		{`{"detail":{"state":[{"exists":true}],"missing":[{"exists":false}]}}`, true},
		{`{"detail":{"list":[{"exists":true}]}}`, false},
		{`{"detail":[{"exists":true}]}`, false},
		{`{"detail":[{"exists":false}]}`, true},
		{`{"detail":{"dotted":{"name":["d"]}}}`, true},
		{`{"detail.dotted":{"name":["d"]}}`, true},
		{`{"detail":{"state":["x",{"exists":false}]}}`, false},
		{`{"detail":{"missing":["x",{"exists":false}]}}`, true},
		{`{"$or":[{"source":["x"]},{"detail":{"$or":[{"state":["y"]},{"c-count":[{"numeric":[">",4]}]}]}}],"region":[{"prefix":"us-"}]}`, true},
		{`{"$or":[{"source":["x"]},{"source":["y"]}]}`, false},
	} {
		p := mustParse(t, c.pattern)
		got, err := p.Matches([]byte(instance))
		if err != nil || got != c.want {
			t.Errorf("%s: %v, %v", c.pattern, got, err)
		}
		if o := oracle(p, leaves(instance)); o != c.want {
			t.Errorf("%s: the oracle says %v", c.pattern, o)
		}
	}
}

func TestFieldsMatchWithinOneArrayElement(t *testing.T) {
	const staff = `{"employees":[{"first":"John","last":"Doe"},{"first":"Anna","last":"Smith"},{"first":"Peter","last":"Jones","left":true}],
		"nested":[[{"a":1,"b":2}],[{"a":3,"b":4}]],"tags":["x","y"]}`
	for _, c := range []struct {
		pattern string
		want    bool
	}{
		{`{"employees":{"first":["Anna"]}}`, true},
		{`{"employees":{"first":["Anna"],"last":["Smith"]}}`, true},
		{`{"employees":{"first":["Anna"],"last":["Jones"]}}`, false},
		{`{"employees":{"first":["Anna"]},"tags":["y"],"nested":{"a":[3]}}`, true},
		{`{"nested":{"a":[3],"b":[4]}}`, true},
		{`{"nested":{"a":[3],"b":[2]}}`, false},
		{`{"employees":{"first":["Anna"],"left":[{"exists":false}]}}`, true},
		{`{"employees":{"first":["Peter"],"left":[{"exists":false}]}}`, false},
		{`{"employees":{"first":[{"exists":false}]}}`, false},
		{`{"employees":{"first":[{"anything-but":"John"}],"last":["Doe"]}}`, false},
		{`{"employees":{"$or":[{"first":["Anna"],"last":["Doe"]},{"first":["John"],"last":["Doe"]}]}}`, true},
	} {
		p := mustParse(t, c.pattern)
		got, err := p.Matches([]byte(staff))
		if err != nil || got != c.want {
			t.Errorf("%s: %v, %v", c.pattern, got, err)
		}
		if o := oracle(p, leaves(staff)); o != c.want {
			t.Errorf("%s: the oracle says %v", c.pattern, o)
		}
	}
}

func TestInvalidPatternsAreRefusedInAWSWords(t *testing.T) {
	at := func(message, source string, column int) string {
		return fmt.Sprintf("%s\n at [Source: (String)\"%s\"; line: 1, column: %d]", message, source, column)
	}
	for _, c := range []struct {
		source, message string
		column          int
	}{
		{`{"int": 42}`, `"int" must be an object or an array`, 11},
		{`{"string": "my-value"}`, `"string" must be an object or an array`, 13},
		{`{"detail": {"equal": [{"NUMERIC": ["=", 5]}]}}`, "Unrecognized match type NUMERIC", 36},
		{`{"my_key": [{"EXISTS": true}]}`, "Unrecognized match type EXISTS", 28},
		{`{"resources": []}`, "Empty arrays are not allowed", 17},
		{`{"source": ["aws.health"], "detail": {}}`, "Empty objects are not allowed", 40},
		{`{"detail": {"c-count": [{"numeric": [">", 0, ">", 0]}]}}`, "Bad numeric range operator: >", 49},
		{`{"detail": {"c-count": [{"numeric": [">", 0, "<"]}]}}`, "Value of < must be numeric", 50},
		{`{"detail-type": [{"equals-ignore-case": ["ec2 instance state-change notification"]}]}`, "equals-ignore-case match pattern must be a string", 42},
		{`{"detail": {"state": [{"anything-but": {"equals-ignore-case": 123}}]}}`, "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.", 66},
		{`{"EventBusArn": [{"wildcard": 123}]}`, "wildcard match pattern must be a string", 34},
		{`{"EventBusArn": [{"wildcard": "arn:aws:events:us-east-1:**:event-bus/*"}]}`, "Consecutive wildcard characters at pos 26", 72},
		{`{"time": [{"prefix": ["2022-07-13"]}]}`, "prefix match pattern must be a string", 23},
		{`{"FileName": [{"suffix": 123}]}`, "suffix match pattern must be a string", 29},
		{`{"detail": {"FileName": [{"anything-but": {"prefix": {"equals-ignore-case": "file"}}}]}}`, "Value of anything-but must be an array or single string/number value.", 55},
		{`{"detail": {"sourceIPAddress": [{"cidr": ["bad-type"]}]}}`, "prefix match pattern must be a string", 43},
		{`this is valid json but not a dict`, "Unrecognized token 'this': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", 5},
		{`{'bad': 'quotation'}`, "Unexpected character (''' (code 39)): was expecting double-quote to start field name", 2},
		{`{"not": closed mark"`, "Unrecognized token 'closed': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", 15},
		{`["not", "a", "dict", "but valid json"]`, "Filter is not an object", 2},
	} {
		_, err := Parse([]byte(c.source))
		if want := "Event pattern is not valid. Reason: " + at(c.message, c.source, c.column); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	for source, reason := range map[string]string{
		`{"EventBusArn": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}`: "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character",
		`{"ip": [{"cidr": "10.0.0.0"}]}`:                           "Malformed CIDR, one '/' required",
		`{"ip": [{"cidr": "10.0.0.0/x"}]}`:                         "Malformed CIDR, mask bits must be an integer",
		`{"ip": [{"cidr": "xx.11.xx/8"}]}`:                         "Nonstandard IP address: xx.11.xx",
	} {
		if _, err := Parse([]byte(source)); err == nil || err.Error() != "Event pattern is not valid. Reason: "+reason {
			t.Errorf("%s: %v", source, err)
		}
	}
	const list = `{"detail": {"state": [{"anything-but": {"prefix": [123, "test"]}}]}}`
	twice := at(at("prefix/suffix match pattern must be a string", list, 55), list, 55)
	if _, err := Parse([]byte(list)); err == nil || err.Error() != "Event pattern is not valid. Reason: "+twice {
		t.Errorf("%v", err)
	}
}

func TestWildcardsThatEventBridgeAccepts(t *testing.T) {
	for _, w := range []string{"arn:aws:events:us-east-1:*:event-bus/*", "/Users/*/dir/dir/dir/dir/dir/doc.txt", "*/bin/*.jar", `a\\*b`} {
		mustParse(t, `{"x":[{"wildcard":"`+w+`"}]}`)
	}
}

func TestCombinationsAreLimited(t *testing.T) {
	or := `"$or":[` + strings.Repeat(`{"a":["x"]},`, 9) + `{"b":["y"]}]`
	_, err := Parse([]byte(`{"w":{` + or + `},"x":{` + or + `},"y":{` + or + `},"z":{"$or":[{"a":[1]},{"b":[1]}]}}`))
	var e *Error
	if !errors.As(err, &e) || !e.Limit {
		t.Errorf("2000 combinations: %v", err)
	}
}

func TestEventsThatAreNotObjectsAreRefused(t *testing.T) {
	p := mustParse(t, `{"a":["x"]}`)
	for _, event := range []string{``, `[]`, `"a"`, `{`, `{"a":}`, `{"a":"x"} x`, `{"a":01}`, `{"a":tru}`, `{"a":"\x"}`, "{\"a\":\"\n\"}",
		strings.Repeat(`{"b":`, 2000), `{"b":` + strings.Repeat("[", 5000), `{"b":"` + strings.Repeat("x", MaxEvent) + `"}`} {
		if ok, err := p.Matches([]byte(event)); ok || err != ErrEvent {
			t.Errorf("%.40q: %v, %v", event, ok, err)
		}
	}
}

func TestHostileArraysEndInAnError(t *testing.T) {
	// Choosing elements so that everything fits is as hard as satisfying a
	// formula; here nothing fits, and only trying all choices would tell.
	var conj, arrays []string
	for i := range 24 {
		conj = append(conj, fmt.Sprintf(`"a%02d":{"f":["x"]}`, i))
		arrays = append(arrays, fmt.Sprintf(`"a%02d":[{"f":"x"},{"f":"x"},{"f":"x"}]`, i))
	}
	conj = append(conj, `"z":{"p":["x"],"q":["y"]}`)
	arrays = append(arrays, `"z":[{"p":"x"},{"q":"y"}]`)
	p := mustParse(t, "{"+strings.Join(conj, ",")+"}")
	if ok, err := p.Matches([]byte("{" + strings.Join(arrays, ",") + "}")); ok || err != ErrArrays {
		t.Errorf("%v, %v", ok, err)
	}
}

func TestLargeArraysAreDecided(t *testing.T) {
	const n = 10_000
	event := func(last string) []byte {
		return []byte(`{"a":{"b":[` + strings.Repeat(`{"x":1,"z":[{"w":1}]},`, n) + strings.Repeat(`{"y":[2,2]},`, n) + last + `]}}`)
	}
	p := mustParse(t, `{"a":{"b":{"x":[1],"y":[2],"z":{"w":[1,{"exists":false}]}}}}`)
	for last, want := range map[string]bool{`{"x":1,"y":2}`: true, `{"x":1,"y":3}`: false} {
		if got, err := p.Matches(event(last)); err != nil || got != want {
			t.Errorf("%s: %v, %v", last, got, err)
		}
	}
}

func TestHostilePatternsAreReadQuickly(t *testing.T) {
	or := func(n int, inner string) string { return `"$or":[` + strings.Repeat(inner+",", n-1) + inner + `]` }
	for name, source := range map[string]string{
		"alternatives": "{" + or(300, `{"a":[1]}`) + "}",
		"product":      `{"a":{` + or(31, `{"a":[1]}`) + `},"b":{` + or(32, `{"a":[1]}`) + `}}`,
		"deep":         strings.Repeat(`{"a":`, 600) + `[1]` + strings.Repeat(`}`, 600),
		"wildcards":    `{"a":[` + strings.TrimSuffix(strings.Repeat(`{"wildcard":"*a*b*c*"},`, 170), ",") + `]}`,
		"one wildcard": `{"a":[{"wildcard":"*` + strings.Repeat("ab", 2000) + `*"}]}`,
		"stars":        `{"a":[{"wildcard":"` + strings.Repeat("*a", 2000) + `"}]}`,
		"open":         strings.Repeat(`{"a":`, 800),
	} {
		begin := time.Now()
		p, err := Parse([]byte(source))
		if err == nil {
			_, err = p.Matches([]byte(`{"a":"` + strings.Repeat("ab", 100_000) + `"}`))
		}
		if d := time.Since(begin); d > 2*time.Second {
			t.Errorf("%s: %s (%.80v)", name, d, err)
		}
	}
}

func TestSetsServeManyAtOnce(t *testing.T) {
	s := NewSet(rules(t, 200))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				if ids, err := s.Match([]byte(finding), nil); err != nil || len(ids) != 1 {
					t.Errorf("%v, %v", ids, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestSetsChangeWithoutTouchingTheOld(t *testing.T) {
	patterns := map[string]*Pattern{}
	for i := range 300 {
		patterns[fmt.Sprint(i)] = mustParse(t, fmt.Sprintf(`{"n":[%d]}`, i))
	}
	s := NewSet(patterns)
	none := s
	for i := range 300 {
		none = none.Without(fmt.Sprint(i))
		if none.Len() != 299-i {
			t.Fatalf("%d patterns after %d removals", none.Len(), i+1)
		}
	}
	again := none
	for i := range 300 {
		again = again.With(fmt.Sprint(i), mustParse(t, fmt.Sprintf(`{"n":[%d]}`, i+1000)))
	}
	changed := s.With("7", mustParse(t, `{"n":[8]}`)).Without("9").With("new", mustParse(t, `{"n":[8]}`))
	for _, c := range []struct {
		set   *Set[string]
		event string
		want  []string
	}{
		{s, `{"n":8}`, []string{"8"}},
		{s, `{"n":7}`, []string{"7"}},
		{none, `{"n":7}`, nil},
		{again, `{"n":1007}`, []string{"7"}},
		{again, `{"n":7}`, nil},
		{changed, `{"n":8}`, []string{"7", "8", "new"}},
		{changed, `{"n":7}`, nil},
		{changed, `{"n":9}`, nil},
	} {
		got, err := c.set.Match([]byte(c.event), nil)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.event, got, err, c.want)
		}
	}
}
