package parameters

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// A parameter is kept under its name, with its current version in the same row.
type parameter struct {
	Name string
	version
	Oldest   int64             // number of the oldest version that is kept; none between it and the current one is missing
	Labels   map[string]int64  `json:",omitempty"` // label to version number
	Tags     map[string]string `json:",omitempty"`
	Policy   string            `json:",omitempty"` // the resource policy that shares it
	PolicyID string            `json:",omitempty"`
	Shared   []aws.Account     `json:",omitempty"` // whom the policy named when it was put; each has a share
}

// A version is one value of a parameter, with what else a PutParameter says.
type version struct {
	Number      int64
	Type        ssmapi.ParameterType
	Value       string   `json:",omitempty"`
	Sealed      []byte   `json:",omitempty"` // the value of a SecureString, as secure.go makes it
	KeyID       string   `json:",omitempty"` // as the caller gave it
	Description string   `json:",omitempty"`
	Pattern     string   `json:",omitempty"`
	DataType    string   `json:",omitempty"` // empty: text
	Advanced    bool     `json:",omitempty"`
	Policies    []policy `json:",omitempty"`
	Modified    time.Time
	By          string // the ARN of who put it
}

// maxVersions is how many versions are kept. User Guide, "Working with parameter versions".
const maxVersions = 100

const byFolder = "folder"

// folder is what the index has: the path that the parameter stands directly in.
func (p *parameter) folder() []string { return []string{folderOf(p.Name)} }

func folderOf(name string) string {
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		return name[:i]
	}
	return "/"
}

func (v *version) tier() ssmapi.ParameterTier {
	if v.Advanced {
		return ssmapi.ParameterTierAdvanced
	}
	return ssmapi.ParameterTierStandard
}

func (v *version) dataType() string {
	if v.DataType == "" {
		return "text"
	}
	return v.DataType
}

// versionID is where an earlier version is kept. Names have no colons.
func versionID(name string, number int64) string { return fmt.Sprintf("%s:%012d", name, number) }

// labelled returns the labels of a version, sorted by nothing in particular.
func (p *parameter) labelled(number int64) []string {
	var all []string
	for label, at := range p.Labels {
		if at == number {
			all = append(all, label)
		}
	}
	return all
}

// find returns the parameter that r names; nil when there is none.
func (s *Service) find(ctx context.Context, r reference) (*parameter, error) {
	for _, name := range r.names {
		p, err := s.parameters.At(r.arn).Get(ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		return p, err
	}
	return nil, nil
}

// numbered returns a version of p, which stands in the place of r; nil when it is
// not kept.
func (s *Service) numbered(ctx context.Context, r reference, p *parameter, number int64) (*version, error) {
	if number == p.Number {
		return &p.version, nil
	}
	if number < p.Oldest || number > p.Number {
		return nil, nil
	}
	return s.versions.At(r.arn).Get(ctx, versionID(p.Name, number))
}
