package triage

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sumun.dev/detect/source"
)

// What several files bring is one: the attack counts once, and what is told of many
// calls takes as many as it says.
func TestCopiesCountOnce(t *testing.T) {
	log := call(1, "ModifyImageAttribute", share) + "\n"
	for i := range 5 {
		log += login(i, fmt.Sprint("l", i), "Failure")
	}
	dir := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.json", log)
	one := run(t, Options{Paths: []string{dir}})
	write("a.json.gz", string(packed(strings.NewReader(log))))
	write("b.json", `{"Records":[`+strings.ReplaceAll(strings.TrimSpace(log), "\n", ",")+`]}`)
	r := run(t, Options{Paths: []string{dir}})
	if len(one.Findings) != 1 || one.Judged != 6 || one.Copies != 0 {
		t.Errorf("of one file: %+v", one)
	}
	if len(r.Findings) != 1 || r.Findings[0].Count != 1 || r.Judged != 6 || r.Copies != 12 {
		t.Errorf("of three: %+v", r)
	}
}

// Whoever writes somebody else's id into a record hides nothing.
func TestForgedIDsMakeNoCopies(t *testing.T) {
	log := strings.ReplaceAll(call(1, "DescribeImages", "")+"\n"+call(1, "ModifyImageAttribute", share)+"\n"+call(1, "ModifyImageAttribute", strings.ReplaceAll(share, "ami-1", "ami-2")), `"e1"`, `"x"`)
	r := run(t, Options{Paths: []string{"-"}, From: source.From{Stdin: strings.NewReader(log)}})
	n := 0
	for _, f := range r.Findings {
		n += int(f.Count)
	}
	if r.Copies != 0 || r.Judged != 3 || n != 2 {
		t.Errorf("%+v", r)
	}
}

func login(second int, id, outcome string) string {
	return fmt.Sprintf(`{"eventTime":%q,"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","eventType":"AwsConsoleSignIn","recipientAccountId":"111122223333","awsRegion":"eu-west-1","eventID":%q,"sourceIPAddress":"198.51.100.7","userAgent":"Mozilla/5.0","errorMessage":"Failed authentication","userIdentity":{"type":"IAMUser","accountId":"111122223333","userName":"ann"},"responseElements":{"ConsoleLogin":%q},"additionalEventData":{"MFAUsed":"No"}}`,
		time.Date(2026, 3, 2, 10, 0, second, 0, time.UTC).Format(time.RFC3339), id, outcome) + "\n"
}
