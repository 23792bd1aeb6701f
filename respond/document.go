package respond

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Bounds of a document. Systems Manager User Guide, "Systems Manager service
// quotas": 64 KB; the number of steps is AWS's, the depth is ours.
const (
	MaxDocument = 64 << 10
	MaxSteps    = 100
	maxDepth    = 40
	maxBrackets = 2000
)

// ErrDocument means that a document is no runbook that can be run here; the
// text of the error says why.
var ErrDocument = errors.New("respond: not a runbook")

// The formats of a document.
const (
	YAML = "YAML"
	JSON = "JSON"
)

// A Runbook is an Automation document of schema 0.3. It is immutable.
type Runbook struct {
	Name        string
	Text        string // as it was written
	Format      string // YAML or JSON
	Description string
	AssumeRole  string // may hold references
	Parameters  []Parameter
	Steps       []Step
	Outputs     []string // "step.Output"
}

// A Step is one of a runbook's mainSteps.
type Step struct {
	Name, Action string
	Inputs       map[string]any
	Outputs      []Output
	OnFailure    string // Abort, Continue, or step:NAME
	OnCancel     string // the same
	Next         string // the step after success; empty: the one that follows
	End          bool
	Critical     *bool
	MaxAttempts  int
	Timeout      time.Duration // 0: the action's own
}

// What a step that fails or is cancelled leads to, besides step:NAME.
const (
	Abort    = "Abort"
	Continue = "Continue"
)

// An Output is a value that a step takes from an answer.
type Output struct{ Name, Selector, Type string }

// The document as it is written.
type document struct {
	SchemaVersion any                  `json:"schemaVersion"`
	Description   string               `json:"description"`
	AssumeRole    string               `json:"assumeRole"`
	Parameters    map[string]parameter `json:"parameters"`
	MainSteps     []step               `json:"mainSteps"`
	Outputs       []string             `json:"outputs"`
}

type parameter struct {
	Type           string `json:"type"`
	Description    string `json:"description"`
	Default        any    `json:"default"`
	AllowedValues  []any  `json:"allowedValues"`
	AllowedPattern string `json:"allowedPattern"`
	DisplayType    string `json:"displayType"`
	MinItems       *int   `json:"minItems"`
	MaxItems       *int   `json:"maxItems"`
	MinChars       *int   `json:"minChars"`
	MaxChars       *int   `json:"maxChars"`
}

type step struct {
	Name           string         `json:"name"`
	Action         string         `json:"action"`
	Description    string         `json:"description"`
	Inputs         map[string]any `json:"inputs"`
	Outputs        []output       `json:"outputs"`
	OnFailure      string         `json:"onFailure"`
	OnCancel       string         `json:"onCancel"`
	NextStep       string         `json:"nextStep"`
	IsEnd          flag           `json:"isEnd"`
	IsCritical     *flag          `json:"isCritical"`
	MaxAttempts    *int           `json:"maxAttempts"`
	TimeoutSeconds *int           `json:"timeoutSeconds"`
}

type output struct{ Name, Selector, Type string }

// A flag may be spelled as a string, as AWS's own runbooks do.
type flag bool

func (f *flag) UnmarshalJSON(text []byte) error {
	switch string(bytes.Trim(text, `"`)) {
	case "true":
		*f = true
	case "false":
		*f = false
	default:
		return fmt.Errorf("%s is neither true nor false", text)
	}
	return nil
}

// Parse reads and checks a document in YAML or JSON. Every error is an ErrDocument.
func Parse(name string, text []byte) (*Runbook, error) {
	if len(text) > MaxDocument {
		return nil, bad("the document has %d bytes, at most %d are allowed", len(text), MaxDocument)
	}
	tree, format, err := read(text)
	if err != nil {
		return nil, err
	}
	plain, err := json.Marshal(tree)
	if err != nil {
		return nil, bad("%v", err)
	}
	var d document
	dec := json.NewDecoder(bytes.NewReader(plain))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(&d); err != nil {
		return nil, bad("%v", err)
	}
	if v := fmt.Sprint(d.SchemaVersion); v != "0.3" {
		return nil, bad("schemaVersion is %s; Automation documents have 0.3", v)
	}
	r := &Runbook{Name: name, Text: string(text), Format: format, Description: d.Description, AssumeRole: d.AssumeRole, Outputs: d.Outputs}
	for _, name := range slices.Sorted(maps.Keys(d.Parameters)) {
		p, err := newParameter(name, d.Parameters[name])
		if err != nil {
			return nil, err
		}
		r.Parameters = append(r.Parameters, p)
	}
	for _, s := range d.MainSteps {
		r.Steps = append(r.Steps, newStep(s))
	}
	return r, r.check()
}

// In writes the runbook in another format. YAML is only handed out as it was
// written.
func (b *Runbook) In(format string) (string, error) {
	if format == b.Format {
		return b.Text, nil
	}
	if format != JSON {
		return "", fmt.Errorf("respond: %s is not written as %s", b.Name, format)
	}
	tree, _, err := read([]byte(b.Text))
	if err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(tree, "", "  ")
	return string(text), err
}

func newStep(s step) Step {
	out := Step{Name: s.Name, Action: s.Action, OnFailure: s.OnFailure, OnCancel: s.OnCancel, Next: s.NextStep, End: bool(s.IsEnd), MaxAttempts: 1}
	out.Inputs, _ = canonical(s.Inputs, 0).(map[string]any)
	for _, o := range s.Outputs {
		if o.Type == "" {
			o.Type = String
		}
		out.Outputs = append(out.Outputs, Output(o))
	}
	if out.OnFailure == "" {
		out.OnFailure = Abort
	}
	if out.OnCancel == "" {
		out.OnCancel = Abort
	}
	if s.IsCritical != nil {
		out.Critical = new(bool(*s.IsCritical))
	}
	if s.MaxAttempts != nil {
		out.MaxAttempts = *s.MaxAttempts
	}
	if s.TimeoutSeconds != nil {
		out.Timeout = time.Duration(*s.TimeoutSeconds) * time.Second
		if *s.TimeoutSeconds <= 0 {
			out.Timeout = -1
		}
	}
	return out
}

// read makes maps and slices of the text.
func read(text []byte) (any, string, error) {
	var tree any
	if trimmed := bytes.TrimLeft(text, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&tree); err != nil {
			return nil, "", bad("%v", err)
		}
		if dec.More() {
			return nil, "", bad("text follows the document")
		}
		return tree, JSON, within(tree, 0)
	}
	if err := plainYAML(text); err != nil {
		return nil, "", err
	}
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, "", bad("%s", yaml.FormatError(err, false, false))
	}
	return tree, YAML, within(tree, 0)
}

// plainYAML refuses anchors and aliases, which a small text can use to say a lot,
// and nesting so deep that reading it would take the stack.
func plainYAML(text []byte) error {
	if bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > maxBrackets {
		return bad("the document has more than %d brackets", maxBrackets)
	}
	for line := range bytes.Lines(text) {
		begin := line[:len(line)-len(bytes.TrimLeft(line, "-?: \t"))]
		if len(begin)-bytes.Count(begin, []byte(" ")) > maxDepth {
			return bad("a line is nested deeper than %d", maxDepth)
		}
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return bad("%s", yaml.FormatError(err, false, false))
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return bad("one document is expected")
	}
	v := &aliases{}
	ast.Walk(v, file.Docs[0].Body)
	if v.found {
		return bad("anchors, aliases and tags are not read")
	}
	return nil
}

type aliases struct{ found bool }

// Visit looks at one node of the YAML tree.
func (a *aliases) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AliasNode, *ast.AnchorNode, *ast.TagNode, *ast.MergeKeyNode:
		a.found = true
		return nil
	}
	return a
}

func within(tree any, depth int) error {
	if depth > maxDepth {
		return bad("the document is nested deeper than %d", maxDepth)
	}
	switch v := tree.(type) {
	case map[string]any:
		for _, e := range v {
			if err := within(e, depth+1); err != nil {
				return err
			}
		}
	case []any:
		for _, e := range v {
			if err := within(e, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// canonical makes int64, float64, string, bool, nil, []any and map[string]any of
// what JSON decoding leaves.
func canonical(x any, depth int) any {
	switch v := x.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = canonical(e, depth+1)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = canonical(e, depth+1)
		}
		return l
	}
	return x
}

// Canonical brings a decoded JSON document into the types that a Scope holds:
// int64, float64, string, bool, nil, []any and map[string]any.
func Canonical(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var x any
	if err := dec.Decode(&x); err != nil {
		return nil, err
	}
	return canonical(x, 0), nil
}

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDocument, fmt.Sprintf(format, args...))
}
