package route53resolver

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/engine/dns"
	"sumun.dev/store"
)

const (
	bucketsOfList = 1024
	maxUpdate     = 1000    // domains of one call
	maxDomains    = 100_000 // over all lists, with quotas: aws
	maxLast       = 100     // domains of a change that the list's row tells of
)

// bucketOf returns which of a list's buckets a domain is kept in.
func bucketOf(domain string) uint32 {
	h := fnv.New32a()
	_, _ = io.WriteString(h, domain) // never fails
	return h.Sum32() % bucketsOfList
}

// bucketID returns the id of a bucket. Buckets of a list lie next to each other.
func bucketID(listID string, n uint32) string { return fmt.Sprintf("%s/%03x", listID, n) }

func (s *Service) updateDomains(ctx context.Context, in *api.UpdateFirewallDomainsRequest) (*api.UpdateFirewallDomainsResponse, error) {
	l, err := s.list(ctx, in.FirewallDomainListId)
	if err != nil {
		return nil, err
	}
	if len(in.Domains) > maxUpdate {
		return nil, api.LimitExceededException.New("[RSLVR-02023] A call can have at most %d domains.", maxUpdate).With("ResourceType", "firewall-domain-list")
	}
	domains, err := normal(in.Domains)
	if err != nil {
		return nil, err
	}
	var c *change
	switch in.Operation {
	case api.FirewallDomainUpdateOperationAdd:
		c, err = s.alter(ctx, in.FirewallDomainListId, domains, nil)
	case api.FirewallDomainUpdateOperationRemove:
		c, err = s.alter(ctx, in.FirewallDomainListId, nil, domains)
	default:
		c, err = s.replace(ctx, in.FirewallDomainListId, domains)
	}
	if err != nil {
		return nil, err
	}
	if err := s.changed(ctx, in.FirewallDomainListId, l, c); err != nil {
		return nil, err
	}
	return &api.UpdateFirewallDomainsResponse{Id: &in.FirewallDomainListId, Name: &l.Name, Status: new(api.FirewallDomainListStatusComplete), StatusMessage: new("Finished domain list update")}, nil
}

// normal checks domains and brings them into the form in which they are kept.
func normal(in []string) ([]string, error) {
	out := make([]string, 0, len(in))
	for _, text := range in {
		d, err := dns.ParseDomain(text)
		if err != nil {
			return nil, api.ValidationException.New("[RSLVR-02021] The domain \"%s\" is not valid: letters, digits, hyphens and dots are allowed, and a leading \"*.\".", text)
		}
		out = append(out, d.String())
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// A change is what an update did to a list's domains.
type change struct {
	added, removed []string
	whole          bool // removed is all there was
}

// alter adds and removes domains, rewriting the buckets they are in.
func (s *Service) alter(ctx context.Context, id string, add, remove []string) (*change, error) {
	byBucket := map[string]*change{}
	of := func(d string) *change {
		b := bucketID(id, bucketOf(d))
		if byBucket[b] == nil {
			byBucket[b] = &change{}
		}
		return byBucket[b]
	}
	for _, d := range add {
		c := of(d)
		c.added = append(c.added, d)
	}
	for _, d := range remove {
		c := of(d)
		c.removed = append(c.removed, d)
	}
	total := &change{}
	for key, want := range byBucket {
		did, err := s.alterBucket(ctx, key, want)
		if err != nil {
			return nil, err
		}
		total.added = append(total.added, did.added...)
		total.removed = append(total.removed, did.removed...)
	}
	return total, nil
}

func (s *Service) alterBucket(ctx context.Context, key string, want *change) (*change, error) {
	b, err := s.buckets.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		b = &bucket{}
	} else if err != nil {
		return nil, err
	}
	did := &change{}
	for _, d := range want.added {
		if at, there := slices.BinarySearch(b.Domains, d); !there {
			b.Domains = slices.Insert(b.Domains, at, d)
			did.added = append(did.added, d)
		}
	}
	for _, d := range want.removed {
		if at, there := slices.BinarySearch(b.Domains, d); there {
			b.Domains = slices.Delete(b.Domains, at, at+1)
			did.removed = append(did.removed, d)
		}
	}
	if len(did.added)+len(did.removed) == 0 {
		return did, nil
	}
	if len(b.Domains) == 0 {
		return did, s.buckets.Delete(ctx, key)
	}
	return did, s.buckets.Put(ctx, key, b)
}

// replace makes domains all that the list has.
func (s *Service) replace(ctx context.Context, id string, domains []string) (*change, error) {
	c := &change{whole: true, added: domains}
	for row, err := range s.buckets.All(ctx, id+"/") {
		if err != nil {
			return nil, err
		}
		c.removed = append(c.removed, row.Value.Domains...)
		if err := s.buckets.Delete(ctx, row.ID); err != nil {
			return nil, err
		}
	}
	_, err := s.alter(ctx, id, domains, nil)
	return c, err
}

// changed writes down that the list has new domains, and has the compiled list
// follow when the unit commits.
func (s *Service) changed(ctx context.Context, id string, l *list, c *change) error {
	grown := len(c.added) - len(c.removed)
	if len(c.added)+len(c.removed) == 0 {
		return nil
	}
	if err := s.addTotal(ctx, grown); err != nil {
		return err
	}
	l.Count += grown
	l.Version++
	l.Node, l.File, l.Last = s.node, "", nil
	if !c.whole && len(c.added)+len(c.removed) <= maxLast {
		l.Last = &lastChange{c.added, c.removed}
	}
	l.Modified = time.Now().UTC()
	s.mirror.expectList(ctx, place(ctx), id, l.Version, c.added, c.removed, c.whole)
	return s.lists.Put(ctx, id, l)
}

// addTotal keeps the limit of domains over all lists, when AWS's quotas are on.
func (s *Service) addTotal(ctx context.Context, grown int) error {
	if !s.env.Quotas {
		return nil
	}
	total := grown
	for l, err := range s.lists.All(ctx, "") {
		if err != nil {
			return err
		}
		total += l.Value.Count
	}
	if grown > 0 && total > maxDomains {
		return api.LimitExceededException.New("[RSLVR-02024] You can have at most %d domains in all firewall domain lists.", maxDomains).With("ResourceType", "firewall-domain-list")
	}
	return nil
}

func (s *Service) importDomains(context.Context, *api.ImportFirewallDomainsRequest) (*api.ImportFirewallDomainsResponse, error) {
	return nil, api.ValidationException.New("Sumun has no S3 yet, so there is no file to import from: send the domains with UpdateFirewallDomains, or name a file in the setting domain-lists.")
}

func (s *Service) listDomains(ctx context.Context, in *api.ListFirewallDomainsRequest) (*api.ListFirewallDomainsResponse, error) {
	if _, err := s.list(ctx, in.FirewallDomainListId); err != nil {
		return nil, err
	}
	bind := []string{"route53resolver:ListFirewallDomains", place(ctx).String(), in.FirewallDomainListId}
	last, err := s.open(bind, in.NextToken)
	if err != nil {
		return nil, err
	}
	left := defaultPage
	if in.MaxResults != nil {
		left = int(*in.MaxResults)
	}
	out := &api.ListFirewallDomainsResponse{Domains: []string{}}
	bucketAt, domainAt, _ := strings.Cut(last, " ") // the last bucket and domain shown
	prefix := in.FirewallDomainListId + "/"
	for {
		after := bucketAt
		if domainAt != "" {
			after = before(bucketAt) // there may be more in it
		}
		rows, err := s.buckets.Page(ctx, store.Range{Prefix: prefix, After: after, Limit: 16})
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			return out, nil
		}
		for _, row := range rows {
			for _, d := range row.Value.Domains {
				if row.ID == bucketAt && d <= domainAt {
					continue
				}
				if len(out.Domains) == left {
					out.NextToken = new(s.env.Store.NextToken(bind, bucketAt+" "+domainAt))
					return out, nil
				}
				out.Domains = append(out.Domains, d)
				bucketAt, domainAt = row.ID, d
			}
		}
		bucketAt, domainAt = rows[len(rows)-1].ID, ""
	}
}

// before returns the id after which the bucket id comes next; "" for the first.
func before(id string) string {
	prefix, number, _ := strings.Cut(id, "/")
	n, err := strconv.ParseUint(number, 16, 32)
	if err != nil || n == 0 {
		return ""
	}
	return fmt.Sprintf("%s/%03x", prefix, n-1)
}
