package detect

import (
	"fmt"
	"testing"

	"sumun.dev/detect/sigma"
)

// Sigma compares without case: also the calls by which its rules are looked up.
func TestSigmaRulesAreLookedUpInAnyCase(t *testing.T) {
	for detection, want := range map[string]int{
		"eventName: CreateAccessKey":                                   1,
		"eventName: Createaccesskey":                                   1,
		"eventName: CREATEACCESSKEY":                                   1,
		"eventName: [createAccessKey, CreateAccessKey]":                1,
		"{eventSource: IAM.amazonaws.com, eventName: Createaccesskey}": 1,
		"eventSource: Iam.Amazonaws.com":                               1,
		"eventName: CreateAccessKeys":                                  0,
		"eventName|cased: Createaccesskey":                             0,
	} {
		if detection[0] != '{' {
			detection = "{" + detection + "}"
		}
		rules, errs := sigma.Parse(fmt.Appendf(nil, "title: A key\nlogsource: {product: aws, service: cloudtrail}\ndetection: {a: %s, condition: a}\n", detection))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		e := NewEngine(Options{Rules: rules})
		if got := told(e, did("ann", 1, 0, "iam", "CreateAccessKey", "203.0.113.7", `{"userName":"bob"}`)); len(got) != want {
			t.Errorf("%s: told %d times", detection, len(got))
		}
		if e := NewEngine(Options{}); len(e.folded) > 0 {
			t.Error("built-in rules mean calls as they are spelt")
		}
	}
}
