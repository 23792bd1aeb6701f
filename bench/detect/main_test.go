package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/bench/detect/attack"
	"sumun.dev/bench/detect/generate"
	"sumun.dev/detect"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/finding"
)

// TestOrdinaryWorkIsNoAttack holds what was reached on two seeds that rules were
// bettered on: without learning at most two findings on 1,000 records and none
// above Medium, after it one on 10,000. Of other seeds README tells.
func TestOrdinaryWorkIsNoAttack(t *testing.T) {
	judged, found := 0, 0
	for seed := range uint64(2) {
		work := generate.Records(seed+1, 30)
		for i, m := range modes {
			o, err := m.judge(work)
			if err != nil {
				t.Fatal(err)
			}
			if o.severe() > 0 {
				t.Errorf("seed %d, %s: %d findings above Medium", seed+1, m.name, o.severe())
			}
			switch i {
			case 0:
				if per := 1000 * len(o.found) / o.judged; per >= 2 || len(o.found) < 10 {
					t.Errorf("seed %d, nothing learnt: %d findings on %d records", seed+1, len(o.found), o.judged)
				}
			case 2:
				judged, found = judged+o.judged, found+len(o.found)
			}
		}
	}
	if found*10000 > judged {
		t.Errorf("after learning %d findings on %d records", found, judged)
	}
}

func TestTheSameSeedGivesTheSameWork(t *testing.T) {
	one, two := generate.Records(7, 3), generate.Records(7, 3)
	if len(one) < 1000 || !slices.EqualFunc(one, two, bytes.Equal) {
		t.Errorf("%d records and %d", len(one), len(two))
	}
}

// stolenKey is what somebody does with the stolen key of a user, in the middle of
// ordinary weeks. Each step is to be found, also when all was learnt before.
func stolenKey(at time.Time) [][]byte {
	steps := []struct {
		api      string
		req, res string
	}{
		{"sts:GetCallerIdentity", `null`, `null`},
		{"iam:CreateUser", `{"userName":"backup-svc"}`, `{}`},
		{"iam:AttachUserPolicy", `{"userName":"backup-svc","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`, `null`},
		{"iam:CreateAccessKey", `{"userName":"backup-svc"}`, `{"accessKey":{"accessKeyId":"AKIANEWNEWNEWNEWNEWN"}}`},
		{"cloudtrail:StopLogging", `{"name":"main"}`, `null`},
		{"ec2:ModifySnapshotAttribute", `{"snapshotId":"snap-1","createVolumePermission":{"add":{"items":[{"userId":"999988887777"}]}}}`, `{}`},
	}
	var out [][]byte
	for i, s := range steps {
		service, operation, _ := strings.Cut(s.api, ":")
		out = append(out, fmt.Appendf(nil, `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDAERIK","arn":"arn:aws:iam::%s:user/erik","accountId":"%[1]s","accessKeyId":"AKIAERIK","userName":"erik"},"eventTime":"%s","eventSource":"%s.amazonaws.com","eventName":"%s","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.44","userAgent":"Boto3/1.35 md/Botocore#1.35 os/windows#10","requestParameters":%s,"responseElements":%s,"eventID":"attack-%d","readOnly":%t,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"%[1]s"}`,
			generate.Account, at.Add(time.Duration(i)*40*time.Second).Format(time.RFC3339), service, operation, s.req, s.res, i, strings.HasPrefix(operation, "Get")))
	}
	return out
}

func TestAnAttackAmongOrdinaryWorkIsFound(t *testing.T) {
	work := generate.Records(2, 30)
	var first struct{ EventTime time.Time }
	if err := json.Unmarshal(work[len(work)*3/4], &first); err != nil {
		t.Fatal(err)
	}
	at := len(work) * 3 / 4
	work = slices.Insert(work, at, stolenKey(first.EventTime)...)
	for _, m := range modes {
		o, err := m.judge(work)
		if err != nil {
			t.Fatal(err)
		}
		worst := map[string]float64{}
		for _, f := range o.found {
			if f.Caller != nil && strings.HasSuffix(f.Caller.Principal, "user/erik") {
				worst[strings.TrimSpace(f.Type+" "+f.Signal)] = f.Level()
			}
		}
		for name, least := range map[string]float64{
			"PrivilegeEscalation:IAM/AccountManipulation AdminPolicyAttached":       5,
			"Persistence:IAM/AccountManipulation IAMAccessKeyCreated":               2,
			"Stealth:IAMUser/CloudTrailLoggingDisabled CloudTrailLoggingDisabled":   5,
			"Exfiltration:EC2/TransferDataToCloudAccount EBSSnapshotExternalAccess": 8,
			"AttackSequence:IAM/CompromisedCredentials":                             9,
		} {
			if worst[name] < least {
				t.Errorf("%s: %s at %v, not %v", m.name, name, worst[name], least)
			}
		}
	}
}

// TestARestartChangesNothing stops in mid-stream, goes on with another engine,
// and finds the same.
func TestARestartChangesNothing(t *testing.T) {
	work := generate.Records(3, 4)
	var at struct{ EventTime time.Time }
	if err := json.Unmarshal(work[len(work)/2], &at); err != nil {
		t.Fatal(err)
	}
	story := stolenKey(at.EventTime)
	work = slices.Insert(work, len(work)/2, story...)
	run := func(restart bool) []byte {
		e := detect.NewEngine(detect.Options{})
		var out []finding.Suspicion
		for i, b := range work {
			r, err := cloudtrail.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			if restart && (i == len(work)/2 || i == len(work)/2+2) {
				next := detect.NewEngine(detect.Options{})
				for _, account := range []string{generate.Account, generate.Sister} {
					kept, err := e.Save(recipient(account))
					if err != nil || kept == nil {
						t.Fatal(account, err)
					}
					if err := next.Load(recipient(account), kept); err != nil {
						t.Fatal(err)
					}
				}
				e = next
			}
			e.Learn(r)
			e.See(r, func(s finding.Suspicion) { out = append(out, s) })
		}
		b, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	one, two := run(false), run(true)
	if !bytes.Equal(one, two) || !bytes.Contains(one, []byte("AttackSequence")) {
		t.Errorf("%d bytes of suspicions, %d after a restart", len(one), len(two))
	}
}

func recipient(account string) aws.Account { return aws.Account(account) }

// TestTechniquesAreFound holds what is found of the techniques of package attack, with
// names and places that no rule has seen.
func TestTechniquesAreFound(t *testing.T) {
	for name, judge := range map[string]func([]uint64) ([]*score, error){"alone": alone, "in the midst of work": inWork} {
		all, err := judge([]uint64{41, 42})
		if err != nil {
			t.Fatal(err)
		}
		right, tried := 0, 0
		for _, s := range all {
			right, tried = right+s.right, tried+s.tried
		}
		if len(all) < 160 || right*100 < tried*85 {
			t.Errorf("%s: a right finding in %d of %d tries of %d techniques", name, right, tried, len(all))
		}
	}
}

// TestNoRuleForgetsInARestart does the same with all techniques that CloudTrail tells,
// and stops in the middle of most of them: what every rule counts, and what was learnt
// by counting, goes on.
func TestNoRuleForgetsInARestart(t *testing.T) {
	work := generate.Records(5, 9)
	at := timeOf(work[len(work)-1]).Add(time.Hour)
	begun := len(work)
	victims, err := victims(work)
	if err != nil {
		t.Fatal(err)
	}
	var stops []int
	for i, technique := range attack.All() {
		if technique.Log != attack.CloudTrail {
			continue
		}
		v := victims[i%len(victims)]
		v.At = at.Add(time.Duration(i) * 2 * time.Minute)
		records := technique.Records(5, v)
		stops = append(stops, len(work)+(len(records)+1)/2)
		work = append(work, records...)
	}
	run := func(restart bool) []byte {
		e := detect.NewEngine(detect.Options{})
		var out []finding.Suspicion
		for i, b := range work {
			r, err := cloudtrail.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			if restart && i > begun && slices.Contains(stops, i) {
				next := detect.NewEngine(detect.Options{})
				for _, account := range []string{generate.Account, generate.Sister} {
					kept, err := e.Save(recipient(account))
					if err != nil || kept == nil {
						t.Fatal(account, err)
					}
					if err := next.Load(recipient(account), kept); err != nil {
						t.Fatal(err)
					}
				}
				e = next
			}
			e.Learn(r)
			e.See(r, func(s finding.Suspicion) { out = append(out, s) })
		}
		b, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	one, two := run(false), run(true)
	if !bytes.Equal(one, two) || bytes.Count(one, []byte(`"Rule"`)) < 100 {
		t.Errorf("%d bytes of suspicions, %d after %d restarts", len(one), len(two), len(stops))
	}
}
