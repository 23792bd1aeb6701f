package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
)

func env() *cobra.Command {
	data, as, account, format := config.Default().Data, "", "", "sh"
	c := &cobra.Command{
		Use:   "env",
		Short: "Print the environment that points AWS clients to the running plane",
		Long: `Env prints where the running plane serves and the access key of its
administrator, as settings of the environment. It is the only command that
prints a secret.`,
		Example: `  eval "$(sumun env)"
  sumun env --format json
  sumun env --as root
  eval "$(sumun env --account 111122223333)"`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			vars, err := variables(data, as)
			if err == nil && account != "" {
				vars, err = entered(c.Context(), data, as, account, vars)
			}
			if err != nil {
				return err
			}
			return write(c.OutOrStdout(), format, vars)
		},
	}
	c.Flags().StringVar(&data, "data", data, "data folder of the plane, or ':memory:'")
	c.Flags().StringVar(&as, "as", as, "whose key: 'administrator' (default) or 'root'")
	c.Flags().StringVar(&account, "account", account, "an account of the organisation, entered by its role OrganizationAccountAccessRole for an hour")
	c.Flags().StringVar(&format, "format", format, "sh, json, fish or powershell")
	return c
}

type variable struct{ name, value string }

// variables returns the environment of a client of the plane with this data folder.
func variables(data, as string) ([]variable, error) {
	note, err := runtime.Read(data)
	if errors.Is(err, runtime.ErrNotRunning) {
		return nil, fmt.Errorf("no plane runs with data folder %s; start one with 'sumun up', or name its folder with --data", data)
	}
	if err != nil {
		return nil, err
	}
	if err := answers(note); err != nil {
		return nil, fmt.Errorf("no plane runs with data folder %s: its note names process %d, but %w", data, note.PID, err)
	}
	keys, err := credentials(note)
	if err != nil {
		return nil, err
	}
	if as == "" {
		as = "administrator"
		if _, ok := keys[as]; !ok {
			as = "root"
		}
	}
	key, ok := keys[as]
	if !ok {
		return nil, fmt.Errorf("no key of %q is known; 'administrator' and 'root' may be", as)
	}
	vars := []variable{
		{"AWS_ENDPOINT_URL", note.API},
		{"AWS_ACCESS_KEY_ID", key.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", key.SecretAccessKey},
		{"AWS_REGION", note.Region},
		{"AWS_DEFAULT_REGION", note.Region}, // the CLI v1 reads this one only
	}
	if note.CA != "" {
		vars = append(vars, variable{"AWS_CA_BUNDLE", note.CA})
	}
	return vars, nil
}

// entered returns vars with the keys of a session of the role by which the
// management account enters another account of its organisation.
func entered(ctx context.Context, data, as, account string, vars []variable) ([]variable, error) {
	if _, err := aws.ParseAccount(account); err != nil {
		return nil, fmt.Errorf("--account: %w", err)
	}
	if as == "root" {
		return nil, errors.New("--account goes without --as root: root users cannot assume roles")
	}
	c, err := caller(data)
	if err != nil {
		return nil, err
	}
	out, err := stsapi.AssumeRole.Call(ctx, c, &stsapi.AssumeRoleRequest{
		RoleArn: "arn:aws:iam::" + account + ":role/OrganizationAccountAccessRole", RoleSessionName: "sumun",
	})
	if err != nil {
		return nil, fmt.Errorf("account %s cannot be entered: %w", account, err)
	}
	for i := range vars {
		switch vars[i].name {
		case "AWS_ACCESS_KEY_ID":
			vars[i].value = out.Credentials.AccessKeyId
		case "AWS_SECRET_ACCESS_KEY":
			vars[i].value = out.Credentials.SecretAccessKey
		}
	}
	return append(vars, variable{"AWS_SESSION_TOKEN", out.Credentials.SessionToken}), nil
}

// answers asks the plane whether it runs: after a crash another process may have
// got the number that the note names.
func answers(note *runtime.Note) error {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{}} // no proxy: it is this machine
	defer client.CloseIdleConnections()
	r, err := client.Get(note.Admin + "/health")
	if err != nil {
		return fmt.Errorf("nothing answers there: %w", err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("%s/health answers %s", note.Admin, r.Status)
	}
	return nil
}

// credentials returns the first-start keys by the name of their holder.
func credentials(note *runtime.Note) (map[string]runtime.Key, error) {
	if note.Credentials != nil {
		return note.Credentials, nil
	}
	name := filepath.Join(note.Data, runtime.CredentialsFile)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: backups do not hold it, copy it from the folder that the keys were made in", name)
	}
	if err != nil {
		return nil, err
	}
	var keys map[string]runtime.Key
	return keys, json.Unmarshal(text, &keys)
}

func write(w io.Writer, format string, vars []variable) error {
	var b strings.Builder
	for _, v := range vars {
		switch format {
		case "sh":
			fmt.Fprintf(&b, "export %s=%s\n", v.name, shellQuote(v.value))
		case "fish":
			fmt.Fprintf(&b, "set -gx %s %s\n", v.name, shellQuote(v.value))
		case "powershell":
			fmt.Fprintf(&b, "$Env:%s = '%s'\n", v.name, strings.ReplaceAll(v.value, "'", "''"))
		case "json":
		default:
			return fmt.Errorf("--format %s is none of sh, json, fish, powershell", format)
		}
	}
	if format == "json" {
		m := map[string]string{}
		for _, v := range vars {
			m[v.name] = v.value
		}
		text, err := json.MarshalIndent(m, "", "  ")
		if err != nil {
			return err
		}
		b.Write(append(text, '\n'))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// shellQuote returns s so that a POSIX shell or fish reads it as one word.
func shellQuote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:+=@%,") == "" {
		return s
	}
	return `'` + strings.ReplaceAll(s, `'`, `'\''`) + `'`
}
