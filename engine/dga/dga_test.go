package dga_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sumun.dev/engine/dga"
	"sumun.dev/engine/dga/learn"
)

// data has benign domains, and domains of families of malware that the model has
// never seen.
const data = "../../../shared/data/"

func read(t *testing.T, path string) []string {
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skip("needs " + path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(b))
}

// held are the scores of the benign labels that the model was not made from, the
// highest first.
func held(t *testing.T) []float64 {
	var out []float64
	for _, l := range learn.Labels(read(t, data+"benign-domains.txt")) {
		if learn.Held(l) {
			out = append(out, dga.Default().Score(l))
		}
	}
	slices.SortFunc(out, func(a, b float64) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	return out
}

// Families by how their names are made. Of words: latin texts. Spoken: syllables, so
// that they look like names. Short: five symbols.
var (
	words  = []string{"gozi"}
	spoken = []string{"pitou", "symmi", "vawtrak", "pykspa"}
	short  = []string{"qsnatch"}
)

// TestReceiver prints what share of each family is found at given shares of benign
// names, per domain and per host of 30 domains whose scores add up as the rule
// dgadomain adds them.
func TestReceiver(t *testing.T) {
	benign := held(t)
	rates := []float64{0.0001, 0.001, 0.01, 0.05}
	at := func(rate float64) float64 { return benign[int(float64(len(benign))*rate)] }
	t.Logf("%d benign labels held out; scores exceeded by 0.01, 0.1, 1, 5, 50 %%: %.2f %.2f %.2f %.2f %.2f", len(benign), at(.0001), at(.001), at(.01), at(.05), at(.5))
	files, err := filepath.Glob(data + "dga/*.txt")
	if err != nil || len(files) == 0 {
		t.Skip("no families in " + data)
	}
	r := rand.New(rand.NewPCG(1, 2))
	hosts := func(scores []float64) float64 {
		const tries = 1000
		found := 0
		for range tries {
			sum := 0.0
			for range 30 {
				sum += max(-4, min(4, scores[r.IntN(len(scores))]))
			}
			if sum >= 8 {
				found++
			}
		}
		return float64(found) / tries
	}
	if share := hosts(benign); share > 0 {
		t.Errorf("%.4f of hosts that ask for benign names only are found", share)
	}
	t.Logf("%-16s %6s %7s %7s %7s %7s %9s", "family", "names", "0.01 %", "0.1 %", "1 %", "5 %", "per host")
	var all, found, perHost, families float64
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".txt")
		var scores []float64
		for _, d := range read(t, f) {
			_, l := dga.Registered(d)
			scores = append(scores, dga.Default().Score(l))
		}
		var shares [4]float64
		for i, rate := range rates {
			for _, s := range scores {
				if s > at(rate) {
					shares[i]++
				}
			}
		}
		host := hosts(scores)
		kind := "character"
		switch {
		case slices.Contains(words, name):
			kind = "words"
		case slices.Contains(spoken, name):
			kind = "spoken"
		case slices.Contains(short, name):
			kind = "short"
		}
		n := float64(len(scores))
		line := fmt.Sprintf("%-16s %6.0f", name, n)
		for _, s := range shares {
			line += fmt.Sprintf(" %7.3f", s/n)
		}
		t.Logf("%s %9.3f %s", line, host, kind)
		if kind == "character" {
			families++
			all += n
			found += shares[1]
			perHost += host
		}
	}
	t.Logf("character kind: %.3f of domains at 0.1 %%, %.3f of hosts", found/all, perHost/families)
	if found/all < 0.75 || perHost/families < 0.95 {
		t.Error("fewer are found than are aimed at")
	}
}

func TestThresholdsAreThoseMeasured(t *testing.T) {
	benign := held(t)
	for _, c := range []struct {
		score float64
		most  float64
	}{{dga.OneInHundred, 0.0101}, {dga.OneInThousand, 0.00106}, {dga.Certain, 0}} {
		n := 0
		for _, s := range benign {
			if s >= c.score {
				n++
			}
		}
		if share := float64(n) / float64(len(benign)); share > c.most {
			t.Errorf("%.4f of benign labels score %.1f", share, c.score)
		}
	}
}

func TestScoreOfPeoplesAndOfAlgorithmsNames(t *testing.T) {
	m := dga.Default()
	for _, l := range []string{"google", "wikipedia", "stackoverflow", "letsencrypt", "kubernetes", "blueharvest", "northwindtraders", "my-bakery-in-town"} {
		if s := m.Score(l); s > 0 {
			t.Errorf("%s scores %.2f", l, s)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	low := 0
	for range 1000 {
		b := make([]byte, 14)
		for i := range b {
			b[i] = byte('a' + r.IntN(26))
		}
		if m.Score(string(b)) < dga.OneInThousand {
			low++
		}
	}
	if low > 100 {
		t.Errorf("%d of 1000 random labels of 14 letters score low", low)
	}
}

func TestRegistered(t *testing.T) {
	for domain, want := range map[string][2]string{
		"www.example.co.uk":             {"example.co.uk", "example"},
		"example.com":                   {"example.com", "example"},
		"com":                           {"", ""},
		"":                              {"", ""},
		"a.b.qwxz.ddns.net":             {"qwxz.ddns.net", "qwxz"},
		"qwxz.mooo.com":                 {"qwxz.mooo.com", "qwxz"},
		"ddns.net":                      {"", ""},
		"d1234.cloudfront.net":          {"cloudfront.net", "cloudfront"},
		"x.us-east-1.elb.amazonaws.com": {"amazonaws.com", "amazonaws"},
		"zzz.bazar":                     {"zzz.bazar", "zzz"},
	} {
		if registered, label := dga.Registered(domain); registered != want[0] || label != want[1] {
			t.Errorf("%s: %q %q", domain, registered, label)
		}
	}
}

func FuzzScore(f *testing.F) {
	for _, s := range []string{"", "a", "example", strings.Repeat("z", 64), "\xff\x00..", "xn--80a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if x := dga.Default().Score(s); x != x {
			t.Errorf("%q scores %v", s, x)
		}
		if registered, label := dga.Registered(s); !strings.HasPrefix(registered, label) || !strings.HasSuffix(s, registered) {
			t.Errorf("%q: %q %q", s, registered, label)
		}
		if !strings.Contains(s, ".") && !dga.Private(s) {
			t.Errorf("%q has no dot, and is somebody's", s)
		}
	})
}

func TestParseRefusesWhatIsNoModel(t *testing.T) {
	b := dga.Default().Bytes()
	if m, err := dga.Parse(b); err != nil || m.Score("example") != dga.Default().Score("example") {
		t.Errorf("%v", err)
	}
	for _, bad := range [][]byte{nil, b[1:], b[:len(b)-1], append([]byte("x"), b[1:]...)} {
		if _, err := dga.Parse(bad); err == nil {
			t.Errorf("%d octets are taken for a model", len(bad))
		}
	}
}

func BenchmarkScore(b *testing.B) {
	m := dga.Default()
	for b.Loop() {
		m.Score("stackoverflow")
	}
}

func BenchmarkRegistered(b *testing.B) {
	for b.Loop() {
		dga.Registered("www.static.example.co.uk")
	}
}
