package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Story writes all that is known of findings, for people: what was seen and why it
// matters, the records, what else looks like it, and what to do.
func Story(w io.Writer, found []*finding.Finding) error {
	var b strings.Builder
	for i, f := range found {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s %.1f  %s\n%s\n\n", Label(f.Level()), f.Level(), Plain(name(f)), Plain(title(f)))
		line := func(what, value string) {
			if value != "" {
				fmt.Fprintf(&b, "%-10s %s\n", what, Plain(value))
			}
		}
		line("id", f.ID)
		line("rule", f.Rule)
		line("account", strings.TrimSpace(string(f.Account)+" "+string(f.Region)))
		line("who", Who(f))
		line("from", address(f))
		if f.API != nil {
			line("call", f.API.Service+":"+f.API.Operation)
			line("error", f.API.Error)
			line("agent", f.API.Agent)
			line("account of", f.API.OtherAccount)
		}
		if k := f.KubeCall; k != nil {
			line("call", k.Verb+" "+k.URI)
		}
		line("list", strings.TrimSpace(f.Threat.List+" "+f.Threat.Entry))
		line("seen", fmt.Sprintf("%d times, %s to %s UTC", f.Count, f.FirstSeen.UTC().Format(time.DateTime), f.LastSeen.UTC().Format(time.DateTime)))
		for _, u := range f.Unusual {
			line("unusual", fmt.Sprintf("%s %s (seen %d of %d times by this %s)", u.Feature, u.Value, u.Seen, u.Total, u.Of))
		}
		b.WriteString("\nEvidence\n")
		for _, e := range f.Evidence {
			fmt.Fprintf(&b, "  %s  %s  %s\n", e.At.UTC().Format(time.DateTime), Plain(place(e)), Plain(e.Told))
		}
		manual(&b, manualOf(f), "What and why", "How it is found", "False positives", "Response", "ATT&CK")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Manual writes what a rule is for.
func Manual(w io.Writer, name string, m *rule.Manual) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", name, m.Title)
	manual(&b, m, "What and why", "How it is found", "False positives", "Response", "ATT&CK")
	_, err := io.WriteString(w, b.String())
	return err
}

func manual(b *strings.Builder, m *rule.Manual, headings ...string) {
	for _, h := range headings {
		if text := m.Section(h); text != "" {
			fmt.Fprintf(b, "\n%s\n  %s\n", h, strings.ReplaceAll(text, "\n", "\n  "))
		}
	}
}
