package plane

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/api/guarddutyapi"
	"sumun.dev/store"
)

const sent = `{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDA1","arn":"arn:aws:iam::111122223333:user/ann","accountId":"111122223333","accessKeyId":"AKIA1","userName":"ann"},"eventTime":%q,"eventSource":"iam.amazonaws.com","eventName":"AttachUserPolicy","awsRegion":"us-east-1","sourceIPAddress":"198.51.100.7","userAgent":"x","eventID":"sent-%d","readOnly":false,"requestParameters":{"userName":"x","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"},"recipientAccountId":"111122223333"}`

// Logs from outside are judged as the plane's own are, and never pass for them.
func TestLogsFromOutside(t *testing.T) {
	p := node(t, "", nil)
	c := p.current.Load()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	made, err := byRoot(t, p, &guarddutyapi.CreateDetector, &guarddutyapi.CreateDetectorRequest{Enable: true})
	must(err)
	at := time.Now().UTC().Format(time.RFC3339)
	trail := fmt.Sprintf(sent, at, 1) + "\n" + fmt.Sprintf(sent, at, 2) + "\nrubbish\n"
	var flows strings.Builder
	flows.WriteString("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n")
	for port := range 40 {
		fmt.Fprintf(&flows, "2 111122223333 eni-1 10.0.0.1 198.51.100.99 40000 %d 6 1 40 %d %d REJECT OK\n", 1000+port, time.Now().Unix()+int64(port), time.Now().Unix()+int64(port)+1)
	}
	for range 2 { // a shipper sends again what it heard nothing of
		out, err := c.ingest(t.Context(), strings.NewReader(trail), store.Place{})
		must(err)
		if out.Records["CloudTrail"] != 2 || out.Unreadable != 1 || len(out.Why) != 1 {
			t.Errorf("%+v", out)
		}
		if out, err = c.ingest(t.Context(), strings.NewReader(flows.String()), store.Place{Region: "us-east-1"}); err != nil || out.Records["VPC flow log"] != 40 {
			t.Errorf("%+v %v", out, err)
		}
	}
	found := func() map[string]int32 {
		list, err := byRoot(t, p, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: *made.DetectorId})
		must(err)
		counts := map[string]int32{}
		if len(list.FindingIds) == 0 {
			return counts
		}
		all, err := byRoot(t, p, &guarddutyapi.GetFindings, &guarddutyapi.GetFindingsRequest{DetectorId: *made.DetectorId, FindingIds: list.FindingIds})
		must(err)
		for _, f := range all.Findings {
			counts[f.Type] += *f.Service.Count
		}
		return counts
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if got := found(); got["PrivilegeEscalation:IAM/AccountManipulation"] == 2 && got["Recon:EC2/Portscan"] > 0 {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("%v", got)
		}
	}
	out, err := byRoot(t, p, &cloudtrailapi.LookupEvents, &cloudtrailapi.LookupEventsRequest{LookupAttributes: []cloudtrailapi.LookupAttribute{{AttributeKey: cloudtrailapi.LookupAttributeKeyEventName, AttributeValue: "AttachUserPolicy"}}})
	must(err)
	if len(out.Events) != 0 {
		t.Error("what was sent in passes for the plane's own trail")
	}
}

// What cannot be taken in changes nothing, and says why.
func TestLogsThatAreRefused(t *testing.T) {
	c := node(t, "", nil).current.Load()
	const flow = "2 111122223333 eni-1 10.0.0.1 198.51.100.7 443 5000 6 10 840 1767261600 1767261660 ACCEPT OK\n"
	for name, x := range map[string]struct {
		content string
		at      store.Place
		says    string
	}{
		"no_region":     {flow, store.Place{}, "does not say whose it is"},
		"no_account":    {"srcaddr dstaddr srcport dstport protocol packets bytes start end action\n10.0.0.1 198.51.100.7 443 5000 6 10 840 1767261600 1767261660 ACCEPT\n", store.Place{Region: "us-east-1"}, "does not say whose it is"},
		"bad_region":    {flow, store.Place{Region: "../x"}, "is no region"},
		"bad_account":   {flow, store.Place{Account: "12", Region: "us-east-1"}, "12 digits"},
		"zip":           {"PK\x03\x04", store.Place{}, "zip"},
		"broken_gzip":   {"\x1f\x8b\x08\x00rubbish", store.Place{}, "cannot be read"},
		"unpacks_large": {strings.Repeat(" ", maxLog+1), store.Place{}, "send it in parts"},
	} {
		if out, err := c.ingest(t.Context(), strings.NewReader(x.content), x.at); err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}
