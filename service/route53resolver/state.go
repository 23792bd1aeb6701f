package route53resolver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// common is what every resource here has.
type common struct {
	Name     string
	Creator  string // CreatorRequestId: the same one again makes nothing new
	Created  time.Time
	Modified time.Time
	Tags     map[string]string `json:",omitempty"`
}

// list is a domain list without its domains, which are in buckets.
type list struct {
	common
	Count   int
	Version uint64 // of the domains; grows by one with each change
	Node    string // which process made this version
	File    string `json:",omitempty"` // hash of the file that LoadFile has made these domains from

	// Last is what this version has changed, when that is little: other nodes need
	// not read the whole list again.
	Last *lastChange `json:",omitempty"`
}

type lastChange struct{ Added, Removed []string }

// bucket holds those domains of a list whose names hash alike, in order. Buckets
// keep what one added domain rewrites small, whatever the size of the list.
type bucket struct{ Domains []string }

type group struct {
	common
	Rules []rule `json:",omitempty"`
}

// lists returns the ids of the lists that the group's rules are about.
func (g *group) lists() []string {
	var ids []string
	for i := range g.Rules {
		if !g.Rules[i].advanced() {
			ids = append(ids, g.Rules[i].List)
		}
	}
	return ids
}

// rule is about a domain list, or about a threat: then it is a DNS Firewall Advanced
// rule, which has an id of its own.
type rule struct {
	Name, Action      string
	List              string
	Threat            string `json:",omitempty"` // DnsThreatProtection
	Confidence        string `json:",omitempty"` // ConfidenceThreshold
	Protection        string `json:",omitempty"` // FirewallThreatProtectionId
	Creator           string
	Priority          int32
	BlockResponse     string `json:",omitempty"`
	OverrideDomain    string `json:",omitempty"`
	OverrideTTL       int32  `json:",omitempty"`
	Redirection       string
	Qtype             string `json:",omitempty"`
	Created, Modified time.Time
}

type association struct {
	common
	Group, VPC string
	Priority   int32
	Protected  bool
}

// vpcConfig is a VPC's firewall configuration; its id in the table is the VPC's.
type vpcConfig struct {
	ID       string // rslvr-fc-…
	FailOpen bool
}

type logConfig struct {
	common
	Destination string
	Ties        int32 // how many VPCs it is associated with
}

type logTie struct {
	Config, VPC string
	Created     time.Time
}

// newID returns an id such as rslvr-fdl-1f3c….
func newID(prefix string) string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program first
	return prefix + hex.EncodeToString(b[:])
}

func newCommon(name, creator string, tags []api.Tag) (common, error) {
	m, err := tagMap(tags)
	now := time.Now().UTC()
	return common{Name: name, Creator: creator, Created: now, Modified: now, Tags: m}, err
}

// stamp writes a time as Route 53 Resolver does.
func stamp(t time.Time) *string { return new(t.UTC().Format("2006-01-02T15:04:05.000000000Z")) }

// found turns the store's answer for an id into the service's.
func found[T any](v *T, err error, id string) (*T, error) {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadID) {
		return nil, notFound(id)
	}
	return v, err
}

func notFound(id string) error {
	return api.ResourceNotFoundException.New("[RSLVR-02025] Can't find the resource with ID \"%s\".", id).With("ResourceType", typeOf(id))
}

// created returns the resource that an earlier call with the same creator request
// id has made, "" when there is none. The same id with other parameters is refused.
func created[T any](ctx context.Context, t *store.Table[T], creator string, same func(*T) bool) (string, *T, error) {
	rows, err := t.PageBy(ctx, "creator", creator, store.Range{Limit: 1})
	if err != nil || len(rows) == 0 {
		return "", nil, err
	}
	if !same(rows[0].Value) {
		return "", nil, api.ResourceExistsException.New("[RSLVR-02012] The CreatorRequestId \"%s\" has been used already with other parameters.", creator).With("ResourceType", typeOf(rows[0].ID))
	}
	return rows[0].ID, rows[0].Value, nil
}

// kinds are the resources' id prefixes with the type in their ARNs.
var kinds = []struct{ prefix, kind string }{
	{"rslvr-fdl-", "firewall-domain-list"}, {"rslvr-frgassoc-", "firewall-rule-group-association"}, {"rslvr-frg-", "firewall-rule-group"},
	{"rslvr-ftp-", "firewall-rule"},
	{"rqlc-", "resolver-query-log-config"}, {"rslvr-fc-", "firewall-config"}, {"vpc-", "vpc"}, {"rqlca-", "resolver-query-log-config-association"},
}

func typeOf(id string) string {
	for _, k := range kinds {
		if len(id) > len(k.prefix) && id[:len(k.prefix)] == k.prefix {
			return k.kind
		}
	}
	return "resource"
}

func arnOf(ctx context.Context, id string) aws.ARN {
	return aws.CallOf(ctx).ARN("route53resolver", typeOf(id)+"/"+id)
}
