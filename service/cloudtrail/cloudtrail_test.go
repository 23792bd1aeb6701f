package cloudtrail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/memory"
)

const (
	account = aws.Account("111122223333")
	region  = aws.Region("eu-central-1")
)

// A world is CloudTrail with a real store.
type world struct {
	t       testing.TB
	store   *store.Store
	service *Service
}

func newWorld(t testing.TB) *world {
	s := store.Open(memory.New(), seal.NewRoot(seal.GenerateKey()))
	return &world{t, s, New(service.Env{Store: s, Log: slog.New(slog.DiscardHandler)})}
}

// inWorld runs a test in a bubble that begins in 2026.
func inWorld(t *testing.T, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)))
		test(newWorld(t))
	})
}

func (w *world) in(account aws.Account, region aws.Region) context.Context {
	return aws.WithCall(w.t.Context(), &aws.Call{Partition: "aws", Account: account, Region: region, Service: "cloudtrail",
		Principal: &aws.Principal{Kind: aws.Service, Name: "cloudtrail.amazonaws.com"}})
}

// feed hands events to the consumer in one unit of work, as the plane does.
func (w *world) feed(events ...aws.Event) {
	w.t.Helper()
	err := w.store.Update(w.in(account, region), func(ctx context.Context) error { return w.service.Consumers()[0].Handle(ctx, events) })
	if err != nil {
		w.t.Fatal(err)
	}
}

// runDue runs the due records of now, and returns how many there were.
func (w *world) runDue() int {
	w.t.Helper()
	dues, err := w.store.ClaimDue(w.t.Context(), time.Now(), time.Minute, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, due := range dues {
		err := w.store.Update(w.in(due.Place.Account, due.Place.Region), func(ctx context.Context) error {
			store.Complete(ctx, due)
			return w.service.Jobs()[0].Run(ctx, due)
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return len(dues)
}

func (w *world) lookup(in *cloudtrailapi.LookupEventsRequest) (*cloudtrailapi.LookupEventsResponse, error) {
	return w.service.lookupEvents(w.in(account, region), in)
}

// all looks up every page and returns the numbers of the events.
func (w *world) all(in cloudtrailapi.LookupEventsRequest) []int {
	w.t.Helper()
	var found []int
	for {
		out, err := w.lookup(&in)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range out.Events {
			found = append(found, number(*e.CloudTrailEvent))
		}
		if out.NextToken == nil {
			return found
		}
		if len(out.Events) == 0 {
			w.t.Fatal("an empty page with a token")
		}
		in.NextToken = out.NextToken
	}
}

func number(record string) int {
	n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(record, `{"n":`), "}"))
	return n
}

// event makes event n, which happened at.
func event(n int, at time.Time, attrs ...string) aws.Event {
	e := aws.Event{
		Stream: aws.TrailStream, Type: "AwsApiCall", Account: account, Region: region, Time: at,
		ID:    uuid(at, n),
		Attrs: map[string]string{"eventName": "GetCallerIdentity", "eventSource": "sts.amazonaws.com", "user": "alice", "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "readOnly": "true"},
		Data:  fmt.Appendf(nil, `{"n":%d}`, n),
	}
	for i := 0; i < len(attrs); i += 2 {
		e.Attrs[attrs[i]] = attrs[i+1]
	}
	return e
}

func uuid(at time.Time, n int) string {
	ms := fmt.Sprintf("%012x", at.UnixMilli())
	return fmt.Sprintf("%s-%s-7000-8000-%012x", ms[:8], ms[8:], n)
}

func by(key cloudtrailapi.LookupAttributeKey, value string) cloudtrailapi.LookupEventsRequest {
	return cloudtrailapi.LookupEventsRequest{LookupAttributes: []cloudtrailapi.LookupAttribute{{AttributeKey: key, AttributeValue: value}}}
}

func TestEventShape(t *testing.T) {
	inWorld(t, func(w *world) {
		at := time.Now().Add(1234 * time.Millisecond)
		w.feed(event(7, at, "eventName", "CreateUser", "eventSource", "iam.amazonaws.com", "readOnly", "false",
			"resources", "bob\narn:aws:kms:eu-central-1:111122223333:key/1", "resourceTypes", "AWS::IAM::User\n"))
		out, err := w.lookup(&cloudtrailapi.LookupEventsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		got, _ := json.Marshal(out)
		const want = `{"Events":[{"EventId":"%s","EventName":"CreateUser","ReadOnly":"false","AccessKeyId":"AKIAIOSFODNN7EXAMPLE","EventTime":"2026-01-01T12:00:01Z","EventSource":"iam.amazonaws.com","Username":"alice",` +
			`"Resources":[{"ResourceType":"AWS::IAM::User","ResourceName":"bob"},{"ResourceType":null,"ResourceName":"arn:aws:kms:eu-central-1:111122223333:key/1"}],"CloudTrailEvent":"{\"n\":7}"}],"NextToken":null}`
		if want := fmt.Sprintf(want, uuid(at, 7)); string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestNewestFirstWhateverOrderTheyCameIn(t *testing.T) {
	inWorld(t, func(w *world) {
		random := rand.New(rand.NewPCG(1, 2))
		start := time.Now()
		var want []int
		var events []aws.Event
		for n := range 3000 {
			// Bursts, quiet times, and some that come late.
			switch {
			case n%500 < 300:
				time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
			default:
				time.Sleep(time.Duration(random.IntN(60)) * time.Second)
			}
			at := time.Now()
			if n%17 == 0 {
				at = at.Add(-time.Duration(random.IntN(7200)) * time.Second)
			}
			events = append(events, event(n, at, "eventName", fmt.Sprintf("Op%d", n%10), "user", fmt.Sprintf("user%d", n%3)))
		}
		for rest := events; len(rest) > 0; {
			size := min(1+random.IntN(3)*random.IntN(150), len(rest))
			w.feed(rest[:size]...)
			rest = rest[size:]
		}
		sorted := slices.SortedFunc(slices.Values(events), func(a, b aws.Event) int {
			if c := b.Time.Truncate(time.Millisecond).Compare(a.Time.Truncate(time.Millisecond)); c != 0 {
				return c
			}
			return strings.Compare(b.ID, a.ID)
		})
		filtered := func(keep func(e *aws.Event) bool) []int {
			want = nil
			for i := range sorted {
				if keep(&sorted[i]) {
					want = append(want, number(string(sorted[i].Data)))
				}
			}
			return want
		}
		check := func(name string, in cloudtrailapi.LookupEventsRequest, keep func(e *aws.Event) bool) {
			t.Helper()
			got, want := w.all(in), filtered(keep)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %d events, want %d; %.100v against %.100v", name, len(got), len(want), got, want)
			}
		}
		check("all", cloudtrailapi.LookupEventsRequest{}, func(*aws.Event) bool { return true })
		for _, size := range []int32{1, 7} {
			in := by("EventName", "Op4")
			in.MaxResults = &size
			check("small pages", in, func(e *aws.Event) bool { return e.Attrs["eventName"] == "Op4" })
		}
		check("user", by("Username", "user2"), func(e *aws.Event) bool { return e.Attrs["user"] == "user2" })
		check("nobody", by("Username", "nobody"), func(e *aws.Event) bool { return false })
		from, to := start.Add(time.Hour), start.Add(3*time.Hour)
		ranged := by("Username", "user1")
		ranged.StartTime, ranged.EndTime = &from, &to
		check("between", ranged, func(e *aws.Event) bool {
			at := e.Time.Truncate(time.Second)
			return e.Attrs["user"] == "user1" && !at.Before(from) && !at.After(to)
		})
		for _, e := range []aws.Event{events[0], events[17*50], events[1500], events[2999]} {
			check("id", by("EventId", e.ID), func(x *aws.Event) bool { return x.ID == e.ID })
		}
	})
}

func TestPagesHoldWhileEventsCome(t *testing.T) {
	inWorld(t, func(w *world) {
		n := 0
		add := func(count int, each time.Duration) {
			var events []aws.Event
			for range count {
				time.Sleep(each)
				events = append(events, event(n, time.Now()))
				n++
			}
			for _, e := range events {
				w.feed(e)
			}
		}
		add(120, time.Second)
		in := cloudtrailapi.LookupEventsRequest{MaxResults: new(int32(10))}
		var got []int
		for {
			out, err := w.lookup(&in)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range out.Events {
				got = append(got, number(*e.CloudTrailEvent))
			}
			if out.NextToken == nil {
				break
			}
			in.NextToken = out.NextToken
			add(100, time.Second) // the open records move to segments between the pages
		}
		var want []int
		for i := 119; i >= 0; i-- {
			want = append(want, i)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v", got)
		}
	})
}

func TestEveryAttribute(t *testing.T) {
	inWorld(t, func(w *world) {
		w.feed(event(1, time.Now()),
			event(2, time.Now().Add(time.Second), "eventName", "CreateUser", "eventSource", "iam.amazonaws.com", "user", "root", "accessKeyId", "AKIAROOT",
				"readOnly", "false", "resources", "bob\nteam", "resourceTypes", "AWS::IAM::User\nAWS::IAM::Group"))
		alien := event(3, time.Now().Add(2*time.Second), "category", "Data")
		other := event(4, time.Now().Add(-time.Second))
		other.ID = "b9c3d881-1e77-426c-abd3-5ca20d903380" // not of the gate's making
		w.feed(alien, other)
		for _, c := range []struct {
			key   cloudtrailapi.LookupAttributeKey
			value string
			want  []int
		}{
			{"EventName", "CreateUser", []int{2}}, {"EventName", "createuser", nil},
			{"EventSource", "iam.amazonaws.com", []int{2}},
			{"Username", "root", []int{2}}, {"Username", "alice", []int{1, 4}},
			{"AccessKeyId", "AKIAROOT", []int{2}},
			{"ReadOnly", "false", []int{2}}, {"ReadOnly", "true", []int{1, 4}},
			{"ResourceName", "team", []int{2}}, {"ResourceType", "AWS::IAM::Group", []int{2}}, {"ResourceName", "bob\nteam", nil},
			{"EventId", other.ID, []int{4}}, {"EventId", alien.ID, nil}, {"EventId", "nonsense", nil},
		} {
			if got := w.all(by(c.key, c.value)); !slices.Equal(got, c.want) {
				t.Errorf("%s %s: got %v, want %v", c.key, c.value, got, c.want)
			}
		}
	})
}

func TestKeptTwiceIsShownOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		var events []aws.Event
		for n := range 150 {
			time.Sleep(time.Millisecond)
			events = append(events, event(n, time.Now()))
		}
		w.feed(events...)
		w.feed(events[100:]...)
		w.feed(events[10:20]...)
		if got := w.all(cloudtrailapi.LookupEventsRequest{}); len(got) != 150 {
			t.Errorf("%d events", len(got))
		}
	})
}

func TestPlacesAreApart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.feed(event(1, time.Now()))
		for _, place := range []store.Place{{Account: account, Region: "us-east-1"}, {Account: "444455556666", Region: region}} {
			out, err := w.service.lookupEvents(w.in(place.Account, place.Region), &cloudtrailapi.LookupEventsRequest{})
			if err != nil || len(out.Events) != 0 {
				t.Errorf("%v sees %d events, %v", place, len(out.Events), err)
			}
		}
	})
}

func TestNinetyDays(t *testing.T) {
	inWorld(t, func(w *world) {
		var burst []aws.Event
		for n := range 2000 {
			burst = append(burst, event(n, time.Now().Add(time.Duration(n)*time.Millisecond)))
		}
		w.feed(burst...)
		w.feed(event(2000, time.Now().Add(time.Minute)))
		time.Sleep(30 * 24 * time.Hour)
		w.feed(event(2001, time.Now()))
		time.Sleep(history - 30*24*time.Hour - time.Second)
		if n := len(w.all(cloudtrailapi.LookupEventsRequest{})); n != 2002 {
			t.Errorf("%d events before 90 days have passed", n)
		}
		time.Sleep(2 * time.Minute)
		if got := w.all(cloudtrailapi.LookupEventsRequest{}); !slices.Equal(got, []int{2001}) {
			t.Errorf("%v are shown after 90 days", got)
		}
		for days := 0; days < 3; days++ {
			for w.runDue() > 0 {
			}
			time.Sleep(24 * time.Hour)
		}
		left := 0
		for _, on := range []shelf{w.service.brief, w.service.long} {
			for _, err := range on.Everywhere(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				left++
			}
		}
		if o, err := w.service.open.Get(w.in(account, region), openID); err != nil || o.Count != 1 || left != 0 {
			t.Errorf("%d segments and %+v are left, %v", left, o, err)
		}
	})
}

func TestRefusals(t *testing.T) {
	inWorld(t, func(w *world) {
		for n := range 60 {
			w.feed(event(n, time.Now()))
		}
		out, err := w.lookup(&cloudtrailapi.LookupEventsRequest{})
		if err != nil || out.NextToken == nil {
			t.Fatal(err)
		}
		now, before := time.Now(), time.Now().Add(-time.Hour)
		two := by("EventName", "a")
		two.LookupAttributes = append(two.LookupAttributes, two.LookupAttributes[0])
		other := by("EventName", "a")
		other.NextToken = out.NextToken
		for _, c := range []struct {
			name string
			in   cloudtrailapi.LookupEventsRequest
			code string
		}{
			{"two attributes", two, "InvalidLookupAttributesException"},
			{"read only perhaps", by("ReadOnly", "perhaps"), "InvalidLookupAttributesException"},
			{"end before start", cloudtrailapi.LookupEventsRequest{StartTime: &now, EndTime: &before}, "InvalidTimeRangeException"},
			{"broken token", cloudtrailapi.LookupEventsRequest{NextToken: new("nonsense")}, "InvalidNextTokenException"},
			{"empty token", cloudtrailapi.LookupEventsRequest{NextToken: new("")}, "InvalidNextTokenException"},
			{"token of another search", other, "InvalidNextTokenException"},
			{"insights", cloudtrailapi.LookupEventsRequest{EventCategory: new(cloudtrailapi.EventCategoryInsight)}, "UnsupportedOperation"},
		} {
			_, err := w.lookup(&c.in)
			var e *aws.Error
			if !errors.As(err, &e) || e.Code != c.code {
				t.Errorf("%s: got %v, want %s", c.name, err, c.code)
			}
		}
	})
}

func FuzzUnpack(f *testing.F) {
	c := newCodec()
	f.Add(c.pack(nil, []record{recordOf(new(event(1, time.Unix(1, 0))))}))
	f.Fuzz(func(_ *testing.T, packed []byte) { _, _ = c.unpack(c.enc.EncodeAll(packed, nil)) })
}
