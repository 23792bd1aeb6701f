// Package report writes findings, for people and for programs.
package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"sumun.dev/finding"
)

// A Writer writes all findings of a triage.
type Writer func(w io.Writer, found []*finding.Finding) error

// Formats are the names that --format takes.
var Formats = map[string]Writer{"table": Table, "json": JSON, "jsonl": JSONL, "asff": ASFF, "csv": CSV, "html": HTML, "ocsf": OCSF, "sarif": SARIF}

// Names lists the formats.
func Names() []string {
	var names []string
	for n := range Formats {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Label names a severity as GuardDuty does. User Guide, "Severity levels".
func Label(level float64) string {
	switch {
	case level >= 9:
		return "CRITICAL"
	case level >= 7:
		return "HIGH"
	case level >= 4:
		return "MEDIUM"
	}
	return "LOW"
}

// Plain makes text from a log fit for a terminal: control characters, and those
// that turn the direction of writing, are shown and not obeyed. What is no UTF-8
// becomes U+FFFD: some terminals take single bytes for control characters.
func Plain(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func hidden(r rune) bool {
	return r != ' ' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co))
}

// Who names the actor or resource of a finding in one word.
func Who(f *finding.Finding) string {
	switch {
	case f.Caller != nil && f.Caller.Principal != "":
		return f.Caller.Principal
	case f.Caller != nil:
		return f.Caller.ID
	case f.Instance.ID != "":
		return f.Instance.ID
	case f.Instance.Address.IsValid():
		return f.Instance.Address.String()
	case f.Kubernetes != nil:
		return f.Kubernetes.User
	}
	return ""
}

// Table writes a line a finding, with its evidence below.
func Table(w io.Writer, found []*finding.Finding) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "SEVERITY\tID\tFIRST SEEN (UTC)\tCOUNT\tTYPE\tSIGNAL\tWHO\tEVIDENCE")
	for _, f := range found {
		fmt.Fprintf(t, "%s %.1f\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", Label(f.Level()), f.Level(), Short(f), f.FirstSeen.UTC().Format(time.DateTime), f.Count,
			f.Type, f.Signal, Plain(Who(f)), Plain(evidence(f)))
	}
	return t.Flush()
}

// Short is the beginning of a finding's id, enough to name it among those of one report.
func Short(f *finding.Finding) string { return f.ID[:min(8, len(f.ID))] }

// evidence names the first record that a finding rests on.
func evidence(f *finding.Finding) string {
	if len(f.Evidence) == 0 {
		return ""
	}
	return place(f.Evidence[0])
}

// place says where a record stands.
func place(e finding.Evidence) string {
	at := e.File
	if e.Line > 0 {
		at += ":" + strconv.Itoa(e.Line)
	} else {
		at += "@" + strconv.FormatInt(e.Offset, 10)
	}
	if e.ID != "" {
		at += " " + e.ID
	}
	return at
}

// A Detail is a finding with what GuardDuty's own shape has no room for.
type Detail struct {
	GuardDuty json.RawMessage    `json:"finding"`
	Signal    string             `json:"signal,omitempty"`
	Rule      string             `json:"rule,omitempty"`
	Attack    []string           `json:"attack,omitempty"` // ids of ATT&CK's techniques
	Unusual   []finding.Unusual  `json:"unusual,omitempty"`
	Evidence  []finding.Evidence `json:"evidence"`
}

func detail(f *finding.Finding) (Detail, error) {
	b, err := finding.Encode(f.GuardDuty())
	d := Detail{GuardDuty: b, Signal: f.Signal, Rule: f.Rule, Unusual: f.Unusual, Evidence: f.Evidence}
	for _, t := range techniques(f) {
		d.Attack = append(d.Attack, t.ID)
	}
	return d, err
}

// JSON writes a list of findings in GuardDuty's shape, each with its evidence.
func JSON(w io.Writer, found []*finding.Finding) error {
	all := []Detail{}
	for _, f := range found {
		d, err := detail(f)
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	return encode(w, map[string]any{"findings": all}, true)
}

// JSONL writes the same, one finding a line.
func JSONL(w io.Writer, found []*finding.Finding) error {
	for _, f := range found {
		d, err := detail(f)
		if err != nil {
			return err
		}
		if err := encode(w, d, false); err != nil {
			return err
		}
	}
	return nil
}

// ASFF writes a document in the AWS Security Finding Format, as
// BatchImportFindings takes it.
func ASFF(w io.Writer, found []*finding.Finding) error {
	b, err := finding.EncodeASFF(found...)
	if err != nil {
		return err
	}
	_, err = w.Write(append(quiet(b), '\n'))
	return err
}

// CSV writes a line a finding, for spreadsheets: cells that a spreadsheet would
// take for a formula begin with an apostrophe.
func CSV(w io.Writer, found []*finding.Finding) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"severity", "level", "type", "signal", "title", "account", "region", "who", "first_seen", "last_seen", "count", "evidence", "id"}}
	for _, f := range found {
		g := f.GuardDuty()
		rows = append(rows, []string{
			Label(f.Level()), strconv.FormatFloat(f.Level(), 'f', 1, 64), f.Type, f.Signal, *g.Title, string(f.Account), string(f.Region), Who(f),
			f.FirstSeen.UTC().Format(time.RFC3339), f.LastSeen.UTC().Format(time.RFC3339), strconv.Itoa(int(f.Count)), evidence(f), f.ID,
		})
	}
	for _, row := range rows {
		for i, cell := range row {
			cell = Plain(cell)
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				cell = "'" + cell
			}
			row[i] = cell
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
