package detect

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sumun.dev/detect/source/kube"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// did is a call of a user on a day of March.
func did(user string, day, minute int, service, operation, ip, request string) *record.Record {
	return &record.Record{
		Class: record.APIActivity, Time: time.Date(2026, 3, day, 9, minute, 0, 0, time.UTC), Account: "111122223333", Region: "eu-west-1",
		ID: fmt.Sprintf("%s-%d-%d-%s", user, day, minute, operation),
		API: &record.API{
			Service: service + ".amazonaws.com", Operation: operation, Type: "AwsApiCall", Management: true, IP: netip.MustParseAddr(ip), Source: ip, Agent: "Boto3/1.34 os/linux",
			Request: record.NewDocument([]byte(request)),
			Actor:   record.Actor{Type: "IAMUser", ARN: "arn:aws:iam::111122223333:user/" + user, Name: user, Account: "111122223333", AccessKey: "AKIA" + user},
		},
	}
}

const share = `{"snapshotId":"snap-%d","createVolumePermission":{"add":{"items":[{"userId":"%s"}]}}}`

func told(e *Engine, r *record.Record) (out []finding.Suspicion) {
	e.See(r, func(s finding.Suspicion) { out = append(out, s) })
	return out
}

func TestHabitsLowerSuspicion(t *testing.T) {
	e := engine(t)
	for day := 1; day <= 20; day++ {
		e.Learn(did("ann", day, 0, "ec2", "DescribeInstances", "203.0.113.7", `{}`))
		if day%3 == 0 {
			e.Learn(did("ann", day, 1, "ec2", "ModifySnapshotAttribute", "203.0.113.7", fmt.Sprintf(share, day, "444455556666")))
		}
	}
	for _, c := range []struct {
		why  string
		r    *record.Record
		want float64 // 0: nothing is told
	}{
		{"what ann does every third day", did("ann", 21, 0, "ec2", "ModifySnapshotAttribute", "203.0.113.7", fmt.Sprintf(share, 1, "444455556666")), 0},
		{"another account is let in", did("ann", 23, 0, "ec2", "ModifySnapshotAttribute", "203.0.113.7", fmt.Sprintf(share, 1, "777788889999")), 6},
		{"ann's habit from a place where nobody works", did("ann", 25, 0, "ec2", "ModifySnapshotAttribute", "198.51.100.7", fmt.Sprintf(share, 1, "444455556666")), 5},
		{"bob has no such habit", did("bob", 27, 0, "ec2", "ModifySnapshotAttribute", "203.0.113.7", fmt.Sprintf(share, 1, "777788889999")), 8},
	} {
		got := told(e, c.r)
		level := 0.0
		if len(got) == 1 {
			level = got[0].Severity
		}
		if len(got) > 1 || level != c.want {
			t.Errorf("%s: %v, not %v (%d told)", c.why, level, c.want, len(got))
		}
	}
}

func TestABurstIsNoHabit(t *testing.T) {
	e := engine(t)
	all := []*record.Record{}
	for day := 1; day <= 20; day++ {
		all = append(all, did("ann", day, 0, "ec2", "DescribeInstances", "203.0.113.7", `{}`))
	}
	for n := range 30 {
		all = append(all, did("ann", 10, n, "ec2", "ModifySnapshotAttribute", "203.0.113.7", fmt.Sprintf(share, n, "777788889999")))
	}
	for _, r := range all {
		e.Learn(r)
	}
	if got := told(e, all[len(all)-1]); len(got) != 1 || got[0].Severity != 6 {
		t.Errorf("%+v", got)
	}
}

func TestKinIsLetIn(t *testing.T) {
	e := engine(t)
	other := did("ann", 1, 0, "ec2", "DescribeInstances", "203.0.113.7", `{}`)
	other.Account = "444455556666"
	told(e, other)
	kin := told(e, did("ann", 1, 1, "ec2", "ModifySnapshotAttribute", "203.0.113.7", fmt.Sprintf(share, 1, "444455556666")))
	if len(kin) != 1 || kin[0].Severity >= 4 || !kin[0].API.Affiliated {
		t.Errorf("%+v", kin)
	}
	// A stranger does not come in beside kin.
	both := told(engineWith(t, e), did("eve", 1, 1, "ec2", "ModifySnapshotAttribute", "203.0.113.7",
		`{"snapshotId":"snap-1","createVolumePermission":{"add":{"items":[{"userId":"444455556666"},{"userId":"777788889999"}]}}}`))
	if len(both) != 1 || both[0].Severity < 4 || both[0].API.Affiliated {
		t.Errorf("%+v", both)
	}
}

// Where accounts of several owners are watched, it is said who belongs together.
func TestWhoIsWatchedTooIsNotTherebyKin(t *testing.T) {
	var asked [][2]aws.Account
	e := NewEngine(Options{Kin: func(owner, other aws.Account) bool {
		asked = append(asked, [2]aws.Account{owner, other})
		return other == "444455556666"
	}})
	stranger := did("ann", 1, 0, "ec2", "DescribeInstances", "203.0.113.7", `{}`)
	stranger.Account = "777788889999"
	told(e, stranger)
	for n, c := range []struct {
		with aws.Account
		kin  bool
	}{{"777788889999", false}, {"444455556666", true}} {
		got := told(e, did("ann", 1, n+1, "ec2", "ModifySnapshotAttribute", "203.0.113.7", fmt.Sprintf(share, n, string(c.with))))
		if len(got) != 1 || got[0].API.Affiliated != c.kin || (got[0].Severity < 4) != c.kin {
			t.Errorf("%s: %+v", c.with, got)
		}
	}
	for _, a := range asked {
		if a[0] != "111122223333" {
			t.Errorf("asked of %s", a[0])
		}
	}
}

// engineWith returns another engine that remembers what e does.
func engineWith(t *testing.T, e *Engine) *Engine {
	next := engine(t)
	kept, err := e.Save("111122223333")
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Load("111122223333", kept); err != nil {
		t.Fatal(err)
	}
	return next
}

func TestSignalsOfOneActorMakeASequence(t *testing.T) {
	e := engine(t)
	made := did("eve", 1, 0, "iam", "CreateUser", "198.51.100.7", `{"userName":"svc"}`)
	steps := []*record.Record{
		made,
		did("eve", 1, 1, "iam", "AttachUserPolicy", "198.51.100.7", `{"userName":"svc","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`),
		// The user that eve made goes on.
		did("svc", 1, 2, "cloudtrail", "StopLogging", "198.51.100.9", `{"name":"main"}`),
		did("svc", 1, 3, "ec2", "ModifySnapshotAttribute", "198.51.100.9", fmt.Sprintf(share, 1, "777788889999")),
	}
	var seq *finding.Suspicion
	for i, r := range steps {
		if i == 2 {
			e = engineWith(t, e)
		}
		for _, s := range told(e, r) {
			if s.Sequence != nil {
				seq = &s
			}
		}
	}
	if seq == nil {
		t.Fatal("no sequence")
	}
	if seq.Type != onCredentials || seq.Caller.Principal != "arn:aws:iam::111122223333:user/eve" || len(seq.Sequence.Signals) != 3 || len(seq.Evidence) != 3 || len(seq.Sequence.Endpoints) != 2 || len(seq.Sequence.Indicators["ATTACK_TACTIC"]) != 3 {
		t.Errorf("%+v\n%+v", seq, seq.Sequence)
	}
	if _, err := finding.Encode((&finding.Finding{Suspicion: *seq}).GuardDuty()); err != nil {
		t.Error(err)
	}
}

// works lets tf be known for a work of many different calls, on five of twenty days.
func works(e *Engine) {
	for day := 1; day <= 20; day++ {
		e.Learn(did("ann", day, 0, "ec2", "DescribeInstances", "203.0.113.7", `{}`))
		for n := range 30 {
			if day%4 > 0 {
				break
			}
			e.Learn(did("tf", day, n, "sqs", fmt.Sprintf("CreateQueue%d", n), "203.0.113.7", `{}`))
		}
	}
}

// attack is what makes a sequence.
func attack(user, ip string, day int) []*record.Record {
	return []*record.Record{
		did(user, day, 41, "iam", "AttachUserPolicy", ip, `{"userName":"svc","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`),
		did(user, day, 42, "cloudtrail", "StopLogging", ip, `{"name":"main"}`),
		did(user, day, 43, "ec2", "ModifySnapshotAttribute", ip, fmt.Sprintf(share, 1, "777788889999")),
	}
}

// Those who deploy a whole system do many things that look bad for once. To do
// as much before an attack hides nothing, unless it is what one is known for.
func TestWhoIsBusyMakesNoSequence(t *testing.T) {
	for _, c := range []struct {
		why, user, ip string
		calls         int // different ones
		sequence      bool
	}{
		{"who is known to deploy", "tf", "203.0.113.7", 30, false},
		{"the same, one call again and again", "tf", "203.0.113.7", 1, true},
		{"the same, from elsewhere", "tf", "198.51.100.7", 30, true},
		{"nobody is known", "eve", "203.0.113.7", 30, true},
		{"nobody is known, cheap calls", "eve", "203.0.113.7", 1, true},
	} {
		e := engine(t)
		works(e)
		var all []*record.Record
		for n := range 400 {
			all = append(all, did(c.user, 25, n/10, "sqs", fmt.Sprintf("CreateQueue%d", n%c.calls), c.ip, `{}`))
		}
		sequences := 0
		for i, r := range append(all, attack(c.user, c.ip, 25)...) {
			if i == 200 {
				e = engineWith(t, e)
			}
			for _, s := range told(e, r) {
				if s.Sequence != nil {
					sequences++
				}
			}
		}
		if (sequences > 0) != c.sequence {
			t.Errorf("%s: %d sequences", c.why, sequences)
		}
	}
}

// Where nothing is learnt yet, four hundred cheap writes take nothing from an attack.
func TestCheapWritesHideNothing(t *testing.T) {
	worst := func(writes int) (worst float64) {
		e := engine(t)
		for n := range writes {
			told(e, did("eve", 1, n/10, "ec2", "CreateTags", "198.51.100.7", `{}`))
		}
		for _, r := range attack("eve", "198.51.100.7", 1) {
			for _, s := range told(e, r) {
				worst = max(worst, s.Severity)
			}
		}
		return worst
	}
	if bare, hidden := worst(0), worst(400); bare != critical || hidden != bare {
		t.Errorf("%v without them, %v with", bare, hidden)
	}
}

// Logs may name any number of accounts: those that were quiet longest are forgotten.
func TestAccountsAreBounded(t *testing.T) {
	e := NewEngine(Options{Rules: []*rule.Rule{{Name: "none", Class: record.DNSActivity}}})
	account := func(i int) aws.Account { return aws.Account(fmt.Sprintf("%012d", i)) }
	for i := range maxKnown + 10 {
		e.See(&record.Record{Class: record.NetworkActivity, Account: account(i)}, nil)
	}
	if n := e.parts.Len(); n != maxKnown {
		t.Errorf("%d accounts are remembered", n)
	}
	first, err := e.Save(account(0))
	last, err2 := e.Save(account(maxKnown + 9))
	if err != nil || err2 != nil || first != nil || last == nil {
		t.Errorf("the first is remembered (%t, %v), or the last is not (%t, %v)", first != nil, err, last != nil, err2)
	}
}

func TestActorsAreBounded(t *testing.T) {
	a := newActors()
	for n := range maxActors + 100 {
		r := did(fmt.Sprint("u", n), 1, 0, "iam", "CreateUser", "203.0.113.7", fmt.Sprintf(`{"userName":"x%d"}`, n))
		a.act(r, func() bool { return true })
	}
	if len(a.by) > maxActors || len(a.made) > maxMade || a.quiet.Len() != len(a.by) || a.old.Len() != len(a.made) {
		t.Errorf("%d actors, %d made", len(a.by), len(a.made))
	}
}

func FuzzActors(f *testing.F) {
	a := newActors()
	r := did("eve", 1, 0, "iam", "CreateUser", "203.0.113.7", `{"userName":"x"}`)
	a.act(r, func() bool { return true })
	a.signal("eve", &finding.Suspicion{Type: "A:B/C", At: r.Time, Caller: &finding.Caller{}}, 5)
	b, err := a.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"Actors":[null]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := newActors()
		if a.UnmarshalBinary(b) == nil {
			a.act(r, func() bool { return true })
			a.signal("eve", &finding.Suspicion{Type: "A:B/C", At: r.Time, Caller: &finding.Caller{}}, 5)
		}
	})
}

func TestWhatIsAttackedNamesTheSequence(t *testing.T) {
	e := engine(t)
	var types []string
	see := func(r *record.Record) {
		for _, s := range told(e, r) {
			if s.Sequence != nil {
				types = append(types, s.Type)
				if s.Type == onData && (len(s.Buckets) != 1 || s.Buckets[0].Name != "crown-jewels" || len(s.Sequence.Resources) != 1) {
					t.Errorf("%+v", s)
				}
			}
		}
	}
	see(did("mallory", 1, 0, "cloudtrail", "StopLogging", "198.51.100.7", `{"name":"main"}`))
	see(did("mallory", 1, 5, "iam", "AttachUserPolicy", "198.51.100.7", `{"userName":"x","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`))
	see(did("mallory", 1, 9, "s3", "PutBucketPolicy", "198.51.100.7", `{"bucketName":"crown-jewels","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::crown-jewels/*"}]}}`))
	if !slices.Equal(types, []string{onData}) {
		t.Errorf("%q", types)
	}
}

// TestASequenceInACluster joins what one user of a cluster did; less than four
// signals are also those of who sets it up.
func TestASequenceInACluster(t *testing.T) {
	e, sequences := engine(t), 0
	for i, name := range []string{"kubesecretslisted", "kuberolewild", "kubecredential", "kubenodesproxy"} {
		b, err := os.ReadFile("rule/" + name + "/hit.jsonl")
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := bytes.Cut(b, []byte("\n"))
		r, err := kube.Read(line)
		if err != nil {
			t.Fatal(err)
		}
		r.Account = "111122223333"
		for _, s := range told(e, r) {
			if s.Sequence == nil {
				continue
			}
			if sequences++; i < 3 || s.Type != onCluster || s.Severity != critical || len(s.Evidence) < 4 || !slices.Contains(s.Sequence.Actors, "ann") {
				t.Errorf("after %d signals %+v", i+1, s)
			}
		}
	}
	if sequences != 1 {
		t.Errorf("%d sequences", sequences)
	}
}
