package parameters

import (
	"context"
	"slices"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
)

func (s *Service) getParameter(ctx context.Context, in *ssmapi.GetParameterRequest) (*ssmapi.GetParameterResult, error) {
	p, err := s.read(ctx, in.Name, yes(in.WithDecryption))
	if err != nil {
		return nil, err
	}
	return &ssmapi.GetParameterResult{Parameter: p}, nil
}

// getParameters answers for each name; what is not there is told of, and fails
// nothing.
func (s *Service) getParameters(ctx context.Context, in *ssmapi.GetParametersRequest) (*ssmapi.GetParametersResult, error) {
	out := &ssmapi.GetParametersResult{Parameters: []ssmapi.Parameter{}, InvalidParameters: []string{}}
	for i, name := range in.Names {
		if slices.Contains(in.Names[:i], name) {
			return nil, aws.ValidationException.New("Duplicate parameter names are not allowed: %s.", name)
		}
		p, err := s.read(ctx, name, yes(in.WithDecryption))
		switch {
		case ssmapi.ParameterNotFound.Is(err), ssmapi.ParameterVersionNotFound.Is(err):
			out.InvalidParameters = append(out.InvalidParameters, name)
		case err != nil:
			return nil, err
		default:
			out.Parameters = append(out.Parameters, *p)
		}
	}
	return out, nil
}

// read returns the parameter that a caller calls name, in the version that it selects.
func (s *Service) read(ctx context.Context, name string, decrypt bool) (*ssmapi.Parameter, error) {
	r := referenceOf(ctx, name)
	if secret, ok := r.secret(); ok {
		return s.readSecret(ctx, r, secret, decrypt)
	}
	if r.public() {
		return s.readPublic(ctx, r)
	}
	p, v, err := s.selected(ctx, r)
	if err != nil {
		return nil, err
	}
	out, err := s.shown(ctx, r, p, v, decrypt)
	if err == nil {
		out.Selector = r.shown()
	}
	return out, err
}

// selected returns the parameter and the version that r means.
func (s *Service) selected(ctx context.Context, r reference) (*parameter, *version, error) {
	if !r.here(ctx) {
		return nil, nil, notFound(r.name())
	}
	p, err := s.find(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	if p == nil {
		return nil, nil, notFound(r.name())
	}
	if r.selector == "" {
		return p, &p.version, nil
	}
	number, ok := r.number()
	if !ok {
		if number, ok = p.Labels[r.selector]; !ok {
			return nil, nil, ssmapi.ParameterVersionNotFound.New("Systems Manager could not find label %s of %s. Verify the label and try again.", r.selector, p.Name)
		}
	}
	v, err := s.numbered(ctx, r, p, number)
	if err == nil && v == nil {
		err = noVersion(r.selector, p.Name)
	}
	return p, v, err
}

// shown is a version as the reading operations answer it.
func (s *Service) shown(ctx context.Context, r reference, p *parameter, v *version, decrypt bool) (*ssmapi.Parameter, error) {
	arn := r.arn
	arn.Resource = arnOf(aws.CallOf(ctx), p.Name).Resource
	value, err := s.value(ctx, arn, v, decrypt)
	if err != nil {
		return nil, err
	}
	return &ssmapi.Parameter{
		Name: new(p.Name), Type: new(v.Type), Value: new(value), Version: new(v.Number), LastModifiedDate: new(v.Modified),
		ARN: new(arn.String()), DataType: new(v.dataType()),
	}, nil
}
