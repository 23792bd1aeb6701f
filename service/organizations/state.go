package organizations

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// An account is what the plane knows of an account as such, in an organisation or
// not. It is kept in no place, under its number.
type account struct {
	ID          aws.Account
	Name, Email string
	State       organizationsapi.AccountState
	Management  aws.Account `json:",omitempty"` // of the organisation that it belongs to; empty: to none
	Created     time.Time
	Closed      time.Time `json:",omitzero"`
}

// email is who has an email address, under a digest of it: ids stand in clear text.
type email struct{ Account aws.Account }

func emailID(address string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(address)))
	return hex.EncodeToString(sum[:])
}

// An organization belongs to its management account; it is the only row there.
type organization struct {
	ID, Root   string
	Management aws.Account
	Features   organizationsapi.OrganizationFeatureSet
	Created    time.Time
	Enabled    []organizationsapi.PolicyType `json:",omitempty"` // policy types, in the root
	Services   map[string]time.Time          `json:",omitempty"` // service principals with trusted access, since when
	Policy     *resourcePolicy               `json:",omitempty"`
}

const organizationID = "organization"

// The kinds of node, as the API names them.
const (
	isRoot    = "ROOT"
	isUnit    = "ORGANIZATIONAL_UNIT"
	isAccount = "ACCOUNT"
)

// A node is the root, an organizational unit or an account in the organisation's
// tree. Its id is the API's: "r-ab12", "ou-ab12-cdefghij" or an account number.
type node struct {
	ID, Kind string
	Name     string       `json:",omitempty"` // of roots and units
	Parent   string       `json:",omitempty"` // empty for the root
	Tags     []tag        `json:",omitempty"`
	Attached []attachment `json:",omitempty"` // in the order in which they were attached
	Joined   time.Time    `json:",omitzero"`  // accounts only, as is How
	How      organizationsapi.AccountJoinedMethod
}

// An attachment is a policy on a node.
type attachment struct {
	Policy string
	Type   organizationsapi.PolicyType
	Since  time.Time
}

func (n *node) has(id string) bool {
	return slices.ContainsFunc(n.Attached, func(a attachment) bool { return a.Policy == id })
}

// attached lists the policies of a type on the node.
func (n *node) attached(t organizationsapi.PolicyType) []string {
	var ids []string
	for _, a := range n.Attached {
		if a.Type == t {
			ids = append(ids, a.Policy)
		}
	}
	return ids
}

// A storedPolicy is one that the organisation has written itself.
type storedPolicy struct {
	ID, Name, Description, Content string
	Type                           organizationsapi.PolicyType
	Tags                           []tag `json:",omitempty"`
	Changed                        time.Time
}

type tag struct{ Key, Value string }

// creation is the state of a CreateAccount.
type creation struct {
	ID, Name, Email, Role string
	State                 organizationsapi.CreateAccountState
	Failure               organizationsapi.CreateAccountFailureReason `json:",omitempty"`
	Requested, Completed  time.Time
	Account               aws.Account `json:",omitempty"`
	Tags                  []tag       `json:",omitempty"`
}

// tables are what Organizations keeps. All but accounts, emails and handshakes
// stand in the place of the management account.
type tables struct {
	accounts      *store.Table[account]
	emails        *store.Table[email]
	organizations *store.Table[organization]
	nodes         *store.Table[node]
	policies      *store.Table[storedPolicy]
	creations     *store.Table[creation]
	handshakes    *store.Table[handshake]
	delegations   *store.Table[delegation]
}

// The indexes of the tables.
const (
	byParent  = "parent"  // nodes: kind and parent
	byKind    = "kind"    // nodes
	byName    = "name"    // units: parent and name; policies: type and name
	byPolicy  = "policy"  // nodes: what is attached
	byType    = "type"    // policies
	byState   = "state"   // creations
	byParty   = "party"   // handshakes: account or organisation
	byAccount = "account" // delegations
	byService = "service" // delegations
)

func newTables(s *store.Store) tables {
	return tables{
		accounts:      store.NewTable(s, "organizations.accounts", store.Global[account]()).In(store.Place{}),
		emails:        store.NewTable(s, "organizations.emails", store.Global[email]()).In(store.Place{}),
		organizations: store.NewTable(s, "organizations.organizations", store.Global[organization]()),
		nodes: store.NewTable(s, "organizations.nodes", store.Global[node](),
			store.Index(byParent, func(n *node) []string { return []string{n.Kind + "/" + n.Parent} }),
			store.Index(byKind, func(n *node) []string { return []string{n.Kind} }),
			store.Index(byName, func(n *node) []string { return []string{n.Parent + "/" + n.Name} }),
			store.Index(byPolicy, func(n *node) []string {
				var ids []string
				for _, a := range n.Attached {
					ids = append(ids, a.Policy)
				}
				return ids
			})),
		policies: store.NewTable(s, "organizations.policies", store.Global[storedPolicy](),
			store.Index(byType, func(p *storedPolicy) []string { return []string{string(p.Type)} }),
			store.Index(byName, func(p *storedPolicy) []string { return []string{string(p.Type) + "/" + p.Name} })),
		creations: store.NewTable(s, "organizations.creations", store.Global[creation](),
			store.Index(byState, func(c *creation) []string { return []string{string(c.State)} })),
		handshakes: store.NewTable(s, "organizations.handshakes", store.Global[handshake](),
			store.Index(byParty, (*handshake).parties)).In(store.Place{}),
		delegations: store.NewTable(s, "organizations.delegations", store.Global[delegation](),
			store.Index(byAccount, func(d *delegation) []string { return []string{string(d.Account)} }),
			store.Index(byService, func(d *delegation) []string { return []string{d.Service} })),
	}
}

// place is where the organisation keeps what it owns.
func (o *organization) place() store.Place { return store.Place{Account: o.Management} }

// account returns what is known of an account: one that no CreateAccount has made
// is there as soon as somebody asks.
func (s *Service) account(ctx context.Context, id aws.Account) (*account, error) {
	a, err := s.accounts.Get(ctx, string(id))
	if errors.Is(err, store.ErrNotFound) {
		// An account that the plane was born with has no owner who could have
		// given an address; ".invalid" reaches nobody (RFC 2606).
		return &account{
			ID: id, Name: string(id), Email: "root@" + string(id) + ".invalid", State: organizationsapi.AccountStateActive,
		}, nil
	}
	return a, err
}

// known is account, but answers nil for one that nobody has heard of.
func (s *Service) known(ctx context.Context, id aws.Account) (*account, error) {
	a, err := s.accounts.Get(ctx, string(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return a, err
}

func (s *Service) putAccount(ctx context.Context, a *account) error {
	if err := s.emails.Put(ctx, emailID(a.Email), &email{a.ID}); err != nil {
		return err
	}
	return s.accounts.Put(ctx, string(a.ID), a)
}

// at returns the organisation of a management account; nil when it has none.
func (s *Service) at(ctx context.Context, management aws.Account) (*organization, error) {
	if management == "" {
		return nil, nil
	}
	o, err := s.organizations.In(store.Place{Account: management}).Get(ctx, organizationID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return o, err
}

func (s *Service) put(ctx context.Context, o *organization) error {
	return s.organizations.In(o.place()).Put(ctx, organizationID, o)
}

// node returns a node of the organisation's tree; nil when there is none.
func (s *Service) node(ctx context.Context, o *organization, id string) (*node, error) {
	n, err := s.nodes.In(o.place()).Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return n, err
}

func (s *Service) putNode(ctx context.Context, o *organization, n *node) error {
	return s.nodes.In(o.place()).Put(ctx, n.ID, n)
}

// line returns the nodes from the root down to n.
func (s *Service) line(ctx context.Context, o *organization, n *node) ([]*node, error) {
	line := []*node{n}
	for n.Parent != "" {
		up, err := s.node(ctx, o, n.Parent)
		if err != nil {
			return nil, err
		}
		if up == nil {
			return nil, errors.New("organizations: a node has no parent")
		}
		if n = up; len(line) > maxDepth+1 {
			return nil, errors.New("organizations: the tree has a circle")
		}
		line = append(line, n)
	}
	slices.Reverse(line)
	return line, nil
}

// path is a line as aws:PrincipalOrgPaths has it: without the account itself.
func (o *organization) path(line []*node) string {
	var b strings.Builder
	b.WriteString(o.ID + "/")
	for _, n := range line {
		if n.Kind != isAccount {
			b.WriteString(n.ID + "/")
		}
	}
	return b.String()
}

// now is the time to the millisecond, as Organizations shows it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
