package client

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sumun.dev/gateway/sigv4"
)

func TestCredentialsAreThoseOfAWSClients(t *testing.T) {
	folder := t.TempDir()
	credentials, config := filepath.Join(folder, "credentials"), filepath.Join(folder, "config")
	for file, text := range map[string]string{
		credentials: "# mine\n[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key=s/e=c\ns3 =\n  aws_access_key_id = AKIAINNER\n\n[ops]\naws_access_key_id=AKIAOPS\n" +
			"aws_secret_access_key=ops\naws_session_token=token\n[half]\naws_access_key_id=AKIAHALF\n",
		config: "[default]\nregion=eu-central-1\n[profile  old]\nAWS_ACCESS_KEY_ID = AKIAOLD\naws_secret_access_key = old\n[profile half]\nrole_arn=x\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, profile string
		set           map[string]string
		want          sigv4.Credentials
		from          string // part of where the key stands; empty: there is none
	}{
		{name: "default_profile", want: sigv4.Credentials{KeyID: "AKIADEFAULT", Secret: "s/e=c"}, from: "profile default"},
		{name: "variables", set: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "env", "AWS_SESSION_TOKEN": "t", "AWS_PROFILE": "ops"},
			want: sigv4.Credentials{KeyID: "AKIAENV", Secret: "env", Token: "t"}, from: "AWS_ACCESS_KEY_ID"},
		{name: "profile_by_variable", set: map[string]string{"AWS_PROFILE": "ops"}, want: sigv4.Credentials{KeyID: "AKIAOPS", Secret: "ops", Token: "token"}, from: "profile ops"},
		{name: "profile_by_name_wins", profile: "old", set: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "env"},
			want: sigv4.Credentials{KeyID: "AKIAOLD", Secret: "old"}, from: "profile old of " + config},
		{name: "half_a_variable", set: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAENV"}},
		{name: "half_a_profile", profile: "half"},
		{name: "no_profile", profile: "none"},
		{name: "no_files", set: map[string]string{"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(folder, "no"), "AWS_CONFIG_FILE": filepath.Join(folder, "no")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
				"AWS_SHARED_CREDENTIALS_FILE": credentials, "AWS_CONFIG_FILE": config} {
				t.Setenv(name, value)
			}
			for name, value := range c.set {
				t.Setenv(name, value)
			}
			got, from, err := Credentials(c.profile)
			if c.from == "" {
				if !errors.Is(err, ErrNoCredentials) {
					t.Errorf("%s from %q, %v", got, from, err)
				}
				return
			}
			if err != nil || got != c.want || !strings.Contains(from, c.from) {
				t.Errorf("%s from %q, %v", got, from, err)
			}
		})
	}
}
