package plane

import (
	"strings"
	"testing"

	"sumun.dev/plane/config"
)

// The management account may be named or left out: two sources of one name are one
// too many all the same.
func TestASourceIsListedOnce(t *testing.T) {
	cfg := config.Default()
	ldap := config.LDAPSource{URL: "ldaps://directory.example.com", UserBase: "dc=example,dc=com"}
	for other, want := range map[string]string{"111122223333": "listed twice", "444455556666": ""} {
		cfg.IdentityCenter.Sources = []config.IdentitySource{{Name: "corp", LDAP: ldap}, {Name: "corp", Account: other, LDAP: ldap}}
		got, err := sources(&cfg, "111122223333")
		if want == "" && (err != nil || len(got) != 2) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, %v", other, got, err)
		}
	}
}
