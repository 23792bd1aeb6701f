package plane

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sumun.dev/plane/config"
)

// Settings of identity providers that say nothing usable stop the start.
func TestIdentityProviderSettings(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, set := range map[string]config.Providers{
		"identity-providers: networks: ":                                    {Networks: []string{"10.0.0.0"}},
		"identity-providers: ca: open ":                                     {CA: empty + ".missing"},
		"identity-providers: ca: " + empty + " holds no certificate in PEM": {CA: empty},
	} {
		cfg := config.Default()
		cfg.Providers = set
		if _, err := verifier(&cfg, Options{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	cfg := config.Default()
	cfg.Providers.Networks = []string{"10.0.0.0/8", "fd00::/8"}
	if _, err := verifier(&cfg, Options{}); err != nil {
		t.Error(err)
	}
}
