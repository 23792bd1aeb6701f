package parameters

import (
	"flag"
	"fmt"
	"runtime"
	"testing"

	"sumun.dev/api/ssmapi"
	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/sqlite"
)

var (
	many = flag.Int("parameters", 50_000, "how many parameters BenchmarkMany has")
	disk = flag.Bool("disk", false, "BenchmarkMany keeps them in SQLite, not in memory")
)

func BenchmarkGetParametersByPath(b *testing.B) {
	w := newWorld(b, false)
	w.fill(1000)
	for _, deep := range []bool{false, true} {
		b.Run(fmt.Sprintf("recursive_%t", deep), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out, err := do(w, w.service.getParametersByPath, &ssmapi.GetParametersByPathRequest{Path: "/app/000042", Recursive: &deep})
				if err != nil || len(out.Parameters) != 10 {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMany reads among many parameters: -parameters 1000000 for a million, -disk
// for SQLite. heap-B/parameter is what each takes of the heap.
func BenchmarkMany(b *testing.B) {
	w := newWorld(b, false)
	if *disk {
		backend, err := sqlite.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = backend.Close() })
		w = worldOn(b, store.Open(backend, seal.NewRoot(seal.GenerateKey())), false)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w.fill(*many)
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := float64(after.HeapAlloc-before.HeapAlloc) / float64(*many)
	b.Run("by_name", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n = (n + 7919) % *many
			_, err := do(w, w.service.getParameter, &ssmapi.GetParameterRequest{Name: fmt.Sprintf("/app/%06d/value-%d", n/10, n%10)})
			w.must(err)
		}
		b.ReportMetric(each, "heap-B/parameter")
	})
	b.Run("by_path", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n = (n + 7919) % *many
			_, err := do(w, w.service.getParametersByPath, &ssmapi.GetParametersByPathRequest{Path: fmt.Sprintf("/app/%06d", n/10)})
			w.must(err)
		}
	})
	b.Run("describe_page", func(b *testing.B) {
		for b.Loop() {
			_, err := do(w, w.service.describeParameters, &ssmapi.DescribeParametersRequest{ParameterFilters: []ssmapi.ParameterStringFilter{{Key: "Name", Option: new(beginsWith), Values: []string{"/app/0000"}}}})
			w.must(err)
		}
	})
}
