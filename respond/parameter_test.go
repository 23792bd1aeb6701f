package respond

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const parameters = `schemaVersion: '0.3'
parameters:
  Word: {type: String, default: none, allowedValues: [one, two, none]}
  Host: {type: String, default: a.example, allowedPattern: '[a-z.]+', minChars: 3, maxChars: 12}
  Count: {type: Integer, default: 4, allowedValues: [4, 5]}
  Yes: {type: Boolean, default: false}
  Words: {type: StringList, default: [], minItems: 1, maxItems: 2, allowedPattern: '[a-z]+'}
  Map: {type: StringMap, default: {}}
  Maps: {type: MapList, default: []}
  Instance: {type: 'AWS::EC2::Instance::Id', default: i-1}
  Instances: {type: 'List<AWS::EC2::Instance::Id>', default: []}
  Place: {type: String, default: 'in {{ global:REGION }}'}
mainSteps:
  - {name: a, action: 'aws:sleep', inputs: {Duration: PT1S}}
`

func TestBind(t *testing.T) {
	r, err := Parse("Test", []byte(parameters))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		words []string
		want  string // of the value, or the sentence of the refusal
	}{
		{"Word", []string{"two"}, `string two`},
		{"Word", []string{"three"}, `Parameter "Word" has value "three" not found in [one, two, none].`},
		{"Word", []string{"one", "two"}, `Parameter "Word" of type String takes one value, 2 are given.`},
		{"Word", []string{}, `Parameter "Word" of type String takes one value, 0 are given.`},
		{"Host", []string{"b.example"}, `string b.example`},
		{"Host", []string{"b.example\n"}, `Parameter "Host" has value "b.example\n" not matching the pattern [a-z.]+.`},
		{"Host", []string{"a b"}, `Parameter "Host" has value "a b" not matching the pattern [a-z.]+.`},
		{"Host", []string{"ab"}, `Parameter "Host" has 2 characters, at least 3 are required.`},
		{"Host", []string{"abcdefghijklm"}, `Parameter "Host" has 13 characters, at most 12 are allowed.`},
		{"Count", []string{"5"}, `int64 5`},
		{"Count", []string{"6"}, `Parameter "Count" has value "6" not found in [4, 5].`},
		{"Count", []string{"five"}, `Parameter "Count" has value "five", which is not an Integer.`},
		{"Yes", []string{"True"}, `bool true`},
		{"Yes", []string{"yes"}, `Parameter "Yes" has value "yes", which is not a Boolean.`},
		{"Words", []string{"a", "b"}, `[]interface {} [a b]`},
		{"Words", []string{}, `Parameter "Words" has 0 items, at least 1 are required.`},
		{"Words", []string{"a", "b", "c"}, `Parameter "Words" has 3 items, at most 2 are allowed.`},
		{"Words", []string{"a", "B"}, `Parameter "Words" has value "B" not matching the pattern [a-z]+.`},
		{"Map", []string{`{"a":1}`}, `map[string]interface {} map[a:1]`},
		{"Map", []string{`[]`}, `Parameter "Map" is not a JSON object.`},
		{"Maps", []string{`[{"a":1},{"b":2}]`}, `[]interface {} [map[a:1] map[b:2]]`},
		{"Maps", []string{`{"a":1}`, `{"b":2}`}, `[]interface {} [map[a:1] map[b:2]]`},
		{"Maps", []string{`[1]`}, `Parameter "Maps" is not a list of JSON objects.`},
		{"Maps", []string{`x`}, `Parameter "Maps" is not a list of JSON objects.`},
		{"Instance", []string{"i-2"}, `string i-2`},
		{"Instances", []string{"i-2", "i-3"}, `[]interface {} [i-2 i-3]`},
		{"Other", []string{"x"}, `Parameter "Other" is not defined in the document Test.`},
	} {
		t.Run(c.name+strings.Join(c.words, "_"), func(t *testing.T) {
			v, err := r.Bind(map[string][]string{c.name: c.words}, map[string]string{GlobalRegion: "eu-west-1"})
			got := fmt.Sprintf("%T %v", v[c.name], v[c.name])
			if err != nil {
				got = err.Error()
				if !errors.Is(err, ErrParameters) {
					t.Errorf("%v is no ErrParameters", err)
				}
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	v, err := r.Bind(nil, map[string]string{GlobalRegion: "eu-west-1"})
	if err != nil || v["Place"] != "in eu-west-1" || v["Count"] != int64(4) || v["Yes"] != false {
		t.Errorf("defaults: %v, %v", v, err)
	}
}

func TestBindAsksForWhatHasNoDefault(t *testing.T) {
	for _, r := range Builtin() {
		_, err := r.Bind(nil, nil)
		if err == nil || err.Error() != "Missing required parameter: AutomationAssumeRole in user inputs." {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
}

func TestTheBlockedDomainIsADomain(t *testing.T) {
	r := Builtin()[0]
	given := map[string][]string{
		"AutomationAssumeRole": {"arn:aws:iam::111122223333:role/path/responder"}, "FirewallDomainListId": {"rslvr-fdl-0123456789abcdef"}, "FindingId": {"arn:x"},
	}
	for domain, ok := range map[string]bool{
		"bad.example.com": true, "bad.example.com.": true, "*.bad.example.com": true, "_dmarc.example.com": true, "localhost": true,
		"": false, "bad example.com": false, "{{ FindingId }}": false, "a..b": false, "*": false, "bad.example.com\n": false, strings.Repeat("a.", 128) + "com": false,
	} {
		given["Domain"] = []string{domain}
		if _, err := r.Bind(given, map[string]string{GlobalRegion: "us-east-1", GlobalPartition: "aws"}); (err == nil) != ok {
			t.Errorf("%q: %v", domain, err)
		}
	}
}
