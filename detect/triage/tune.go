package triage

import (
	"os"
	"runtime/debug"
)

// maxHeap is what memory may come to before garbage is collected more often.
const maxHeap = 448 << 20

// Tune makes the collector of the program's garbage work less often, as becomes one
// that reads logs and ends: what it keeps is small beside what it reads. GOGC and
// GOMEMLIMIT in the environment count more.
func Tune() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(maxHeap)
	}
}
