package client

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sumun.dev/gateway/sigv4"
)

// ErrNoCredentials says that nothing gives a key to sign with.
var ErrNoCredentials = errors.New("client: there are no AWS credentials")

// maxProfiles bounds a file of profiles.
const maxProfiles = 1 << 20

// Credentials returns the access key that AWS clients on this machine would sign
// with, and where it stands: in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN, or in the profile that AWS_PROFILE names, else "default", of
// the shared credentials file and the shared config file. A profile that is asked
// for by name wins over the variables. Only keys that stand there are found, none
// of roles, processes, single sign-on or the machine's metadata.
func Credentials(profile string) (key sigv4.Credentials, from string, err error) {
	if id := os.Getenv("AWS_ACCESS_KEY_ID"); profile == "" && id != "" {
		key = sigv4.Credentials{KeyID: id, Secret: os.Getenv("AWS_SECRET_ACCESS_KEY"), Token: os.Getenv("AWS_SESSION_TOKEN")}
		if key.Secret == "" {
			return key, "", fmt.Errorf("%w: AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY", ErrNoCredentials)
		}
		return key, "AWS_ACCESS_KEY_ID", nil
	}
	profile = cmp.Or(profile, os.Getenv("AWS_PROFILE"), "default")
	home, _ := os.UserHomeDir() // without one the variables have to name the files
	files := []struct{ name, section string }{
		{cmp.Or(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), filepath.Join(home, ".aws", "credentials")), profile},
		{configFile(home), configSection(profile)},
	}
	for _, f := range files {
		values, err := section(f.name, f.section)
		if err != nil {
			return key, "", err
		}
		key = sigv4.Credentials{KeyID: values["aws_access_key_id"], Secret: values["aws_secret_access_key"], Token: values["aws_session_token"]}
		if key.KeyID != "" && key.Secret != "" {
			return key, fmt.Sprintf("profile %s of %s", profile, f.name), nil
		}
	}
	return sigv4.Credentials{}, "", fmt.Errorf("%w: neither AWS_ACCESS_KEY_ID is set nor has the profile %q an access key in %s or %s (roles, processes and single sign-on are not used)",
		ErrNoCredentials, profile, files[0].name, files[1].name)
}

// Region returns the region that AWS clients on this machine would call: of
// AWS_REGION, AWS_DEFAULT_REGION, or the profile in the shared config file; "" when
// nothing says one.
func Region(profile string) (string, error) {
	if region := cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")); region != "" {
		return region, nil
	}
	home, _ := os.UserHomeDir() // without one the variable has to name the file
	values, err := section(configFile(home), configSection(cmp.Or(profile, os.Getenv("AWS_PROFILE"), "default")))
	return values["region"], err
}

func configFile(home string) string {
	return cmp.Or(os.Getenv("AWS_CONFIG_FILE"), filepath.Join(home, ".aws", "config"))
}

func configSection(profile string) string {
	if profile == "default" {
		return profile
	}
	return "profile " + profile
}

// section returns the settings of a section of a file in the form of AWS's: nil when
// there is no such file or section. Settings within settings are left out.
func section(file, name string) (map[string]string, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxProfiles {
		return nil, fmt.Errorf("%s: is no file of profiles", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var values map[string]string
	within := false
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		trimmed := strings.TrimSpace(line)
		if inner, ok := strings.CutPrefix(trimmed, "["); ok {
			inner, _, _ = strings.Cut(inner, "]")
			within = strings.Join(strings.Fields(inner), " ") == name
			continue
		}
		key, value, ok := strings.Cut(trimmed, "=")
		if !within || !ok || strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";") || line[0] == ' ' || line[0] == '\t' {
			continue
		}
		if values == nil {
			values = map[string]string{}
		}
		values[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
	}
	return values, nil
}
