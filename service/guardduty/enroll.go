package guardduty

import (
	"context"
	"errors"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
)

// jobFollow makes members of who has come to an organization, and lets go who has
// left it.
const jobFollow = "guardduty.follow"

// followed is how many accounts one run of followDue looks at.
const followed = 50

// follow has an administrator's members looked through, in the region.
func (s *Service) follow(ctx context.Context, administrator aws.Account, region aws.Region) {
	store.Schedule(ctx, store.Due{Kind: jobFollow, ID: jobFollow, At: time.Now(), Place: store.Place{Account: administrator, Region: region}})
}

// organizationsChanged looks in the trail for what has happened to organizations: who
// came, and who left.
func (s *Service) organizationsChanged(ctx context.Context, events []aws.Event) error {
	for i := range events {
		if e := &events[i]; e.Attrs["eventSource"] != "organizations.amazonaws.com" || e.Attrs["readOnly"] == "true" || e.Attrs["errorCode"] != "" {
			continue
		}
		return s.reconsider(ctx) // once for all: they are of one account
	}
	return nil
}

// reconsider has the administrators looked after to whom the call's account may
// matter: that of its organization, and those that it has.
func (s *Service) reconsider(ctx context.Context) error {
	account := aws.CallOf(ctx).Account
	a, err := s.administration(ctx, account)
	if err != nil {
		return err
	}
	if a != nil {
		for e, err := range s.delegates.In(store.Place{Account: a.Management}).All(ctx, "") {
			if err != nil {
				return err
			}
			s.follow(ctx, e.Value.Administrator, aws.Region(e.ID))
		}
		return nil
	}
	// It may have left one; who administered it is written with the account only.
	for _, region := range aws.Regions() {
		h, err := s.heads.In(store.Place{Account: account, Region: region}).Get(ctx, headKey)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if h.Organization {
			s.follow(ctx, h.Administrator, region)
		}
	}
	return nil
}

// What a run of followDue does, as the first byte of its payload; the rest says where
// it goes on.
const (
	releasing = 'm' // members, whether they are still of the organization
	gathering = 'a' // the organization's accounts, whether they are members
)

// followDue looks through some members or accounts, and leaves the others to a
// further run.
func (s *Service) followDue(ctx context.Context, due store.Due) error {
	o, err := s.administered(ctx)
	if err != nil {
		return err
	}
	stage, after := byte(releasing), ""
	if len(due.Payload) > 0 {
		stage, after = due.Payload[0], string(due.Payload[1:])
	}
	if stage == releasing {
		after, err = s.release(ctx, o, after)
		if after == "" {
			stage = gathering
		}
	} else if after, err = s.gather(ctx, o, aws.Account(after)); after == "" {
		return err
	}
	if err != nil || stage == gathering && o == nil {
		return err
	}
	store.Schedule(ctx, store.Due{Kind: jobFollow, ID: jobFollow, At: time.Now(), Payload: append([]byte{stage}, after...)})
	return nil
}

// release lets members go that are by an organization to which they do not belong
// any more, and takes those of it for members by it. It returns where to go on.
func (s *Service) release(ctx context.Context, o *organization, after string) (string, error) {
	page, err := s.members.Page(ctx, store.Range{After: after, Limit: followed})
	if err != nil {
		return "", err
	}
	for _, e := range page {
		m := e.Value
		in, err := s.within(ctx, o, m.Account)
		switch {
		case err != nil:
			return "", err
		case m.Organization && !in:
			err = s.part(ctx, aws.CallOf(ctx).Account, m.Account, memberRemoved)
		case !m.Organization && in && m.associated():
			err = s.adopt(ctx, m)
		}
		if err != nil {
			return "", err
		}
	}
	if len(page) < followed {
		return "", nil
	}
	return page[len(page)-1].ID, nil
}

// adopt takes a member by invitation for one by the organization.
func (s *Service) adopt(ctx context.Context, m *member) error {
	m.Organization, m.Updated = true, time.Now()
	if err := s.members.Put(ctx, string(m.Account), m); err != nil {
		return err
	}
	h, err := s.headOf(ctx, m.Account)
	if err != nil || h == nil {
		return err
	}
	h.Organization = true
	return s.heads.In(here(ctx, m.Account)).Put(ctx, headKey, h)
}

// within reports whether an account is of the organization.
func (s *Service) within(ctx context.Context, o *organization, account aws.Account) (bool, error) {
	if o == nil {
		return false, nil
	}
	a, err := s.administration(ctx, account)
	return err == nil && a != nil && a.Organization == o.id, err
}

// gather makes members of some of the organization's accounts, as its configuration
// says. It returns where to go on.
func (s *Service) gather(ctx context.Context, o *organization, after aws.Account) (string, error) {
	if o == nil {
		return "", nil
	}
	// Who is a member itself, by an invitation of earlier times, has none.
	if h, err := s.head(ctx); err != nil || h != nil {
		return "", err
	}
	page, err := s.organizations.Accounts(ctx, o.management, after, followed)
	if err != nil {
		return "", err
	}
	d, err := s.detector(ctx)
	if err != nil || d == nil {
		return "", err
	}
	have, err := s.count(ctx)
	if err != nil {
		return "", err
	}
	for _, a := range page {
		if a.ID == aws.CallOf(ctx).Account || !a.Active {
			continue
		}
		m, err := s.member(ctx, a.ID)
		if err != nil {
			return "", err
		}
		switch {
		case m != nil && m.associated():
			err = s.fitOut(ctx, o.configuration, a, m.Detector)
		case !o.configuration.wants(a) || m == nil && have >= maxMembers:
		default:
			if m == nil {
				have++
			}
			var why string
			if why, err = s.enroll(ctx, o, d, a); why != "" {
				s.env.Log.Info("an account of the organization does not become a member", "account", a.ID, "why", why)
			}
		}
		if err != nil {
			return "", err
		}
	}
	if len(page) < followed {
		return "", nil
	}
	return string(page[len(page)-1].ID), nil
}

// wants reports whether an account is to become a member by itself.
func (c *configuration) wants(a service.OrganizationAccount) bool {
	return c.Members == guarddutyapi.AutoEnableMembersAll || c.Members == guarddutyapi.AutoEnableMembersNew && a.Joined.After(c.Since)
}

// enroll makes an account of the organization a member of the call's account, and
// starts GuardDuty there. User Guide, "Adding members to the organization".
func (s *Service) enroll(ctx context.Context, o *organization, d *detector, a service.OrganizationAccount) (why string, err error) {
	if !a.Active {
		return notActive, nil
	}
	h, err := s.headOf(ctx, a.ID)
	if err != nil {
		return "", err
	}
	if h != nil {
		return memberOfOther, nil
	}
	theirs, err := s.members.In(here(ctx, a.ID)).Page(ctx, store.Range{Limit: 1})
	if err != nil {
		return "", err
	}
	if len(theirs) > 0 {
		return masterItself, nil
	}
	if a.ID == o.management {
		has, err := s.detectors.In(here(ctx, a.ID)).Page(ctx, store.Range{Limit: 1})
		if err != nil {
			return "", err
		}
		if len(has) == 0 {
			return masterFirst, nil
		}
	}
	of, err := s.started(ctx, a.ID, false) // fitOut turns on what it is to have
	if err != nil {
		return "", err
	}
	if err := s.fitOut(ctx, o.configuration, a, of.ID); err != nil {
		return "", err
	}
	now, me := time.Now(), aws.CallOf(ctx).Account
	m := &member{Account: a.ID, Email: a.Email, Status: memberEnabled, Detector: of.ID, Organization: true, Invited: now, Updated: now}
	if err := s.members.Put(ctx, string(a.ID), m); err != nil {
		return "", err
	}
	// An invitation that was not answered is settled: to decline it would end what the
	// organization decided.
	err = s.invitations.In(here(ctx, a.ID)).Delete(ctx, string(me))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	return "", s.heads.In(here(ctx, a.ID)).Put(ctx, headKey, &head{Administrator: me, Detector: d.ID, Status: memberEnabled, Organization: true, Since: now})
}

const (
	masterItself = "The request is rejected because the given account ID is the GuardDuty master of other accounts."
	notActive    = "The request is rejected because the given account ID is not active in the organization."
)

// fitOut turns on the features that the organization's accounts are to have: all of
// them, or those that came after that was said.
func (s *Service) fitOut(ctx context.Context, c *configuration, a service.OrganizationAccount, detectorID string) error {
	table := s.detectors.In(here(ctx, a.ID))
	d, err := table.Get(ctx, detectorID)
	if err != nil {
		return missing(err)
	}
	now := time.Now()
	due := func(key string, when guarddutyapi.OrgFeatureStatus) bool {
		return when == guarddutyapi.OrgFeatureStatusAll || when == guarddutyapi.OrgFeatureStatusNew && a.Joined.After(c.Set[key])
	}
	changed := false
	for _, name := range guarddutyapi.OrgFeature("").Values() {
		f := d.Features[name]
		more := map[string]bool{}
		for key, on := range f.More {
			more[key] = on
		}
		on, differs := f.Enabled || due(name, c.feature(name)), false
		for _, key := range additional(name) {
			if due(name+"/"+key, c.more(name, key)) && !more[key] {
				more[key], differs = true, true
			}
		}
		if on == f.Enabled && !differs {
			continue
		}
		d.turn(name, on, more, now)
		changed = true
	}
	if !changed {
		return nil
	}
	d.Updated = now
	return table.Put(ctx, d.ID, d)
}
