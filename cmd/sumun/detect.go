package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sumun.dev/detect/report"
	"sumun.dev/detect/triage"
	"sumun.dev/finding"
)

// levels are what --severity and --fail-on take: the least number of each word.
var levels = map[string]float64{"low": 1, "medium": 4, "high": 7, "critical": 9}

func detectCommand() *cobra.Command {
	var (
		baseline                               []string
		format, severity, failOn, since, until string
		out                                    string
	)
	c := &cobra.Command{
		Use:   "detect PATH…",
		Short: "Find attacks in logs, offline",
		Long: `Detect reads logs and says what is suspicious in them: files, folders, globs or '-'
for standard input, packed with gzip, zstd or zip, recognised by what is in them.
It knows CloudTrail (files of trails, answers of LookupEvents, events of
EventBridge, messages of CloudWatch Logs, JSON lines) and Route 53 Resolver
query logs. Nothing is sent anywhere, and nothing in a log is executed.

What is normal is learnt first, from the same logs or from --baseline. What cannot
be read is counted and named on standard error; it stops nothing.

The exit status is 0, 1 with findings of --fail-on or worse, and 2 when the
command itself was wrong or nothing could be read.`,
		Example: `  sumun detect AWSLogs/
  sumun detect --since 2026-11-01 --severity medium --format jsonl trail/*.json.gz
  sumun detect --baseline AWSLogs/2026/10 --fail-on high AWSLogs/2026/11`,
		RunE: func(c *cobra.Command, paths []string) error {
			o := triage.Options{Paths: paths, Stdin: c.InOrStdin(), Baseline: baseline}
			write, known := report.Formats[format]
			least, ok := levels[severity]
			fail, ok2 := levels[failOn]
			var err1, err2 error
			o.Since, err1 = moment(since)
			o.Until, err2 = moment(until)
			switch {
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
			}
			if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
				o.Progress = func(p triage.Progress) {
					what := "judging"
					if p.Learning {
						what = "learning"
					}
					fmt.Fprintf(os.Stderr, "\r%s: %d records, file %d of %d ", what, p.Records, p.Files, p.All)
				}
			}
			r, err := triage.Run(c.Context(), o)
			if o.Progress != nil {
				fmt.Fprint(os.Stderr, "\r\033[K")
			}
			if err != nil {
				return misuse(c, "%v", err)
			}
			var shown []*finding.Finding
			failed := false
			for _, f := range r.Findings {
				if f.Level() >= least {
					shown = append(shown, f)
				}
				failed = failed || failOn != "" && f.Level() >= fail
			}
			to := c.OutOrStdout()
			if out != "" {
				file, err := os.Create(out)
				if err != nil {
					return misuse(c, "%v", err)
				}
				defer file.Close()
				to = file
			}
			if err := write(to, shown); err != nil {
				return err
			}
			summary(c, r, len(shown))
			switch {
			case r.Judged == 0 && r.Read.Unread() > 0:
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
	f.StringVar(&since, "since", "", "judge what happened at or after this time: RFC 3339, a date, or a duration before now (36h)")
	f.StringVar(&until, "until", "", "judge what happened before this time")
	return c
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
	if n := r.Read.Unread(); n > 0 {
		fmt.Fprintf(w, "%d pieces could not be read:\n", n)
		for i, b := range r.Read.Bad {
			if i == 20 {
				fmt.Fprintf(w, "  … and %d kinds more\n", len(r.Read.Bad)-i)
				break
			}
			fmt.Fprintf(w, "  %s: %s (%d)\n", report.Plain(b.At[0].String()), report.Plain(b.Why), b.Count)
		}
	}
	if r.Read.Late > 0 {
		fmt.Fprintf(w, "%d records came late: their files overlap more than can be read at once.\n", r.Read.Late)
	}
}
