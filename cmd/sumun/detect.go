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
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sumun.dev/aws"
	"sumun.dev/detect"
	"sumun.dev/detect/declared"
	"sumun.dev/detect/record"
	"sumun.dev/detect/report"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/source"
	"sumun.dev/detect/triage"
	"sumun.dev/finding"
)

// levels are what --severity and --fail-on take: the least number of each word.
var levels = map[string]float64{"low": 1, "medium": 4, "high": 7, "critical": 9}

func detectCommand() *cobra.Command {
	var (
		baseline                               []string
		format, severity, failOn, since, until string
		out, explain, suppress, account        string
		own, sigmas                            []string
		list                                   bool
		more                                   known
		stores                                 buckets
	)
	c := &cobra.Command{
		Use:   "detect PATH…",
		Short: "Find attacks in logs, offline",
		Long: `Detect reads logs and says what is suspicious in them: files, folders, globs, '-'
for standard input, or s3://bucket/prefix for objects whose keys begin so (with *
for anything), packed with gzip, zstd or zip, recognised by what is in them.
It knows CloudTrail (files of trails, answers of LookupEvents, events of
EventBridge, messages of CloudWatch Logs, JSON lines, CSV of Athena), Route 53
Resolver query logs, VPC flow logs (Parquet too), access logs of load balancers
and S3, WAF and Kubernetes audit logs. Nothing is sent anywhere, but for requests to the store of
s3:// paths: AWS, or --endpoint-url; they are signed with the credentials that AWS
clients would use. Nothing in a log is executed.

What is normal is learnt first, from the same logs or from --baseline. To be read
twice, standard input, pipes and objects are laid down in $TMPDIR, up to 4 GiB; from
a longer stream nothing is learnt, and further objects are fetched twice. What cannot be read is counted and named on standard error;
it stops nothing. A record that several files bring counts once.

--explain tells all of one finding, by the beginning of its id, its type or the name
of its rule; without logs, what the rule is for. --suppress names a YAML file of what is
known and need not be told, a list of:

  - type: Exfiltration:EC2/*          # type, signal, principal with * for anything
    signal: AMIExternalAccess
    principal: arn:aws:iam::*:role/image-pipeline
    account: "111122223333"
    until: 2027-01-31                 # then it is told again
    reason: golden images go to the workload accounts

--rules names a folder of your own rules, --sigma one of Sigma rules for CloudTrail
(docs/detection-rules.md has both languages). A Sigma rule that uses what is not
read here, as correlations, counts or placeholders, is named on standard error and
not applied; its level says how severe a finding is before it is weighed, its tags
the finding's type and techniques.

The exit status is 0, 1 with findings of --fail-on or worse, and 2 when the
command itself was wrong, nothing could be read, or a file could not be opened or
read to its end: then findings are written all the same, but may not be all. Single
records that cannot be read, and files that are no logs, do not change it.`,
		Example: `  sumun detect AWSLogs/
  sumun detect --since 2026-11-01 --severity medium --format jsonl trail/*.json.gz
  sumun detect --explain 1f0c33ab AWSLogs/
  sumun detect --format html -o report.html --suppress known.yaml --rules ours/ AWSLogs/
  sumun detect --region eu-central-1 's3://trail-bucket/AWSLogs/*/CloudTrail/*/2026/11/*'
  sumun detect --sigma sigma/rules/cloud/aws/cloudtrail AWSLogs/
  sumun detect --baseline AWSLogs/2026/10 --fail-on high AWSLogs/2026/11`,
		RunE: func(c *cobra.Command, paths []string) error {
			o := triage.Options{Paths: paths, From: source.From{Stdin: c.InOrStdin(), Objects: stores.objects}, Baseline: baseline}
			write, known := report.Formats[format]
			least, ok := levels[severity]
			fail, ok2 := levels[failOn]
			var err1, err2 error
			o.Since, err1 = moment(since)
			o.Until, err2 = moment(until)
			var err3, err4 error
			o.Engine.Rules, err3 = rulesWith(own)
			if err3 == nil && len(sigmas) > 0 {
				o.Engine.Rules, err3 = withSigma(c.ErrOrStderr(), o.Engine.Rules, sigmas)
			}
			o.Suppress, err4 = suppressions(suppress)
			switch {
			case err3 != nil:
				return misuse(c, "%v", err3)
			case err4 != nil:
				return misuse(c, "--suppress %s: %v", suppress, err4)
			case list:
				return listRules(c.OutOrStdout(), o.Engine.Rules)
			case len(paths) == 0 && explain != "":
				return explainRule(c, o.Engine.Rules, explain)
			case len(paths) == 0:
				return misuse(c, "name a file or folder of logs, or - for standard input")
			case !known:
				return misuse(c, "--format %q is none of %s", format, strings.Join(report.Names(), ", "))
			case !ok:
				return misuse(c, "--severity %q is none of low, medium, high, critical", severity)
			case failOn != "" && !ok2:
				return misuse(c, "--fail-on %q is none of low, medium, high, critical", failOn)
			case err1 != nil:
				return misuse(c, "--since %v", err1)
			case err2 != nil:
				return misuse(c, "--until %v", err2)
			case !o.Since.IsZero() && !o.Until.IsZero() && !o.Since.Before(o.Until):
				return misuse(c, "--since %s is not before --until %s", since, until)
			case account != "" && (len(account) != 12 || strings.Trim(account, "0123456789") != ""):
				return misuse(c, "--account %q is no account: twelve digits", account)
			case explain != "" && c.Flags().Changed("format"):
				return misuse(c, "--explain tells of findings in words: leave --format out")
			}
			if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
				o.Progress = (&bar{w: os.Stderr, now: time.Now}).show
			}
			o.Account, o.Region = aws.Account(account), aws.Region(stores.region)
			e, err := more.options()
			if err != nil {
				return misuse(c, "%v", err)
			}
			o.Engine.Net, o.Engine.Lists = e.Net, e.Lists
			triage.Tune()
			r, err := triage.Run(c.Context(), o)
			if o.Progress != nil {
				fmt.Fprint(os.Stderr, "\r\033[K")
			}
			if err != nil {
				return misuse(c, "%s", report.Plain(err.Error()))
			}
			var shown []*finding.Finding
			failed := false
			for _, f := range r.Findings {
				if f.Level() >= least {
					shown = append(shown, f)
				}
				failed = failed || failOn != "" && f.Level() >= fail
			}
			if explain != "" {
				shown, err = tellOf(r.Findings, explain)
				if err != nil {
					return misuse(c, "--explain %v", err)
				}
				write = report.Story
			}
			if out == "" {
				err = write(c.OutOrStdout(), shown)
			} else {
				err = writeFile(out, write, shown)
			}
			if err != nil {
				return misuse(c, "%v", err)
			}
			summary(c, r, len(shown))
			unjudged(c.ErrOrStderr(), &r.Read, o.Engine.Rules)
			if n := homeless(shown); n > 0 && format == "asff" {
				fmt.Fprintf(c.ErrOrStderr(), "%d findings name no account or region, since their logs do not, and Security Hub takes none of those: say it by --account and --region.\n", n)
			}
			switch {
			case r.Judged == 0 && r.Read.Unread() > 0, r.Read.Cut() > 0:
				return exit(2)
			case failed:
				return exit(1)
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringSliceVar(&baseline, "baseline", nil, "logs of ordinary days to learn from, instead of those that are judged")
	f.StringVar(&format, "format", "table", "how findings are written: "+strings.Join(report.Names(), ", "))
	f.StringVarP(&out, "output", "o", "", "file to write findings to, instead of standard output")
	f.StringVar(&severity, "severity", "low", "show findings of this severity and above: low, medium, high, critical")
	f.StringVar(&failOn, "fail-on", "", "exit with status 1 when there are findings of this severity or above")
	f.StringVar(&explain, "explain", "", "tell the whole story of a finding: the beginning of its id, its type, or the name of a rule")
	f.StringVar(&suppress, "suppress", "", "YAML `file` of findings that need not be told")
	f.StringSliceVar(&own, "rules", nil, "`folder` of your own rules, YAML files as docs/detection-rules.md says")
	f.StringSliceVar(&sigmas, "sigma", nil, "`folder` of Sigma rules for CloudTrail; what they use and is not read here is named")
	f.BoolVar(&list, "list-rules", false, "list all rules and their ATT&CK techniques, and read nothing")
	f.StringVar(&since, "since", "", "judge what happened at or after this time: RFC 3339, a date, or a duration before now (36h)")
	f.StringVar(&account, "account", "", "account of records that do not name theirs, as access logs")
	more.flags(f)
	stores.flags(f)
	f.StringVar(&until, "until", "", "judge what happened before this time")
	return c
}

// writeFile writes findings to a file. A disk that is full may say so at the end only.
func writeFile(name string, write report.Writer, shown []*finding.Finding) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f, shown), f.Close())
}

// rulesWith lists the built-in rules and those that stand in folders.
func rulesWith(folders []string) ([]*rule.Rule, error) {
	all := detect.Rules()
	known := map[string]string{}
	for _, r := range all {
		known[r.Name] = "a built-in rule"
	}
	for _, folder := range folders {
		before := len(all)
		err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || filepath.Ext(path) != ".yaml" && filepath.Ext(path) != ".yml" {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			r, err := declared.Parse(b)
			if err != nil {
				return fmt.Errorf("--rules %s: %w", path, err)
			}
			if other, ok := known[r.Name]; ok {
				return fmt.Errorf("--rules %s: %s is the name of %s", path, r.Name, other)
			}
			known[r.Name] = "the rule in " + path
			all = append(all, r)
			return nil
		})
		if err != nil {
			return nil, err // names the file
		}
		if len(all) == before {
			return nil, fmt.Errorf("--rules %s: holds no rule, no file that ends with .yaml", folder)
		}
	}
	return all, nil
}

func suppressions(file string) ([]triage.Suppression, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return triage.ParseSuppressions(b)
}

// listRules writes a line a rule.
func listRules(w io.Writer, all []*rule.Rule) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "RULE\tTYPES\tATT&CK")
	for _, r := range all {
		types, ids := r.Types, []string{}
		if len(types) > 3 {
			types = append(slices.Clone(types[:2]), fmt.Sprintf("and %d more", len(types)-2))
		}
		if m := manualOf(r); m != nil {
			for _, technique := range m.Techniques {
				ids = append(ids, technique.ID)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", r.Name, strings.Join(types, ", "), strings.Join(ids, " "))
	}
	return t.Flush()
}

// explainRule writes what a rule is for, when there is no finding to tell of.
func explainRule(c *cobra.Command, all []*rule.Rule, name string) error {
	told, known := 0, false
	for _, r := range all {
		if r.Name != name && !slices.Contains(r.Types, name) {
			continue
		}
		known = true
		m := manualOf(r)
		if m == nil {
			continue
		}
		if told++; told > 1 {
			fmt.Fprintln(c.OutOrStdout())
		}
		if err := report.Manual(c.OutOrStdout(), r.Name, m); err != nil {
			return err
		}
	}
	switch {
	case !known:
		return misuse(c, "--explain %q is no rule, and no finding type that one finds; to tell of a finding, name the logs that it comes from", name)
	case told == 0:
		return misuse(c, "--explain %s: a rule of your own has no README here", name)
	}
	return nil
}

// manualOf is what a rule says of itself; nil when that is nothing.
func manualOf(r *rule.Rule) *rule.Manual {
	if r.Said != nil {
		return rule.ManualBy(r.Said)
	}
	return rule.ManualOf(r.Name)
}

// tellOf returns the findings that somebody wants to be told of: one by the beginning
// of its id, or all of a rule or type.
func tellOf(found []*finding.Finding, which string) ([]*finding.Finding, error) {
	var some []*finding.Finding
	ids := 0
	for _, f := range found {
		if f.Rule == which || f.Type == which {
			some = append(some, f)
		} else if strings.HasPrefix(f.ID, strings.ToLower(which)) {
			some = append(some, f)
			ids++
		}
	}
	switch {
	case len(some) == 0:
		return nil, fmt.Errorf("%q begins no id of the %d findings, and is no type of one, nor a rule that found one", which, len(found))
	case ids > 1:
		return nil, fmt.Errorf("%q begins %d ids: name more of it", which, ids)
	}
	return some, nil
}

// moment reads a time: RFC 3339, a date, or a duration before now.
func moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly, "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return time.Now().Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time: RFC 3339, a date, or a duration before now", s)
}

// summary tells on standard error what was read, and what was not.
func summary(c *cobra.Command, r *triage.Result, shown int) {
	w := c.ErrOrStderr()
	fmt.Fprintf(w, "%d findings from %d records of %d files, by %d rules.\n", shown, r.Judged, r.Read.Files, r.Rules)
	if r.Outside > 0 {
		fmt.Fprintf(w, "%d records are from before --since or after --until, and were not judged.\n", r.Outside)
	}
	for _, s := range r.Suppressed {
		fmt.Fprintf(w, "%d findings suppressed: %s\n", s.Findings, report.Plain(s.Reason))
	}
	unread(w, "", &r.Read)
	unread(w, " of the baseline", &r.Baseline)
	if n := r.Read.Cut(); n > 0 {
		fmt.Fprintf(w, "%d files could not be opened or read to their end: there may be more to find, and the exit status is 2.\n", n)
	}
	if r.Dropped > 0 {
		fmt.Fprintf(w, "%d more findings, the least severe, were let go since there were too many to keep: narrow --since and --until, or --suppress what is known.\n", r.Dropped)
	}
	if r.Copies > 0 {
		fmt.Fprintf(w, "%d records stood there more than once, and count once.\n", r.Copies)
	}
	if r.Strange > 0 {
		fmt.Fprintf(w, "%d records have times that no clock of AWS can have told, before 2006 or in the future: they were judged apart from the others.\n", r.Strange)
	}
	if r.Read.Late > 0 {
		fmt.Fprintf(w, "%d records came late: their files overlap more than can be read at once, or one is not sorted by time.\n", r.Read.Late)
	}
}

// homeless counts the findings that name no account or no region.
func homeless(found []*finding.Finding) (n int) {
	for _, f := range found {
		if f.Account == "" || f.Region == "" {
			n++
		}
	}
	return n
}

// unjudged tells of records that are read and that no rule looks at: no finding says
// nothing of those.
func unjudged(w io.Writer, read *source.Report, rules []*rule.Rule) {
	n := read.Records[source.Balancer] + read.Records[source.WAF]
	if n > 0 && !slices.ContainsFunc(rules, func(r *rule.Rule) bool { return r.Class == record.HTTPActivity }) {
		fmt.Fprintf(w, "%d records are of load balancers or WAF: no built-in rule looks at those, but your own may (--rules, class http).\n", n)
	}
}

// unread names what could not be read.
func unread(w io.Writer, of string, r *source.Report) {
	n := r.Unread()
	if n == 0 {
		return
	}
	fmt.Fprintf(w, "%d pieces%s could not be read:\n", n, of)
	for i, b := range r.Bad {
		if i == 20 {
			fmt.Fprintf(w, "  … and %d kinds more\n", len(r.Bad)-i)
			break
		}
		fmt.Fprintf(w, "  %s: %s (%d)\n", report.Plain(b.At[0].String()), report.Plain(b.Why), b.Count)
	}
}
