package report

import (
	"strings"

	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// A Tactic is a column of ATT&CK's matrix.
type Tactic struct{ ID, Name string }

// tactics are those of ATT&CK for enterprises in the order of its matrix. The last
// is for findings that say nothing of an aim.
var tactics = []Tactic{
	{"TA0043", "Reconnaissance"}, {"TA0042", "Resource Development"}, {"TA0001", "Initial Access"}, {"TA0002", "Execution"},
	{"TA0003", "Persistence"}, {"TA0004", "Privilege Escalation"}, {"TA0005", "Defense Evasion"}, {"TA0006", "Credential Access"},
	{"TA0007", "Discovery"}, {"TA0008", "Lateral Movement"}, {"TA0009", "Collection"}, {"TA0011", "Command and Control"},
	{"TA0010", "Exfiltration"}, {"TA0040", "Impact"}, {"", "Other"},
}

// purposes are GuardDuty's own words for what ATT&CK calls otherwise: User Guide,
// "GuardDuty finding format". The rest are names of tactics without their spaces.
var purposes = map[string]string{
	"Backdoor": "Command and Control", "Trojan": "Command and Control", "CryptoCurrency": "Impact", "Recon": "Reconnaissance",
	"Stealth": "Defense Evasion", "DefenseImpairment": "Defense Evasion", "UnauthorizedAccess": "Initial Access", "PenTest": "Initial Access",
	"CommandAndControl": "Command and Control",
}

// TacticOf says what a finding's type holds for the aim.
func TacticOf(f *finding.Finding) Tactic {
	purpose, about, _ := strings.Cut(f.Type, ":")
	if purpose == "Recon" && strings.HasPrefix(about, "IAMUser") {
		purpose = "Discovery"
	}
	name, ok := purposes[purpose]
	for _, t := range tactics {
		if ok && t.Name == name || !ok && strings.ReplaceAll(t.Name, " ", "") == purpose {
			return t
		}
	}
	return tactics[len(tactics)-1]
}

// techniques are those that the finding's rule names, itself or in its README.
func techniques(f *finding.Finding) []rule.Technique {
	if m := manualOf(f); m != nil {
		return m.Techniques
	}
	return nil
}

// manualOf is what the finding's rule says of itself; nil when that is nothing.
func manualOf(f *finding.Finding) *rule.Manual {
	if f.Said != nil {
		return rule.ManualBy(f.Said)
	}
	return rule.ManualOf(f.Rule)
}

// title is what a finding says in a sentence.
func title(f *finding.Finding) string {
	if g := f.GuardDuty(); g.Title != nil {
		return *g.Title
	}
	return f.Type
}

// name is the type with what of it was seen.
func name(f *finding.Finding) string {
	if f.Signal == "" {
		return f.Type
	}
	return f.Type + ", " + f.Signal
}
