package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"sumun.dev/aws"
	"sumun.dev/detect"
	"sumun.dev/detect/enrich"
	"sumun.dev/detect/intel"
	"sumun.dev/detect/intel/format"
	"sumun.dev/store"
)

// known are the files that tell what is known of addresses and domains.
type known struct {
	net   enrich.Files
	lists []string
}

func (k *known) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&k.net.MMDB, "mmdb", nil, "files in MaxMind's format that say where addresses are: countries, cities, networks")
	f.StringSliceVar(&k.net.Clouds, "clouds", nil, "published ranges of clouds: ip-ranges.json of AWS, cloud.json of Google Cloud, ServiceTags of Azure")
	f.StringSliceVar(&k.net.Tor, "tor-exits", nil, "lists of Tor's exits, an address a line")
	f.StringSliceVar(&k.net.VPN, "vpns", nil, "lists of VPN providers' addresses and prefixes")
	f.StringSliceVar(&k.net.Proxy, "proxies", nil, "lists of open proxies' addresses and prefixes")
	f.StringArrayVar(&k.lists, "list", nil, "KIND=FILE, a list of domains and addresses, one a line: "+strings.Join(kinds(), ", "))
}

func kinds() []string {
	var all []string
	for _, k := range append(slices.Clone(intel.Feeds), intel.Custom, intel.Trusted) {
		all = append(all, string(k))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// options reads the files.
func (k *known) options() (o detect.Options, err error) {
	if o.Net, err = enrich.Open(k.net); err != nil {
		return o, err
	}
	lists := intel.Builtin()
	for _, of := range k.lists {
		kind, file, ok := strings.Cut(of, "=")
		if !ok || !slices.Contains(kinds(), kind) {
			return o, fmt.Errorf("--list %q is no KIND=FILE, with a kind of %s", of, strings.Join(kinds(), ", "))
		}
		l, err := readList(intel.Kind(kind), file)
		if err != nil {
			return o, fmt.Errorf("%s: %w", file, err)
		}
		lists = append(lists, l)
	}
	book := intel.NewBook(lists...)
	o.Lists = func(account aws.Account, region aws.Region) intel.Lists {
		return book.At(store.Place{Account: account, Region: region})
	}
	return o, nil
}

// maxListed bounds the entries of a list.
const maxListed = 1_000_000

func readList(kind intel.Kind, file string) (*intel.List, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, format.MaxFile+1))
	if err != nil {
		return nil, err
	}
	entries, err := format.Plain(b, maxListed)
	if err != nil {
		return nil, err
	}
	of := intel.Below // a feed means what lies below its domains too
	if kind == intel.Custom || kind == intel.Trusted {
		of = intel.Exact
	}
	l, err := of(filepath.Base(file), kind, slices.Values(entries.Domains))
	if err != nil {
		return nil, err
	}
	return l.With(entries.Addresses), nil
}
