package identitycenter

import (
	"strings"
	"testing"

	api "sumun.dev/api/identitystoreapi"
)

// Whatever is asked to be changed, a profile stays one that could have been created.
func FuzzChanged(f *testing.F) {
	for _, path := range []string{"displayName", "name.givenName", "emails", "emails.value", "aws:identitystore:enterprise.department", "a.b.c", "extensions", ".", "Emails.Value.x"} {
		f.Add(path, "x", true)
		f.Add(path, "", false)
	}
	f.Fuzz(func(t *testing.T, path, value string, given bool) {
		p := &api.CreateUserRequest{
			IdentityStoreId: "d-0123456789", UserName: new("alice"), DisplayName: new("Alice"), Name: &api.Name{GivenName: new("A"), FamilyName: new("E")},
			Emails: []api.Email{{Value: new("a@example.com")}}, Extensions: map[string]any{"aws:identitystore:enterprise": map[string]any{"department": "blue"}},
		}
		op := api.AttributeOperation{AttributePath: path}
		if given {
			op.AttributeValue = value
		}
		next, err := changed(p, []api.AttributeOperation{op})
		if err == nil && next.IdentityStoreId != p.IdentityStoreId {
			t.Errorf("%s moves the user to %s", path, next.IdentityStoreId)
		}
		if err == nil {
			if _, err := changed(next, nil); err != nil {
				t.Errorf("%s = %q leaves what cannot be read: %v", path, value, err)
			}
		}
	})
}

// What strangers send names an identity store, or none.
func FuzzStartURL(f *testing.F) {
	f.Add("https://d-0123456789.awsapps.com/start")
	f.Add("http://127.0.0.1:4566/_sso/d-0123456789/start")
	f.Add("d-012345678g")
	f.Fuzz(func(t *testing.T, text string) {
		id := storeIn(text)
		if id != "" && (len(id) != 12 || !strings.Contains(text, id)) {
			t.Errorf("%q names %q", text, id)
		}
		if n := sessionName(text); len(n) < 2 || len(n) > 64 || strings.ContainsAny(n, "/:* ") {
			t.Errorf("%q becomes %q", text, n)
		}
		_, _ = sessionLength(text) // does not panic
		_ = sourcePath(text)
	})
}
