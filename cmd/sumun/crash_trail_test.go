package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/iamapi"
)

// The program is killed several times while somebody gives rights away. Each call
// that is on record counts once in its finding.
func TestFindingsOfTheTrailSurviveKill(t *testing.T) {
	p := newProgram(t, crashConfig)
	p.start()
	defer func() { p.kill() }()
	must(p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "backup"})
	detector := *must(p, &guarddutyapi.CreateDetector, &guarddutyapi.CreateDetectorRequest{Enable: true}).DetectorId
	for range 4 {
		var writer sync.WaitGroup
		answered, once := make(chan struct{}), sync.Once{}
		writer.Go(func() {
			defer once.Do(func() { close(answered) })
			for {
				_, err := call(p, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "backup", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess"})
				if err != nil {
					return // killed
				}
				once.Do(func() { close(answered) })
			}
		})
		<-answered // however slow the machine is, each life has a call
		time.Sleep(rand.N(300 * time.Millisecond))
		p.kill()
		writer.Wait()
		p.start()
	}
	must(p, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: new("backup")})
	var state string
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if state = p.rightsFound(detector); state == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(state)
		}
	}
}

// rightsFound says how what is found differs from what is on record, "" for not at
// all.
func (p *program) rightsFound(detector string) string {
	p.t.Helper()
	records := map[string]bool{}
	for next := (*string)(nil); ; {
		out := must(p, &cloudtrailapi.LookupEvents, &cloudtrailapi.LookupEventsRequest{NextToken: next, LookupAttributes: []cloudtrailapi.LookupAttribute{
			{AttributeKey: cloudtrailapi.LookupAttributeKeyEventName, AttributeValue: "AttachUserPolicy"},
		}})
		for _, e := range out.Events {
			if !strings.Contains(*e.CloudTrailEvent, `"errorCode"`) {
				records[*e.EventId] = true
			}
		}
		if next = out.NextToken; next == nil {
			break
		}
	}
	ids := must(p, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: detector}).FindingIds
	if len(ids) == 0 {
		return "no findings"
	}
	given, key := 0, false
	for _, f := range must(p, &guarddutyapi.GetFindings, &guarddutyapi.GetFindingsRequest{DetectorId: detector, FindingIds: ids}).Findings {
		switch {
		case f.Type == "PrivilegeEscalation:IAM/AccountManipulation":
			given += int(*f.Service.Count)
		case f.Type == "Persistence:IAM/AccountManipulation":
			key = true
		}
	}
	if len(records) < 4 || given != len(records) || !key {
		return fmt.Sprintf("%d calls are on record, %d are counted; the key is found: %t", len(records), given, key)
	}
	return ""
}
