package finding

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

func TestKinds(t *testing.T) {
	known := []string{"{instance}", "{domain}", "{list}", "{principal}", "{api}", "{bucket}", "{cluster}", "{remote}", "{port}"}
	all := Kinds()
	if !slices.IsSortedFunc(all, func(a, b Kind) int { return strings.Compare(a.Type, b.Type) }) {
		t.Error("the types are not sorted")
	}
	for i, k := range all {
		if i > 0 && all[i-1].Type == k.Type {
			t.Errorf("%s stands there twice", k.Type)
		}
		purpose, rest, ok := strings.Cut(k.Type, ":")
		if _, named := purposes[purpose]; !named || !ok || !strings.Contains(rest, "/") {
			t.Errorf("%s is no type", k.Type)
		}
		if k.Severity < 1 || k.Severity > 10 || (k.Severity >= 9) != strings.HasPrefix(k.Type, "AttackSequence:") {
			t.Errorf("%s has severity %v", k.Type, k.Severity)
		}
		for _, p := range placeholder.FindAllString(k.Title+k.Description, -1) {
			if !slices.Contains(known, p) {
				t.Errorf("%s: nothing fills %s", k.Type, p)
			}
		}
		f := Finding{Suspicion: Suspicion{Type: k.Type}}
		if _, err := Encode(f.GuardDuty()); err != nil {
			t.Errorf("%s with nothing known: %v", k.Type, err)
		}
		if asff := ASFF(f.GuardDuty()); len(asff.Types) != 1 || strings.Count(asff.Types[0], "/") > 2 || len(asff.Title) > 256 {
			t.Errorf("%s: %v", k.Type, asff.Types)
		}
	}
}
