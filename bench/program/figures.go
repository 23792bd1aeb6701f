package program

import (
	"fmt"
	"slices"
	"time"
)

// Figures are the same thing measured several times.
type Figures []time.Duration

// String gives the least, the median and the most, in milliseconds.
func (f Figures) String() string {
	if len(f) == 0 {
		return "not measured"
	}
	s := slices.Sorted(slices.Values(f))
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return fmt.Sprintf("min %.1f ms, median %.1f ms, max %.1f ms (%d runs)", ms(s[0]), ms(s[len(s)/2]), ms(s[len(s)-1]), len(s))
}
