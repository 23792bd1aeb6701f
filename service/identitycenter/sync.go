package identitycenter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"sumun.dev/api/identitystoreapi"
	"sumun.dev/aws"
	"sumun.dev/engine/ldap"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// syncState is what became of the last reading of a directory.
type syncState struct {
	At                 time.Time
	Users, Groups      int
	Conflicts, Changes int
	Problem            string `json:",omitempty"`
}

const (
	firstSync     = time.Second
	changesAtOnce = 2000 // of one unit of work; the rest follows at once
	emptyIsWrong  = 10   // who had so many users and now has none is not believed
)

// planSync begins to read the directories of a new instance.
func (s *Service) planSync(ctx context.Context, i *instance) {
	for _, source := range s.sources(aws.CallOf(ctx).Account) {
		if source.LDAP != nil {
			store.Schedule(ctx, store.Due{Kind: syncing, ID: i.Store, At: now().Add(firstSync)})
			return
		}
	}
}

// Start reads the directories soon after a start, since the settings may be new.
func (s *Service) Start(ctx context.Context) error {
	for row, err := range s.directories.Everywhere(ctx) {
		if err != nil {
			return err
		}
		p := row.Value
		reads := slices.ContainsFunc(s.sources(p.Account), func(x *Source) bool { return x.LDAP != nil })
		if !reads {
			continue
		}
		err := s.env.Store.Update(ctx, func(ctx context.Context) error {
			store.Schedule(ctx, store.Due{Kind: syncing, ID: row.ID, At: now().Add(firstSync), Place: p.of()})
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sync reads the directories of an identity store and makes users, groups and
// memberships follow. A directory that cannot be read changes nothing.
func (s *Service) sync(ctx context.Context, due store.Due) error {
	p, err := s.at(ctx, due.ID)
	if errors.Is(err, errNowhere) {
		return nil
	}
	if err != nil {
		return err
	}
	next := time.Duration(0)
	for _, source := range s.sources(p.Account) {
		if source.LDAP == nil {
			continue
		}
		d, err := ldap.Read(ctx, &source.LDAP.Server, &source.LDAP.Query)
		state := &syncState{At: now()}
		if err == nil {
			err = s.follow(ctx, due.ID, source, d, state)
		}
		if errors.Is(err, store.ErrConflict) {
			return err
		}
		wait := source.LDAP.Every
		if err != nil {
			state.Problem = err.Error()
			s.env.Log.WarnContext(ctx, "a directory was not read", "source", source.Name, "server", source.LDAP.Server, "error", err)
		} else if state.Changes >= changesAtOnce {
			wait = firstSync
		}
		if err := s.syncs.Put(ctx, due.ID+"/"+source.Name, state); err != nil {
			return err
		}
		if next == 0 || wait < next {
			next = wait
		}
	}
	if next > 0 {
		store.Schedule(ctx, store.Due{Kind: syncing, ID: due.ID, At: now().Add(next)})
	}
	return nil
}

// A follower makes an identity store follow a directory.
type follower struct {
	*Service
	store  string
	source *Source
	state  *syncState
	byDN   map[string]*user
}

func (s *Service) follow(ctx context.Context, storeID string, source *Source, d *ldap.Directory, state *syncState) error {
	f := &follower{s, storeID, source, state, map[string]*user{}}
	users, err := sourced(ctx, s.users, bySource(storeID, source.Name), func(u *user) string { return u.External[0].Id })
	if err != nil {
		return err
	}
	if len(d.People) == 0 && len(users) >= emptyIsWrong {
		return fmt.Errorf("the directory has nobody, where %d people were: nothing is removed", len(users))
	}
	for i := range d.People {
		if err := f.person(ctx, &d.People[i], users[d.People[i].ID]); err != nil {
			return err
		}
		delete(users, d.People[i].ID)
	}
	for _, id := range slices.Sorted(maps.Keys(users)) {
		if err := f.left(ctx, users[id]); err != nil {
			return err
		}
	}
	groups, err := sourced(ctx, s.groups, bySource(storeID, source.Name), func(g *group) string { return g.External[0].Id })
	if err != nil {
		return err
	}
	for i := range d.Groups {
		if err := f.group(ctx, &d.Groups[i], groups[d.Groups[i].ID]); err != nil {
			return err
		}
		delete(groups, d.Groups[i].ID)
	}
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		if f.change() {
			if err := s.removeGroup(ctx, groups[id]); err != nil {
				return err
			}
		}
	}
	return nil
}

// sourced returns what a source keeps, by its id there.
func sourced[T any](ctx context.Context, t *store.Table[T], key string, id func(*T) string) (map[string]*T, error) {
	out := map[string]*T{}
	err := every(indexed(ctx, t, "by", key), func(row store.Entry[T]) error {
		out[id(row.Value)] = row.Value
		return nil
	})
	return out, err
}

// change reports whether there is room for one more change in this unit of work.
func (f *follower) change() bool {
	f.state.Changes++
	return f.state.Changes <= changesAtOnce
}

// conflict notes something that is somebody else's already: it stays theirs.
func (f *follower) conflict(ctx context.Context, what, name string) {
	f.state.Conflicts++
	f.env.Log.WarnContext(ctx, "a directory's entry was passed over: its name is somebody else's", "source", f.source.Name, "kind", what, "name", name)
}

// person makes a user follow an entry; have is the user that it was, nil for a new one.
func (f *follower) person(ctx context.Context, p *ldap.Person, have *user) error {
	f.state.Users++
	u := &user{Store: f.store, ID: aws.UUID(), Source: f.source.Name, External: []identitystoreapi.ExternalId{{Issuer: f.source.Name, Id: p.ID}}, stamps: stamped(ctx)}
	if have != nil {
		u.ID, u.stamps = have.ID, have.stamps
	}
	u.DN, u.Disabled = p.DN, p.Disabled
	var err error
	if u.Profile, err = profileOf(f.store, p); err == nil {
		err = f.unique(ctx, u)
	}
	if err != nil && u.email() != "" { // somebody else has the address: the person comes without
		u.Profile.Emails = nil
		err = f.unique(ctx, u)
	}
	var refused *aws.Error
	if errors.As(err, &refused) {
		f.conflict(ctx, "user", p.Name)
		if have == nil {
			return nil
		}
		u.Profile, err = have.Profile, nil // stays as known; who is disabled there is disabled all the same
	}
	if err != nil {
		return err
	}
	f.byDN[p.DN] = u
	switch {
	case have == nil:
		if !f.change() {
			delete(f.byDN, p.DN)
			return nil
		}
		return f.addUser(ctx, u)
	case sameUser(have, u) || !f.change():
		return nil
	}
	if u.Disabled && !have.Disabled {
		if err := f.endSessions(ctx, u.Store, u.ID); err != nil {
			return err
		}
	}
	u.touched(ctx)
	return f.users.Put(ctx, u.Store+"/"+u.ID, u)
}

func sameUser(a, b *user) bool {
	x, errX := wire.EncodeJSONDocument(&identitystoreapi.CreateUser, &a.Profile)
	y, errY := wire.EncodeJSONDocument(&identitystoreapi.CreateUser, &b.Profile)
	return errX == nil && errY == nil && a.DN == b.DN && a.Disabled == b.Disabled && fmt.Sprint(x) == fmt.Sprint(y)
}

// profileOf makes a profile of an entry's attributes, which go by the paths of the
// identity store: "name.givenName", "emails.value", "enterprise.department".
func profileOf(storeID string, p *ldap.Person) (identitystoreapi.CreateUserRequest, error) {
	display := cmp.Or(p.Attributes["displayName"], p.Name)
	doc := map[string]any{
		"IdentityStoreId": storeID, "UserName": p.Name, "DisplayName": display,
		"Name": map[string]any{
			"GivenName": cmp.Or(p.Attributes["name.givenName"], display), "FamilyName": cmp.Or(p.Attributes["name.familyName"], display),
		},
	}
	for path, v := range p.Attributes {
		switch path {
		case "displayName", "name.givenName", "name.familyName":
		case "emails.value":
			doc["Emails"] = []any{map[string]any{"Value": v, "Primary": true}}
		default:
			if err := set(doc, sourcePath("${path:"+path+"}"), v); err != nil {
				return identitystoreapi.CreateUserRequest{}, err
			}
		}
	}
	out, err := wire.DecodeJSONDocument(&identitystoreapi.CreateUser, doc)
	if err != nil {
		return identitystoreapi.CreateUserRequest{}, err
	}
	return *out.(*identitystoreapi.CreateUserRequest), nil
}

// left is for who is gone from the directory.
func (f *follower) left(ctx context.Context, u *user) error {
	if f.source.LDAP.Delete {
		if !f.change() {
			return nil
		}
		return f.removeUser(ctx, u)
	}
	if u.Disabled || !f.change() {
		return nil
	}
	u.Disabled = true
	u.touched(ctx)
	if err := f.endSessions(ctx, u.Store, u.ID); err != nil {
		return err
	}
	return f.users.Put(ctx, u.Store+"/"+u.ID, u)
}

// group makes a group and its memberships follow an entry.
func (f *follower) group(ctx context.Context, from *ldap.Group, have *group) error {
	f.state.Groups++
	g := &group{Store: f.store, ID: aws.UUID(), Source: f.source.Name, External: []identitystoreapi.ExternalId{{Issuer: f.source.Name, Id: from.ID}}, stamps: stamped(ctx), Name: from.Name}
	if have != nil {
		g.ID, g.stamps = have.ID, have.stamps
	}
	if from.Description != "" {
		g.Description = &from.Description
	}
	err := f.uniqueGroup(ctx, g)
	if identitystoreapi.ConflictException.Is(err) {
		f.conflict(ctx, "group", from.Name)
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case have == nil:
		if !f.change() {
			return nil
		}
		err = f.addGroup(ctx, g)
	case have.Name != g.Name || deref(have.Description) != deref(g.Description):
		if f.change() {
			g.touched(ctx)
			err = f.groups.Put(ctx, g.Store+"/"+g.ID, g)
		}
	}
	if err != nil {
		return err
	}
	return f.members(ctx, g, from.Members)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (f *follower) members(ctx context.Context, g *group, dns []string) error {
	want := map[string]*user{}
	for _, dn := range dns {
		if u := f.byDN[dn]; u != nil {
			want[u.ID] = u
		}
	}
	err := every(indexed(ctx, f.memberships, "by", g.Store+"/g/"+g.ID), func(row store.Entry[membership]) error {
		if want[row.Value.User] != nil {
			delete(want, row.Value.User)
			return nil
		}
		if !f.change() {
			return nil
		}
		return f.memberships.Delete(ctx, row.ID)
	})
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if !f.change() {
			return nil
		}
		if _, err := f.join(ctx, g, want[id]); err != nil {
			return err
		}
	}
	return nil
}
