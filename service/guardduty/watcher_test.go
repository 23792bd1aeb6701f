package guardduty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/spine"
	"sumun.dev/store"
)

// A unit of work that fails leaves nothing; what comes again is counted once,
// whether or not the watcher has seen it before.
func TestAFailureBeforeTheCommit(t *testing.T) {
	for name, restart := range map[string]bool{"the_same_process": false, "another_process": true} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				d := w.detector()
				r := w.reading(0)
				record := []byte(`{"query_timestamp":"2026-01-01T00:00:00Z","query_name":"guarddutyc2activityb.com.","srcaddr":"10.0.0.7","transport":"UDP","srcids":{"instance":"i-1"}}`)
				for i := range uint64(2) {
					r.events = append(r.events, spine.Delivery{Position: i + 1, Event: aws.Event{ID: fmt.Sprint(i), Account: account, Region: "us-east-1", Time: time.Now(), Data: record}})
				}
				crash := errors.New("crash")
				err := w.store.Update(t.Context(), func(ctx context.Context) error {
					_, err := r.memory.Take(ctx, service.Batch{Events: r.events, Last: 2, In: func(p store.Place) context.Context { return within(ctx, p.Account, p.Region, "Take") }})
					return errors.Join(err, crash)
				})
				if !errors.Is(err, crash) || len(w.findings(d)) != 0 || len(w.events(aws.BusStream)) != 0 {
					t.Fatalf("%v: something is left", err)
				}
				if restart {
					w.begin()
					w.reading(0)
				} else {
					w.take(r, r.events)
				}
				if f := w.findings(d); len(f) != 1 || *f[0].Service.Count != 2 || len(w.events(aws.BusStream)) != 1 {
					t.Errorf("%d findings", len(f))
				}
			})
		})
	}
}

// A batch that is too much for one unit comes again in halves. What its second half
// showed is not lost with a process that dies between the two.
func TestADeathBetweenTwoHalves(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		r := w.reading(0)
		for i := range uint64(4) {
			record := fmt.Appendf(nil, `{"query_timestamp":"2026-01-01T00:00:00Z","query_name":"guarddutyc2activityb.com.","srcaddr":"10.0.0.7","transport":"UDP","srcids":{"instance":"i-%d"}}`, i)
			r.events = append(r.events, spine.Delivery{Position: i + 1, Event: aws.Event{ID: fmt.Sprint(i), Account: account, Region: "us-east-1", Time: time.Now(), Data: record}})
		}
		err := w.store.Update(t.Context(), func(ctx context.Context) error {
			_, err := r.memory.Take(ctx, service.Batch{Events: r.events, Last: 4, In: func(p store.Place) context.Context { return within(ctx, p.Account, p.Region, "Take") }})
			return errors.Join(err, store.ErrTooLarge)
		})
		if !errors.Is(err, store.ErrTooLarge) {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // it is time to save
		w.take(r, r.events[:2])
		w.begin()
		w.reading(0)
		if f := w.findings(d); len(f) != 4 {
			t.Errorf("%d findings, want one for each of 4 instances", len(f))
		}
	})
}

// stream is what happens in an account on some days: work, and now and then
// something that a rule needs several calls for.
func (w *world) stream(days int, random *rand.Rand, between func()) {
	w.t.Helper()
	users := []string{"ann", "bob", "eve"}
	for range days {
		for range 12 + random.IntN(8) {
			user := users[random.IntN(len(users))]
			identity := fmt.Sprintf(`{"type":"IAMUser","principalId":"AIDA%s","arn":"arn:aws:iam::111122223333:user/%[1]s","accountId":"111122223333","accessKeyId":"AKIA%[1]s","userName":"%[1]s"}`, user)
			agent, ip := "aws-cli/2.1", "198.51.100.7"
			if random.IntN(10) == 0 {
				agent, ip = fmt.Sprintf("tool%d/1", random.IntN(3)), fmt.Sprintf("203.0.113.%d", random.IntN(9))
			}
			calls := []string{
				`"iam.amazonaws.com","eventName":"CreateUser","requestParameters":{"userName":"x"}`,
				`"iam.amazonaws.com","eventName":"AttachUserPolicy","requestParameters":{"userName":"x","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`,
				`"iam.amazonaws.com","eventName":"CreateAccessKey","requestParameters":{"userName":"x"},"responseElements":{"accessKey":{"accessKeyId":"AKIAX"}}`,
				`"cloudtrail.amazonaws.com","eventName":"StopLogging","requestParameters":{"name":"main"}`,
				`"ec2.amazonaws.com","eventName":"DescribeInstances","readOnly":true`,
				`"secretsmanager.amazonaws.com","eventName":"GetSecretValue","readOnly":true,"requestParameters":{"secretId":"s%d"}`,
				`"ssm.amazonaws.com","eventName":"GetParameter","readOnly":true,"requestParameters":{"name":"s%d"}`,
			}
			var events []aws.Event
			for n := range 1 + random.IntN(9) {
				w.queries++
				what := calls[random.IntN(len(calls))]
				if strings.Contains(what, "%d") {
					what = fmt.Sprintf(what, n)
				}
				id := fmt.Sprintf("e%d", w.queries)
				events = append(events, aws.Event{Stream: aws.TrailStream, ID: id, Data: fmt.Appendf(nil, `{"userIdentity":%s,"eventTime":%q,"awsRegion":"us-east-1","sourceIPAddress":%q,"userAgent":%q,"eventID":%q,"eventSource":%s}`,
					identity, time.Now().UTC().Format(time.RFC3339), ip, agent, id, what)})
			}
			w.consumeAs(1, account, "us-east-1", events...)
			between()
			time.Sleep(time.Duration(random.IntN(8)) * time.Second)
		}
		w.advance(20 * time.Hour)
	}
}

// Who stops in mid-stream, at any place, and goes on finds the same: types, ids,
// counts, severities and what they rest on.
func TestAStopInMidStreamChangesNothing(t *testing.T) {
	var want []string
	restarts, again := 0, 0
	for _, stops := range []bool{false, true} {
		inWorld(t, func(w *world) {
			d := w.detector()
			// Ids of findings depend on the detector's.
			when, how := rand.New(rand.NewPCG(3, 4)), rand.New(rand.NewPCG(1, 2))
			w.stream(12, how, func() {
				if stops && when.IntN(4) == 0 {
					r := w.readings[1]
					again += len(r.events) - int(r.saved)
					w.begin()
					restarts++
				}
			})
			var got []string
			all := w.findings(d)
			for _, f := range all {
				b, err := json.Marshal(f.Service.AdditionalInfo.Value)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprint(f.Type, f.Severity, *f.Service.Count, *f.Service.EventFirstSeen, *f.Service.EventLastSeen, *f.Title, string(b)))
			}
			slices.Sort(got)
			if !stops {
				want = got
				return
			}
			if again < 100 {
				t.Errorf("%d events came again: nothing is proved", again)
			}
			if len(want) < 5 || !slices.Equal(got, want) {
				t.Errorf("%d findings after %d restarts, %d without:\n%s\n\n%s", len(got), restarts, len(want), strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// An event that the spine kept twice happened once; restarts do not matter.
func TestKeptTwiceIsCountedOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		w.query("guarddutyc2activityb.com")
		r := w.readings[0]
		again := r.events[0].Event
		w.consume(account, again)
		w.begin()
		w.consume(account, again)
		time.Sleep(time.Minute)
		w.query("www.example.com") // saves
		w.begin()
		w.consume(account, again)
		if f := w.findings(d); len(f) != 1 || *f[0].Service.Count != 1 {
			t.Errorf("%d findings", len(f))
		}
	})
}

func TestRecentForgetsTheOldest(t *testing.T) {
	var r recent
	for i := range maxRecent + 10 {
		if !r.add(fmt.Sprint(i)) {
			t.Fatalf("%d is not new", i)
		}
	}
	r = readRecent(r.bytes())
	if r.add(fmt.Sprint(10)) || r.add(fmt.Sprint(maxRecent+9)) {
		t.Error("what is recent is forgotten")
	}
	if !r.add("9") || !r.add("10") || r.add(fmt.Sprint(maxRecent+9)) || len(r.seen) != maxRecent {
		t.Error("the oldest is not the one that is forgotten")
	}
}

// What is damaged is learnt anew, and told; the watching goes on.
func TestWhatIsSavedIsDamaged(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		w.stream(2, rand.New(rand.NewPCG(1, 2)), func() {})
		err := w.store.Update(w.t.Context(), func(ctx context.Context) error {
			return w.service.parts.In(store.Place{Account: account}).Put(ctx, pieceKey(aws.TrailStream, 0), &part{[]byte("rubbish")})
		})
		if err != nil {
			t.Fatal(err)
		}
		before := len(w.findings(d))
		w.begin()
		w.stream(1, rand.New(rand.NewPCG(5, 6)), func() {})
		if before == 0 || len(w.findings(d)) < before {
			t.Errorf("%d findings, %d before", len(w.findings(d)), before)
		}
		must(w, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: d})
	})
}
