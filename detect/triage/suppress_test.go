package triage

import (
	"strings"
	"testing"
	"time"

	"sumun.dev/finding"
)

func TestSuppressions(t *testing.T) {
	f := &finding.Finding{LastSeen: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Suspicion: finding.Suspicion{Type: "Exfiltration:EC2/TransferDataToCloudAccount", Signal: "AMIExternalAccess"}}
	f.Account = "111122223333"
	const who = "arn:aws:iam::111122223333:role/images"
	for fields, want := range map[string]bool{
		"type: Exfiltration:EC2/TransferDataToCloudAccount": true,
		"type: 'Exfiltration:*/TransferDataToCloudAccount'": true,
		"type: 'Exfiltration:*'":                            true,
		"type: '*Account'":                                  true,
		"type: '*:EC2/*Cloud*'":                             true,
		"type: '*:S3/*'":                                    false,
		"type: 'Exfiltration:EC2/TransferDataToCloudAccount*TransferDataToCloudAccount'": false,
		"signal: AMIExternalAccess":                                true,
		"signal: EBSSnapshotExternalAccess":                        false,
		"principal: " + who:                                        true,
		"principal: 'arn:aws:iam::*:role/*'":                       true,
		"principal: images":                                        false,
		"account: \"111122223333\"":                                true,
		"account: \"444455556666\"":                                false,
		"signal: AMIExternalAccess\n  until: 2026-03-02":           true,
		"signal: AMIExternalAccess\n  until: 2026-03-01":           false,
		"signal: AMIExternalAccess\n  until: 2026-03-01T12:00:01Z": true,
		"signal: AMIExternalAccess\n  principal: someone":          false,
		"type: Exfiltration:EC2/TransferDataToCloudAccount\n  signal: 'AMI*'\n  account: \"111122223333\"": true,
	} {
		all, err := ParseSuppressions([]byte("- " + fields + "\n  reason: known\n"))
		if err != nil {
			t.Errorf("%s: %v", fields, err)
			continue
		}
		if all[0].Covers(f, who) != want {
			t.Errorf("%s covers: %t", fields, !want)
		}
	}
}

func TestSuppressionsRefused(t *testing.T) {
	for source, why := range map[string]string{
		"- type: x":                            "reason",
		"- reason: x":                          "everything",
		"- {reason: x, principle: ann}":        "principle",
		"- {reason: x, type: a, until: soon}":  "until",
		"{reason: x}":                          "",
		strings.Repeat("#", maxSuppressFile+1): "larger",
		strings.Repeat("- {a: &a [*a]}\n", 3):  "",
	} {
		if all, err := ParseSuppressions([]byte(source)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%.80s gives %v, %v", source, all, err)
		}
	}
}

func FuzzSuppressions(f *testing.F) {
	f.Add([]byte("- {type: a, signal: b, principal: c, account: d, until: 2026-01-01, reason: e}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := ParseSuppressions(b)
		for i := range all {
			if err != nil || all[i].Reason == "" {
				t.Errorf("%q: %+v %v", b, all[i], err)
			}
		}
	})
}
