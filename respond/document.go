package respond

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Bounds of a document. Systems Manager User Guide, "Systems Manager service
// quotas": 64 KB; the number of steps is AWS's.
const (
	MaxDocument = 64 << 10
	MaxSteps    = 100
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

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDocument, fmt.Sprintf(format, args...))
}
