package database

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestGrantsGoToAnotherAccount(t *testing.T) {
	to := account{"app_clone", "10.%"}
	for _, c := range []struct{ grant, want string }{
		{"GRANT USAGE ON *.* TO `app`@`%`", "GRANT USAGE ON *.* TO `app_clone`@`10.%`"},
		{"GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD '*0123' REQUIRE SSL WITH MAX_USER_CONNECTIONS 7", "GRANT USAGE ON *.* TO `app_clone`@`10.%` REQUIRE SSL WITH MAX_USER_CONNECTIONS 7"},
		{"GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED VIA ed25519 USING ' WITH '", "GRANT USAGE ON *.* TO `app_clone`@`10.%`"},
		{"GRANT SELECT ON `x TO ``y`.* TO 'app'@'%' WITH GRANT OPTION", "GRANT SELECT ON `x TO ``y`.* TO `app_clone`@`10.%` WITH GRANT OPTION"},
		{"GRANT `reader`@`%` TO `app`@`%`", "GRANT `reader`@`%` TO `app_clone`@`10.%`"},
		{"SET DEFAULT ROLE `reader` FOR `app`@`%`", "SET DEFAULT ROLE `reader` FOR `app_clone`@`10.%`"},
	} {
		if got, ok := grantTo(c.grant, to); !ok || got != c.want {
			t.Errorf("%s\n\tgot  %s, %t\n\twant %s", c.grant, got, ok, c.want)
		}
	}
	for _, bad := range []string{"", "REVOKE SELECT ON *.* FROM `app`@`%`", "GRANT SELECT ON *.*", "GRANT SELECT ON *.* TO app@%", "GRANT SELECT ON `*.* TO `app`@`%`", "GRANT SELECT ON *.* TO `app`", "GRANT SELECT ON *.* TO `app`@"} {
		if got, ok := grantTo(bad, to); ok {
			t.Errorf("%s: taken as %s", bad, got)
		}
	}
}

// A server answers SHOW GRANTS; it may be anybody's.
func FuzzGrantTo(f *testing.F) {
	f.Add("GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD '*0123' REQUIRE SSL")
	f.Add("SET DEFAULT ROLE `reader` FOR `app`@`%`")
	f.Fuzz(func(t *testing.T, grant string) {
		got, ok := grantTo(grant, account{"new", "%"})
		if ok && got != "" && !strings.Contains(got, "`new`@`%`") {
			t.Errorf("%q becomes %q", grant, got)
		}
	})
}

// The example of RFC 7677, section 3: its client's proof is met by this verifier.
func TestSCRAMVerifier(t *testing.T) {
	salt, _ := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	got, err := scramVerifier("pencil", salt, 4096)
	const want = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
	if err != nil || got != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}
