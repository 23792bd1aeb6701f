package route53resolver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"sumun.dev/engine/dns"
	"sumun.dev/store"
)

// bucketsAtOnce is how many buckets one unit of work of LoadFile rewrites.
const bucketsAtOnce = 64

// LoadFile makes the domains of r, one a line ('#' begins a comment), all that the
// list called name has; the list is made when there is none. ctx's call says in
// which account and region. Loading the same file again writes nothing. A line
// that is no domain is an error that names it; nothing is changed then.
func (s *Service) LoadFile(ctx context.Context, name string, r io.Reader) error {
	want, err := readDomains(r)
	if err != nil {
		return err
	}
	id, err := s.named(ctx, name)
	if err != nil {
		return err
	}
	keys := make([]string, 0, bucketsOfList)
	for n := range bucketsOfList {
		keys = append(keys, fmt.Sprintf("%s/%03x", id, n))
	}
	byBucket := map[string][]string{}
	for _, d := range want {
		key := bucketID(id, d)
		byBucket[key] = append(byBucket[key], d)
	}
	for some := range slices.Chunk(keys, bucketsAtOnce) {
		if err := s.env.Store.Update(ctx, func(ctx context.Context) error { return s.setBuckets(ctx, id, some, byBucket) }); err != nil {
			return err
		}
	}
	return nil
}

func readDomains(r io.Reader) ([]string, error) {
	var out []string
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		d, err := dns.ParseDomain(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, d.String())
	}
	slices.Sort(out)
	return slices.Compact(out), lines.Err()
}

// named returns the id of the list with this name that LoadFile has made before,
// or makes it.
func (s *Service) named(ctx context.Context, name string) (string, error) {
	var id string
	creator := "domain-lists/" + name
	err := s.env.Store.Update(ctx, func(ctx context.Context) error {
		have, l, err := created(ctx, s.lists, creator, func(l *list) bool { return true })
		if err != nil || l != nil {
			id = have
			return err
		}
		c, err := newCommon(name, creator, nil)
		if err != nil {
			return err
		}
		id = newID("rslvr-fdl-")
		s.mirror.expectList(ctx, place(ctx), id, 0, nil, nil, true)
		return s.lists.Insert(ctx, id, &list{common: c, Node: s.node})
	})
	return id, err
}

func (s *Service) setBuckets(ctx context.Context, id string, keys []string, want map[string][]string) error {
	l, err := s.list(ctx, id)
	if err != nil {
		return err
	}
	c := &change{}
	for _, key := range keys {
		have, err := s.buckets.Get(ctx, key)
		if errors.Is(err, store.ErrNotFound) {
			have = &bucket{}
		} else if err != nil {
			return err
		}
		if slices.Equal(have.Domains, want[key]) {
			continue
		}
		c.added = append(c.added, missing(want[key], have.Domains)...)
		c.removed = append(c.removed, missing(have.Domains, want[key])...)
		if len(want[key]) == 0 {
			err = s.buckets.Delete(ctx, key)
		} else {
			err = s.buckets.Put(ctx, key, &bucket{want[key]})
		}
		if err != nil {
			return err
		}
	}
	return s.changed(ctx, id, l, c)
}

// missing returns what of the sorted a is not in the sorted b.
func missing(a, b []string) []string {
	var out []string
	for _, d := range a {
		if _, there := slices.BinarySearch(b, d); !there {
			out = append(out, d)
		}
	}
	return out
}
