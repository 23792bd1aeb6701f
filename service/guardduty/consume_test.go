package guardduty

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/finding"
)

func TestAQueryForAListedDomainBecomesOneFindingThatOthersHearOf(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		w.query("example.com", "guarddutyc2activityb.com")
		all := w.findings(d)
		if len(all) != 1 {
			t.Fatalf("%d findings", len(all))
		}
		f := all[0]
		if f.Type != "Backdoor:EC2/C&CActivity.B!DNS" || f.Severity != 8 || *f.Service.Count != 1 || *f.Service.Action.DnsRequestAction.Domain != "guarddutyc2activityb.com" {
			b, _ := json.Marshal(f)
			t.Errorf("%s", b)
		}
		told := w.events(aws.FindingsStream)
		if len(told) != 1 || told[0].Attrs["action"] != "created" || told[0].Attrs["id"] != f.Id {
			t.Fatalf("%+v", told)
		}
		back, err := finding.Decode(told[0].Data)
		if err != nil || back.Id != f.Id {
			t.Errorf("%v %v", back, err)
		}
		bus := w.events(aws.BusStream)
		if len(bus) != 1 {
			t.Fatalf("%d events", len(bus))
		}
		e := asJSON(t, bus[0].Data)
		if e["source"] != "aws.guardduty" || e["detail-type"] != "GuardDuty Finding" || e["account"] != account || e["detail"].(map[string]any)["severity"] != 8.0 {
			t.Errorf("%s", bus[0].Data)
		}
	})
}

func TestTheSameAgainCountsAndIsToldAtTheDetectorsFrequency(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		w.query("guarddutyc2activityb.com")
		first := w.findings(d)[0]
		for range 3 {
			w.advance(time.Hour)
			w.query("guarddutyc2activityb.com", "www.guarddutyc2activityb.com")
		}
		f := w.findings(d)
		if len(f) != 1 || *f[0].Service.Count != 7 || f[0].Id != first.Id {
			t.Fatalf("%d findings", len(f))
		}
		if f[0].CreatedAt != "2026-01-01T00:00:00.000Z" || f[0].UpdatedAt != "2026-01-01T03:00:00.000Z" || *f[0].Service.EventLastSeen != f[0].UpdatedAt || *f[0].Service.EventFirstSeen != f[0].CreatedAt {
			t.Errorf("created %s, updated %s", f[0].CreatedAt, f[0].UpdatedAt)
		}
		if got := *f[0].Service.Action.DnsRequestAction.Domain; got != "www.guarddutyc2activityb.com" {
			t.Errorf("details are not those of the latest event: %s", got)
		}
		if n := len(w.events(aws.BusStream)); n != 1 {
			t.Errorf("told %d times before six hours are over", n)
		}
		w.advance(4 * time.Hour)
		if n := len(w.events(aws.BusStream)); n != 2 {
			t.Errorf("told %d times after six hours", n)
		}
		w.advance(24 * time.Hour)
		if n := len(w.events(aws.BusStream)); n != 2 {
			t.Errorf("told %d times though nothing happened", n)
		}
	})
}

func TestWhoIsNotWatchedHasNoFindings(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		w.queryAs(other, host, "guarddutyc2activityb.com") // has no detector
		w.queryAs(account, "", "guarddutyc2activityb.com") // nobody knows who asks
		if n := len(w.findings(d)); n != 0 {
			t.Errorf("%d findings", n)
		}
	})
}

// made has somebody make a user.
func (w *world) made(who aws.Account, region aws.Region, identity string) {
	w.t.Helper()
	w.queries++
	id := fmt.Sprint(w.queries)
	record := fmt.Sprintf(`{"userIdentity":%s,"eventTime":%q,"eventSource":"iam.amazonaws.com","eventName":"AttachUserPolicy","awsRegion":%q,"sourceIPAddress":"198.51.100.7","eventID":%q,"readOnly":false,"requestParameters":{"userName":"x","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}}`,
		identity, time.Now().UTC().Format(time.RFC3339), region, id)
	w.consumeAs(1, who, region, aws.Event{Stream: aws.TrailStream, ID: id, Account: who, Region: region, Time: time.Now(), Data: []byte(record)})
}

func TestCallsAreJudgedWhereADetectorIsEnabled(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		const user, guard = `{"type":"IAMUser","principalId":"AIDA1","arn":"arn:aws:iam::111122223333:user/ann","accountId":"111122223333","userName":"ann"}`, `{"type":"AWSService","invokedBy":"guardduty.amazonaws.com"}`
		w.made(account, "us-east-1", guard)   // its own deeds are no threat
		w.made(account, "eu-central-1", user) // nobody watches there
		w.made(other, "us-east-1", user)      // nor there
		if n := len(w.findings(d)); n != 0 {
			t.Fatalf("%d findings", n)
		}
		w.made(account, "us-east-1", user)
		w.made(account, "us-east-1", user)
		all := w.findings(d)
		if len(all) != 1 || *all[0].Service.Count != 2 || all[0].Region != "us-east-1" || *all[0].Resource.AccessKeyDetails.UserName != "ann" {
			t.Fatalf("%d findings", len(all))
		}
		must(w, &guarddutyapi.UpdateDetector, &guarddutyapi.UpdateDetectorRequest{DetectorId: d, Enable: new(false)})
		w.made(account, "us-east-1", user)
		if all := w.findings(d); *all[0].Service.Count != 2 {
			t.Error("a suspended detector counts")
		}
		if len(w.events(aws.FindingsStream)) != 1 {
			t.Error("it was not told once")
		}
	})
}

func TestMalformedRecordsAreCountedAndSkipped(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		for i, bad := range []string{"", "{", "[]", "null", `{"query_name":3}`, `{"query_name":"a.example."}`, `{"query_timestamp":"yesterday","query_name":"a.example."}`} {
			w.consume(account, aws.Event{ID: fmt.Sprint("bad", i), Data: []byte(bad)})
			w.consumeAs(1, account, "us-east-1", aws.Event{ID: fmt.Sprint("bad", i), Data: []byte(bad)})
		}
		if n := w.service.Malformed(); n != 14 {
			t.Errorf("%d counted", n)
		}
		w.query("guarddutyc2activityb.com")
		if n := len(w.findings(d)); n != 1 {
			t.Errorf("%d findings", n)
		}
	})
}

func TestArchivingIsAChangeToo(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		w.query("guarddutyc2activityb.com")
		w.advance(60 * 24 * time.Hour)
		must(w, &guarddutyapi.ArchiveFindings, &guarddutyapi.ArchiveFindingsRequest{DetectorId: d, FindingIds: []string{w.findings(d)[0].Id}})
		w.advance(89 * 24 * time.Hour)
		if len(w.findings(d)) != 1 {
			t.Error("forgotten too soon")
		}
		w.advance(2 * 24 * time.Hour)
		if len(w.findings(d)) != 0 {
			t.Error("kept too long")
		}
	})
}

func TestFindingsAreForgottenAfterNinetyQuietDays(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		w.query("guarddutyc2activityb.com")
		w.advance(60 * 24 * time.Hour)
		w.query("guarddutyc2activityb.com")
		w.advance(89 * 24 * time.Hour)
		if len(w.findings(d)) != 1 {
			t.Error("forgotten too soon")
		}
		w.advance(2 * 24 * time.Hour)
		if len(w.findings(d)) != 0 {
			t.Error("kept too long")
		}
	})
}
