package nats

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/spine"
	"sumun.dev/spine/spinetest"
)

// trailEvent is as large as a CloudTrail record of a read.
func trailEvent(id string, n int) aws.Event {
	return aws.Event{
		Stream: aws.TrailStream, ID: id, Type: "AwsApiCall", Account: "111122223333", Region: "eu-central-1", Time: time.Now(),
		Attrs: map[string]string{"eventName": "GetCallerIdentity", "eventSource": "sts.amazonaws.com", "user": "alice", "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "readOnly": "true"},
		Data:  fmt.Appendf(nil, `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDACKCEVSQ6C2EXAMPLE","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"alice"},"eventTime":"2026-11-23T07:30:00Z","eventSource":"sts.amazonaws.com","eventName":"GetCallerIdentity","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.%d","userAgent":"aws-cli/2.31.0 md/awscrt#0.28.2 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.13.7 cfg/retry-mode#standard md/command#sts.get-caller-identity","requestParameters":null,"responseElements":null,"requestID":"%s","eventID":"%s","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}`, n%250, strings.ToUpper(id), id),
	}
}

func open(b *testing.B) *Spine {
	b.Helper()
	s, err := Open(b.Context(), Options{Dir: b.TempDir(), Seal: spinetest.Sealer(key)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close(context.Background()) })
	return s
}

// BenchmarkPublish has many callers with one durable event each, as the gate has.
func BenchmarkPublish(b *testing.B) {
	for _, callers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("callers_%d", callers), func(b *testing.B) {
			s := open(b)
			var n atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for range callers {
				all.Go(func() {
					for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
						if err := s.Publish(b.Context(), trailEvent(fmt.Sprintf("%08d-77b7-4b9e-8f2e-0123456789ab", i), int(i))); err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkPublishTogether has the events come by the hundred.
func BenchmarkPublishTogether(b *testing.B) {
	s := open(b)
	b.ResetTimer()
	for i := 0; i < b.N; i += 100 {
		var events []aws.Event
		for j := i; j < i+100; j++ {
			events = append(events, trailEvent(fmt.Sprintf("%08d-77b7-4b9e-8f2e-0123456789ab", j), j))
		}
		if err := s.Publish(b.Context(), events...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkSubscribe reads what is stored, unsealing it.
func BenchmarkSubscribe(b *testing.B) {
	s := open(b)
	for i := 0; i < b.N; i += 500 {
		var events []aws.Event
		for j := i; j < min(i+500, b.N); j++ {
			events = append(events, trailEvent(fmt.Sprintf("%08d-77b7-4b9e-8f2e-0123456789ab", j), j))
		}
		if err := s.Publish(b.Context(), events...); err != nil {
			b.Fatal(err)
		}
	}
	done, n := make(chan struct{}), 0
	b.ResetTimer()
	stop, err := s.Subscribe(spine.Subscription{Name: "bench", Stream: aws.TrailStream, Handle: func(_ context.Context, batch []spine.Delivery) error {
		if n += len(batch); n >= b.N {
			close(done)
		}
		return nil
	}})
	if err != nil {
		b.Fatal(err)
	}
	<-done
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.StopTimer()
	stop()
}

// BenchmarkPack shows what a message of a hundred records costs and how small it gets.
func BenchmarkPack(b *testing.B) {
	c, err := newCodec(spinetest.Sealer(key))
	if err != nil {
		b.Fatal(err)
	}
	var events []aws.Event
	bytes := 0
	for i := range 100 {
		events = append(events, trailEvent(fmt.Sprintf("%08d-77b7-4b9e-8f2e-0123456789ab", i*7919), i))
		bytes += events[i].Size()
	}
	var packed []byte
	b.SetBytes(int64(bytes))
	for b.Loop() {
		packed = c.pack(aws.TrailStream, events)
	}
	b.ReportMetric(float64(len(packed))/float64(bytes), "ratio")
}
