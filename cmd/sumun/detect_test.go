package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sumun.dev/detect/report"
)

// sharedImage is a log in which an image is given away twice, and one kept.
func sharedImage(t *testing.T) string {
	t.Helper()
	var lines []string
	for i, user := range []string{"444455556666", "444455556666", "111122223333"} {
		lines = append(lines, fmt.Sprintf(`{"eventTime":"2026-03-01T10:00:0%[1]dZ","eventSource":"ec2.amazonaws.com","eventName":"ModifyImageAttribute","recipientAccountId":"111122223333","awsRegion":"eu-west-1","eventID":"e%[1]d","sourceIPAddress":"198.51.100.7","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann","accountId":"111122223333","userName":"ann"},"requestParameters":{"imageId":"ami-1","launchPermission":{"add":{"items":[{"userId":%[2]q}]}}}}`, i, user))
	}
	return fileOf(t, "trail.json", strings.Join(lines, "\n"))
}

func fileOf(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	ok(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}

func TestDetectExplains(t *testing.T) {
	log := sharedImage(t)
	_, table, complaint := command(t, "", "detect", log)
	if !strings.Contains(table, "AMIExternalAccess") || !strings.Contains(complaint, "1 findings from 3 records") {
		t.Fatalf("%s\n%s", table, complaint)
	}
	id := strings.Fields(strings.Split(table, "\n")[1])[2]
	status, story, complaint := command(t, "", "detect", "--explain", id, log)
	for _, want := range []string{"MEDIUM 6.9", "rule       amishared", "arn:aws:iam::111122223333:user/ann", "198.51.100.7", log + ":1 e0", log + ":2 e1", "2 times", "Response", "T1537", "False positives"} {
		if !strings.Contains(story, want) {
			t.Errorf("%d %s: the story lacks %q:\n%s", status, complaint, want, story)
		}
	}
	if strings.Contains(story, ":3 e2") {
		t.Error("the story has a record that did nothing")
	}
	if status, story, _ := command(t, "", "detect", "--explain", "amishared", log); status != 0 || !strings.Contains(story, "id         "+id) {
		t.Errorf("by its rule: %d %s", status, story)
	}
	if status, about, _ := command(t, "", "detect", "--explain", "amishared"); status != 0 || !strings.Contains(about, "What and why") || !strings.Contains(about, "T1537") {
		t.Errorf("without logs: %d %s", status, about)
	}
	if status, story, _ := command(t, "", "detect", "--explain", "Exfiltration:EC2/TransferDataToCloudAccount", log); status != 0 || !strings.Contains(story, "id         "+id) {
		t.Errorf("by its type: %d %s", status, story)
	}
	if status, about, _ := command(t, "", "detect", "--explain", "Exfiltration:EC2/TransferDataToCloudAccount"); status != 0 || !strings.Contains(about, "amishared: ") || !strings.Contains(about, "\n\nsnapshotshared: ") {
		t.Errorf("a type without logs: %d %s", status, about)
	}
	for _, args := range [][]string{{"--explain", "ffff", log}, {"--explain", "ffff"}, {"--explain", id, "--format", "ffff", log}} {
		if status, out, complaint := command(t, "", append([]string{"detect"}, args...)...); status != 2 || out != "" || !strings.Contains(complaint, "ffff") {
			t.Errorf("%v: %d %s %s", args, status, out, complaint)
		}
	}
}

// Status 1 means findings, and nothing else: a CI job must not take a mistake for those,
// nor for none.
func TestDetectIsUsedWrongly(t *testing.T) {
	log := sharedImage(t)
	for name, args := range map[string][]string{
		"an unknown flag":        {"--fail-no", "high", log},
		"a flag without a value": {log, "--fail-on"},
		"no path":                {},
		"a folder of nothing":    {t.TempDir()},
		"no such file":           {log + "x"},
		"no such severity":       {"--fail-on", "hi", log},
		"no such format":         {"--format", "yaml", log},
		"a span that ends first": {"--since", "2026-03-02", "--until", "2026-03-01", log},
		"a span of nothing":      {"--since", "2026-03-02", "--until", "2026-03-02", log},
		"a story as JSON":        {"--explain", "amishared", "--format", "json", log},
		"no such account":        {"--account", "12", log},
		"no baseline":            {"--baseline", t.TempDir(), log},
		"no folder to write to":  {"-o", filepath.Join(t.TempDir(), "none", "x"), log},
		"no suppressions":        {"--suppress", log + "x", log},
		"no MMDB":                {"--mmdb", log + "x", log},
		"a list of nothing":      {"--list", "c2=" + fileOf(t, "empty", "# nothing\n"), log},
	} {
		if status, out, complaint := command(t, "", append([]string{"detect"}, args...)...); status != 2 || out != "" || !strings.HasPrefix(complaint, "sumun detect: ") {
			t.Errorf("%s: %d %s %s", name, status, out, complaint)
		}
	}
}

// What logs do not say of themselves can be said of them, and Security Hub is sent
// what it takes.
func TestDetectIsToldWhose(t *testing.T) {
	list := fileOf(t, "custom", "198.51.100.20\n")
	log := fileOf(t, "s3", `79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be payroll [20/Nov/2026:10:00:00 +0000] 198.51.100.20 - 3E57427F3EXAMPLE REST.GET.OBJECT photos/a "GET /payroll/photos/a HTTP/1.1" 200 - 113 113 7 5 "-" "S3Console/0.4" - s9lzHYrFp76ZVxRcpX9 SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader payroll.s3.us-west-1.amazonaws.com TLSV1.2 - -`+"\n")
	const homeless = "1 findings name no account or region"
	args := []string{"detect", "--format", "asff", "--list", "custom=" + list, log}
	if _, _, complaint := command(t, "", args...); !strings.Contains(complaint, homeless) {
		t.Error(complaint)
	}
	_, out, complaint := command(t, "", append(args, "--account", "111122223333", "--region", "eu-west-1")...)
	if strings.Contains(complaint, homeless) || !strings.Contains(out, `"arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default"`) {
		t.Errorf("%s\n%s", complaint, out)
	}
}

// What was read and not judged is said.
func TestDetectTellsWhatItDidNotJudge(t *testing.T) {
	log := sharedImage(t)
	status, _, complaint := command(t, "", "detect", "--until", "2026-03-01", log)
	if status != 0 || !strings.Contains(complaint, "3 records are from before --since or after --until") {
		t.Errorf("%d %s", status, complaint)
	}
	balancer := fileOf(t, "clb", `2026-03-01T10:00:00.945958Z lb 198.51.100.20:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -`+"\n")
	if _, _, complaint := command(t, "", "detect", balancer); !strings.Contains(complaint, "1 records are of load balancers or WAF") {
		t.Error(complaint)
	}
	own := fileOf(t, "own.yaml", "name: own\ntype: Impact:EC2/SuspiciousDomainRequest.Reputation\nclass: http\nwhen: http_request.status == 200\n")
	if _, _, complaint := command(t, "", "detect", "--rules", filepath.Dir(own), balancer); strings.Contains(complaint, "no built-in rule") {
		t.Error(complaint)
	}
}

func TestDetectSuppresses(t *testing.T) {
	log := sharedImage(t)
	known := fileOf(t, "known.yaml", "- {signal: AMIExternalAccess, principal: 'arn:aws:iam::*:user/ann', reason: golden images}\n- {type: 'Recon:*', reason: scanner}\n")
	status, out, complaint := command(t, "", "detect", "--suppress", known, "--fail-on", "low", "--format", "jsonl", log)
	if status != 0 || out != "" || !strings.Contains(complaint, "0 findings from 3 records") || !strings.Contains(complaint, "1 findings suppressed: golden images") || !strings.Contains(complaint, "0 findings suppressed: scanner") {
		t.Errorf("%d %s %s", status, out, complaint)
	}
	over := fileOf(t, "over.yaml", "- {signal: AMIExternalAccess, until: 2026-02-28, reason: golden images}")
	if status, _, _ := command(t, "", "detect", "--suppress", over, "--fail-on", "low", log); status != 1 {
		t.Errorf("it is over: %d", status)
	}
	wrong := fileOf(t, "wrong.yaml", "- {signals: AMIExternalAccess, reason: golden images}")
	if status, _, complaint := command(t, "", "detect", "--suppress", wrong, log); status != 2 || !strings.Contains(complaint, "signals") {
		t.Errorf("a key that is not known: %d %s", status, complaint)
	}
}

func TestDetectTakesRules(t *testing.T) {
	log := sharedImage(t)
	const own = `
name: image-touched
type: Exfiltration:EC2/TransferDataToCloudAccount
signal: ImageTouched
class: api
calls: [ec2.amazonaws.com:ModifyImageAttribute]
`
	folder := filepath.Dir(fileOf(t, "touched.yaml", own))
	_, out, _ := command(t, "", "detect", "--rules", folder, "--format", "jsonl", log)
	if !strings.Contains(out, `"ImageTouched"`) || !strings.Contains(out, `"AMIExternalAccess"`) {
		t.Error(out)
	}
	status, list, _ := command(t, "", "detect", "--rules", folder, "--list-rules")
	if status != 0 || !strings.Contains(list, "image-touched") || !strings.Contains(list, "T1537") {
		t.Errorf("%d %s", status, list)
	}
	for name, source := range map[string]string{
		"amishared": strings.Replace(own, "image-touched", "amishared", 1),
		"kalls":     strings.Replace(own, "calls:", "kalls:", 1),
	} {
		if status, _, complaint := command(t, "", "detect", "--rules", filepath.Dir(fileOf(t, "r.yaml", source)), log); status != 2 || !strings.Contains(complaint, name) {
			t.Errorf("%s: %d %s", name, status, complaint)
		}
	}
	if status, _, complaint := command(t, "", "detect", "--rules", t.TempDir(), log); status != 2 || !strings.Contains(complaint, "no rule") {
		t.Errorf("an empty folder: %d %s", status, complaint)
	}
}

func TestDetectWritesReports(t *testing.T) {
	log := sharedImage(t)
	for format, want := range map[string]string{"html": "<svg", "sarif": `"version": "2.1.0"`, "ocsf": `"class_uid":2004`, "json": `"T1537"`} {
		file := filepath.Join(t.TempDir(), "report")
		if status, _, complaint := command(t, "", "detect", "--format", format, "-o", file, log); status != 0 {
			t.Errorf("%s: %d %s", format, status, complaint)
		}
		b, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(b), want) || format != "html" && !json.Valid(b) {
			t.Errorf("%s: %v %s", format, err, b)
		}
	}
}

// A report that could not be written is no success.
func TestDetectTellsOfAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("needs /dev/full")
	}
	for _, format := range report.Names() {
		if status, _, complaint := command(t, "", "detect", "--format", format, "-o", "/dev/full", sharedImage(t)); status != 2 || !strings.Contains(complaint, "/dev/full") {
			t.Errorf("%s: %d %s", format, status, complaint)
		}
	}
}
