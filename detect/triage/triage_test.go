package triage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sumun.dev/detect/report"
	"sumun.dev/detect/source"
	"sumun.dev/finding"
)

// attacks is where records of real attacks are.
const attacks = "../../../shared/data/cloudtrail-attacks"

func call(second int, operation, fields string) string {
	return fmt.Sprintf(`{"eventTime":"%[1]s","eventSource":"ec2.amazonaws.com","eventName":%[2]q,"recipientAccountId":"111122223333","awsRegion":"eu-west-1","eventID":"e%[3]d","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann","accountId":"111122223333","userName":"ann"},"requestParameters":{%[4]s}}`,
		time.Date(2026, 3, 1, 0, 0, second, 0, time.UTC).Format(time.RFC3339), operation, second, fields)
}

const share = `"imageId":"ami-1","launchPermission":{"add":{"items":[{"userId":"444455556666"}]}}`

func run(t *testing.T, o Options) *Result {
	t.Helper()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSuspicionsAddUp(t *testing.T) {
	log := strings.Join([]string{call(1, "ModifyImageAttribute", share), "rubbish", call(2, "DescribeImages", ""), call(9, "ModifyImageAttribute", share)}, "\n")
	r := run(t, Options{Paths: []string{"-"}, From: source.From{Stdin: strings.NewReader(log)}})
	if len(r.Findings) != 1 || r.Judged != 3 || r.Read.Unread() != 1 || r.Learnt != 3 {
		t.Fatalf("%+v", r)
	}
	f := r.Findings[0]
	if f.Count != 2 || !f.LastSeen.After(f.FirstSeen) || len(f.Evidence) != 2 || f.Evidence[0].Line != 1 || f.Evidence[1].Line != 4 || f.Evidence[1].ID != "e9" || f.Region != "eu-west-1" {
		t.Errorf("%+v", f)
	}
}

func TestTheSameLogsGiveTheSameFindings(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte(call(i, "ModifyImageAttribute", share)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var first string
	for range 3 {
		var b bytes.Buffer
		if err := report.JSON(&b, run(t, Options{Paths: []string{dir}}).Findings); err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = b.String()
		}
		if b.String() != first || !strings.Contains(first, `"count": 3`) {
			t.Errorf("%s\n%s", first, b.String())
		}
	}
}

func TestSinceAndUntil(t *testing.T) {
	log := strings.Join([]string{call(1, "ModifyImageAttribute", share), call(5, "ModifyImageAttribute", share), call(9, "ModifyImageAttribute", share)}, "\n")
	at := func(s int) time.Time { return time.Date(2026, 3, 1, 0, 0, s, 0, time.UTC) }
	r := run(t, Options{Paths: []string{"-"}, From: source.From{Stdin: strings.NewReader(log)}, Since: at(5), Until: at(9)})
	if r.Judged != 1 || len(r.Findings) != 1 || r.Findings[0].Count != 1 || !r.From.Equal(at(5)) || !r.To.Equal(at(5)) {
		t.Errorf("%+v", r)
	}
}

func TestEveryFormat(t *testing.T) {
	hostile := strings.ReplaceAll(call(1, "ModifyImageAttribute", share), "user/ann", `user/\u001b[2J\u202e=cmd|<script>alert(1)</script>`)
	r := run(t, Options{Paths: []string{"-"}, From: source.From{Stdin: strings.NewReader(hostile)}})
	for name, write := range report.Formats {
		var b bytes.Buffer
		if err := write(&b, r.Findings); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		out := b.String()
		if strings.ContainsAny(out, "\x1b\u202e") {
			t.Errorf("%s writes control characters of the log: %q", name, out)
		}
		if name == "html" && strings.Contains(out, "<script>alert") {
			t.Error("html runs what is in the log")
		}
		if !strings.Contains(out, "TransferDataToCloudAccount") {
			t.Errorf("%s: %s", name, out)
		}
		if (strings.HasPrefix(name, "json") || name == "asff" || name == "sarif" || name == "ocsf") && !json.Valid(b.Bytes()) {
			t.Errorf("%s is no JSON", name)
		}
		b.Reset()
		if err := write(&b, nil); err != nil {
			t.Errorf("%s of nothing: %v", name, err)
		}
	}
}

// Each technique of real attacks raises a finding that tells what it was.
func TestRealAttacks(t *testing.T) {
	if _, err := os.Stat(attacks); err != nil {
		t.Skipf("no records of real attacks: %v", err)
	}
	files, err := filepath.Glob(attacks + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			in, err := os.Open(f)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			b, err := io.ReadAll(in)
			if err != nil {
				t.Fatal(err)
			}
			// The same with every name changed that a lazy rule could lean on.
			masked := strings.NewReplacer("stratus", "mqtzvwp", "red-team", "kdlqnwx", "christophe", "wpqmzxlkja").Replace(string(b))
			for _, log := range []string{string(b), masked} {
				r := run(t, Options{Paths: []string{"-"}, From: source.From{Stdin: strings.NewReader(log)}})
				if len(r.Findings) == 0 || r.Read.Unread() != 0 {
					t.Errorf("%d findings, %+v", len(r.Findings), r.Read)
				}
				for _, f := range r.Findings {
					if _, ok := finding.KindOf(f.Type); !ok || len(f.Evidence) == 0 || f.Signal == "" {
						t.Errorf("%+v", f)
					}
				}
			}
		})
	}
}

// A baseline that cannot be read is not taken for an account of which nothing is known.
func TestABaselineIsRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	logs, rubbish := write("log", call(1, "ModifyImageAttribute", share)), write("rubbish", "rubbish")
	if r, err := Run(t.Context(), Options{Paths: []string{logs}, Baseline: []string{rubbish}}); err == nil {
		t.Errorf("%+v", r)
	}
	r := run(t, Options{Paths: []string{logs}, Baseline: []string{rubbish, logs}})
	if r.Learnt != 1 || r.Judged != 1 || r.Baseline.Unread() != 1 || r.Read.Unread() != 0 {
		t.Errorf("%+v", r)
	}
}

// What a file holds beyond its beginning is learnt from as well, and judged once.
func TestWhatTheBeginningDoesNotTellIsLearnt(t *testing.T) {
	query := `{"version":"1.1","account_id":"111122223333","region":"eu-west-1","vpc_id":"vpc-1","query_timestamp":"2026-03-01T00:00:00Z","query_name":"www.example.org.","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[],"srcaddr":"10.0.0.9","srcport":"5","transport":"UDP","srcids":{"instance":"i-1"}}` + "\n"
	queries := strings.Repeat(query, 1000)
	calls := call(1, "ModifyImageAttribute", share) + "\n" + call(2, "DescribeImages", "") + "\n"
	for _, c := range []struct {
		name, log     string
		learnt, found int
	}{
		{"queries", queries, 0, 0},
		{"calls_behind_queries", queries + calls, 2, 1},
		{"calls_before_queries", calls + queries, 2, 1},
		{"calls_among_queries", queries + calls + queries, 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := run(t, Options{Paths: []string{"-"}, From: source.From{Stdin: strings.NewReader(c.log)}})
			if n := strings.Count(c.log, "\n"); r.Judged != n || r.Learnt != c.learnt || len(r.Findings) != c.found || r.Read.Files != 1 || r.Read.Late != 0 {
				t.Errorf("%d judged of %d, %d learnt, %d findings, %d files, %d late", r.Judged, n, r.Learnt, len(r.Findings), r.Read.Files, r.Read.Late)
			}
		})
	}
}
