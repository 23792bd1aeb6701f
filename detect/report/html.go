package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

//go:embed page.html
var pageSource string

//go:embed page.css
var style string

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"plain": Plain, "label": func(f *finding.Finding) string { return Label(f.Level()) },
	"level": func(f *finding.Finding) string { return number(f.Level()) },
	"class": func(f *finding.Finding) string { return strings.ToLower(Label(f.Level())) },
	"when":  func(t time.Time) string { return t.UTC().Format(time.DateTime) },
	"title": title, "name": name, "who": Who, "place": place, "techniques": techniques,
	"section": func(f *finding.Finding, heading string) string { return manualOf(f).Section(heading) },
}).Parse(pageSource))

// HTML writes one page that needs nothing else: no script, no picture, no address
// from elsewhere, and a policy that would refuse them. What logs say is escaped.
func HTML(w io.Writer, found []*finding.Finding) error {
	sum := sha256.Sum256([]byte(style))
	view := pageView{
		Style:    template.CSS(style), // our own
		Policy:   "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
		Findings: found, Matrix: matrix(found), Actors: actors(found), Timeline: timeline(found),
	}
	for _, l := range []string{"CRITICAL", "HIGH", "MEDIUM", "LOW"} {
		n := 0
		for _, f := range found {
			if Label(f.Level()) == l {
				n++
			}
		}
		view.Counts = append(view.Counts, tally{l, strings.ToLower(l), n})
	}
	return page.Execute(w, view)
}

type pageView struct {
	Style    template.CSS
	Policy   string
	Findings []*finding.Finding
	Counts   []tally
	Matrix   []column
	Actors   []story
	Timeline *chart
}

type tally struct {
	Label, Class string
	N            int
}

// A column is a tactic with its techniques.
type column struct {
	Tactic
	Cells []*cell
}

// A cell is a technique and the findings that show it.
type cell struct {
	rule.Technique
	Findings []*finding.Finding
}

// Worst is the class of the most severe finding of a cell.
func (c *cell) Worst() string {
	worst := 0.0
	for _, f := range c.Findings {
		worst = max(worst, f.Level())
	}
	return strings.ToLower(Label(worst))
}

// matrix sorts techniques into the tactics of the findings that show them. A
// finding whose rule names none stands in its tactic all the same.
func matrix(found []*finding.Finding) []column {
	var out []column
	for _, t := range tactics {
		c := column{Tactic: t}
		for _, f := range found {
			if TacticOf(f) != t {
				continue
			}
			of := techniques(f)
			if len(of) == 0 {
				of = []rule.Technique{{Name: f.Type}}
			}
			for _, technique := range of {
				i := slices.IndexFunc(c.Cells, func(e *cell) bool { return e.ID == technique.ID && (e.ID != "" || e.Name == technique.Name) })
				if i < 0 {
					i = len(c.Cells)
					c.Cells = append(c.Cells, &cell{Technique: technique})
				}
				c.Cells[i].Findings = append(c.Cells[i].Findings, f)
			}
		}
		slices.SortStableFunc(c.Cells, func(a, b *cell) int { return cmp.Compare(a.ID, b.ID) })
		if len(c.Cells) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// A story is what one actor did, in the order of time.
type story struct {
	Who      string
	Findings []*finding.Finding
	First    time.Time
	Last     time.Time
	Sources  []string
	Tactics  []string
	Worst    float64
}

// maxSources is how many addresses of an actor are named.
const maxSources = 10

func actors(found []*finding.Finding) []story {
	at := map[string]int{}
	var out []story
	for _, f := range found {
		who := cmp.Or(Who(f), "unknown")
		i, ok := at[who]
		if !ok {
			i = len(out)
			at[who] = i
			out = append(out, story{Who: who, First: f.FirstSeen, Last: f.LastSeen})
		}
		s := &out[i]
		s.Findings = append(s.Findings, f)
		s.Worst = max(s.Worst, f.Level())
		if f.FirstSeen.Before(s.First) {
			s.First = f.FirstSeen
		}
		if f.LastSeen.After(s.Last) {
			s.Last = f.LastSeen
		}
		if from := address(f); from != "" && len(s.Sources) < maxSources && !slices.Contains(s.Sources, from) {
			s.Sources = append(s.Sources, from)
		}
	}
	for i := range out {
		s := &out[i]
		slices.SortStableFunc(s.Findings, func(a, b *finding.Finding) int { return a.FirstSeen.Compare(b.FirstSeen) })
		for _, f := range s.Findings {
			if t := TacticOf(f).Name; !slices.Contains(s.Tactics, t) {
				s.Tactics = append(s.Tactics, t)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b story) int {
		return cmp.Or(cmp.Compare(b.Worst, a.Worst), a.First.Compare(b.First), cmp.Compare(a.Who, b.Who))
	})
	return out
}

// address is where a finding's call or connection came from.
func address(f *finding.Finding) string {
	var r finding.Remote
	switch {
	case f.API != nil:
		if r = f.API.Remote; !r.Address.IsValid() {
			return f.API.Domain
		}
	case f.Connection != nil:
		r = f.Connection.Remote
	case f.KubeCall != nil && len(f.KubeCall.Sources) > 0:
		r = f.KubeCall.Sources[0]
	}
	if !r.Address.IsValid() {
		return ""
	}
	s := r.Address.String()
	if r.Country != "" {
		s += " (" + r.Country + ")"
	}
	if r.ASN != 0 {
		s += " AS" + strconv.Itoa(int(r.ASN))
	}
	return s
}

// A chart is a picture of when findings were seen: a row a tactic.
type chart struct {
	Height   int
	Rows     []chartRow
	From, To time.Time
	Dots     []dot
}

type chartRow struct {
	Y    int
	Name string
}

// A dot is a finding from its first to its last sight.
type dot struct {
	X, Y, Width int
	Finding     *finding.Finding
}

// The measures of a chart, in the units of its view box, 1000 wide.
const (
	chartLeft  = 180
	chartRight = 990
	chartRowHi = 26
	maxDots    = 5000 // more than that nobody could tell apart
)

func timeline(found []*finding.Finding) *chart {
	if len(found) == 0 {
		return nil
	}
	c := &chart{From: found[0].FirstSeen, To: found[0].LastSeen}
	for _, f := range found {
		if f.FirstSeen.Before(c.From) {
			c.From = f.FirstSeen
		}
		if f.LastSeen.After(c.To) {
			c.To = f.LastSeen
		}
	}
	span := c.To.Sub(c.From).Seconds()
	x := func(t time.Time) int {
		if span <= 0 {
			return chartLeft
		}
		return chartLeft + int(t.Sub(c.From).Seconds()/span*(chartRight-chartLeft))
	}
	for _, t := range tactics {
		y := len(c.Rows)*chartRowHi + chartRowHi/2
		used := false
		for _, f := range found {
			if TacticOf(f) == t {
				used = true
				if len(c.Dots) < maxDots {
					first := x(f.FirstSeen)
					c.Dots = append(c.Dots, dot{first - 4, y - 6, max(x(f.LastSeen)-first, 0) + 8, f})
				}
			}
		}
		if used {
			c.Rows = append(c.Rows, chartRow{y, t.Name})
		}
	}
	c.Height = len(c.Rows)*chartRowHi + 24
	return c
}
