package route53resolver

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"sumun.dev/engine/dns"
	"sumun.dev/store"
)

// bucketsAtOnce is how many buckets one unit of work of LoadFile rewrites.
const bucketsAtOnce = 64

// LoadFile makes the domains of r, one a line ('#' begins a comment), all that the
// list called name has; the list is made when there is none. ctx's call says in
// which account and region. Loading the same file again writes nothing, and does
// not even look at its domains when the list is as the file left it. A line that
// is no domain is an error that names it; nothing is changed then.
func (s *Service) LoadFile(ctx context.Context, name string, r io.ReadSeeker) error {
	hash := sha256.New()
	if _, err := io.Copy(hash, r); err != nil {
		return err
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	id, loaded, err := s.named(ctx, name)
	if err != nil || loaded == sum {
		return err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	want, err := readDomains(r)
	if err != nil {
		return err
	}
	total := 0
	for from := uint32(0); from < bucketsOfList; from += bucketsAtOnce {
		for n := range uint32(bucketsAtOnce) {
			total += len(want[from+n])
		}
		if err := s.env.Store.Update(ctx, func(ctx context.Context) error { return s.setBuckets(ctx, id, from, want) }); err != nil {
			return err
		}
		clear(want[from : from+bucketsAtOnce]) // in the store and in the compiled list now
	}
	err = s.env.Store.Update(ctx, func(ctx context.Context) error {
		l, err := s.list(ctx, id)
		if err != nil {
			return err
		}
		l.File = sum
		return s.lists.Put(ctx, id, l)
	})
	tidy(total)
	return err
}

// readDomains returns the domains of a file by bucket, each in order.
func readDomains(r io.Reader) ([][]string, error) {
	out := make([][]string, bucketsOfList)
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := bytes.Cut(lines.Bytes(), []byte("#"))
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		d, err := dns.ParseDomain(string(line))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		text := d.String()
		b := bucketOf(text)
		out[b] = append(out[b], text)
	}
	for n, b := range out {
		slices.Sort(b)
		out[n] = slices.Compact(b)
	}
	return out, lines.Err()
}

// named returns the id of the list with this name that LoadFile has made before,
// and the hash of the file that it holds; or makes it.
func (s *Service) named(ctx context.Context, name string) (id, file string, err error) {
	creator := "domain-lists/" + name
	err = s.env.Store.Update(ctx, func(ctx context.Context) error {
		have, l, err := created(ctx, s.lists, creator, func(l *list) bool { return true })
		if err != nil {
			return err
		}
		if l != nil {
			id, file = have, l.File
			return nil
		}
		c, err := newCommon(name, creator, nil)
		if err != nil {
			return err
		}
		id, file = newID("rslvr-fdl-"), ""
		s.mirror.expectList(ctx, place(ctx), id, 0, nil, nil, true)
		return s.lists.Insert(ctx, id, &list{common: c, Node: s.node})
	})
	return id, file, err
}

// setBuckets makes the buckets from one on what they should be.
func (s *Service) setBuckets(ctx context.Context, id string, from uint32, want [][]string) error {
	l, err := s.list(ctx, id)
	if err != nil {
		return err
	}
	c := &change{}
	for n := from; n < from+bucketsAtOnce; n++ {
		key, want := bucketID(id, n), want[n]
		have, err := s.buckets.Get(ctx, key)
		if errors.Is(err, store.ErrNotFound) {
			have = &bucket{}
		} else if err != nil {
			return err
		}
		if slices.Equal(have.Domains, want) {
			continue
		}
		c.added = append(c.added, missing(want, have.Domains)...)
		c.removed = append(c.removed, missing(have.Domains, want)...)
		if len(want) == 0 {
			err = s.buckets.Delete(ctx, key)
		} else {
			err = s.buckets.Put(ctx, key, &bucket{want})
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
