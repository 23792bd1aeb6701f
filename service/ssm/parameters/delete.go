package parameters

import (
	"context"

	"sumun.dev/api/ssmapi"
)

func (s *Service) deleteParameter(ctx context.Context, in *ssmapi.DeleteParameterRequest) (*ssmapi.DeleteParameterResult, error) {
	p, err := s.owned(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return &ssmapi.DeleteParameterResult{}, s.remove(ctx, p)
}

func (s *Service) deleteParameters(ctx context.Context, in *ssmapi.DeleteParametersRequest) (*ssmapi.DeleteParametersResult, error) {
	out := &ssmapi.DeleteParametersResult{DeletedParameters: []string{}, InvalidParameters: []string{}}
	for _, name := range in.Names {
		p, err := s.owned(ctx, name)
		if ssmapi.ParameterNotFound.Is(err) {
			out.InvalidParameters = append(out.InvalidParameters, name)
			continue
		}
		if err == nil {
			err = s.remove(ctx, p)
		}
		if err != nil {
			return nil, err
		}
		out.DeletedParameters = append(out.DeletedParameters, name)
	}
	return out, nil
}

// owned returns the caller's own parameter of that name: who shares a parameter
// shares reading it.
func (s *Service) owned(ctx context.Context, name string) (*parameter, error) {
	r := referenceOf(ctx, name)
	if !r.own(ctx) || r.selector != "" || r.public() {
		return nil, notFound(name)
	}
	p, err := s.find(ctx, r)
	if err == nil && p == nil {
		err = notFound(name)
	}
	return p, err
}

// remove takes away a parameter with all its versions, what is due of it and
// whom it is shared with.
func (s *Service) remove(ctx context.Context, p *parameter) error {
	for n := p.Oldest; n < p.Number; n++ {
		if err := s.versions.Delete(ctx, versionID(p.Name, n)); err != nil {
			return err
		}
	}
	unschedule(ctx, p.Name, p.Policies)
	if err := s.unshare(ctx, p); err != nil {
		return err
	}
	if err := s.parameters.Delete(ctx, p.Name); err != nil {
		return err
	}
	s.counted(ctx, p.Advanced, -1)
	return tellChange(ctx, p, "Delete")
}
