package cloudtrail

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/sqlite"
)

func durable(b *testing.B) *world {
	backend, err := sqlite.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { backend.Close() })
	s := store.Open(backend, seal.NewRoot(seal.GenerateKey()))
	return &world{b, s, New(service.Env{Store: s, Log: slog.New(slog.DiscardHandler)})}
}

// trailEvent is a read by one of a few users, as large as real records are.
func trailEvent(n int, at time.Time) aws.Event {
	e := event(n, at, "user", fmt.Sprintf("user%d", n%5))
	e.Data = fmt.Appendf(nil, `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDACKCEVSQ6C2EXAMPLE","arn":"arn:aws:iam::111122223333:user/user%d","accountId":"111122223333","accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"alice"},"eventTime":"2026-11-23T07:30:00Z","eventSource":"sts.amazonaws.com","eventName":"GetCallerIdentity","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.%d","userAgent":"aws-cli/2.31.0 md/awscrt#0.28.2 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.13.7 cfg/retry-mode#standard md/command#sts.get-caller-identity","requestParameters":null,"responseElements":null,"requestID":"%s","eventID":"%s","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}`, n%5, n%250, e.ID, e.ID)
	return e
}

// BenchmarkIndex shows what a record costs, in batches of a slow and of a busy plane.
func BenchmarkIndex(b *testing.B) {
	for _, batch := range []int{1, 10, 100, 2000} {
		b.Run(fmt.Sprintf("batch_%d", batch), func(b *testing.B) {
			w := durable(b)
			events := make([]aws.Event, b.N)
			start := time.Now()
			for n := range events {
				events[n] = trailEvent(n, start.Add(time.Duration(n)*50*time.Microsecond))
			}
			b.ResetTimer()
			for rest := events; len(rest) > 0; {
				n := min(batch, len(rest))
				w.feed(rest[:n]...)
				rest = rest[n:]
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	w := durable(b)
	const records = 200_000
	start := time.Now()
	for n := 0; n < records; n += 2000 {
		var events []aws.Event
		for i := n; i < n+2000; i++ {
			e := trailEvent(i, start.Add(time.Duration(i)*50*time.Microsecond))
			if i%20_000 == 0 {
				e.Attrs["eventName"] = "DeleteTrail"
			}
			events = append(events, e)
		}
		w.feed(events...)
	}
	half := start.Add(records / 2 * 50 * time.Microsecond)
	rare := by("EventName", "DeleteTrail")
	id := by("EventId", uuid(half, records/2))
	for name, in := range map[string]cloudtrailapi.LookupEventsRequest{"newest": {}, "rare_name": rare, "id": id, "ends_before": {EndTime: &half}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if out, err := w.lookup(&in); err != nil || len(out.Events) == 0 {
					b.Fatal(len(out.Events), err)
				}
			}
		})
	}
}
