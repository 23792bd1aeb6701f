package main

import (
	"strings"
	"testing"
	"time"

	"sumun.dev/detect/triage"
)

func TestBar(t *testing.T) {
	for want, c := range map[string]struct {
		p    triage.Progress
		took time.Duration
	}{
		"judging  [##########..........]  50 % of 10.0 MiB, file 2 of 3, 4096 records, 2.5 MiB/s": {triage.Progress{Records: 4096, Files: 2, All: 3, Bytes: 5 << 20, Size: 10 << 20}, 2 * time.Second},
		"learning 700 B, file 1 of 1, 8192 records":                                               {triage.Progress{Learning: true, Records: 8192, Files: 7, All: 1, Bytes: 700}, 0},
		"judging  [####################] 100 % of 2.0 GiB, file 1 of 1, 1 records":                {triage.Progress{Records: 1, Files: 1, All: 1, Bytes: 3 << 30, Size: 2 << 30}, 0},
	} {
		if got := line(c.p, c.took); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	var w strings.Builder
	now := time.Unix(0, 0)
	b := &bar{w: &w, now: func() time.Time { return now }}
	for range 10 {
		b.show(triage.Progress{Learning: true, Records: 1})
		now = now.Add(often / 5)
	}
	b.show(triage.Progress{Records: 2})
	if n := strings.Count(w.String(), "\r"); n != 3 || !strings.HasSuffix(w.String(), "2 records") {
		t.Errorf("drawn %d times: %q", n, w.String())
	}
}
