package secretsmanager

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"testing"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/store/sqlite"
)

var (
	many = flag.Int("secrets", 20_000, "how many secrets BenchmarkMany has")
	disk = flag.Bool("disk", false, "BenchmarkMany keeps them in SQLite, not in memory")
)

// fill makes n secrets of one version.
func (w *world) fill(n int) {
	w.t.Helper()
	for at := 0; at < n; at += 500 {
		err := w.store.Update(w.ctx, func(ctx context.Context) error {
			for i := at; i < min(n, at+500); i++ {
				sec := &secret{ID: fmt.Sprintf("app/%07d-abcdef", i), Name: fmt.Sprintf("app/%07d", i), Created: time.Now().UTC()}
				sec.arn = aws.CallOf(ctx).ARN("secretsmanager", "secret:"+sec.ID)
				if err := w.service.putVersion(ctx, sec, *token(i), content{Bytes: []byte(`{"username":"app","password":"a password of some length"}`)}, nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
		w.calls = nil
	}
}

func (w *world) serve(b *testing.B, f func(ctx context.Context) error) {
	if err := w.store.Update(w.ctx, f); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMany reads among many secrets: -secrets 1000000 for a million, -disk for
// SQLite. heap-B/secret is what each takes of the heap. KMS is the tests' small one.
func BenchmarkMany(b *testing.B) {
	w := newWorld(b)
	if *disk {
		backend, err := sqlite.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = backend.Close() })
		w.backend = backend
		w.begin()
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w.fill(*many)
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := float64(after.HeapAlloc-before.HeapAlloc) / float64(*many)
	read := func(n int) {
		w.calls = w.calls[:0]
		w.serve(b, func(ctx context.Context) error {
			return second(w.service.getValue(ctx, &api.GetSecretValueRequest{SecretId: fmt.Sprintf("app/%07d", n%*many)}))
		})
	}
	n := 0
	b.Run("value_first_of_day", func(b *testing.B) { // which is written down
		for b.Loop() {
			n += 7919
			read(n)
		}
	})
	b.Run("value", func(b *testing.B) {
		for i := range 1000 {
			read(7919 * i)
		}
		for b.Loop() {
			n++
			read(7919 * (n % 1000))
		}
		b.ReportMetric(each, "heap-B/secret")
	})
	for name, in := range map[string]*api.ListSecretsRequest{
		"list_by_date": {}, "list_by_name": {SortBy: new(api.SortByTypeName)},
		"list_prefix":      {SortBy: new(api.SortByTypeName), Filters: []api.Filter{{Key: new(api.FilterNameStringTypeName), Values: []string{"app/00100"}}}},
		"list_none_passes": {Filters: []api.Filter{{Key: new(api.FilterNameStringTypeTagKey), Values: []string{"none"}}}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				w.serve(b, func(ctx context.Context) error { return second(w.service.listSecrets(ctx, in)) })
			}
		})
	}
}
