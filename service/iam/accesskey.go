package iam

import (
	"context"
	"errors"
	"slices"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// keysPerUser is IAM's limit. IAM User Guide, "IAM and AWS STS quotas".
const keysPerUser = 2

func (s *Service) keyRoutes() []wire.Route {
	return []wire.Route{
		iamapi.CreateAccessKey.To(s.createAccessKey, touchUser("iam:CreateAccessKey", s, func(in *iamapi.CreateAccessKeyRequest) *string { return in.UserName })),
		iamapi.ListAccessKeys.To(s.listAccessKeys, touchUser("iam:ListAccessKeys", s, func(in *iamapi.ListAccessKeysRequest) *string { return in.UserName })),
		iamapi.UpdateAccessKey.To(s.updateAccessKey, touchUser("iam:UpdateAccessKey", s, func(in *iamapi.UpdateAccessKeyRequest) *string { return in.UserName })),
		iamapi.DeleteAccessKey.To(s.deleteAccessKey, touchUser("iam:DeleteAccessKey", s, func(in *iamapi.DeleteAccessKeyRequest) *string { return in.UserName })),
		iamapi.GetAccessKeyLastUsed.To(s.getAccessKeyLastUsed, s.holderOf),
	}
}

// A holder is who owns access keys: a user, or the account's root user.
type holder struct {
	name string // empty for root
	keys []string
	save func(context.Context, []string) error
}

func (s *Service) holder(ctx context.Context, name *string) (*holder, error) {
	who, err := nameOrCaller(ctx, name)
	if err != nil {
		return nil, err
	}
	if who == "" {
		r, err := s.root(ctx)
		if err != nil {
			return nil, err
		}
		return &holder{keys: r.Keys, save: func(ctx context.Context, keys []string) error {
			r.Keys = keys
			return s.roots.Put(ctx, rootID, r)
		}}, nil
	}
	u, err := s.user(ctx, who)
	if err != nil {
		return nil, err
	}
	return &holder{name: u.Name, keys: u.Keys, save: func(ctx context.Context, keys []string) error {
		u.Keys = keys
		return s.putUser(ctx, u)
	}}, nil
}

// key returns the holder's access key with this id.
func (s *Service) key(ctx context.Context, h *holder, id string) (*accessKey, error) {
	missing := iamapi.NoSuchEntityException.New("The Access Key with id %s cannot be found.", id)
	if !slices.Contains(h.keys, id) {
		return nil, missing
	}
	k, err := s.keys.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing
	}
	return k, err
}

func (s *Service) createAccessKey(ctx context.Context, in *iamapi.CreateAccessKeyRequest) (*iamapi.CreateAccessKeyResponse, error) {
	h, err := s.holder(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if len(h.keys) >= keysPerUser {
		return nil, iamapi.LimitExceededException.New("Cannot exceed quota for AccessKeysPerUser: %d", keysPerUser)
	}
	account := aws.CallOf(ctx).Account
	k := &accessKey{ID: aws.AccessKeyID("AKIA", account), Account: account, User: h.name, Secret: aws.SecretKey(), Active: true, Created: now()}
	if err := s.keys.Insert(ctx, k.ID, k); err != nil {
		return nil, err
	}
	if err := h.save(ctx, append(h.keys, k.ID)); err != nil {
		return nil, err
	}
	return &iamapi.CreateAccessKeyResponse{AccessKey: &iamapi.AccessKey{
		UserName: h.shown(), AccessKeyId: k.ID, SecretAccessKey: k.Secret, Status: status(k.Active), CreateDate: &k.Created,
	}}, nil
}

func (s *Service) listAccessKeys(ctx context.Context, in *iamapi.ListAccessKeysRequest) (*iamapi.ListAccessKeysResponse, error) {
	h, err := s.holder(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	ids := slices.Sorted(slices.Values(h.keys))
	page, next, err := names(ctx, s, "ListAccessKeys", h.name, ids, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListAccessKeysResponse{AccessKeyMetadata: []iamapi.AccessKeyMetadata{}, Marker: next, IsTruncated: new(next != nil)}
	for _, id := range page {
		k, err := s.keys.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		out.AccessKeyMetadata = append(out.AccessKeyMetadata, iamapi.AccessKeyMetadata{UserName: new(h.shown()), AccessKeyId: &k.ID, Status: new(status(k.Active)), CreateDate: &k.Created})
	}
	return out, nil
}

func (s *Service) updateAccessKey(ctx context.Context, in *iamapi.UpdateAccessKeyRequest) (*iamapi.UpdateAccessKeyResponse, error) {
	h, err := s.holder(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	k, err := s.key(ctx, h, in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	if k.Active, err = active(in.Status); err != nil {
		return nil, err
	}
	return &iamapi.UpdateAccessKeyResponse{}, s.keys.Put(ctx, k.ID, k)
}

func (s *Service) deleteAccessKey(ctx context.Context, in *iamapi.DeleteAccessKeyRequest) (*iamapi.DeleteAccessKeyResponse, error) {
	h, err := s.holder(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	k, err := s.key(ctx, h, in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	if err := s.keys.Delete(ctx, k.ID); err != nil {
		return nil, err
	}
	rest := slices.DeleteFunc(slices.Clone(h.keys), func(id string) bool { return id == k.ID })
	return &iamapi.DeleteAccessKeyResponse{}, h.save(ctx, rest)
}

func (s *Service) getAccessKeyLastUsed(ctx context.Context, in *iamapi.GetAccessKeyLastUsedRequest) (*iamapi.GetAccessKeyLastUsedResponse, error) {
	k, err := s.keys.Get(ctx, in.AccessKeyId)
	if errors.Is(err, store.ErrNotFound) || err == nil && k.Account != aws.CallOf(ctx).Account {
		// AWS answers AccessDenied here, so that nobody learns which keys exist.
		return nil, aws.ErrorKind{Code: "AccessDenied", Status: 403}.New("User: %s is not authorized to perform: iam:GetAccessKeyLastUsed on resource: user * because no identity-based policy allows the iam:GetAccessKeyLastUsed action", aws.CallOf(ctx).Principal.ARN)
	}
	if err != nil {
		return nil, err
	}
	out := &iamapi.GetAccessKeyLastUsedResponse{UserName: new((&holder{name: k.User}).shown()), AccessKeyLastUsed: &iamapi.AccessKeyLastUsed{ServiceName: "N/A", Region: "N/A"}}
	if k.Used != nil {
		out.AccessKeyLastUsed = &iamapi.AccessKeyLastUsed{LastUsedDate: &k.Used.At, ServiceName: k.Used.Service, Region: k.Used.Region}
	}
	return out, nil
}

// shown returns the name as answers have it.
func (h *holder) shown() string {
	if h.name == "" {
		return rootID
	}
	return h.name
}
