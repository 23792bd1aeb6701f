package secretsmanager

import (
	"fmt"
	"strings"
	"testing"

	api "sumun.dev/api/secretsmanagerapi"
)

// A token that cannot be a version's id is refused as the request's fault.
func TestTokensWithoutControlCharacters(t *testing.T) {
	w := newWorld(t)
	must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", SecretString: new("one")})
	bad := new(strings.Repeat("x", 31) + "\x00")
	for _, err := range []error{
		second(do(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "b", SecretString: new("one"), ClientRequestToken: bad})),
		second(do(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "a", SecretString: new("two"), ClientRequestToken: bad})),
		second(do(w, &api.UpdateSecret, &api.UpdateSecretRequest{SecretId: "a", SecretString: new("two"), ClientRequestToken: bad})),
	} {
		if !api.InvalidParameterException.Is(err) {
			t.Error(err)
		}
	}
}

func TestASecretHasAtMostFiftyTags(t *testing.T) {
	w := newWorld(t)
	var tags []api.Tag
	for n := range maxTags + 1 {
		tags = append(tags, api.Tag{Key: new(fmt.Sprint("k", n)), Value: new("v")})
	}
	if _, err := do(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", Tags: tags}); !api.LimitExceededException.Is(err) {
		t.Errorf("51 tags at once: %v", err)
	}
	must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", Tags: tags[:maxTags]})
	if _, err := do(w, &api.TagResource, &api.TagResourceRequest{SecretId: "a", Tags: tags[maxTags:]}); !api.LimitExceededException.Is(err) {
		t.Errorf("one more: %v", err)
	}
	must(w, &api.TagResource, &api.TagResourceRequest{SecretId: "a", Tags: []api.Tag{{Key: new("k0"), Value: new("w")}}})
}
