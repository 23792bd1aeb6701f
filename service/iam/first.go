package iam

import (
	"context"
	"errors"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// A Key is an access key with its secret.
type Key struct{ ID, Secret string }

// NewKey returns a random access key for a user of account.
func NewKey(account aws.Account) Key { return Key{aws.AccessKeyID("AKIA", account), aws.SecretKey()} }

// AddRoot gives the account's root user an access key. The plane calls it at its
// first start, within a unit of work.
func (s *Service) AddRoot(ctx context.Context, account aws.Account, k Key) error {
	if err := s.addKey(ctx, account, "", k); err != nil {
		return err
	}
	return s.roots.In(store.Place{Account: account}).Put(ctx, rootID, &rootUser{Created: now(), Keys: []string{k.ID}})
}

// ReplaceRoot makes k the only access key of the account's root user: keys that it
// had are gone. It is the way back for who has lost them, within a unit of work.
func (s *Service) ReplaceRoot(ctx context.Context, account aws.Account, k Key) error {
	roots := s.roots.In(store.Place{Account: account})
	root, err := roots.Get(ctx, rootID)
	if err != nil {
		return err
	}
	for _, id := range root.Keys {
		if err := s.keys.Delete(ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	if err := s.addKey(ctx, account, "", k); err != nil {
		return err
	}
	root.Keys = []string{k.ID}
	return roots.Put(ctx, rootID, root)
}

// AdministratorAccess is the ARN of the AWS managed policy that allows all.
const AdministratorAccess = "arn:aws:iam::aws:policy/AdministratorAccess"

// AddAdministrator makes the user "administrator" with AdministratorAccess, since
// root cannot assume roles. The plane calls it at its first start.
func (s *Service) AddAdministrator(ctx context.Context, account aws.Account, k Key) error {
	if err := s.addKey(ctx, account, "administrator", k); err != nil {
		return err
	}
	u := &user{
		Name: "administrator", Path: "/", ID: aws.UniqueID("AIDA"), Created: now(),
		grants: grants{Attached: []string{AdministratorAccess}}, Keys: []string{k.ID},
	}
	if err := count(ctx, s.totals.In(store.Place{Account: account}), usersQuota, u.Name, 1); err != nil {
		return err
	}
	return s.insertUser(ctx, account, u)
}

func (s *Service) addKey(ctx context.Context, account aws.Account, user string, k Key) error {
	return s.keys.Insert(ctx, k.ID, &accessKey{ID: k.ID, Account: account, User: user, Secret: k.Secret, Active: true, Created: now()})
}
