package iam

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/policy/facts"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// reportKept is how long a report can be fetched. IAM API Reference,
// GetServiceLastAccessedDetails.
const reportKept = 168 * time.Hour

// A lastAccessed is a report: of a user, group, role or policy, which of the
// services that it grants were used, by whom and when.
type lastAccessed struct {
	ID, ARN  string
	Created  time.Time
	Actions  bool // ACTION_LEVEL
	Services []serviceAccessed
}

type serviceAccessed struct {
	Prefix, Name string
	By           []accessed `json:",omitempty"` // newest first
	Actions      []accessed `json:",omitempty"` // by name
}

// accessed is a use: of the service by one entity, or of an action by the last.
type accessed struct {
	Action string            `json:",omitempty"`
	Entity iamapi.EntityInfo // who
	At     time.Time
	Region string
}

func (s *Service) lastAccessedRoutes() []wire.Route {
	return []wire.Route{
		iamapi.GenerateServiceLastAccessedDetails.To(s.generateServiceLastAccessedDetails, touchSource("iam:GenerateServiceLastAccessedDetails", s, func(in *iamapi.GenerateServiceLastAccessedDetailsRequest) string { return in.Arn })),
		iamapi.GetServiceLastAccessedDetails.To(s.getServiceLastAccessedDetails, touchAll[iamapi.GetServiceLastAccessedDetailsRequest]("iam:GetServiceLastAccessedDetails")),
		iamapi.GetServiceLastAccessedDetailsWithEntities.To(s.getServiceLastAccessedDetailsWithEntities, touchAll[iamapi.GetServiceLastAccessedDetailsWithEntitiesRequest]("iam:GetServiceLastAccessedDetailsWithEntities")),
		iamapi.ListPoliciesGrantingServiceAccess.To(s.listPoliciesGrantingServiceAccess, touchSource("iam:ListPoliciesGrantingServiceAccess", s, func(in *iamapi.ListPoliciesGrantingServiceAccessRequest) string { return in.Arn })),
	}
}

func (s *Service) generateServiceLastAccessedDetails(ctx context.Context, in *iamapi.GenerateServiceLastAccessedDetailsRequest) (*iamapi.GenerateServiceLastAccessedDetailsResponse, error) {
	src, err := s.subject(ctx, in.Arn)
	if err != nil {
		return nil, err
	}
	r := &lastAccessed{ID: aws.UUIDAt(time.Now()), ARN: in.Arn, Created: now(), Actions: in.Granularity != nil && *in.Granularity == iamapi.AccessAdvisorUsageGranularityTypeActionLevel}
	if err := s.fill(ctx, r, src); err != nil {
		return nil, err
	}
	if err := dropOld(ctx, s.reports, func(r *lastAccessed) time.Time { return r.Created }); err != nil {
		return nil, err
	}
	return &iamapi.GenerateServiceLastAccessedDetailsResponse{JobId: &r.ID}, s.reports.Put(ctx, r.ID, r)
}

// dropOld takes away reports that nobody can fetch any more. Their ids begin with
// the time.
func dropOld[T any](ctx context.Context, reports *store.Table[T], created func(*T) time.Time) error {
	old, err := reports.Page(store.Outside(ctx), store.Range{Limit: 20})
	if err != nil {
		return err
	}
	for _, e := range old {
		if time.Since(created(e.Value)) < reportKept {
			return nil
		}
		if err := reports.Delete(ctx, e.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// fill writes down what is known now.
func (s *Service) fill(ctx context.Context, r *lastAccessed, src *subject) error {
	at := map[string]*serviceAccessed{}
	for _, f := range granted(src.policies) {
		r.Services = append(r.Services, serviceAccessed{Prefix: f.Prefix, Name: f.Name})
	}
	for i := range r.Services {
		at[r.Services[i].Prefix] = &r.Services[i]
	}
	for _, entity := range src.entities {
		u, err := s.usages.Get(store.Outside(ctx), entity.Id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		for prefix, use := range u.Services {
			of := at[prefix]
			if of == nil || time.Since(use.At) > tracked {
				continue
			}
			of.By = append(of.By, accessed{Entity: entity, At: use.At, Region: use.Region})
			if r.Actions {
				of.addActions(entity, use)
			}
		}
	}
	for i := range r.Services {
		slices.SortFunc(r.Services[i].By, func(a, b accessed) int { return b.At.Compare(a.At) })
		slices.SortFunc(r.Services[i].Actions, func(a, b accessed) int { return strings.Compare(a.Action, b.Action) })
	}
	return nil
}

// addActions keeps for each action who used it last.
func (a *serviceAccessed) addActions(entity iamapi.EntityInfo, use *serviceUse) {
	for name, u := range use.Actions {
		if time.Since(u.At) > tracked {
			continue
		}
		i := slices.IndexFunc(a.Actions, func(x accessed) bool { return x.Action == name })
		switch {
		case i < 0:
			a.Actions = append(a.Actions, accessed{Action: name, Entity: entity, At: u.At, Region: u.Region})
		case u.At.After(a.Actions[i].At):
			a.Actions[i] = accessed{Action: name, Entity: entity, At: u.At, Region: u.Region}
		}
	}
}

// report returns the account's report with this id.
func (s *Service) report(ctx context.Context, id string) (*lastAccessed, error) {
	r, err := s.reports.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && time.Since(r.Created) >= reportKept {
		return nil, noJob(id)
	}
	return r, err
}

func noJob(id string) error {
	return iamapi.NoSuchEntityException.New("The job with id %s cannot be found.", id)
}

func (s *Service) getServiceLastAccessedDetails(ctx context.Context, in *iamapi.GetServiceLastAccessedDetailsRequest) (*iamapi.GetServiceLastAccessedDetailsResponse, error) {
	r, err := s.report(ctx, in.JobId)
	if err != nil {
		return nil, err
	}
	page, next, err := named(ctx, s, "GetServiceLastAccessedDetails", r.ID, r.Services, func(a serviceAccessed) string { return a.Prefix }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	level := iamapi.AccessAdvisorUsageGranularityTypeServiceLevel
	if r.Actions {
		level = iamapi.AccessAdvisorUsageGranularityTypeActionLevel
	}
	out := &iamapi.GetServiceLastAccessedDetailsResponse{
		JobStatus: iamapi.JobStatusTypeCompleted, JobType: &level, JobCreationDate: r.Created, JobCompletionDate: r.Created,
		ServicesLastAccessed: []iamapi.ServiceLastAccessed{}, Marker: next, IsTruncated: new(next != nil),
	}
	for i := range page {
		out.ServicesLastAccessed = append(out.ServicesLastAccessed, page[i].shown(r.Actions))
	}
	return out, nil
}

func (a *serviceAccessed) shown(actions bool) iamapi.ServiceLastAccessed {
	out := iamapi.ServiceLastAccessed{ServiceName: a.Name, ServiceNamespace: a.Prefix, TotalAuthenticatedEntities: new(int32(len(a.By)))} //nolint:gosec // quotas bound it
	if len(a.By) > 0 {
		last := &a.By[0]
		out.LastAuthenticated, out.LastAuthenticatedEntity, out.LastAuthenticatedRegion = &last.At, &last.Entity.Arn, &last.Region
	}
	if !actions {
		return out
	}
	out.TrackedActionsLastAccessed = []iamapi.TrackedActionLastAccessed{}
	for _, name := range a.tracked() {
		x := iamapi.TrackedActionLastAccessed{ActionName: &name}
		if i := slices.IndexFunc(a.Actions, func(use accessed) bool { return use.Action == name }); i >= 0 {
			use := &a.Actions[i]
			x.LastAccessedEntity, x.LastAccessedTime, x.LastAccessedRegion = &use.Entity.Arn, &use.At, &use.Region
		}
		out.TrackedActionsLastAccessed = append(out.TrackedActionsLastAccessed, x)
	}
	return out
}

// tracked lists the service's management actions, used or not, by name. What the
// trail calls otherwise than policies do is among them when it was used.
func (a *serviceAccessed) tracked() []string {
	var all []string
	if f, ok := facts.Service(a.Prefix); ok {
		for _, action := range f.Actions {
			if !aws.IsDataEvent(a.Prefix, action.Name) {
				all = append(all, action.Name)
			}
		}
	}
	for i := range a.Actions {
		all = append(all, a.Actions[i].Action)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (s *Service) getServiceLastAccessedDetailsWithEntities(ctx context.Context, in *iamapi.GetServiceLastAccessedDetailsWithEntitiesRequest) (*iamapi.GetServiceLastAccessedDetailsWithEntitiesResponse, error) {
	r, err := s.report(ctx, in.JobId)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(r.Services, func(a serviceAccessed) bool { return a.Prefix == in.ServiceNamespace })
	if i < 0 {
		return nil, iamapi.NoSuchEntityException.New("The service namespace %s is not in the report.", in.ServiceNamespace)
	}
	page, next, err := named(ctx, s, "GetServiceLastAccessedDetailsWithEntities", r.ID+in.ServiceNamespace, r.Services[i].By, func(a accessed) string { return a.Entity.Id }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iamapi.GetServiceLastAccessedDetailsWithEntitiesResponse{
		JobStatus: iamapi.JobStatusTypeCompleted, JobCreationDate: r.Created, JobCompletionDate: r.Created,
		EntityDetailsList: []iamapi.EntityDetails{}, Marker: next, IsTruncated: new(next != nil),
	}
	for i := range page {
		out.EntityDetailsList = append(out.EntityDetailsList, iamapi.EntityDetails{EntityInfo: &page[i].Entity, LastAuthenticated: &page[i].At})
	}
	return out, nil
}

func (s *Service) listPoliciesGrantingServiceAccess(ctx context.Context, in *iamapi.ListPoliciesGrantingServiceAccessRequest) (*iamapi.ListPoliciesGrantingServiceAccessResponse, error) {
	src, err := s.subject(ctx, in.Arn)
	if err != nil {
		return nil, err
	}
	if src.kind == "policy" {
		return nil, invalid("Invalid Entity Arn: %s", in.Arn)
	}
	services := slices.Compact(slices.Sorted(slices.Values(in.ServiceNamespaces)))
	page, next, err := names(ctx, s, "ListPoliciesGrantingServiceAccess", in.Arn, services, in.Marker, nil)
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListPoliciesGrantingServiceAccessResponse{PoliciesGrantingServiceAccess: []iamapi.ListPoliciesGrantingServiceAccessEntry{}, Marker: next, IsTruncated: new(next != nil)}
	for _, service := range page {
		entry := iamapi.ListPoliciesGrantingServiceAccessEntry{ServiceNamespace: &service, Policies: []iamapi.PolicyGrantingServiceAccess{}}
		for _, p := range src.policies {
			if grantsService(p.Document, service) {
				entry.Policies = append(entry.Policies, src.granting(p))
			}
		}
		out.PoliciesGrantingServiceAccess = append(out.PoliciesGrantingServiceAccess, entry)
	}
	return out, nil
}

// granting shows a policy, and for an inline one whose it is.
func (src *subject) granting(p *policy.Attached) iamapi.PolicyGrantingServiceAccess {
	rest, inline := strings.CutPrefix(p.Source, "inline:")
	if !inline {
		_, name := policyName(p.Source)
		return iamapi.PolicyGrantingServiceAccess{PolicyName: name, PolicyType: iamapi.PolicyTypeManaged, PolicyArn: &p.Source}
	}
	holder, name, _ := strings.Cut(rest, "/")
	of := iamapi.PolicyOwnerEntityTypeGroup
	switch {
	case src.kind == "role":
		of = iamapi.PolicyOwnerEntityTypeRole
	case src.kind == "user" && holder == src.name:
		of = iamapi.PolicyOwnerEntityTypeUser
	}
	return iamapi.PolicyGrantingServiceAccess{PolicyName: name, PolicyType: iamapi.PolicyTypeInline, EntityName: &holder, EntityType: &of}
}
