package parameters

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"sumun.dev/api/ssmapi"
)

// maxLabels is how many labels a version can have. User Guide, "Working with
// parameter labels".
const maxLabels = 10

// labelParameterVersion attaches labels to a version; one that is on another
// version moves. Labels that are none are told of, and the others attached.
func (s *Service) labelParameterVersion(ctx context.Context, in *ssmapi.LabelParameterVersionRequest) (*ssmapi.LabelParameterVersionResult, error) {
	p, err := s.owned(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	number := p.Number
	if in.ParameterVersion != nil {
		number = *in.ParameterVersion
	}
	if number < p.Oldest || number > p.Number {
		return nil, noVersion(strconv.FormatInt(number, 10), p.Name)
	}
	out := &ssmapi.LabelParameterVersionResult{InvalidLabels: []string{}, ParameterVersion: new(number)}
	if p.Labels == nil {
		p.Labels = map[string]int64{}
	}
	changed := false
	for _, label := range in.Labels {
		if !validLabel(label) {
			out.InvalidLabels = append(out.InvalidLabels, label)
			continue
		}
		changed = changed || p.Labels[label] != number
		p.Labels[label] = number
	}
	if len(p.labelled(number)) > maxLabels {
		return nil, ssmapi.ParameterVersionLabelLimitExceeded.New("A parameter version can have maximum %d labels.Move one or more labels to another version and try again.", maxLabels)
	}
	if !changed {
		return out, nil
	}
	if err := s.parameters.Put(ctx, p.Name, p); err != nil {
		return nil, err
	}
	return out, tellChange(ctx, p, "LabelParameterVersion")
}

func (s *Service) unlabelParameterVersion(ctx context.Context, in *ssmapi.UnlabelParameterVersionRequest) (*ssmapi.UnlabelParameterVersionResult, error) {
	p, err := s.owned(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	if in.ParameterVersion < p.Oldest || in.ParameterVersion > p.Number {
		return nil, noVersion(strconv.FormatInt(in.ParameterVersion, 10), p.Name)
	}
	out := &ssmapi.UnlabelParameterVersionResult{RemovedLabels: []string{}, InvalidLabels: []string{}}
	for i, label := range in.Labels {
		switch {
		case slices.Contains(in.Labels[:i], label):
		case p.Labels[label] == in.ParameterVersion:
			delete(p.Labels, label)
			out.RemovedLabels = append(out.RemovedLabels, label)
		default:
			out.InvalidLabels = append(out.InvalidLabels, label)
		}
	}
	if len(out.RemovedLabels) == 0 {
		return out, nil
	}
	if err := s.parameters.Put(ctx, p.Name, p); err != nil {
		return nil, err
	}
	return out, tellChange(ctx, p, "UnlabelParameterVersion")
}

// validLabel reports whether a label is made of letters, digits and ".-_", and
// begins neither with a digit nor with "aws" or "ssm".
func validLabel(label string) bool {
	lower := strings.ToLower(label)
	if label == "" || len(label) > 100 || lower[0] >= '0' && lower[0] <= '9' || strings.HasPrefix(lower, "aws") || strings.HasPrefix(lower, "ssm") {
		return false
	}
	return !strings.Contains(label, "/") && wellNamed(label)
}
