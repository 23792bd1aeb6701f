package identitycenter

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"

	api "sumun.dev/api/ssoadminapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
)

func (s *Service) putInlinePolicy(ctx context.Context, in *api.PutInlinePolicyToPermissionSetRequest) (*api.PutInlinePolicyToPermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	if _, err := policy.Parse([]byte(in.InlinePolicy), policy.Identity); err != nil {
		var e *aws.Error
		if errors.As(err, &e) {
			return nil, api.ValidationException.New("%s", e.Message)
		}
		return nil, err
	}
	if visible(in.InlinePolicy) > maxInlinePolicy {
		return nil, api.ServiceQuotaExceededException.New("The inline policy has more than %d bytes.", maxInlinePolicy)
	}
	p.Inline = in.InlinePolicy
	return &api.PutInlinePolicyToPermissionSetResponse{}, s.change(ctx, p)
}

// visible counts all characters but white space.
func visible(text string) (n int) {
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

func (s *Service) getInlinePolicy(ctx context.Context, in *api.GetInlinePolicyForPermissionSetRequest) (*api.GetInlinePolicyForPermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	return &api.GetInlinePolicyForPermissionSetResponse{InlinePolicy: &p.Inline}, nil
}

func (s *Service) deleteInlinePolicy(ctx context.Context, in *api.DeleteInlinePolicyFromPermissionSetRequest) (*api.DeleteInlinePolicyFromPermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	if p.Inline == "" {
		return nil, api.ResourceNotFoundException.New("PermissionSet %s has no inline policy.", p.ID)
	}
	p.Inline = ""
	return &api.DeleteInlinePolicyFromPermissionSetResponse{}, s.change(ctx, p)
}

// room refuses one more policy than roles may have.
func (p *permissionSet) room() error {
	if len(p.Managed)+len(p.Customer) >= maxSetPolicies {
		return api.ServiceQuotaExceededException.New("You have exceeded the limit of %d managed policies per PermissionSet.", maxSetPolicies)
	}
	return nil
}

func (s *Service) attachManagedPolicy(ctx context.Context, in *api.AttachManagedPolicyToPermissionSetRequest) (*api.AttachManagedPolicyToPermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	if !s.options.ManagedPolicy(in.ManagedPolicyArn) {
		return nil, noManaged(in.ManagedPolicyArn)
	}
	if slices.Contains(p.Managed, in.ManagedPolicyArn) {
		return nil, api.ConflictException.New("Policy with arn %s is already attached to PermissionSet %s.", in.ManagedPolicyArn, p.ID)
	}
	if err := p.room(); err != nil {
		return nil, err
	}
	p.Managed = append(p.Managed, in.ManagedPolicyArn)
	return &api.AttachManagedPolicyToPermissionSetResponse{}, s.change(ctx, p)
}

func noManaged(arn string) error {
	return api.ResourceNotFoundException.New("Managed policy with arn %s could not be found.", arn)
}

func (s *Service) detachManagedPolicy(ctx context.Context, in *api.DetachManagedPolicyFromPermissionSetRequest) (*api.DetachManagedPolicyFromPermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	at := slices.Index(p.Managed, in.ManagedPolicyArn)
	if at < 0 {
		return nil, api.ResourceNotFoundException.New("Managed policy with arn %s is not attached to PermissionSet %s.", in.ManagedPolicyArn, p.ID)
	}
	p.Managed = slices.Delete(p.Managed, at, at+1)
	return &api.DetachManagedPolicyFromPermissionSetResponse{}, s.change(ctx, p)
}

func (s *Service) listManagedPolicies(ctx context.Context, in *api.ListManagedPoliciesInPermissionSetRequest) (*api.ListManagedPoliciesInPermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	page, next, err := slice(ctx, s, p.ID, slices.Sorted(slices.Values(p.Managed)), in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &api.ListManagedPoliciesInPermissionSetResponse{AttachedManagedPolicies: []api.AttachedManagedPolicy{}, NextToken: next}
	for _, arn := range page {
		out.AttachedManagedPolicies = append(out.AttachedManagedPolicies, api.AttachedManagedPolicy{Arn: new(arn), Name: new(arn[strings.LastIndexByte(arn, '/')+1:])})
	}
	return out, nil
}

// pathed returns a reference with its path, which is / when none is given.
func pathed(r *api.CustomerManagedPolicyReference) api.CustomerManagedPolicyReference {
	out := *r
	if out.Path == nil {
		out.Path = new("/")
	}
	return out
}

func same(a, b api.CustomerManagedPolicyReference) bool {
	return a.Name == b.Name && *a.Path == *b.Path
}

func (s *Service) attachCustomerPolicy(ctx context.Context, in *api.AttachCustomerManagedPolicyReferenceToPermissionSetRequest) (*api.AttachCustomerManagedPolicyReferenceToPermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	ref := pathed(in.CustomerManagedPolicyReference)
	// Two policies of one name cannot be in one account, whatever their paths.
	if slices.ContainsFunc(p.Customer, func(have api.CustomerManagedPolicyReference) bool { return sameFold(have.Name, ref.Name) }) {
		return nil, api.ConflictException.New("Customer managed policy reference %s is already attached to PermissionSet %s.", ref.Name, p.ID)
	}
	if err := p.room(); err != nil {
		return nil, err
	}
	p.Customer = append(p.Customer, ref)
	return &api.AttachCustomerManagedPolicyReferenceToPermissionSetResponse{}, s.change(ctx, p)
}

func (s *Service) detachCustomerPolicy(ctx context.Context, in *api.DetachCustomerManagedPolicyReferenceFromPermissionSetRequest) (*api.DetachCustomerManagedPolicyReferenceFromPermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	ref := pathed(in.CustomerManagedPolicyReference)
	at := slices.IndexFunc(p.Customer, func(have api.CustomerManagedPolicyReference) bool { return same(have, ref) })
	if at < 0 {
		return nil, api.ResourceNotFoundException.New("Customer managed policy reference %s is not attached to PermissionSet %s.", ref.Name, p.ID)
	}
	p.Customer = slices.Delete(p.Customer, at, at+1)
	return &api.DetachCustomerManagedPolicyReferenceFromPermissionSetResponse{}, s.change(ctx, p)
}

func (s *Service) listCustomerPolicies(ctx context.Context, in *api.ListCustomerManagedPolicyReferencesInPermissionSetRequest) (*api.ListCustomerManagedPolicyReferencesInPermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	names := map[string]api.CustomerManagedPolicyReference{}
	var all []string
	for _, ref := range p.Customer {
		names[ref.Name], all = ref, append(all, ref.Name)
	}
	slices.Sort(all)
	page, next, err := slice(ctx, s, p.ID, all, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &api.ListCustomerManagedPolicyReferencesInPermissionSetResponse{CustomerManagedPolicyReferences: []api.CustomerManagedPolicyReference{}, NextToken: next}
	for _, name := range page {
		out.CustomerManagedPolicyReferences = append(out.CustomerManagedPolicyReferences, names[name])
	}
	return out, nil
}

func (s *Service) putBoundary(ctx context.Context, in *api.PutPermissionsBoundaryToPermissionSetRequest) (*api.PutPermissionsBoundaryToPermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	b := *in.PermissionsBoundary
	if (b.CustomerManagedPolicyReference == nil) == (b.ManagedPolicyArn == nil) {
		return nil, api.ValidationException.New("A permissions boundary is exactly one of CustomerManagedPolicyReference and ManagedPolicyArn.")
	}
	if b.ManagedPolicyArn != nil && !s.options.ManagedPolicy(*b.ManagedPolicyArn) {
		return nil, noManaged(*b.ManagedPolicyArn)
	}
	if b.CustomerManagedPolicyReference != nil {
		b.CustomerManagedPolicyReference = new(pathed(b.CustomerManagedPolicyReference))
	}
	p.Boundary = &b
	return &api.PutPermissionsBoundaryToPermissionSetResponse{}, s.change(ctx, p)
}

func (s *Service) getBoundary(ctx context.Context, in *api.GetPermissionsBoundaryForPermissionSetRequest) (*api.GetPermissionsBoundaryForPermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	if p.Boundary == nil {
		return nil, noBoundary(p)
	}
	return &api.GetPermissionsBoundaryForPermissionSetResponse{PermissionsBoundary: p.Boundary}, nil
}

func noBoundary(p *permissionSet) error {
	return api.ResourceNotFoundException.New("PermissionsBoundary could not be found for PermissionSet %s.", p.ID)
}

func (s *Service) deleteBoundary(ctx context.Context, in *api.DeletePermissionsBoundaryFromPermissionSetRequest) (*api.DeletePermissionsBoundaryFromPermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	if p.Boundary == nil {
		return nil, noBoundary(p)
	}
	p.Boundary = nil
	return &api.DeletePermissionsBoundaryFromPermissionSetResponse{}, s.change(ctx, p)
}
