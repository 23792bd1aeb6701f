package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"sumun.dev/finding"
)

const hostile = "\x1b[2J\u202e\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{.}}\u2028"

// three are findings whose every text that a log can choose is hostile.
func three() []*finding.Finding {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	home := finding.Home{Partition: "aws", Account: "111122223333", Region: "eu-west-1", Detector: "d"}
	ev := func(n int) finding.Evidence {
		return finding.Evidence{ID: hostile, File: "logs/a b" + hostile, Line: n, At: at, Told: hostile}
	}
	shared := finding.Open(home, finding.Suspicion{
		Type: "Exfiltration:EC2/TransferDataToCloudAccount", Signal: "AMIExternalAccess", Rule: "amishared", At: at,
		Caller:  &finding.Caller{Principal: hostile, ID: hostile, Name: hostile, ARN: hostile, AccessKey: hostile, Type: hostile},
		API:     &finding.APICall{Service: "ec2.amazonaws.com", Operation: "ModifyImageAttribute", Agent: hostile, Remote: finding.Remote{Address: netip.MustParseAddr("198.51.100.7"), ASOrg: hostile}},
		Unusual: []finding.Unusual{{Feature: "api", Value: hostile}}, Evidence: []finding.Evidence{ev(7), ev(9)},
	}, at)
	asked := finding.Open(home, finding.Suspicion{
		Type: "Backdoor:EC2/C&CActivity.B!DNS", Rule: "ccactivity", At: at.Add(time.Hour), Instance: finding.Instance{ID: "i-1", Address: netip.MustParseAddr("10.0.0.7")},
		DNS: &finding.DNSRequest{Domain: hostile, Protocol: "UDP"}, Threat: finding.Threat{List: hostile, Entry: hostile}, Evidence: []finding.Evidence{{Offset: 12, File: "-", At: at}},
	}, at)
	called := finding.Open(home, finding.Suspicion{
		Type: "Policy:Kubernetes/AnonymousAccessGranted", Rule: "one of their own", At: at.Add(time.Minute), Kubernetes: &finding.KubernetesDetails{Cluster: hostile, User: hostile, Namespace: hostile},
		KubeCall: &finding.KubernetesCall{Verb: "create", URI: hostile, Sources: []finding.Remote{{Address: netip.MustParseAddr("203.0.113.9")}}},
	}, at)
	return []*finding.Finding{shared, asked, called}
}

func written(t *testing.T, w Writer, found []*finding.Finding) string {
	t.Helper()
	var b bytes.Buffer
	if err := w(&b, found); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNoFormatObeysALog(t *testing.T) {
	for name, w := range Formats {
		if out := written(t, w, three()); strings.ContainsAny(out, "\x1b\u202e\u2028") {
			t.Errorf("%s: %q", name, out)
		}
	}
}

func TestThePageRunsNothing(t *testing.T) {
	out := written(t, HTML, three())
	if n := len(regexp.MustCompile(`(?i)<(script|img|link|iframe|object|embed|form|base)\b|\son[a-z]+=|\ssrc=|url\(|@import|style="`).FindAllString(strings.ReplaceAll(out, " src=x onerror=alert(2)&gt;", ""), -1)); n > 0 {
		t.Errorf("%d things that load or run:\n%s", n, out)
	}
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(out)
	css := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(out)
	if policy == nil || css == nil {
		t.Fatal(out)
	}
	sum := sha256.Sum256([]byte(css[1]))
	if got := html.UnescapeString(policy[1]); !strings.HasPrefix(got, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"';") {
		t.Error(got)
	}
	for _, want := range []string{"<svg", "T1537", "Exfiltration", "Command and Control", "2026-03-01 10:00:00", "logs/a b", "Take the permission away"} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q", want)
		}
	}
	if nothing := written(t, HTML, nil); !strings.Contains(nothing, "Nothing suspicious") || strings.Contains(nothing, "<svg") {
		t.Error(nothing)
	}
}

func TestSARIF(t *testing.T) {
	var doc struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Taxonomies []struct{ Taxa []struct{ ID string } }
			Results    []struct {
				RuleID    string `json:"ruleId"`
				RuleIndex int    `json:"ruleIndex"`
				Level     string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct {
							StartLine  int  `json:"startLine"`
							ByteOffset *int `json:"byteOffset"`
						}
					} `json:"physicalLocation"`
				}
				RelatedLocations []any             `json:"relatedLocations"`
				Fingerprints     map[string]string `json:"partialFingerprints"`
			}
		}
	}
	found := three()
	if err := json.Unmarshal([]byte(written(t, SARIF, found)), &doc); err != nil {
		t.Fatal(err)
	}
	run := doc.Runs[0]
	if doc.Version != "2.1.0" || len(run.Results) != 3 || len(run.Taxonomies) != 1 || len(run.Taxonomies[0].Taxa) < 2 {
		t.Fatalf("%+v", doc)
	}
	for i, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID || r.Fingerprints["sumunFindingId/v1"] != found[i].ID {
			t.Errorf("%+v", r)
		}
	}
	first, second := run.Results[0], run.Results[1]
	if at := first.Locations[0].PhysicalLocation; first.Level != "error" || !strings.HasPrefix(at.ArtifactLocation.URI, "logs/a%20b") || at.Region.StartLine != 7 || len(first.RelatedLocations) != 1 {
		t.Errorf("%+v", first)
	}
	if at := second.Locations[0].PhysicalLocation; at.ArtifactLocation.URI != "stdin" || *at.Region.ByteOffset != 12 {
		t.Errorf("%+v", second)
	}
}

func TestOCSF(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(written(t, OCSF, three())), "\n")
	if len(lines) != 3 {
		t.Fatal(lines)
	}
	var o struct {
		Class    int   `json:"class_uid"`
		Type     int   `json:"type_uid"`
		Severity int   `json:"severity_id"`
		Time     int64 `json:"time"`
		Info     struct {
			UID     string
			Attacks []struct {
				Technique struct{ UID string }
				Tactic    struct{ UID string }
			}
		} `json:"finding_info"`
		Evidences []struct {
			Data  finding.Evidence
			API   struct{ Operation string }
			Src   struct{ IP string } `json:"src_endpoint"`
			Actor struct{ User struct{ Name string } }
		}
	}
	if err := json.Unmarshal([]byte(lines[0]), &o); err != nil {
		t.Fatal(err)
	}
	if o.Class != 2004 || o.Type != 200401 || o.Severity != 4 || o.Time != time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC).UnixMilli() || o.Info.Attacks[0].Technique.UID != "T1537" || o.Info.Attacks[0].Tactic.UID != "TA0010" {
		t.Errorf("%s", lines[0])
	}
	if e := o.Evidences; len(e) != 2 || e[0].Data.Line != 7 || e[1].Data.Line != 9 || e[0].API.Operation != "ModifyImageAttribute" || e[0].Src.IP != "198.51.100.7" || e[0].Actor.User.Name != hostile {
		t.Errorf("%s", lines[0])
	}
}

// Every type of the catalogue has a place in the matrix, and few say no aim.
func TestTactics(t *testing.T) {
	for _, k := range finding.Kinds() {
		f := &finding.Finding{Suspicion: finding.Suspicion{Type: k.Type}}
		purpose, _, _ := strings.Cut(k.Type, ":")
		if tactic := TacticOf(f); tactic.ID == "" && purpose != "Policy" && purpose != "Behavior" && purpose != "Object" && purpose != "AttackSequence" {
			t.Errorf("%s: %+v", k.Type, tactic)
		}
	}
}

func TestPlain(t *testing.T) {
	for s, want := range map[string]string{
		"plain é": "plain é", "a\tb\nc": `a\tb\nc`, "\x1b[31m": `\x1b[31m`, "\u202egnp": `\u202egnp`, "\u009b1m": `\u009b1m`, "\x9b1m": "\ufffd1m",
	} {
		if got := Plain(s); got != want {
			t.Errorf("%q: %q", s, got)
		}
	}
}
