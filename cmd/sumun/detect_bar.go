package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"sumun.dev/detect/triage"
)

// A bar shows on a terminal how far a triage is.
type bar struct {
	w   io.Writer
	now func() time.Time

	begun, shown time.Time // of what is being done
	learning     bool
}

// often is how long a bar stands before it is drawn anew.
const often = 100 * time.Millisecond

// show draws the bar, over what it drew before.
func (b *bar) show(p triage.Progress) {
	now := b.now()
	if b.begun.IsZero() || p.Learning != b.learning {
		b.begun, b.shown, b.learning = now, time.Time{}, p.Learning
	}
	if now.Sub(b.shown) < often {
		return
	}
	b.shown = now
	fmt.Fprintf(b.w, "\r\033[K%s", line(p, now.Sub(b.begun)))
}

// barWidth is how many characters a full bar has.
const barWidth = 20

// line says how far a pass is, in less than 100 characters.
func line(p triage.Progress, took time.Duration) string {
	what := "judging "
	if p.Learning {
		what = "learning"
	}
	far := ""
	if p.Size > 0 {
		part := min(float64(p.Bytes)/float64(p.Size), 1)
		full := int(part * barWidth)
		far = fmt.Sprintf(" [%s%s] %3.0f %% of %s,", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), 100*part, amount(float64(p.Size)))
	} else if p.Bytes > 0 {
		far = " " + amount(float64(p.Bytes)) + ","
	}
	rate := ""
	if s := took.Seconds(); s >= 1 {
		rate = fmt.Sprintf(", %s/s", amount(float64(p.Bytes)/s))
	}
	return fmt.Sprintf("%s%s file %d of %d, %d records%s", what, far, min(p.Files, p.All), p.All, p.Records, rate)
}

// amount writes bytes in the unit that fits.
func amount(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for n >= 1024 && i < len(units)-1 {
		n /= 1024
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%.0f B", n)
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}
