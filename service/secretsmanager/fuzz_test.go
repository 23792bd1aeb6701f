package secretsmanager

import (
	"errors"
	"strings"
	"testing"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
)

// said reports whether an answer is one for clients.
func said(err error) bool {
	var e *aws.Error
	return err == nil || errors.As(err, &e)
}

func FuzzSecretId(f *testing.F) {
	w := newWorld(f)
	made := must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a/b", SecretString: new("x")})
	for _, id := range []string{"a/b", *made.ARN, strings.TrimSuffix(*made.ARN, (*made.ARN)[len(*made.ARN)-7:]), "arn:aws:secretsmanager:us-east-1:111122223333:secret:", "arn:", "\x00", "a\xff"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		_, err := do(w, &api.GetSecretValue, &api.GetSecretValueRequest{SecretId: id})
		if !said(err) {
			t.Errorf("%q: %v", id, err)
		}
		if err == nil && id != "a/b" && !strings.HasPrefix(*made.ARN, id) {
			t.Errorf("%q finds %s", id, *made.ARN)
		}
	})
}

func FuzzFilters(f *testing.F) {
	w := newWorld(f)
	must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a/b", Description: new("a car"), SecretString: new("x")})
	f.Add("name", "a", "name", true)
	f.Add("all", "!car a", "created-date", false)
	f.Add("tag-key", "!", "last-accessed-date", true)
	f.Fuzz(func(t *testing.T, key, value, by string, desc bool) {
		in := &api.ListSecretsRequest{Filters: []api.Filter{{Key: new(api.FilterNameStringType(key)), Values: []string{value}}}, SortBy: new(api.SortByType(by))}
		if desc {
			in.SortOrder = new(api.SortOrderTypeDesc)
		}
		if _, err := do(w, &api.ListSecrets, in); !said(err) {
			t.Errorf("%q %q %q: %v", key, value, by, err)
		}
	})
}

func FuzzResourcePolicy(f *testing.F) {
	w := newWorld(f)
	must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", SecretString: new("x")})
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`)
	f.Add(`{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, document string) {
		_, err := do(w, &api.PutResourcePolicy, &api.PutResourcePolicyRequest{SecretId: "a", ResourcePolicy: document, BlockPublicPolicy: new(true)})
		if !said(err) {
			t.Fatalf("%q: %v", document, err)
		}
		out, invalid := do(w, &api.ValidateResourcePolicy, &api.ValidateResourcePolicyRequest{ResourcePolicy: document})
		if invalid != nil {
			t.Fatal(invalid)
		}
		if *out.PolicyValidationPassed != (err == nil) {
			t.Errorf("%q: validation says %t, putting it %v", document, *out.PolicyValidationPassed, err)
		}
		if _, err := do(w, &api.GetResourcePolicy, &api.GetResourcePolicyRequest{SecretId: "a"}); err != nil {
			t.Errorf("%q is not shown: %v", document, err)
		}
	})
}
