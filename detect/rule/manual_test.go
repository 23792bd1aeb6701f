package rule

import (
	"path/filepath"
	"testing"
)

// Programs read what READMEs say: each has its sections, and names techniques.
func TestManuals(t *testing.T) {
	files, err := filepath.Glob("*/README.md")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		m := ManualOf(filepath.Dir(f))
		if m == nil || m.Title == "" || len(m.Techniques) == 0 {
			t.Errorf("%s: %+v", f, m)
			continue
		}
		for _, heading := range []string{"What and why", "False positives", "Response"} {
			if m.Section(heading) == "" {
				t.Errorf("%s says nothing of %s", f, heading)
			}
		}
		for _, technique := range m.Techniques {
			if technique.Name == "" {
				t.Errorf("%s: %s has no name", f, technique.ID)
			}
		}
	}
	if ManualOf("../rule") != nil || ManualOf("none") != nil {
		t.Error("there is a manual of no rule")
	}
}

func TestTechniques(t *testing.T) {
	m := ParseManual("# A, B\n\nT1111 Not here.\n\n## Response\nDo.\n\n## ATT&CK\nT1537 Transfer Data to Cloud Account; T1098.001 Account Manipulation: Additional Cloud Credentials, T1526 Cloud Service Discovery.\n")
	want := []Technique{{"T1537", "Transfer Data to Cloud Account"}, {"T1098.001", "Account Manipulation: Additional Cloud Credentials"}, {"T1526", "Cloud Service Discovery"}}
	if len(m.Techniques) != 3 || m.Techniques[0] != want[0] || m.Techniques[1] != want[1] || m.Techniques[2] != want[2] || m.Title != "A, B" {
		t.Errorf("%+v", m)
	}
	if u := m.Techniques[1].URL(); u != "https://attack.mitre.org/techniques/T1098/001/" {
		t.Error(u)
	}
}
