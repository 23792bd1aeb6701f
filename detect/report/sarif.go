package report

import (
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"sumun.dev/finding"
)

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifComponent struct {
	Name     string       `json:"name"`
	Org      string       `json:"organization,omitempty"`
	Info     string       `json:"informationUri,omitempty"`
	Rules    []sarifRule  `json:"rules,omitempty"`
	Taxa     []sarifTaxon `json:"taxa,omitempty"`
	Taxonomy []sarifRef   `json:"supportedTaxonomies,omitempty"`
}

type sarifRef struct {
	ID        string    `json:"id,omitempty"`
	Name      string    `json:"name,omitempty"`
	Component *sarifRef `json:"toolComponent,omitempty"`
}

type sarifTaxon struct {
	ID   string     `json:"id"`
	Name string     `json:"name,omitempty"`
	Help string     `json:"helpUri"`
	Text *sarifText `json:"shortDescription,omitempty"`
}

type sarifRule struct {
	ID            string         `json:"id"`
	Name          string         `json:"name,omitempty"`
	Short         sarifText      `json:"shortDescription"`
	Full          *sarifText     `json:"fullDescription,omitempty"`
	Help          *sarifText     `json:"help,omitempty"`
	Relationships []sarifRelates `json:"relationships,omitempty"`
	Properties    map[string]any `json:"properties,omitempty"`
}

type sarifRelates struct {
	Target sarifRef `json:"target"`
	Kinds  []string `json:"kinds"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region struct {
			Line   int    `json:"startLine,omitempty"`
			Offset *int64 `json:"byteOffset,omitempty"`
		} `json:"region"`
	} `json:"physicalLocation"`
	Message *sarifText `json:"message,omitempty"`
}

type sarifResult struct {
	Rule         string            `json:"ruleId"`
	Index        int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Kind         string            `json:"kind"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations,omitempty"`
	Related      []sarifLocation   `json:"relatedLocations,omitempty"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Count        int32             `json:"occurrenceCount"`
	Taxa         []sarifRef        `json:"taxa,omitempty"`
	Properties   map[string]any    `json:"properties"`
}

// mitre names the taxonomy of techniques.
const mitre = "MITRE ATT&CK"

// SARIF writes findings in the Static Analysis Results Interchange Format, OASIS
// Standard 2.1.0: a result points at the records in the logs that it rests on.
func SARIF(w io.Writer, found []*finding.Finding) error {
	driver := sarifComponent{Name: "sumun detect", Org: "Sumun"}
	taxonomy := sarifComponent{Name: mitre, Org: "MITRE", Info: "https://attack.mitre.org/"}
	index := map[string]int{}
	known := map[string]bool{}
	results := []sarifResult{}
	for _, f := range found {
		of := Plain(name(f))
		at, ok := index[of]
		if !ok {
			at = len(driver.Rules)
			index[of] = at
			driver.Rules = append(driver.Rules, sarifRuleOf(of, f))
			for _, t := range techniques(f) {
				if !known[t.ID] {
					known[t.ID] = true
					taxonomy.Taxa = append(taxonomy.Taxa, sarifTaxon{ID: t.ID, Name: t.Name, Help: t.URL()})
				}
			}
		}
		r := sarifResult{
			Rule: of, Index: at, Level: sarifLevel(f.Level()), Kind: "fail", Message: sarifText{Text: Plain(title(f))}, Count: f.Count,
			Fingerprints: map[string]string{"sumunFindingId/v1": f.ID},
			Properties: map[string]any{
				"account": f.Account, "region": f.Region, "who": Plain(Who(f)), "severity": f.Level(),
				"firstSeen": f.FirstSeen.UTC(), "lastSeen": f.LastSeen.UTC(),
			},
		}
		for _, t := range techniques(f) {
			r.Taxa = append(r.Taxa, sarifRef{ID: t.ID, Component: &sarifRef{Name: mitre}})
		}
		for i, e := range f.Evidence {
			l := sarifLocationOf(e)
			if i == 0 {
				r.Locations = []sarifLocation{l}
			} else {
				r.Related = append(r.Related, l)
			}
		}
		results = append(results, r)
	}
	run := map[string]any{"tool": map[string]any{"driver": &driver}, "results": results, "columnKind": "unicodeCodePoints"}
	if len(taxonomy.Taxa) > 0 {
		slices.SortFunc(taxonomy.Taxa, func(a, b sarifTaxon) int { return strings.Compare(a.ID, b.ID) })
		driver.Taxonomy = []sarifRef{{Name: mitre}}
		run["taxonomies"] = []sarifComponent{taxonomy}
	}
	return encode(w, map[string]any{
		"$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		"version": "2.1.0", "runs": []any{run},
	}, true)
}

func sarifRuleOf(id string, f *finding.Finding) sarifRule {
	kind, _ := finding.KindOf(f.Type)
	r := sarifRule{ID: id, Name: f.Rule, Short: sarifText{Text: id}, Properties: map[string]any{"tactic": TacticOf(f).Name}}
	m := manualOf(f)
	if m == nil {
		r.Properties["security-severity"] = number(kind.Severity)
		return r
	}
	r.Properties["security-severity"] = number(f.Level())
	if why := m.Section("What and why"); why != "" {
		r.Full = &sarifText{Text: why}
	}
	if what := m.Section("Response"); what != "" {
		r.Help = &sarifText{Text: what, Markdown: what}
	}
	tags := []string{"security"}
	for _, t := range m.Techniques {
		tags = append(tags, "attack."+strings.ToLower(t.ID))
		r.Relationships = append(r.Relationships, sarifRelates{sarifRef{ID: t.ID, Component: &sarifRef{Name: mitre}}, []string{"relevant"}})
	}
	r.Properties["tags"] = tags
	return r
}

func sarifLevel(n float64) string {
	switch {
	case n >= 7:
		return "error"
	case n >= 4:
		return "warning"
	}
	return "note"
}

func sarifLocationOf(e finding.Evidence) (l sarifLocation) {
	l.Physical.Artifact.URI = locate(e.File)
	if l.Physical.Region.Line = e.Line; e.Line == 0 {
		l.Physical.Region.Offset = &e.Offset
	}
	if told := Plain(strings.TrimSpace(e.ID + " " + e.Told)); told != "" {
		l.Message = &sarifText{Text: told}
	}
	return l
}

// locate makes a URI of where a log lies; a path that is relative stays so.
func locate(file string) string {
	switch {
	case file == "-" || file == "":
		return "stdin"
	case strings.HasPrefix(file, "s3://"):
		return (&url.URL{Scheme: "s3", Host: strings.SplitN(file[5:], "/", 2)[0], Path: after(file[5:])}).String()
	}
	u := url.URL{Path: filepath.ToSlash(file)}
	if filepath.IsAbs(file) {
		u.Scheme = "file"
	}
	return u.String()
}

func after(s string) string {
	_, path, _ := strings.Cut(s, "/")
	return "/" + path
}
