package ldap

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

func (q *Query) userFilter() string {
	return cmp.Or(q.UserFilter, "(|(&(objectClass=user)(objectCategory=person))(objectClass=inetOrgPerson))")
}

func (q *Query) groupFilter() string {
	return cmp.Or(q.GroupFilter, "(|(objectClass=group)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))")
}

// search reads all entries below base, page by page.
func (c *connection) search(base, filter string, attributes []string) ([]*ldap.Entry, error) {
	paging := ldap.NewControlPaging(pageSize)
	var all []*ldap.Entry
	for {
		r, err := c.conn.Search(&ldap.SearchRequest{
			BaseDN: base, Scope: ldap.ScopeWholeSubtree, DerefAliases: ldap.NeverDerefAliases, Filter: filter,
			Attributes: attributes, Controls: []ldap.Control{paging},
		})
		if err != nil {
			return nil, err
		}
		if len(all)+len(r.Entries) > maxEntries {
			return nil, fmt.Errorf("%w: more than %d below %s", ErrTooLarge, maxEntries, base)
		}
		all = append(all, r.Entries...)
		next, _ := ldap.FindControl(r.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if next == nil || len(next.Cookie) == 0 {
			return all, nil
		}
		paging.SetCookie(next.Cookie)
	}
}

// value returns the first value of the first attribute that the entry has; none
// that is longer than what is kept.
func value(e *ldap.Entry, names ...string) string {
	for _, name := range names {
		if v := e.GetEqualFoldAttributeValue(name); v != "" && len(v) <= maxValue {
			return v
		}
	}
	return ""
}

// id is what stays when an entry is renamed or moved; empty when the directory
// tells none.
func id(e *ldap.Entry) string {
	if v := value(e, "entryUUID"); v != "" {
		return strings.ToLower(v)
	}
	return guid(e.GetEqualFoldRawAttributeValue("objectGUID"))
}

// guid writes an objectGUID as a UUID; empty when it is none.
func guid(raw []byte) string {
	if len(raw) != 16 {
		return ""
	}
	// The first three parts are little-endian. MS-DTYP, section 2.3.4.2.
	b := []byte{raw[3], raw[2], raw[1], raw[0], raw[5], raw[4], raw[7], raw[6]}
	text := hex.EncodeToString(append(b, raw[8:]...))
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// disabled is bit 2 of Active Directory's userAccountControl, or the sign of
// OpenLDAP's password policy that an account is locked for good.
func disabled(e *ldap.Entry) bool {
	control, _ := strconv.ParseInt(value(e, "userAccountControl"), 10, 64) // no number: not Active Directory
	return control&2 != 0 || value(e, "pwdAccountLockedTime") == "000001010000Z"
}

func (c *connection) people(q *Query) ([]Person, error) {
	names := []string{"sAMAccountName", "uid"}
	if q.UserName != "" {
		names = []string{q.UserName}
	}
	ask := slices.Concat(names, slices.Sorted(maps.Values(q.Attributes)), []string{"entryUUID", "objectGUID", "userAccountControl", "pwdAccountLockedTime"})
	entries, err := c.search(q.UserBase, q.userFilter(), ask)
	if err != nil {
		return nil, err
	}
	var people []Person
	for _, e := range entries {
		p := Person{DN: e.DN, ID: id(e), Name: value(e, names...), Disabled: disabled(e), Attributes: map[string]string{}}
		if p.ID == "" || p.Name == "" {
			continue // nobody who could sign in, or be known again
		}
		for ours, theirs := range q.Attributes {
			if v := value(e, theirs); v != "" {
				p.Attributes[ours] = v
			}
		}
		people = append(people, p)
	}
	return people, nil
}

// folded is a DN as it is compared: attribute types and values ignore case.
func folded(dn string) string {
	d, err := ldap.ParseDN(dn)
	if err != nil {
		return strings.ToLower(dn)
	}
	return strings.ToLower(d.String())
}

func (c *connection) groups(q *Query, people []Person) ([]Group, error) {
	members := []string{"member", "uniqueMember"}
	entries, err := c.search(q.GroupBase, q.groupFilter(), append([]string{"cn", "description", "entryUUID", "objectGUID"}, members...))
	if err != nil {
		return nil, err
	}
	person := make(map[string]string, len(people))
	for _, p := range people {
		person[folded(p.DN)] = p.DN
	}
	direct := map[string][]string{}
	for _, e := range entries {
		var all []string
		for _, name := range members {
			values, err := c.values(e, name)
			if err != nil {
				return nil, err
			}
			all = append(all, values...)
		}
		direct[folded(e.DN)] = all
	}
	var groups []Group
	for _, e := range entries {
		g := Group{DN: e.DN, ID: id(e), Name: value(e, "cn"), Description: value(e, "description")}
		if g.ID == "" || g.Name == "" {
			continue
		}
		found := map[string]bool{}
		within(folded(e.DN), direct, person, found, map[string]bool{}, 0)
		g.Members = slices.Sorted(maps.Keys(found))
		groups = append(groups, g)
	}
	return groups, nil
}

// within collects the people of a group and of the groups within it.
func within(group string, direct map[string][]string, person map[string]string, found, seen map[string]bool, depth int) {
	if seen[group] || depth > maxDepth {
		return
	}
	seen[group] = true
	for _, dn := range direct[group] {
		key := folded(dn)
		if p, ok := person[key]; ok {
			found[p] = true
			continue
		}
		within(key, direct, person, found, seen, depth+1)
	}
}

// values returns all values of an attribute. Active Directory hands those of a
// large group out in ranges. MS-ADTS, section 3.1.1.3.1.3.3.
func (c *connection) values(e *ldap.Entry, name string) ([]string, error) {
	all := slices.Clone(e.GetEqualFoldAttributeValues(name))
	for from := 0; from <= maxMembers; {
		values, last, ranged := ranges(e, name)
		if !ranged {
			return all, nil
		}
		all = append(all, values...)
		if last {
			return all, nil
		}
		from = len(all)
		r, err := c.conn.Search(&ldap.SearchRequest{
			BaseDN: e.DN, Scope: ldap.ScopeBaseObject, Filter: "(objectClass=*)", Attributes: []string{fmt.Sprintf("%s;range=%d-*", name, from)},
		})
		if err != nil {
			return nil, err
		}
		if len(r.Entries) != 1 || len(values) == 0 {
			return all, nil
		}
		e = r.Entries[0]
	}
	return nil, fmt.Errorf("%w: %s has more than %d members", ErrTooLarge, e.DN, maxMembers)
}

// ranges finds "member;range=0-1499", whose last part ends in "-*".
func ranges(e *ldap.Entry, name string) (values []string, last, ranged bool) {
	for _, a := range e.Attributes {
		if base, option, ok := strings.Cut(a.Name, ";"); ok && strings.EqualFold(base, name) && strings.HasPrefix(strings.ToLower(option), "range=") {
			return a.Values, strings.HasSuffix(option, "-*"), true
		}
	}
	return nil, false, false
}
