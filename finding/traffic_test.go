package finding

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"
)

func TestConnectionsAndProbes(t *testing.T) {
	c := Connection{
		Inbound: true, Blocked: true, Protocol: "TCP", LocalPort: 22, Interface: "eni-1", Local: netip.MustParseAddr("10.0.0.7"),
		Remote: Remote{Address: netip.MustParseAddr("198.51.100.9"), Port: 40000, Country: "NL", ASN: 64500, ASOrg: "Example Net"},
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	action := func(s Suspicion) (map[string]any, string, string) {
		s.At, s.Instance = at, Instance{Address: c.Local}
		f := Open(Home{Partition: "aws", Account: "111122223333", Region: "us-east-1"}, s, at).GuardDuty()
		b, err := Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		var out struct {
			Service struct{ Action map[string]any }
		}
		if err := json.Unmarshal(b, &out); err != nil {
			t.Fatal(err)
		}
		return out.Service.Action, *f.Title, *f.Service.AdditionalInfo.Value
	}
	a, title, _ := action(Suspicion{Type: SSHBruteForce, Connection: &c})
	n, _ := a["networkConnectionAction"].(map[string]any)
	if a["actionType"] != "NETWORK_CONNECTION" || n["connectionDirection"] != "INBOUND" || n["blocked"] != true || n["localPortDetails"].(map[string]any)["portName"] != "SSH" ||
		n["remoteIpDetails"].(map[string]any)["organization"].(map[string]any)["asn"] != "64500" || title != "EC2 instance 10.0.0.7 is part of SSH brute force attacks." {
		t.Errorf("%v, %s", a, title)
	}
	a, _, info := action(Suspicion{Type: PortProbed, Probe: &PortProbe{Ports: []Connection{c}}, Notes: map[string]string{"context": "x"}, Threat: Threat{List: "scanners"},
		Evidence: []Evidence{{ID: "7f", File: "trail", Offset: 9}, {File: "flow.log", Line: 3, Offset: 120}, {File: "flow.parquet", Offset: 4}}})
	p, _ := a["portProbeAction"].(map[string]any)
	if a["actionType"] != "PORT_PROBE" || len(p["portProbeDetails"].([]any)) != 1 || info != `{"context":"x","evidence":["7f","flow.log:3","flow.parquet@4"],"threatListName":"scanners"}` {
		t.Errorf("%v, %s", a, info)
	}
}
