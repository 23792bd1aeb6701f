package main

import (
	"os"
	"slices"
	"testing"
)

// TestTunnelsAreFound holds what is found of tunnels, slow ones too, of a seed that the
// rule was not bettered on.
func TestTunnelsAreFound(t *testing.T) {
	kinds, missed, err := tunnels(201, 160)
	if err != nil {
		t.Fatal(err)
	}
	all := share{}
	for k, s := range kinds {
		all.of, all.all = all.of+s.of, all.all+s.all
		if s.less(80) {
			t.Errorf("%s: %v", k, *s)
		}
	}
	if len(kinds) < 8 || all.less(95) {
		t.Errorf("%v of %d kinds: %v", all, len(kinds), missed)
	}
}

// TestOrdinaryQuestionsAreQuiet has two accounts: in the second one host asks for all.
func TestOrdinaryQuestionsAreQuiet(t *testing.T) {
	for _, seed := range []uint64{201, 205} {
		told, err := quiet(seed, 50_000)
		if err != nil {
			t.Fatal(err)
		}
		if len(told) > 0 {
			t.Errorf("seed %d: %v", seed, told)
		}
	}
}

// TestFamiliesAreFound holds what is found of families of the character kind, by domain
// at one benign name in a thousand and by host.
func TestFamiliesAreFound(t *testing.T) {
	const data = "../../../shared/data"
	names, err := benign(data)
	if os.IsNotExist(err) {
		t.Skip("needs " + data + "/benign-domains.txt")
	}
	if err != nil {
		t.Fatal(err)
	}
	good := scores(names)
	slices.Sort(good)
	threshold := good[len(good)-1-len(good)/1000]
	known, err := recorded(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(known) == 0 {
		t.Skip("needs " + data + "/dga")
	}
	for set, all := range map[string][]family{"recorded": known, "described": described(201)} {
		domains, hosts := share{}, share{}
		for _, f := range all {
			if f.kind != "character" {
				continue
			}
			d := above(scores(f.domains), threshold)
			h, err := infected(201, f.domains, 10, 90, 0)
			if err != nil {
				t.Fatal(err)
			}
			domains.of, domains.all, hosts.of, hosts.all = domains.of+d.of, domains.all+d.all, hosts.of+h.of, hosts.all+h.all
		}
		if domains.all < 5000 || domains.less(75) || hosts.less(95) {
			t.Errorf("%s: domains %v, hosts %v", set, domains, hosts)
		}
	}
	if hosts, err := infected(201, names, 100, 10, 0); err != nil || hosts.of > 0 {
		t.Errorf("hosts that ask for benign names: %v, %v", hosts, err)
	}
}
