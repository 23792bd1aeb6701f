package dga_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sumun.dev/engine/dga"
	"sumun.dev/engine/dga/learn"
)

var dictionaryThresholds = []float64{dga.WordsOneInFifty, dga.WordsOneInTwoHundred, dga.WordsOneInThousand}

func TestDictionaryThresholdsAreThoseMeasured(t *testing.T) {
	benign, made := 0, [3]float64{}
	for _, l := range learn.Labels(read(t, data+"benign-domains.txt")) {
		if !learn.Held(l) {
			continue
		}
		benign++
		for i, limit := range dictionaryThresholds {
			if dga.Words().Score(l) >= limit {
				made[i]++
			}
		}
	}
	t.Logf("of %d benign labels held out, %.4f %.4f %.4f are taken for made of words", benign, made[0]/float64(benign), made[1]/float64(benign), made[2]/float64(benign))
	for i, most := range []float64{0.0205, 0.0055, 0.00145} {
		if made[i]/float64(benign) > most {
			t.Errorf("%.0f labels score %.1f", made[i], dictionaryThresholds[i])
		}
	}
}

// everyday are words as a list of an algorithm may have them; the dictionary was not
// made from this list.
func everyday(t *testing.T) []string { return read(t, "testdata/everyday.txt") }

// TestDictionaryRecall prints what share of composed names is found: of everyday words,
// and of words in the files of SUMUN_WORDLISTS.
func TestDictionaryRecall(t *testing.T) {
	lists := []struct {
		name  string
		words []string
	}{{"everyday", everyday(t)}}
	quoted := regexp.MustCompile(`["']([a-z]{4,14})["']`)
	for _, f := range strings.FieldsFunc(os.Getenv("SUMUN_WORDLISTS"), func(r rune) bool { return r == ',' }) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, m := range quoted.FindAllSubmatch(b, -1) {
			words = append(words, string(m[1]))
		}
		lists = append(lists, struct {
			name  string
			words []string
		}{filepath.Base(f), words})
	}
	const names = 2000
	for _, list := range lists {
		for _, parts := range []struct {
			n       int
			between string
		}{{2, ""}, {2, "-"}, {3, ""}, {4, ""}} {
			r := rand.New(rand.NewPCG(7, uint64(parts.n)))
			var found [3]float64
			for range names {
				var all []string
				for range parts.n {
					all = append(all, list.words[r.IntN(len(list.words))])
				}
				for i, limit := range dictionaryThresholds {
					if dga.Words().Score(strings.Join(all, parts.between)) >= limit {
						found[i]++
					}
				}
			}
			t.Logf("%s, %d words joined by %q: %.3f %.3f %.3f", list.name, parts.n, parts.between, found[0]/names, found[1]/names, found[2]/names)
			if list.name == "everyday" && found[0]/names < 0.6 {
				t.Error("fewer are found than are aimed at")
			}
		}
	}
}

func TestReadingWords(t *testing.T) {
	for label, want := range map[string]string{
		"heavensurprise":  "heaven surprise",
		"heaven-surprise": "heaven surprise",
		"qzxvwkjhgfd":     "",
	} {
		if got := strings.Join(dga.Words().Split(label), " "); got != want {
			t.Errorf("%s is read as %q", label, got)
		}
	}
	for _, l := range []string{"", "google", "wikipedia", "stackoverflow", "kubernetes", "facebook", "xn--80ak6aa92e", "window7update", "cloudstorage", "gameserver"} {
		if s := dga.Words().Score(l); s >= dga.WordsOneInTwoHundred {
			t.Errorf("%s scores %.2f", l, s)
		}
	}
}

func TestParseRefusesWhatIsNoDictionary(t *testing.T) {
	b := dga.Words().Bytes()
	if d, err := dga.ParseDictionary(b); err != nil || d.Score("heavensurprise") != dga.Words().Score("heavensurprise") {
		t.Errorf("%v", err)
	}
	swapped := bytes.Clone(b)
	slices.Reverse(swapped[len(swapped)-10:])
	for _, bad := range [][]byte{nil, b[1:], b[:len(b)-1], b[:20], swapped} {
		if _, err := dga.ParseDictionary(bad); err == nil {
			t.Errorf("%d octets are taken for a dictionary", len(bad))
		}
	}
}

func FuzzDictionary(f *testing.F) {
	for _, s := range []string{"", "-", "heavensurprise", strings.Repeat("the", 30), "\xff\x00..", "a-b-c-d-e-f-g-h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if x := dga.Words().Score(s); x != x {
			t.Errorf("%q scores %v", s, x)
		}
		n := 0
		for _, w := range dga.Words().Split(s) {
			n += len(w)
		}
		if n > len(s) {
			t.Errorf("%q is read as more than it has", s)
		}
	})
}

func BenchmarkDictionary(b *testing.B) {
	d := dga.Words()
	for b.Loop() {
		d.Score("stackoverflow")
	}
}
