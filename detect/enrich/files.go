package enrich

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"

	"sumun.dev/detect/prefix"
)

// Files are the paths of what a Net is made of.
type Files struct {
	MMDB []string // countries, cities, networks, anonymous addresses; of the same fact the later file's counts
	// Clouds are published ranges: ip-ranges.json of AWS, cloud.json of Google
	// Cloud, ServiceTags of Azure.
	Clouds []string
	// Tor, VPN and Proxy are lists with an address or a prefix a line; "#" begins a
	// comment. The Tor Project's list of exits ("ExitAddress 192.0.2.1 …") is read
	// too.
	Tor, VPN, Proxy []string
}

// All returns the paths of all files.
func (f *Files) All() []string { return slices.Concat(f.MMDB, f.Clouds, f.Tor, f.VPN, f.Proxy) }

const (
	maxFile     = 512 << 20 // bytes of an MMDB
	maxRanges   = 64 << 20  // bytes of a list
	maxPrefixes = 4 << 20   // of all lists together
)

// Open reads the files. It fails on the first that is wrong.
func Open(f Files) (*Net, error) {
	n := &Net{}
	for _, name := range f.MMDB {
		b, err := load(name, maxFile)
		if err != nil {
			return nil, err
		}
		file, err := maxminddb.OpenBytes(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		n.books = append(n.books, newBook(file))
	}
	var all []prefix.Entry[*Place]
	take := func(names []string, read func([]byte) ([]prefix.Entry[*Place], error)) error {
		for _, name := range names {
			b, err := load(name, maxRanges)
			if err != nil {
				return err
			}
			more, err := read(b)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if all = append(all, more...); len(all) > maxPrefixes {
				return fmt.Errorf("%s: more than %d prefixes in all lists together", name, maxPrefixes)
			}
		}
		return nil
	}
	known := func(p Place) func([]byte) ([]prefix.Entry[*Place], error) {
		return func(b []byte) ([]prefix.Entry[*Place], error) { return readList(b, &p) }
	}
	for _, l := range []struct {
		names []string
		read  func([]byte) ([]prefix.Entry[*Place], error)
	}{{f.Clouds, readCloud}, {f.Tor, known(Place{Tor: true})}, {f.VPN, known(Place{VPN: true})}, {f.Proxy, known(Place{Proxy: true})}} {
		if err := take(l.names, l.read); err != nil {
			return nil, err
		}
	}
	n.clouds = map[string]bool{}
	for _, e := range all {
		if e.Value.Cloud != "" {
			n.clouds[e.Value.Cloud] = true
		}
	}
	if len(all) > 0 {
		n.ranges = prefix.New(all, join)
	}
	return n, nil
}

// join says what is known of addresses in both of two prefixes.
func join(outer, inner *Place) *Place {
	p := *inner
	if p.Cloud == "" {
		p.Cloud, p.CloudRegion = outer.Cloud, outer.CloudRegion
	} else if p.Cloud == outer.Cloud && p.CloudRegion == "" {
		p.CloudRegion = outer.CloudRegion
	}
	p.Tor, p.VPN, p.Proxy = p.Tor || outer.Tor, p.VPN || outer.VPN, p.Proxy || outer.Proxy
	return &p
}

func load(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s: larger than %d MiB", name, most>>20)
	}
	return b, err
}

// readCloud reads the ranges that a cloud publishes. Which one it is, its names
// tell.
func readCloud(b []byte) ([]prefix.Entry[*Place], error) {
	var in struct {
		Prefixes []struct {
			AWS4   string `json:"ip_prefix"`
			Region string `json:"region"`
			GCP4   string `json:"ipv4Prefix"`
			GCP6   string `json:"ipv6Prefix"`
			Scope  string `json:"scope"`
		} `json:"prefixes"`
		AWS6 []struct {
			Prefix string `json:"ipv6_prefix"`
			Region string `json:"region"`
		} `json:"ipv6_prefixes"`
		Azure []struct {
			Properties struct {
				Region   string   `json:"region"`
				Prefixes []string `json:"addressPrefixes"`
			} `json:"properties"`
		} `json:"values"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, err
	}
	places := map[Place]*Place{} // one for all prefixes that say the same
	var all []prefix.Entry[*Place]
	add := func(text, cloud, region string) error {
		if text == "" {
			return nil
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return err
		}
		at := Place{Cloud: cloud, CloudRegion: region}
		if places[at] == nil {
			places[at] = &at
		}
		all = append(all, prefix.Entry[*Place]{Prefix: p, Value: places[at]})
		return nil
	}
	for _, p := range in.Prefixes {
		for _, of := range [...][3]string{{p.AWS4, "AWS", p.Region}, {p.GCP4, "GCP", p.Scope}, {p.GCP6, "GCP", p.Scope}} {
			if err := add(of[0], of[1], of[2]); err != nil {
				return nil, err
			}
		}
	}
	for _, p := range in.AWS6 {
		if err := add(p.Prefix, "AWS", p.Region); err != nil {
			return nil, err
		}
	}
	for _, v := range in.Azure {
		for _, p := range v.Properties.Prefixes {
			if err := add(p, "Azure", v.Properties.Region); err != nil {
				return nil, err
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("has no prefixes in the form of AWS, Google Cloud or Azure")
	}
	return all, nil
}

// readList reads an address or a prefix a line.
func readList(b []byte, known *Place) ([]prefix.Entry[*Place], error) {
	var all []prefix.Entry[*Place]
	in := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; in.Scan(); n++ {
		line, _, _ := strings.Cut(in.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		word := words[0]
		switch word { // of the Tor Project's list
		case "ExitNode", "Published", "LastStatus":
			continue
		case "ExitAddress":
			if len(words) < 2 {
				return nil, fmt.Errorf("line %d: ExitAddress without an address", n)
			}
			word = words[1]
		}
		p, err := netip.ParsePrefix(word)
		if err != nil {
			a, err := netip.ParseAddr(word)
			if err != nil || a.Zone() != "" {
				return nil, fmt.Errorf("line %d: is no address and no prefix", n)
			}
			a = a.Unmap()
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if prefix.Wide(p) {
			return nil, fmt.Errorf("line %d: %s is wider than /8, or than /20 of IPv6", n, p)
		}
		all = append(all, prefix.Entry[*Place]{Prefix: p, Value: known})
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	if len(all) == 0 { // as a file that is just being written
		return nil, errors.New("has no addresses")
	}
	return all, nil
}
