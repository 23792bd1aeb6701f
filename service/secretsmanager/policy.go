package secretsmanager

import (
	"context"
	"encoding/json"
	"errors"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/service"
)

func (s *Service) putPolicy(ctx context.Context, in *api.PutResourcePolicyRequest) (*api.PutResourcePolicyResponse, error) {
	sec, err := s.primary(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	doc, kept, err := s.readPolicy(ctx, in.ResourcePolicy)
	if err != nil {
		return nil, err
	}
	if isTrue(in.BlockPublicPolicy) && doc.Public() {
		return nil, api.PublicPolicyException.New("You can't attach this resource policy because it allows broad access to the secret.")
	}
	sec.Policy = kept
	return &api.PutResourcePolicyResponse{ARN: new(sec.arn.String()), Name: &sec.Name}, s.change(ctx, sec, nil)
}

// readPolicy checks a resource policy, and returns it as it is kept.
func (s *Service) readPolicy(ctx context.Context, document string) (*policy.Document, string, error) {
	if !json.Valid([]byte(document)) {
		return nil, "", api.MalformedPolicyDocumentException.New("This resource policy contains invalid Json")
	}
	doc, err := policy.Parse([]byte(document), policy.Resource)
	if err != nil {
		return nil, "", wrongPolicy(err, "This resource policy contains a syntax error")
	}
	kept, err := service.WithIDs(ctx, s.env.Principals, document)
	if err != nil {
		return nil, "", wrongPolicy(err, "This resource policy contains an unsupported principal")
	}
	return doc, kept, nil
}

func wrongPolicy(err error, sentence string) error {
	var e *aws.Error
	if !errors.As(err, &e) {
		return err
	}
	wrong := api.MalformedPolicyDocumentException.New("%s", sentence)
	wrong.Cause = err
	return wrong
}

func (s *Service) getPolicy(ctx context.Context, in *api.GetResourcePolicyRequest) (*api.GetResourcePolicyResponse, error) {
	sec, err := s.living(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	out := &api.GetResourcePolicyResponse{ARN: new(sec.arn.String()), Name: &sec.Name}
	if sec.Policy == "" {
		return out, nil
	}
	shown, err := service.WithARNs(ctx, s.env.Principals, sec.Policy)
	out.ResourcePolicy = &shown
	return out, err
}

func (s *Service) deletePolicy(ctx context.Context, in *api.DeleteResourcePolicyRequest) (*api.DeleteResourcePolicyResponse, error) {
	sec, err := s.primary(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	sec.Policy = ""
	return &api.DeleteResourcePolicyResponse{ARN: new(sec.arn.String()), Name: &sec.Name}, s.change(ctx, sec, nil)
}

func (s *Service) validatePolicy(ctx context.Context, in *api.ValidateResourcePolicyRequest) (*api.ValidateResourcePolicyResponse, error) {
	if in.SecretId != nil {
		if _, err := s.secret(ctx, *in.SecretId); err != nil {
			return nil, err
		}
	}
	doc, _, err := s.readPolicy(ctx, in.ResourcePolicy)
	var e *aws.Error
	switch {
	case errors.As(err, &e):
		return invalid("POLICY_SYNTAX_CHECK", e.Message), nil
	case err != nil:
		return nil, err
	case doc.Public():
		return invalid("PUBLIC_ACCESS_CHECK", "The resource policy allows broad access to the secret."), nil
	}
	return &api.ValidateResourcePolicyResponse{PolicyValidationPassed: new(true), ValidationErrors: []api.ValidationErrorsEntry{}}, nil
}

func invalid(check, message string) *api.ValidateResourcePolicyResponse {
	return &api.ValidateResourcePolicyResponse{
		PolicyValidationPassed: new(false), ValidationErrors: []api.ValidationErrorsEntry{{CheckName: &check, ErrorMessage: &message}},
	}
}
