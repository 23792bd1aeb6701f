package iam

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy/facts"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// An organizationReport is a report of Access Advisor on the accounts at and below
// an entity of an organisation: which services they may use, and have used.
type organizationReport struct {
	ID       string
	Created  time.Time
	Services []serviceUsed // by prefix
}

type serviceUsed struct {
	Prefix, Name string
	Accounts     int       // that have used it
	At           time.Time `json:",omitzero"` // the last use
	Region, Path string    `json:",omitempty"`
}

// An Entity returns what a path leads to in the organisation that account manages,
// with scp only as far as that policy binds. An error that is an *aws.Error is the
// client's.
type Entity func(ctx context.Context, account aws.Account, path, scp string) (*service.OrganizationEntity, error)

// UseEntities tells IAM of the entities of organisations, for Access Advisor. The
// plane calls it before the first call.
func (s *Service) UseEntities(of Entity) { s.entity = of }

// NoEntity refuses to report on an entity of an organisation.
func NoEntity(why string) error { return invalid("%s", why) }

func (s *Service) organizationReportRoutes() []wire.Route {
	return []wire.Route{
		iamapi.GenerateOrganizationsAccessReport.To(s.generateOrganizationsAccessReport, reportOn),
		iamapi.GetOrganizationsAccessReport.To(s.getOrganizationsAccessReport, touchAll[iamapi.GetOrganizationsAccessReportRequest]("iam:GetOrganizationsAccessReport")),
	}
}

// reportOn touches the report by the entity's path.
func reportOn(ctx context.Context, in *iamapi.GenerateOrganizationsAccessReportRequest) ([]wire.Touch, error) {
	touch := wire.Touch{Action: "iam:GenerateOrganizationsAccessReport", Resource: aws.CallOf(ctx).GlobalARN("iam", "access-report/"+in.EntityPath)}
	if in.OrganizationsPolicyId != nil {
		touch.Conditions = map[string][]string{"iam:OrganizationsPolicyId": {*in.OrganizationsPolicyId}}
	}
	return []wire.Touch{touch}, nil
}

func (s *Service) generateOrganizationsAccessReport(ctx context.Context, in *iamapi.GenerateOrganizationsAccessReportRequest) (*iamapi.GenerateOrganizationsAccessReportResponse, error) {
	if s.entity == nil {
		return nil, invalid("The account is not the management account of an organization.")
	}
	e, err := s.entity(store.Outside(ctx), aws.CallOf(ctx).Account, in.EntityPath, or(in.OrganizationsPolicyId, ""))
	if err != nil {
		return nil, err
	}
	r := &organizationReport{ID: aws.UUIDAt(time.Now()), Created: now()}
	if r.Services, err = s.usedBelow(ctx, e); err != nil {
		return nil, err
	}
	if err := dropOld(ctx, s.organizationReports, func(r *organizationReport) time.Time { return r.Created }); err != nil {
		return nil, err
	}
	return &iamapi.GenerateOrganizationsAccessReportResponse{JobId: &r.ID}, s.organizationReports.Put(ctx, r.ID, r)
}

// usedBelow lists the services that the entity's policies let through, with the use
// that the accounts made of them.
func (s *Service) usedBelow(ctx context.Context, e *service.OrganizationEntity) ([]serviceUsed, error) {
	var all []serviceUsed
	at := map[string]int{}
	for _, prefix := range facts.Services() {
		f, known := facts.Service(prefix)
		if !known || !letThrough(e.SCPs, prefix) {
			continue
		}
		at[prefix] = len(all)
		all = append(all, serviceUsed{Prefix: prefix, Name: f.Name})
	}
	for account, path := range e.Accounts {
		u, err := s.usages.In(store.Place{Account: account}).Get(store.Outside(ctx), accountUsage)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for prefix, use := range u.Services {
			i, allowed := at[prefix]
			if !allowed || time.Since(use.At) > tracked {
				continue
			}
			of := &all[i]
			of.Accounts++
			if use.At.After(of.At) || use.At.Equal(of.At) && path < of.Path {
				of.At, of.Region, of.Path = use.At, use.Region, path
			}
		}
	}
	return all, nil
}

func (s *Service) getOrganizationsAccessReport(ctx context.Context, in *iamapi.GetOrganizationsAccessReportRequest) (*iamapi.GetOrganizationsAccessReportResponse, error) {
	r, err := s.organizationReports.Get(ctx, in.JobId)
	if errors.Is(err, store.ErrNotFound) || err == nil && time.Since(r.Created) >= reportKept {
		return nil, noJob(in.JobId)
	}
	if err != nil {
		return nil, err
	}
	key := or(in.SortKey, iamapi.SortKeyTypeServiceNamespaceAscending)
	r.sort(key)
	out := &iamapi.GetOrganizationsAccessReportResponse{
		JobStatus: iamapi.JobStatusTypeCompleted, JobCreationDate: r.Created, JobCompletionDate: &r.Created,
		NumberOfServicesAccessible: new(int32(len(r.Services))), NumberOfServicesNotAccessed: new(int32(0)), AccessDetails: []iamapi.AccessDetail{}, //nolint:gosec // services are some hundreds
	}
	places := make([]string, len(r.Services)) // in this order, as ids of the page
	for i := range r.Services {
		places[i] = fmt.Sprintf("%06d", i)
		*out.NumberOfServicesNotAccessed += oneIf(r.Services[i].Accounts == 0)
	}
	next, err := pages(ctx, s, []string{"GetOrganizationsAccessReport", r.ID, string(key)}, in.Marker, in.MaxItems, sorted(places, func(id string) string { return id }, func(id string) bool {
		i, _ := slices.BinarySearch(places, id)
		out.AccessDetails = append(out.AccessDetails, r.Services[i].shown())
		return true
	}))
	out.Marker, out.IsTruncated = next, new(next != nil)
	return out, err
}

// sort puts the services into the order that is asked for. What was never used is
// the oldest.
func (r *organizationReport) sort(key iamapi.SortKeyType) {
	slices.SortFunc(r.Services, func(a, b serviceUsed) int {
		byName := strings.Compare(a.Prefix, b.Prefix)
		switch key {
		case iamapi.SortKeyTypeServiceNamespaceDescending:
			return -byName
		case iamapi.SortKeyTypeLastAuthenticatedTimeAscending:
			return cmp.Or(a.At.Compare(b.At), byName)
		case iamapi.SortKeyTypeLastAuthenticatedTimeDescending:
			return cmp.Or(b.At.Compare(a.At), byName)
		}
		return byName
	})
}

func (u *serviceUsed) shown() iamapi.AccessDetail {
	d := iamapi.AccessDetail{ServiceName: u.Name, ServiceNamespace: u.Prefix, TotalAuthenticatedEntities: new(int32(u.Accounts))} //nolint:gosec // an organisation's accounts
	if u.Accounts > 0 {
		d.LastAuthenticatedTime, d.Region, d.EntityPath = &u.At, &u.Region, &u.Path
	}
	return d
}
