package finding

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

var update = flag.Bool("update", false, "rewrite golden files")

var (
	home  = Home{Partition: "aws", Account: "111122223333", Region: "us-east-1", Detector: "0123456789abcdef0123456789abcdef"}
	noon  = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	query = Suspicion{
		Type: CommandAndControlDNS, At: noon,
		Instance: Instance{ID: "i-0123456789abcdef0", VPC: "vpc-0a1b2c3d", Address: netip.MustParseAddr("10.0.0.7")},
		DNS:      &DNSRequest{Domain: "www.guarddutyc2activityb.com", Protocol: "UDP"},
		Threat:   Threat{List: "Built-in test domains", Entry: "guarddutyc2activityb.com", Names: []string{"TestDomain"}},
	}
)

// golden compares JSON with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, got, "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s: got\n%s", name, b.Bytes())
	}
}

func TestViews(t *testing.T) {
	f := Open(home, query, noon.Add(time.Second))
	f.Again(query, noon.Add(time.Minute))
	b, err := Encode(f.GuardDuty())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "guardduty.json", b)
	e, err := f.Published(home.Account, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "event.json", e.Data)
	if b, err = encodeASFF(ASFF(f.GuardDuty())); err != nil {
		t.Fatal(err)
	}
	golden(t, "asff.json", b)
	if _, err := wire.DecodeJSONDocument(&securityhubapi.BatchImportFindings, b); err != nil {
		t.Errorf("Security Hub would refuse it: %v", err)
	}
	if b, err = EncodeASFF(f); err != nil {
		t.Fatal(err)
	}
	golden(t, "own.json", b)
}

func TestEncodeAndBack(t *testing.T) {
	f := Open(home, query, noon)
	a, err := Encode(f.GuardDuty())
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(a)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Encode(back)
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("%s\n%s %v", a, b, err)
	}
	for _, bad := range []string{"", "{", `{}]}{"findings":[{}`, "[]", "3"} {
		if got, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%q: got %+v", bad, got)
		}
	}
}

func TestWhatAddsUpToOneFinding(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *Suspicion, h *Home)
		same   bool
	}{
		{"nothing", func(*Suspicion, *Home) {}, true},
		{"later", func(s *Suspicion, _ *Home) { s.At = s.At.Add(time.Hour) }, true},
		{"other name of the same entry", func(s *Suspicion, _ *Home) { s.DNS = &DNSRequest{Domain: "x.guarddutyc2activityb.com"} }, true},
		{"other entry", func(s *Suspicion, _ *Home) { s.Threat.Entry = "other.example" }, false},
		{"other instance", func(s *Suspicion, _ *Home) { s.Instance.ID = "i-00000000000000001" }, false},
		{"other type", func(s *Suspicion, _ *Home) { s.Type = BitcoinToolDNS }, false},
		{"other account", func(_ *Suspicion, h *Home) { h.Account = "444455556666" }, false},
		{"other region", func(_ *Suspicion, h *Home) { h.Region = "eu-west-1" }, false},
	} {
		s, h := query, home
		c.change(&s, &h)
		if got := s.In(h) == query.In(home); got != c.same {
			t.Errorf("%s: the same finding: %t", c.name, got)
		}
	}
}

func TestAgainWithEventsOutOfOrder(t *testing.T) {
	f := Open(home, query, noon)
	old := query
	old.At, old.DNS = noon.Add(-time.Hour), &DNSRequest{Domain: "old.guarddutyc2activityb.com"}
	f.Again(old, noon.Add(time.Second))
	if f.Count != 2 || !f.FirstSeen.Equal(old.At) || !f.LastSeen.Equal(noon) || f.DNS.Domain != query.DNS.Domain || !f.Updated.Equal(noon.Add(time.Second)) {
		t.Errorf("%+v", f)
	}
}

func TestSeverityLabels(t *testing.T) {
	for n, want := range map[float64]securityhubapi.SeverityLabel{0: "INFORMATIONAL", 1: "LOW", 3.9: "LOW", 4: "MEDIUM", 6.9: "MEDIUM", 7: "HIGH", 8.9: "HIGH", 9: "CRITICAL", 10: "CRITICAL"} {
		if got, _ := severity(n); got != want {
			t.Errorf("%v: %s, want %s", n, got, want)
		}
	}
}

func TestTold(t *testing.T) {
	f := Open(home, query, noon)
	e, err := f.Told(Created)
	if err != nil {
		t.Fatal(err)
	}
	if e.Stream != aws.FindingsStream || e.Type != "guardduty" || e.Account != home.Account || e.Region != home.Region || e.Attrs["id"] != f.ID || e.Attrs["action"] != "created" {
		t.Errorf("%+v", e)
	}
}

// A call of a Kubernetes API server is shown as GuardDuty does.
func TestKubernetesCall(t *testing.T) {
	f := Open(home, Suspicion{
		Type: "Execution:Kubernetes/ExecInKubeSystemPod", At: noon, Kubernetes: &KubernetesDetails{Cluster: "prod", User: "ann"},
		KubeCall: &KubernetesCall{Verb: "create", URI: "/api/v1/namespaces/kube-system/pods/p/exec", Resource: "pods", Subresource: "exec", Namespace: "kube-system", Name: "p", Status: 101, Sources: []Remote{{Address: netip.MustParseAddr("198.51.100.7")}}},
	}, noon)
	a := f.GuardDuty().Service.Action
	if k := a.KubernetesApiCallAction; *a.ActionType != "KUBERNETES_API_CALL" || *k.Verb != "create" || *k.Subresource != "exec" || *k.ResourceName != "p" || *k.StatusCode != 101 || k.SourceIps[0] != "198.51.100.7" || *k.RemoteIpDetails.IpAddressV4 != "198.51.100.7" {
		t.Errorf("%+v", a)
	}
}
