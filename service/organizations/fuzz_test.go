package organizations

import (
	"errors"
	"testing"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
)

// Whatever is sent as a policy is taken or refused in AWS's words; what is taken
// can be joined with AWS's leave to read, and evaluated.
func FuzzDelegation(f *testing.F) {
	f.Add(allowRead)
	f.Add(denyIAM)
	f.Add(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"organizations:ListRoots","Resource":"*"}}`)
	f.Fuzz(func(t *testing.T, content string) {
		var e *aws.Error
		if err := checkDelegation(content); err != nil {
			if !errors.As(err, &e) {
				t.Fatal(err)
			}
			return
		}
		leave, err := allowing("111122223333", "organizations:Describe*")
		if err != nil {
			t.Fatal(err)
		}
		both, err := joined(leave, content)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := policy.Parse([]byte(both), policy.Resource); err != nil {
			t.Fatalf("%s: %v", both, err)
		}
	})
}

func FuzzContent(f *testing.F) {
	for i, t := range organizationsapi.PolicyType("").Values() {
		f.Add(i, t)
		f.Add(i, `{"tags":{"a":{"tag_key":{"@@assign":"A"}}}}`)
		f.Add(i, denyIAM)
	}
	types := organizationsapi.PolicyType("").Values()
	f.Fuzz(func(t *testing.T, i int, content string) {
		kind := organizationsapi.PolicyType(types[uint(i)%uint(len(types))])
		if err := checkContent(kind, content); err != nil && !organizationsapi.MalformedPolicyDocumentException.Is(err) &&
			!organizationsapi.ConstraintViolationException.Is(err) {
			t.Fatal(err)
		}
	})
}
