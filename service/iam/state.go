package iam

import (
	"context"
	"errors"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// user is an IAM user; its id in the table is its name in lower case, since
// "names are not distinguished by case" (IAM API Reference, CreateUser).
type user struct {
	Name, Path, ID string
	Created        time.Time
	Tags           []tag `json:",omitempty"`
	grants
	Boundary string   `json:",omitempty"` // ARN of the managed policy that bounds what the user may do
	Groups   []string `json:",omitempty"` // unique ids, in the order of joining
	Keys     []string `json:",omitempty"` // access key ids
}

// grants is what a user, group or role has of policies.
type grants struct {
	Inline   map[string]string `json:",omitempty"` // policy name → document
	Attached []string          `json:",omitempty"` // ARNs of managed policies
}

// role is an IAM role, kept like a user.
type role struct {
	Name, Path, ID string
	Created        time.Time
	Description    *string `json:",omitempty"`
	Trust          string  // names users and roles by their unique ids
	MaxSession     int32   // seconds
	Tags           []tag   `json:",omitempty"`
	grants
	Boundary string `json:",omitempty"`
	Used     *use   `json:",omitempty"`
}

// protected reports whether only AWS may change the role: a reserved one is the
// service's whose name its path has. IAM User Guide, "Service-linked roles"; IAM
// Identity Center User Guide, "Permission sets".
func (r *role) protected(ctx context.Context) bool {
	owner, reserved := strings.CutPrefix(r.Path, reservedPath)
	if !reserved {
		return r.linked()
	}
	owner, _, _ = strings.Cut(owner, "/")
	return owner == "" || owner != acting(aws.CallOf(ctx))
}

// linked reports whether the role is a service-linked one.
func (r *role) linked() bool { return strings.HasPrefix(r.Path, linkedPath) }

// describable reports whether the role's description can be edited: everybody's, a
// service-linked role's too, but a reserved one's by its service only.
func (r *role) describable(ctx context.Context) bool {
	return strings.HasPrefix(r.Path, linkedPath) || !r.protected(ctx)
}

// acting is the service that makes the call, of its own accord or for somebody;
// empty when none does.
func acting(c *aws.Call) string {
	if n := len(c.Via); n > 0 {
		return c.Via[n-1]
	}
	if x := c.Principal.Session; x != nil && !c.SourceIP.IsValid() {
		return x.InvokedBy
	}
	return ""
}

// Paths of roles that are AWS's own.
const (
	linkedPath   = "/aws-service-role/"
	reservedPath = "/aws-reserved/"
)

// accessKey is a long-term credential.
type accessKey struct {
	ID      string
	Account aws.Account
	User    string // the user's name, empty for the account's root user
	Secret  string
	Active  bool
	Created time.Time
	Used    *use `json:",omitempty"`
}

// rootUser is what the account's root user holds.
type rootUser struct {
	Created time.Time
	Keys    []string `json:",omitempty"`
}

const rootID = "root"

type use struct {
	At              time.Time
	Service, Region string
}

// now is the time to the second, as IAM shows it.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

type tag struct{ Key, Value string }

func tagsOf(in []iamapi.Tag) []tag {
	var out []tag
	for _, t := range in {
		out = append(out, tag{t.Key, t.Value})
	}
	return out
}

func tagsTo(in []tag) []iamapi.Tag {
	var out []iamapi.Tag
	for _, t := range in {
		out = append(out, iamapi.Tag{Key: t.Key, Value: t.Value})
	}
	return out
}

func tagMap(in []tag) map[string]string {
	m := make(map[string]string, len(in))
	for _, t := range in {
		m[t.Key] = t.Value
	}
	return m
}

// user returns the user with this name in any case.
func (s *Service) user(ctx context.Context, name string) (*user, error) {
	u, err := s.users.Get(ctx, strings.ToLower(name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, iamapi.NoSuchEntityException.New("The user with name %s cannot be found.", name)
	}
	return u, err
}

// userByID returns the user of the call's account with this unique id; nil when
// there is none.
func (s *Service) userByID(ctx context.Context, id string) (*user, error) {
	who, err := s.ids.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && (who.Kind != userKind || who.Account != aws.CallOf(ctx).Account) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	u, err := s.users.Get(ctx, who.Name)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.ID != id {
		return nil, nil
	}
	return u, err
}

func (s *Service) putUser(ctx context.Context, u *user) error {
	return fits(s.users.Put(ctx, strings.ToLower(u.Name), u))
}

// root returns what the account's root user holds.
func (s *Service) root(ctx context.Context) (*rootUser, error) {
	r, err := s.roots.Get(ctx, rootID)
	if errors.Is(err, store.ErrNotFound) {
		return &rootUser{}, nil
	}
	return r, err
}

// role returns the role with this name in any case.
func (s *Service) role(ctx context.Context, name string) (*role, error) {
	r, err := s.roles.Get(ctx, strings.ToLower(name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, iamapi.NoSuchEntityException.New("The role with name %s cannot be found.", name)
	}
	return r, err
}

func (s *Service) putRole(ctx context.Context, r *role) error {
	return fits(s.roles.Put(ctx, strings.ToLower(r.Name), r))
}

// fits is the answer to documents with so much white space, which no quota counts,
// that they cannot be kept.
func fits(err error) error {
	if errors.Is(err, store.ErrTooLarge) {
		return iamapi.LimitExceededException.New("The policy documents take more room than can be kept, white space included.")
	}
	return err
}

// ownPartition is the one partition that there is. What clients name in another is
// not there.
const ownPartition = "aws"

func userARN(partition string, account aws.Account, u *user) aws.ARN {
	return aws.ARN{Partition: partition, Service: "iam", Account: account, Resource: "user" + u.Path + u.Name}
}

func roleARN(partition string, account aws.Account, r *role) aws.ARN {
	return aws.ARN{Partition: partition, Service: "iam", Account: account, Resource: "role" + r.Path + r.Name}
}
