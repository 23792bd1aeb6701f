package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sigmaRule = `
title: Images given away
id: 7f9f43c4-0000-4000-8000-5b8b6f4e4a10
author: Ann
description: Somebody lets others use an image.
logsource: {product: aws, service: cloudtrail}
detection:
  selection:
    eventSource: ec2.amazonaws.com
    eventName: ModifyImageAttribute
    requestParameters.launchPermission.add.items.userId: '444455556666'
  filter_main_ci:
    userIdentity.arn|endswith: ':user/ci'
  condition: selection and not 1 of filter_*
tags: [attack.exfiltration, attack.t1537]
falsepositives: ["Golden images\e[2J"]
level: high
`

func TestDetectTakesSigmaRules(t *testing.T) {
	log := sharedImage(t)
	folder := filepath.Dir(fileOf(t, "shared.yml", sigmaRule))
	for name, text := range map[string]string{
		"count.yml":   strings.Replace(strings.Replace(sigmaRule, "Images", "Many", 1), "not 1 of filter_*", "not 1 of filter_* | count() > 5", 1),
		"windows.yml": strings.Replace(sigmaRule, "product: aws, service: cloudtrail", "product: windows", 1),
		"twice.yaml":  sigmaRule,
		"notes.txt":   "no rule",
	} {
		ok(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	status, out, complaint := command(t, "", "detect", "--sigma", folder, "--format", "jsonl", log)
	if status != 0 {
		t.Fatalf("%d %s", status, complaint)
	}
	var found struct {
		Finding struct {
			Type, Title, Description, Id string
			Severity                     float64
		}
		Signal, Rule string
		Attack       []string
		Evidence     []struct{ Line int }
	}
	for line := range strings.Lines(out) {
		if strings.Contains(line, `"sigma-`) {
			ok(t, json.Unmarshal([]byte(line), &found))
		}
	}
	if found.Rule != "sigma-images-given-away" || found.Signal != "Images given away" || found.Finding.Title != "Images given away" || found.Finding.Severity < 5 ||
		found.Finding.Type != "Exfiltration:IAMUser/AnomalousBehavior" || len(found.Attack) != 1 || found.Attack[0] != "T1537" || len(found.Evidence) != 2 || found.Evidence[0].Line != 1 {
		t.Errorf("%+v\n%s", found, out)
	}
	for _, want := range []string{"count.yml: condition:", "| count", "twice.yaml: title:", "shared.yml has the same", "1 rules taken; 2 cannot be, 1 are for other logs"} {
		if !strings.Contains(complaint, want) {
			t.Errorf("the complaint lacks %q:\n%s", want, complaint)
		}
	}
	_, story, _ := command(t, "", "detect", "--sigma", folder, "--explain", found.Finding.Id, log)
	_, about, _ := command(t, "", "detect", "--sigma", folder, "--explain", "sigma-images-given-away")
	for _, want := range []string{"Images given away", "Somebody lets others", "By Ann.", "Golden images", "T1537"} {
		if !strings.Contains(story, want) || !strings.Contains(about, want) {
			t.Errorf("%q is not told:\n%s\n%s", want, story, about)
		}
	}
	if strings.Contains(story+about, "\x1b") {
		t.Error("a rule's text reaches the terminal as it is")
	}
	if _, list, _ := command(t, "", "detect", "--sigma", folder, "--list-rules"); !strings.Contains(list, "sigma-images-given-away") || !strings.Contains(list, "T1537") {
		t.Error(list)
	}
}

func TestDetectRefusesFoldersWithoutSigmaRules(t *testing.T) {
	log := sharedImage(t)
	for name, folder := range map[string]string{
		"is missing": filepath.Join(t.TempDir(), "none"), "is empty": t.TempDir(),
		"has other logs only": filepath.Dir(fileOf(t, "w.yml", strings.Replace(sigmaRule, "service: cloudtrail", "service: waf", 1))),
	} {
		if status, _, complaint := command(t, "", "detect", "--sigma", folder, log); status != 2 || !strings.Contains(complaint, "--sigma") {
			t.Errorf("%s: %d %s", name, status, complaint)
		}
	}
}
