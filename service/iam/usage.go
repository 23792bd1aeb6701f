package iam

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// tracked is how long it is known that a service was used. IAM User Guide,
// "Refine permissions in AWS using last accessed information".
const tracked = 400 * 24 * time.Hour

// usage is what a user or role has used, allowed or not; it is kept under the
// unique id, written from the trail. What all of an account have used, root among
// them, is kept besides, without telling actions apart.
type usage struct {
	Services map[string]*serviceUse // by the prefix of its actions
}

const accountUsage = "account"

type serviceUse struct {
	At      time.Time
	Region  string
	Actions map[string]actionUse // by name
}

type actionUse struct {
	At     time.Time
	Region string
}

// A noted remembers what was written lately, so that what is used ten thousand
// times a second is neither read nor written as often.
type noted struct {
	mu sync.Mutex
	at map[string]time.Time // by unique id, service and action
}

func (n *noted) fresh(key string, at time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	last, known := n.at[key]
	return known && at.Sub(last) < useGrain
}

func (n *noted) note(key string, at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.at == nil || len(n.at) >= knownMost {
		n.at = map[string]time.Time{}
	}
	n.at[key] = at
}

// userIdentity is what a record says of who called.
type userIdentity struct {
	Type, PrincipalID, AccountID string
	SessionContext               struct {
		SessionIssuer struct{ Type, PrincipalID, UserName string }
	}
}

// identityOf reads a record. One that cannot be read names nobody: the gate wrote it.
func identityOf(e *aws.Event) userIdentity {
	var record struct{ UserIdentity userIdentity }
	if err := json.Unmarshal(e.Data, &record); err != nil {
		return userIdentity{}
	}
	return record.UserIdentity
}

// holder is the unique id of the user or role whose policies a caller has.
func (u *userIdentity) holder() string {
	if id := u.SessionContext.SessionIssuer.PrincipalID; id != "" {
		return id
	}
	if u.Type == string(aws.User) {
		return u.PrincipalID
	}
	return ""
}

// noteServices keeps which services and actions users and roles have used.
func (s *Service) noteServices(ctx context.Context, events []aws.Event) error {
	type deed struct{ key, source, name string }
	newest := map[deed]*aws.Event{}
	for i := range events {
		e := &events[i]
		d := deed{e.Attrs["accessKeyId"], e.Attrs["eventSource"], e.Attrs["eventName"]}
		if d.key == "" || e.Attrs["category"] == "Data" {
			continue
		}
		if had := newest[d]; had == nil || e.Time.After(had.Time) {
			newest[d] = e
		}
	}
	account := aws.CallOf(ctx).Account
	callers := map[string]userIdentity{} // by access key
	used := map[string]*usage{}          // what is to be written
	for d, e := range newest {
		who, known := callers[d.key]
		if !known {
			who = identityOf(e)
			callers[d.key] = who
		}
		service := prefixOf(d.source)
		if err := s.noteUsage(ctx, used, who.holder(), who.holder(), service, d.name, e); err != nil {
			return err
		}
		if who.AccountID != string(account) {
			continue
		}
		if err := s.noteUsage(ctx, used, accountUsage, string(account), service, "", e); err != nil {
			return err
		}
	}
	for id, u := range used {
		if err := s.usages.Put(ctx, id, u); err != nil {
			return err
		}
	}
	return nil
}

// noteUsage adds one use to what is kept under id; by is who it was, of all accounts.
func (s *Service) noteUsage(ctx context.Context, used map[string]*usage, id, by, service, action string, e *aws.Event) error {
	key := by + "/" + service + ":" + action
	if id == "" || s.noted.fresh(key, e.Time) {
		return nil
	}
	u, err := s.usageOf(ctx, used, id)
	if err != nil {
		return err
	}
	if u != nil && u.add(service, action, e) {
		used[id] = u
	}
	store.AfterCommit(ctx, func() { s.noted.note(key, e.Time) })
	return nil
}

// usageOf returns what id has used; nil when there is no such user or role any more.
func (s *Service) usageOf(ctx context.Context, used map[string]*usage, id string) (*usage, error) {
	if u := used[id]; u != nil {
		return u, nil
	}
	u, err := s.usages.Get(ctx, id)
	if !errors.Is(err, store.ErrNotFound) {
		return u, err
	}
	if err = nil; id != accountUsage {
		_, err = s.ids.Get(ctx, id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return &usage{Services: map[string]*serviceUse{}}, err
}

// add reports whether e is news.
func (u *usage) add(service, action string, e *aws.Event) bool {
	at, region := e.Time.UTC().Truncate(time.Second), string(e.Region)
	of := u.Services[service]
	if of == nil {
		of = &serviceUse{Actions: map[string]actionUse{}}
		u.Services[service] = of
	}
	if at.Sub(of.Actions[action].At) < useGrain {
		return false
	}
	of.Actions[action] = actionUse{at, region}
	if at.After(of.At) {
		of.At, of.Region = at, region
	}
	return true
}

// prefixOf is how policies name the service that a record is of.
func prefixOf(eventSource string) string {
	name, _, _ := strings.Cut(eventSource, ".")
	if name == "monitoring" {
		return "cloudwatch"
	}
	return name
}
