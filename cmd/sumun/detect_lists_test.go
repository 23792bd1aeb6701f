package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"sumun.dev/detect/intel"
	"sumun.dev/engine/dns"
)

func TestListsOfDetect(t *testing.T) {
	file := filepath.Join(t.TempDir(), "feed.txt")
	if err := os.WriteFile(file, []byte("# ours\nevil.example # seen in May\n203.0.113.0/24 ; SBL1\n2001:DB8:c2::/48\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := known{lists: []string{"c2=" + file, "custom=" + file}}
	o, err := k.options()
	if err != nil {
		t.Fatal(err)
	}
	below, err := dns.ParseName("www.evil.example")
	if err != nil {
		t.Fatal(err)
	}
	lists := o.Lists("111122223333", "us-east-1")
	if l, _ := lists.Find(intel.CommandAndControl, below); l == nil {
		t.Error("a feed does not mean what lies below its domains")
	}
	if l, _ := lists.Find(intel.Custom, below); l != nil {
		t.Error("the account's own list does")
	}
	if l, entry := lists.FindAddr(intel.Custom, netip.MustParseAddr("203.0.113.9")); l == nil || entry != "203.0.113.0/24" || l.Name != "feed.txt" {
		t.Errorf("%v, %q", l, entry)
	}
	if l, entry := lists.FindAddr(intel.Custom, netip.MustParseAddr("2001:db8:c2::9")); l == nil || entry != "2001:db8:c2::/48" {
		t.Errorf("%v, %q", l, entry)
	}
	for _, wrong := range []string{"c2", "none=" + file, "c2=" + file + "x"} {
		k := known{lists: []string{wrong}}
		if _, err := k.options(); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}
