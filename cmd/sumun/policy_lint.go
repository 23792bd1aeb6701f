package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sumun.dev/policy"
	"sumun.dev/policy/lint"
)

// lintKinds are what --type takes.
var lintKinds = map[string]policy.Kind{
	"identity": policy.Identity, "boundary": policy.Identity, "session": policy.Identity, "resource": policy.Resource, "key": policy.Key,
	"trust": policy.Trust, "scp": policy.SCP, "rcp": policy.RCP, "endpoint": policy.Endpoint,
}

// maxPolicyFile bounds what is read of a file.
const maxPolicyFile = 2 << 20

// A fileFinding is a finding with its file.
type fileFinding struct {
	File string `json:"file"`
	lint.Finding
}

func policyLint() *cobra.Command {
	kind, asJSON, strict, list := "identity", false, false, false
	c := &cobra.Command{
		Use:   "lint FILE…",
		Short: "Find what is wrong, dangerous or needless in policies",
		Long: `Lint looks for what IAM Access Analyzer's policy validation looks for, under the
same codes: errors, security warnings, warnings and suggestions, each with its
place. Names of actions, resources and condition keys are held against all that
AWS has. '-' is standard input.

The exit status is 0 without errors, 1 with errors (--strict: with warnings of
either kind too), 2 when the command itself was wrong.`,
		Example: `  sumun policy lint policy.json
  sumun policy lint --type scp --strict guardrails/*.json
  sumun policy lint --json --type trust role.json
  sumun policy lint --list`,
		RunE: func(c *cobra.Command, files []string) error {
			if list {
				return writeChecks(c.OutOrStdout())
			}
			k, known := lintKinds[kind]
			switch {
			case !known:
				return misuse(c, "--type %q is none of identity, boundary, session, resource, key, trust, scp, rcp, endpoint", kind)
			case len(files) == 0:
				return misuse(c, "name at least one policy file")
			}
			all := []fileFinding{}
			for _, file := range files {
				text, err := readPolicy(c.InOrStdin(), file)
				if err != nil {
					return misuse(c, "%v", err)
				}
				for _, f := range lint.Check(text, k) {
					all = append(all, fileFinding{file, f})
				}
			}
			if err := writeFindings(c.OutOrStdout(), all, asJSON); err != nil {
				return err
			}
			for _, f := range all {
				if f.Type == lint.Error || strict && f.Type != lint.Suggestion {
					return exit(1)
				}
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&kind, "type", kind, "what the policies are: identity, boundary, session, resource, key, trust, scp, rcp or endpoint")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.BoolVar(&strict, "strict", false, "fail on warnings too")
	f.BoolVar(&list, "list", false, "list all checks")
	return c
}

func readPolicy(in io.Reader, file string) ([]byte, error) {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxPolicyFile+1))
	if err == nil && len(text) > maxPolicyFile {
		err = fmt.Errorf("%s is larger than %d bytes", file, maxPolicyFile)
	}
	return text, err
}

func writeFindings(w io.Writer, all []fileFinding, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	for _, f := range all {
		at := f.Path
		if at != "" {
			at = " at " + at
		}
		if _, err := fmt.Fprintf(w, "%s:%d:%d: %s %s%s: %s\n", f.File, f.Line, f.Column, f.Type, f.Code, at, f.Details); err != nil {
			return err
		}
	}
	return nil
}

func writeChecks(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range lint.Checks() {
		whose := "Access Analyzer"
		if c.Own {
			whose = "Sumun"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Type, c.Code, whose)
	}
	return w.Flush()
}
