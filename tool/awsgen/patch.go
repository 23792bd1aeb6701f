package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

//go:embed patch.json
var patchFile []byte

// A patch corrects one value of one service's model.
type patch struct {
	Service string          `json:"service"`
	Path    string          `json:"path"`          // "/shapes/NoSuchKey/error"; the last step may be new, the others must exist
	Set     json.RawMessage `json:"set,omitempty"` // what stands there then; absent: it is removed
	Why     string          `json:"why"`

	applied bool
}

// A predicate is a model pattern that Go's regular expressions cannot say,
// and the name under which package wire checks it.
type predicate struct {
	Pattern string `json:"pattern"`
	Name    string `json:"name"` // without the leading @
	Why     string `json:"why"`
}

type patches struct {
	Model      []*patch    `json:"model"`
	Predicates []predicate `json:"predicates"`
}

func readPatches() (*patches, error) { return parsePatches(patchFile) }

func parsePatches(text []byte) (*patches, error) {
	p := &patches{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("patch.json: %w", err)
	}
	for _, x := range p.Model {
		if x.Why == "" || x.Service == "" || !strings.HasPrefix(x.Path, "/") {
			return nil, fmt.Errorf("patch.json: %s %s: needs service, path and a reason", x.Service, x.Path)
		}
	}
	for _, x := range p.Predicates {
		if x.Why == "" || x.Name == "" || x.Pattern == "" {
			return nil, fmt.Errorf("patch.json: predicate %q: needs pattern, name and a reason", x.Name)
		}
	}
	return p, nil
}

// apply corrects the model text of a service.
func (p *patches) apply(service string, text []byte) ([]byte, error) {
	for _, x := range p.Model {
		if x.Service != service {
			continue
		}
		var err error
		if text, err = edit(text, strings.Split(x.Path[1:], "/"), x.Set); err != nil {
			return nil, fmt.Errorf("patch %s: %w", x.Path, err)
		}
		x.applied = true
	}
	return text, nil
}

// edit sets or, with no value, removes the member at path of a JSON object.
func edit(text []byte, path []string, value json.RawMessage) ([]byte, error) {
	var o ordered[json.RawMessage]
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, err
	}
	old, ok := o.values[path[0]]
	switch {
	case len(path) > 1 && !ok:
		return nil, fmt.Errorf("%s is not in the model", path[0])
	case len(path) > 1:
		inner, err := edit(old, path[1:], value)
		if err != nil {
			return nil, err
		}
		o.set(path[0], inner)
	case value == nil && !ok:
		return nil, fmt.Errorf("%s is not in the model: there is nothing to remove", path[0])
	case value == nil:
		o.remove(path[0])
	case ok && sameJSON(old, value):
		return nil, errors.New("the model already says so: drop the patch")
	default:
		o.set(path[0], value)
	}
	return json.Marshal(o)
}

func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// unused reports patches whose service is not generated at all.
func (p *patches) unused() error {
	for _, x := range p.Model {
		if !x.applied {
			return fmt.Errorf("patch.json: %s %s: no such service is generated", x.Service, x.Path)
		}
	}
	return nil
}
