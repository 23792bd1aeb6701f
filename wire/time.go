package wire

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The timestamp formats, by the names that the models use.
// Smithy, "timestampFormat trait".
const (
	iso8601 = "iso8601"
	epoch   = "unixTimestamp"
	rfc822  = "rfc822"

	// trailTime is how CloudTrail writes timestamps inside requestParameters and responseElements.
	trailTime = "trail"
)

// Timestamps outside these years have no form that every protocol can carry.
const minYear, maxYear = 1, 9999

// formatTime writes a timestamp in one of the three formats, to the millisecond.
func formatTime(t time.Time, format string) string {
	return string(appendTime(nil, t, format))
}

func appendTime(b []byte, t time.Time, format string) []byte {
	t = t.UTC()
	switch format {
	case rfc822:
		return t.AppendFormat(b, http.TimeFormat)
	case epoch:
		return appendEpoch(b, t)
	case trailTime:
		return t.AppendFormat(b, "Jan 2, 2006, 3:04:05 PM")
	}
	if t.Nanosecond()/1e6 == 0 {
		return t.AppendFormat(b, "2006-01-02T15:04:05Z")
	}
	return t.AppendFormat(b, "2006-01-02T15:04:05.000Z")
}

// appendEpoch writes seconds since 1970 with at most three decimals.
func appendEpoch(b []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms < 0 {
		b, ms = append(b, '-'), -ms
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if ms %= 1000; ms == 0 {
		return b
	}
	b = append(b, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// parseTime reads a timestamp in any of the three formats: AWS's services are
// generous, and clients disagree about fractions and offsets.
func parseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, false
	}
	for _, layout := range timeLayouts(s) {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= minYear && t.Year() <= maxYear {
			return t.UTC(), true
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return epochTime(f)
	}
	return time.Time{}, false
}

func timeLayouts(s string) []string {
	if s[0] >= 'A' && s[0] <= 'Z' {
		return []string{http.TimeFormat, time.RFC1123, time.RFC1123Z, time.RFC850, time.ANSIC,
			"Mon, 2 Jan 2006 15:04:05 GMT", "Mon, 02 Jan 2006 15:04:05.999999999 GMT"}
	}
	if len(s) >= 10 && s[4] == '-' {
		return []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05", "2006-01-02"}
	}
	if len(s) >= 16 && s[8] == 'T' {
		return []string{"20060102T150405Z0700", "20060102T150405Z07:00"}
	}
	return nil
}

// epochTime reads seconds since 1970, to the millisecond.
func epochTime(f float64) (time.Time, bool) {
	if math.IsNaN(f) || math.Abs(f) > 253402300799 {
		return time.Time{}, false
	}
	t := time.UnixMilli(int64(math.Round(f * 1000))).UTC()
	return t, t.Year() >= minYear && t.Year() <= maxYear
}
