// Package inventory reads dumps of real accounts: their users, groups, roles and policies, and their organisation.
//
// Add takes the output of 'aws iam get-account-authorization-details', whole or
// in pages, and the description of an organisation (organization.go says what it
// looks like). As then returns a principal with all policies that concern it, and
// Request what the policy evaluator is asked about it.
package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/aws"
	"sumun.dev/policy"
)

// MaxDump bounds one dump, in bytes. A large account's has some tens of MiB.
const MaxDump = 512 << 20

// An Inventory is what the dumps say. It is filled by Add, and then only read.
type Inventory struct {
	// Managed returns the document of an AWS managed policy that a dump names
	// but does not hold; nil knows none.
	Managed func(arn string) (document string, known bool)

	accounts     map[aws.Account]*Account
	entities     map[aws.ARN]*Entity        // users, groups and roles
	managed      map[aws.ARN]*ManagedPolicy // AWS's own among them
	organization *Organization
	cache        policy.Cache
}

// An Account is what the dump of one account holds.
type Account struct {
	ID       aws.Account
	Users    []*User
	Groups   []*Group
	Roles    []*Role
	Policies []*ManagedPolicy
}

// Add reads a dump: one JSON value, several, or a list of them.
func (inv *Inventory) Add(in io.Reader) error {
	d := jsontext.NewDecoder(io.LimitReader(in, MaxDump+1))
	found := false
	for {
		v, err := d.ReadValue()
		if errors.Is(err, io.EOF) && found {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return errors.New("it is empty")
		}
		if err != nil {
			return fmt.Errorf("it cannot be read as JSON: %w", err)
		}
		if d.InputOffset() > MaxDump {
			return fmt.Errorf("it is larger than %d bytes", MaxDump)
		}
		found = true
		if err := inv.add(v); err != nil {
			return err
		}
	}
}

func (inv *Inventory) add(v jsontext.Value) error {
	if v.Kind() == '[' {
		var pages []jsontext.Value
		if err := json.Unmarshal(v, &pages); err != nil {
			return fmt.Errorf("it cannot be read as JSON: %w", err)
		}
		for _, page := range pages {
			if page.Kind() == '[' {
				return errUnknown
			}
			if err := inv.add(page); err != nil {
				return err
			}
		}
		return nil
	}
	switch {
	case v.Kind() != '{':
		return errUnknown
	case has(v, "UserDetailList", "GroupDetailList", "RoleDetailList"):
		return inv.addDetails(v)
	case has(v, "Organization"):
		return inv.addOrganization(v)
	}
	return errUnknown
}

var errUnknown = errors.New("it is neither the output of 'aws iam get-account-authorization-details' nor an organisation")

// IsDump reports whether text looks like a dump, not a policy document.
func IsDump(text []byte) bool {
	text = bytes.TrimSpace(text)
	if len(text) > 0 && text[0] == '[' {
		return true
	}
	return has(text, "UserDetailList", "GroupDetailList", "RoleDetailList", "Organization")
}

// has reports whether an object has one of the members.
func has(object []byte, names ...string) bool {
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return false
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return false
		}
		if slices.Contains(names, name.String()) {
			return true
		}
		if d.SkipValue() != nil {
			return false
		}
	}
	return false
}

// Accounts returns the accounts of which there is a dump, in order.
func (inv *Inventory) Accounts() []*Account {
	return slices.SortedFunc(maps.Values(inv.accounts), func(a, b *Account) int { return strings.Compare(string(a.ID), string(b.ID)) })
}

// Organization returns the organisation; nil when no dump has one.
func (inv *Inventory) Organization() *Organization { return inv.organization }

// Principals returns all users and roles, by account and ARN.
func (inv *Inventory) Principals() iter.Seq[*Entity] {
	return func(yield func(*Entity) bool) {
		for _, a := range inv.Accounts() {
			var all []*Entity
			for _, u := range a.Users {
				all = append(all, &u.Entity)
			}
			for _, r := range a.Roles {
				all = append(all, &r.Entity)
			}
			slices.SortFunc(all, func(a, b *Entity) int { return strings.Compare(a.ARN.String(), b.ARN.String()) })
			for _, e := range all {
				if !yield(e) {
					return
				}
			}
		}
	}
}
