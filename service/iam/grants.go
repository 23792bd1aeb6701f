package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
)

// An entity is what policies are put into and attached to: a user, group or role.
type entity struct {
	kind         string // as AWS's messages have it: "user"
	name, id     string
	grants       *grants
	inlineMost   int // characters of all inline policies
	attachedMost quota
	protected    bool // a role of AWS's own
	save         func(context.Context) error
}

// How much a user, group or role holds. IAM User Guide, "IAM and AWS STS quotas".
var (
	attachedToUser  = quota{"PoliciesPerUser", 10}
	attachedToGroup = quota{"PoliciesPerGroup", 10}
	attachedToRole  = quota{"PoliciesPerRole", 20}
)

// A finder returns the entity with a name.
type finder func(ctx context.Context, name string) (*entity, error)

func (s *Service) userEntity(ctx context.Context, name string) (*entity, error) {
	u, err := s.user(ctx, name)
	if err != nil {
		return nil, err
	}
	return &entity{kind: "user", name: u.Name, id: u.ID, grants: &u.grants, inlineMost: policy.MaxUserInline, attachedMost: attachedToUser,
		save: func(ctx context.Context) error { return s.putUser(ctx, u) }}, nil
}

func (s *Service) groupEntity(ctx context.Context, name string) (*entity, error) {
	g, err := s.group(ctx, name)
	if err != nil {
		return nil, err
	}
	return &entity{kind: "group", name: g.Name, id: g.ID, grants: &g.grants, inlineMost: policy.MaxGroupInline, attachedMost: attachedToGroup,
		save: func(ctx context.Context) error { return s.putGroup(ctx, g) }}, nil
}

func (s *Service) roleEntity(ctx context.Context, name string) (*entity, error) {
	r, err := s.role(ctx, name)
	if err != nil {
		return nil, err
	}
	return &entity{kind: "role", name: r.Name, id: r.ID, grants: &r.grants, inlineMost: policy.MaxRoleInline, attachedMost: attachedToRole, protected: r.protected(ctx),
		save: func(ctx context.Context) error { return s.putRole(ctx, r) }}, nil
}

// modifiable returns the entity with a name unless it is AWS's own.
func (f finder) modifiable(ctx context.Context, name string) (*entity, error) {
	h, err := f(ctx, name)
	if err == nil && h.protected {
		return nil, protectedRole(h.name)
	}
	return h, err
}

func protectedRole(name string) error {
	return iamapi.UnmodifiableEntityException.New("Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", name)
}

// put adds a document to the entity's inline policies, or replaces one.
func (f finder) put(ctx context.Context, of, name, document string) error {
	h, err := f.modifiable(ctx, of)
	if err != nil {
		return err
	}
	if _, err := policy.Parse([]byte(document), policy.Identity); err != nil {
		return err
	}
	if h.grants.Inline == nil {
		h.grants.Inline = map[string]string{}
	}
	h.grants.Inline[name] = document
	size := 0
	for _, d := range h.grants.Inline {
		size += policy.Size([]byte(d))
	}
	if size > h.inlineMost {
		return iamapi.LimitExceededException.New("Maximum policy size of %d bytes exceeded for %s %s", h.inlineMost, h.kind, h.name)
	}
	return h.save(ctx)
}

// inline returns the entity and its inline policy of this name.
func (f finder) inline(ctx context.Context, of, name string) (*entity, string, error) {
	h, err := f(ctx, of)
	if err != nil {
		return nil, "", err
	}
	document, ok := h.grants.Inline[name]
	if !ok {
		return nil, "", noPolicy(h.kind, name)
	}
	return h, document, nil
}

// remove takes an inline policy away.
func (f finder) remove(ctx context.Context, of, name string) error {
	h, err := f.modifiable(ctx, of)
	if err != nil {
		return err
	}
	if _, ok := h.grants.Inline[name]; !ok {
		return noPolicy(h.kind, name)
	}
	delete(h.grants.Inline, name)
	return h.save(ctx)
}

// inlineNames pages through the names of the entity's inline policies.
func (f finder) inlineNames(ctx context.Context, s *Service, operation, of string, marker *string, most *int32) ([]string, *string, error) {
	h, err := f(ctx, of)
	if err != nil {
		return nil, nil, err
	}
	return names(ctx, s, operation, h.id, slices.Sorted(maps.Keys(h.grants.Inline)), marker, most)
}

// attach attaches a managed policy; one that is attached already stays so.
func (f finder) attach(ctx context.Context, s *Service, of, arn string) error {
	h, err := f.modifiable(ctx, of)
	if err != nil {
		return err
	}
	if err := s.attachable(ctx, arn, "Policy %s does not exist or is not attachable."); err != nil {
		return err
	}
	if slices.Contains(h.grants.Attached, arn) {
		return nil
	}
	if len(h.grants.Attached) >= h.attachedMost.most {
		return iamapi.LimitExceededException.New("Cannot exceed quota for %s: %d", h.attachedMost.name, h.attachedMost.most)
	}
	h.grants.Attached = append(h.grants.Attached, arn)
	return h.save(ctx)
}

func (f finder) detach(ctx context.Context, of, arn string) error {
	h, err := f.modifiable(ctx, of)
	if err != nil {
		return err
	}
	if !slices.Contains(h.grants.Attached, arn) {
		return iamapi.NoSuchEntityException.New("Policy %s was not found.", arn)
	}
	h.grants.Attached = slices.DeleteFunc(h.grants.Attached, func(a string) bool { return a == arn })
	return h.save(ctx)
}

// attached pages through the policies below a path that are attached to the entity.
func (f finder) attached(ctx context.Context, s *Service, operation, of string, prefix, marker *string, most *int32) ([]iamapi.AttachedPolicy, *string, error) {
	h, err := f(ctx, of)
	if err != nil {
		return nil, nil, err
	}
	below := slices.DeleteFunc(slices.Sorted(slices.Values(h.grants.Attached)), func(arn string) bool {
		path, _ := policyName(arn)
		return !strings.HasPrefix(path, pathPrefix(prefix))
	})
	page, next, err := names(ctx, s, operation, h.id+pathPrefix(prefix), below, marker, most)
	return shownAttached(page), next, err
}

func shownAttached(arns []string) []iamapi.AttachedPolicy {
	out := []iamapi.AttachedPolicy{}
	for _, arn := range arns {
		_, name := policyName(arn)
		out = append(out, iamapi.AttachedPolicy{PolicyArn: new(arn), PolicyName: new(name)})
	}
	return out
}

// conflict says which policies must go before the entity can.
func (g *grants) conflict() error {
	switch {
	case len(g.Inline) > 0:
		return iamapi.DeleteConflictException.New("Cannot delete entity, must delete policies first.")
	case len(g.Attached) > 0:
		return iamapi.DeleteConflictException.New("Cannot delete entity, must detach all policies first.")
	}
	return nil
}

// policyName returns the path and the name in the ARN of a managed policy.
func policyName(arn string) (path, name string) {
	_, rest, _ := strings.Cut(arn, ":policy")
	at := strings.LastIndexByte(rest, '/') + 1
	return rest[:at], rest[at:]
}

func noPolicy(of, name string) error {
	return iamapi.NoSuchEntityException.New("The %s policy with name %s cannot be found.", of, name)
}

// uses are the index values of what has these policies: who a policy is attached
// to, whom it bounds, and both.
func uses(attached []string, boundary string) []string {
	var all []string
	for _, arn := range attached {
		all = append(all, useAttached+arn, useAny+arn)
	}
	if boundary != "" {
		all = append(all, useBoundary+boundary, useAny+boundary)
	}
	return all
}

// Prefixes of index values.
const (
	useAttached = "attached:"
	useBoundary = "boundary:"
	useAny      = "any:"
)

func usesOfUser(u *user) []string   { return uses(u.Attached, u.Boundary) }
func usesOfRole(r *role) []string   { return uses(r.Attached, r.Boundary) }
func usesOfGroup(g *group) []string { return uses(g.Attached, "") }

// partition is the partition that the call names its resources in.
func partition(ctx context.Context) string { return aws.CallOf(ctx).Partition }
