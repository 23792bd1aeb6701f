package guardduty

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/finding"
	"sumun.dev/service"
	"sumun.dev/spine"
	"sumun.dev/store"
	"sumun.dev/store/memory"
)

// BenchmarkConsume is what queries cost from the stream on, by batches of 256:
// harmless ones, and ones that are found again and again.
func BenchmarkConsume(b *testing.B) {
	for label, name := range map[string]string{"harmless": "www.amazon.com", "found": "guarddutyc2activityb.com"} {
		b.Run(label, func(b *testing.B) {
			s, st := serviceWithDetector(b)
			var events []spine.Delivery
			for i := range 256 {
				events = append(events, spine.Delivery{Event: aws.Event{ID: fmt.Sprint(i), Account: account, Region: "us-east-1", Time: time.Now(), Data: fmt.Appendf(nil, `{"version":"1.100000","account_id":%q,"region":"us-east-1","vpc_id":"vpc-0a1b2c3d","query_timestamp":"2026-01-01T10:00:00Z","query_name":"%s.","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[{"Rdata":"198.51.100.7","Type":"A","Class":"IN"}],"srcaddr":"10.0.0.7","srcport":"5353","transport":"UDP","srcids":{"instance":%q}}`, account, name, host)}})
			}
			m := s.Followers()[0].New()
			for position := uint64(0); b.Loop(); {
				for i := range events {
					position++
					events[i].Position = position
				}
				err := st.Update(b.Context(), func(ctx context.Context) error {
					_, err := m.Take(ctx, service.Batch{Events: events, Last: position, In: func(p store.Place) context.Context { return within(ctx, p.Account, p.Region, "Take") }})
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*256/b.Elapsed().Seconds(), "queries/s")
		})
	}
}

// BenchmarkList10000 is ListFindings with criteria over ten thousand findings.
func BenchmarkList10000(b *testing.B) {
	s, st := serviceWithDetector(b)
	var d *detector
	err := st.Update(in(b.Context(), account, "fill"), func(ctx context.Context) (err error) {
		if d, err = s.detector(ctx); err != nil {
			return err
		}
		var all []finding.Suspicion
		for i := range 10_000 {
			all = append(all, finding.Suspicion{Type: finding.BitcoinToolDNS, At: time.Now(), Instance: finding.Instance{ID: fmt.Sprintf("i-%017x", i)}, DNS: &finding.DNSRequest{Domain: "pool.minergate.com", Protocol: "UDP"}, Threat: finding.Threat{List: "l", Entry: "pool.minergate.com"}})
		}
		return s.keep(ctx, d, all, false)
	})
	if err != nil {
		b.Fatal(err)
	}
	criteria := &guarddutyapi.FindingCriteria{Criterion: map[string]guarddutyapi.Condition{"severity": {Gte: new(int32(7))}}}
	for b.Loop() {
		if _, err := s.listFindings(in(b.Context(), account, "ListFindings"), &guarddutyapi.ListFindingsRequest{DetectorId: d.ID, FindingCriteria: criteria}); err != nil {
			b.Fatal(err)
		}
	}
}

func serviceWithDetector(b *testing.B) (*Service, *store.Store) {
	b.Helper()
	st := store.Open(memory.New(), seal.NewRoot(seal.GenerateKey()))
	s := New(service.Env{Store: st, Log: slog.New(slog.DiscardHandler)})
	err := st.Update(in(b.Context(), account, "CreateDetector"), func(ctx context.Context) error {
		_, err := s.createDetector(ctx, &guarddutyapi.CreateDetectorRequest{Enable: true})
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return s, st
}
