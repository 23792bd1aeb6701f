package rule

import (
	"embed"
	"regexp"
	"strings"
	"sync"

	"sumun.dev/finding"
)

// A Manual is what the README of a rule says.
type Manual struct {
	Title      string
	Sections   []Section
	Techniques []Technique // of ATT&CK
}

// A Section is a heading of a README and the text below it, Markdown.
type Section struct{ Heading, Text string }

// A Technique is one of MITRE ATT&CK.
type Technique struct {
	ID   string // T1098.001
	Name string // Account Manipulation: Additional Cloud Credentials
}

// URL is where ATT&CK describes the technique.
func (t Technique) URL() string {
	return "https://attack.mitre.org/techniques/" + strings.ReplaceAll(t.ID, ".", "/") + "/"
}

//go:embed */README.md
var readmes embed.FS

var manuals sync.Map // by name of the rule, of *Manual

// ManualOf returns the README of a built-in rule; nil for one that has none.
func ManualOf(name string) *Manual {
	if m, ok := manuals.Load(name); ok {
		return m.(*Manual)
	}
	b, err := readmes.ReadFile(name + "/README.md")
	if err != nil {
		return nil
	}
	m := ParseManual(string(b))
	manuals.Store(name, m)
	return m
}

// ManualBy returns what a rule that somebody brought says of itself, in the shape
// of a README.
func ManualBy(s *finding.Said) *Manual {
	m := &Manual{Title: s.Title}
	add := func(heading, text string) {
		if text != "" {
			m.Sections = append(m.Sections, Section{heading, text})
		}
	}
	why := s.Description
	if s.Author != "" {
		why = strings.TrimSpace(why + "\nBy " + s.Author + ".")
	}
	add("What and why", why)
	add("False positives", strings.Join(s.FalsePositives, "\n"))
	add("ATT&CK", strings.Join(s.Techniques, "\n"))
	for _, id := range s.Techniques {
		m.Techniques = append(m.Techniques, Technique{ID: id})
	}
	return m
}

// Section returns the text below a heading; "" when there is none.
func (m *Manual) Section(heading string) string {
	if m == nil {
		return ""
	}
	for _, s := range m.Sections {
		if s.Heading == heading {
			return s.Text
		}
	}
	return ""
}

// technique is the id of a technique, and the name up to the next one or to a
// mark that ends it.
var technique = regexp.MustCompile(`\b(T\d{4}(?:\.\d{3})?)\b[ :\x60*\])(]*([^;,.\n]*)`)

// ParseManual reads a README: a title, sections, and under "ATT&CK" the ids of
// techniques, each with its name.
func ParseManual(text string) *Manual {
	m := &Manual{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "# ") && m.Title == "":
			m.Title = strings.TrimSpace(line[2:])
		case strings.HasPrefix(line, "## "):
			m.Sections = append(m.Sections, Section{Heading: strings.TrimSpace(line[3:])})
		case len(m.Sections) > 0:
			s := &m.Sections[len(m.Sections)-1]
			s.Text += line + "\n"
		}
	}
	for i := range m.Sections {
		m.Sections[i].Text = strings.TrimSpace(m.Sections[i].Text)
	}
	for _, t := range technique.FindAllStringSubmatch(m.Section("ATT&CK"), -1) {
		m.Techniques = append(m.Techniques, Technique{ID: t[1], Name: strings.TrimSpace(strings.TrimRight(t[2], " )*`"))})
	}
	return m
}
