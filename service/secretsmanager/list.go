package secretsmanager

import (
	"context"
	"errors"
	"fmt"
	"strings"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// maxLooked is how many secrets one page looks at: with filters that few secrets
// pass, a page may be short, even empty, and still say that more follow.
const maxLooked = 1000

func (s *Service) listSecrets(ctx context.Context, in *api.ListSecretsRequest) (*api.ListSecretsResponse, error) {
	found, next, err := s.matching(ctx, "ListSecrets", in)
	if err != nil {
		return nil, err
	}
	out := &api.ListSecretsResponse{SecretList: []api.SecretListEntry{}, NextToken: next}
	for _, sec := range found {
		out.SecretList = append(out.SecretList, sec.entry())
	}
	return out, nil
}

// matching returns a page of the secrets that pass the filters, in the order that
// is asked for, and the token of the next page.
func (s *Service) matching(ctx context.Context, operation string, in *api.ListSecretsRequest) ([]*secret, *string, error) {
	filters, err := filtersOf(in.Filters)
	if err != nil {
		return nil, nil, err
	}
	by, desc := api.SortByTypeCreatedDate, in.SortOrder != nil && *in.SortOrder == api.SortOrderTypeDesc
	if in.SortBy != nil {
		by = *in.SortBy
	}
	where := aws.CallOf(ctx).ARN("secretsmanager", "")
	bind := []string{operation, where.String(), string(by), fmt.Sprint(desc, isTrue(in.IncludePlannedDeletion)), filters.String()}
	after, limit, err := s.page(bind, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, nil, err
	}
	var found []*secret
	for looked := 0; ; {
		ids, secrets, err := s.some(ctx, by, filters, store.Range{After: after, Limit: min(limit+1, maxLooked), Desc: desc})
		if err != nil {
			return nil, nil, err
		}
		for i, sec := range secrets {
			if looked == maxLooked || len(found) == limit {
				return found, new(s.env.Store.NextToken(bind, after)), nil
			}
			after, looked = ids[i], looked+1
			if sec == nil {
				continue
			}
			sec.at(aws.ARN{Partition: where.Partition, Service: where.Service, Region: where.Region, Account: where.Account, Resource: "secret:" + sec.ID})
			if (sec.Deletion == nil || isTrue(in.IncludePlannedDeletion)) && filters.pass(sec) {
				found = append(found, sec)
			}
		}
		if len(secrets) <= min(limit, maxLooked-1) {
			return found, nil, nil
		}
	}
}

// some returns the next secrets in an order, and the ids to go on after. A secret
// that went away between two reads is nil.
func (s *Service) some(ctx context.Context, by api.SortByType, filters filters, r store.Range) (ids []string, found []*secret, err error) {
	r.Prefix = string(by) + "/"
	if by == api.SortByTypeName {
		r.Prefix += filters.namePrefix()
	}
	page, err := s.order.Page(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range page {
		sec, err := s.secrets.Get(ctx, placed(e.ID))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, nil, err
		}
		ids, found = append(ids, e.ID), append(found, sec)
	}
	return ids, found, nil
}

// A filter passes secrets of which an attribute has one of its values, or none of
// them when negated. API Reference, "Filter"; User Guide, "Find secrets".
type filter struct {
	key    api.FilterNameStringType
	values []string
	not    bool
}

type filters []filter

func filtersOf(in []api.Filter) (filters, error) {
	var all filters
	for _, f := range in {
		if f.Key == nil || len(f.Values) == 0 {
			return nil, api.InvalidParameterException.New("A filter must have a key and values.")
		}
		is, not := filter{key: *f.Key}, filter{key: *f.Key, not: true}
		for _, v := range f.Values {
			if rest, negated := strings.CutPrefix(v, "!"); negated {
				not.values = append(not.values, rest)
			} else {
				is.values = append(is.values, v)
			}
		}
		for _, f := range []filter{is, not} {
			if len(f.values) > 0 {
				all = append(all, f)
			}
		}
	}
	return all, nil
}

// String tells filters apart, for page tokens.
func (f filters) String() string { return fmt.Sprintf("%#v", []filter(f)) }

// namePrefix is what all names that pass begin with, as far as one filter says it.
func (f filters) namePrefix() string {
	for _, one := range f {
		if one.key == api.FilterNameStringTypeName && !one.not && len(one.values) == 1 {
			return one.values[0]
		}
	}
	return ""
}

func (f filters) pass(sec *secret) bool {
	for _, one := range f {
		if one.matches(sec) == one.not {
			return false
		}
	}
	return true
}

func (f filter) matches(sec *secret) bool {
	for _, v := range f.values {
		if f.matchesValue(sec, v) {
			return true
		}
	}
	return false
}

func (f filter) matchesValue(sec *secret, v string) bool {
	begins := strings.HasPrefix
	switch f.key {
	case api.FilterNameStringTypeName:
		return begins(sec.Name, v)
	case api.FilterNameStringTypeDescription:
		return begins(strings.ToLower(sec.Description), strings.ToLower(v))
	case api.FilterNameStringTypePrimaryRegion:
		return begins(sec.Primary, v)
	case api.FilterNameStringTypeOwningService:
		return false // no service owns a secret here
	case api.FilterNameStringTypeAll:
		return sec.mentions(v)
	}
	for _, t := range sec.Tags {
		if f.key == api.FilterNameStringTypeTagKey && begins(t.Key, v) || f.key == api.FilterNameStringTypeTagValue && begins(t.Value, v) {
			return true
		}
	}
	return false
}

// mentions reports whether each word stands somewhere in the secret's attributes.
func (s *secret) mentions(words string) bool {
	all := []string{s.Name, s.Description, s.Primary}
	for _, t := range s.Tags {
		all = append(all, t.Key, t.Value)
	}
	attributes := strings.ToLower(strings.Join(all, "\x00"))
	for _, word := range strings.Fields(strings.ToLower(words)) {
		if !strings.Contains(attributes, word) {
			return false
		}
	}
	return true
}
