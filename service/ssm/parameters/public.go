package parameters

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
)

//go:embed public.json
var builtin []byte

// published is when the public parameters of this table were last looked after.
var published = time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)

// Public are the public parameters, those under /aws/service. They belong to no
// account and have one version.
type Public struct {
	all    []entry // by name
	images map[string]bool
}

// entry is one of them: with a value for all regions, or for some.
type entry struct {
	Name     string
	Value    string            // for every region; "{region}" stands for its name
	Values   map[string]string // for single regions, before Value
	Image    bool              // the value is the id of an image
	DataType string
}

// ReadPublic returns the public parameters that come with Sumun, and those of a
// file of the user's, which may replace them: a JSON list of objects with Name and
// Value, or Values by region. An empty file adds none.
func ReadPublic(file []byte) (*Public, error) {
	all, err := readPublished(builtin)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(file)) > 0 {
		more, err := readPublished(file)
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(p entry) bool {
			return slices.ContainsFunc(more, func(m entry) bool { return m.Name == p.Name })
		})
		all = append(all, more...)
	}
	p := &Public{all: all, images: map[string]bool{}}
	slices.SortFunc(p.all, func(a, b entry) int { return cmp.Compare(a.Name, b.Name) })
	for i := range p.all {
		if !p.all[i].Image {
			continue
		}
		for _, region := range aws.Regions() {
			if id, ok := p.all[i].in(region); ok {
				p.images[id] = true
			}
		}
	}
	return p, nil
}

const maxPublished = 20_000

func readPublished(text []byte) ([]entry, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var all []entry
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("public parameters: %w", err)
	}
	if len(all) > maxPublished {
		return nil, fmt.Errorf("public parameters: there are %d, at most %d are allowed", len(all), maxPublished)
	}
	seen := make(map[string]bool, len(all))
	for i := range all {
		p := &all[i]
		switch {
		case !strings.HasPrefix(p.Name, publicPath) || !wellNamed(p.Name) || depth(p.Name) > maxDepth+2:
			return nil, fmt.Errorf("public parameters: %q is no name under %s", p.Name, publicPath)
		case seen[p.Name]:
			return nil, fmt.Errorf("public parameters: %s stands twice", p.Name)
		case p.Value == "" && len(p.Values) == 0 && !p.Image:
			return nil, fmt.Errorf("public parameters: %s has no value", p.Name)
		}
		seen[p.Name] = true
		p.Image = p.Image || p.DataType == imageType
	}
	return all, nil
}

// in returns the value in a region. An image without one has an id made of its
// name and the region: there is no EC2 here that could know another.
func (p *entry) in(region aws.Region) (string, bool) {
	if v, ok := p.Values[string(region)]; ok {
		return v, true
	}
	if p.Value != "" {
		return strings.ReplaceAll(p.Value, "{region}", string(region)), true
	}
	if p.Image && len(p.Values) == 0 {
		sum := sha256.Sum256([]byte(p.Name + " " + string(region)))
		return "ami-0" + hex.EncodeToString(sum[:8]), true
	}
	return "", false
}

func (ps *Public) hasImage(id string) bool { return looksLikeImage(id) && ps.images[id] }

func (ps *Public) find(name string) *entry {
	i, ok := slices.BinarySearchFunc(ps.all, name, func(p entry, name string) int { return cmp.Compare(p.Name, name) })
	if !ok {
		return nil
	}
	return &ps.all[i]
}

func (s *Service) readPublic(ctx context.Context, r reference) (*ssmapi.Parameter, error) {
	p := s.public.find(r.name())
	if p == nil || !r.here(ctx) {
		return nil, notFound(r.name())
	}
	value, ok := p.in(r.arn.Region)
	if !ok {
		return nil, notFound(r.name())
	}
	if number, isNumber := r.number(); r.selector != "" && (!isNumber || number != 1) {
		return nil, noVersion(r.selector, r.name())
	}
	out := p.shown(aws.CallOf(ctx), value)
	out.Selector = r.shown()
	return out, nil
}

func (p *entry) shown(call *aws.Call, value string) *ssmapi.Parameter {
	kind := "text"
	if p.Image {
		kind = imageType
	}
	return &ssmapi.Parameter{
		Name: new(p.Name), Type: new(ssmapi.ParameterTypeString), Value: new(value), Version: new(int64(1)), LastModifiedDate: new(published),
		ARN: new(arnOf(call, p.Name).String()), DataType: new(kind),
	}
}

// publicByPath is a page of public parameters under a path.
func (s *Service) publicByPath(ctx context.Context, out *ssmapi.GetParametersByPathResult, path string, deep bool, limit int, after string, bind []string) (*ssmapi.GetParametersByPathResult, error) {
	call := aws.CallOf(ctx)
	from, _ := slices.BinarySearchFunc(s.public.all, max(after, path+"/"), func(p entry, name string) int { return cmp.Compare(p.Name, name) })
	for i := from; i < len(s.public.all); i++ {
		p := &s.public.all[i]
		if !strings.HasPrefix(p.Name, path+"/") {
			break
		}
		value, ok := p.in(call.Region)
		if p.Name == after || !ok || !under(p.Name, path, deep) {
			continue
		}
		if len(out.Parameters) == limit {
			out.NextToken = new(s.env.Store.NextToken(bind, text(out.Parameters[limit-1].Name)))
			break
		}
		out.Parameters = append(out.Parameters, *p.shown(call, value))
	}
	return out, nil
}
