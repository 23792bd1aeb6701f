package memory_test

import (
	"testing"

	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/store/storetest"
)

func BenchmarkBackend(b *testing.B) {
	storetest.Bench(b, seal.NewRoot(seal.GenerateKey()), func(*testing.B) store.Backend { return memory.New() })
}
