package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sumun.dev/detect/report"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/sigma"
)

// maxRules bounds the rules of folders.
const maxRules = 20_000

// withSigma adds the Sigma rules of folders to others. Those that cannot be taken
// are named on w, a line each: somebody has to know what is not looked for. Rules
// for other logs are counted, since collections hold thousands.
func withSigma(w io.Writer, all []*rule.Rule, folders []string) ([]*rule.Rule, error) {
	all = slices.Clone(all)
	known := map[string]string{}
	for _, folder := range folders {
		taken, refused, elsewhere := 0, 0, 0
		refuse := func(path string, err error) {
			refused++
			fmt.Fprintf(w, "--sigma %s: %s\n", report.Plain(path), report.Plain(strings.ReplaceAll(err.Error(), "\n", " ")))
		}
		err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || filepath.Ext(path) != ".yaml" && filepath.Ext(path) != ".yml" {
				return err
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			b, err := io.ReadAll(io.LimitReader(f, sigma.MaxFile+1))
			if err := errors.Join(err, f.Close()); err != nil {
				return err
			}
			rules, errs := sigma.Parse(b)
			for _, err := range errs {
				if other := (sigma.Elsewhere{}); errors.As(err, &other) {
					elsewhere++
					continue
				}
				refuse(path, err)
			}
			for _, r := range rules {
				if other, ok := known[r.Name]; ok {
					refuse(path, fmt.Errorf("title: %s has the same", other))
					continue
				}
				known[r.Name] = path
				all = append(all, r)
				taken++
			}
			if len(all) > maxRules {
				return fmt.Errorf("%s: there are more than %d rules", path, maxRules)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("--sigma %w", err)
		}
		switch {
		case taken == 0:
			return nil, fmt.Errorf("--sigma %s: holds no rule that can be taken; %d cannot be read, %d are for other logs than CloudTrail's", folder, refused, elsewhere)
		case refused+elsewhere > 0:
			fmt.Fprintf(w, "--sigma %s: %d rules taken; %d cannot be, %d are for other logs than CloudTrail's\n", report.Plain(folder), taken, refused, elsewhere)
		}
	}
	return all, nil
}
