package respond

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxSleep is the longest sleep. Systems Manager User Guide, "aws:sleep": 7 days.
const maxSleep = 7 * 24 * time.Hour

// SleepUntil returns when an aws:sleep that begins at now is over. Its inputs hold
// a Duration such as PT10M, or a Timestamp.
func SleepUntil(inputs map[string]any, now time.Time) (time.Time, error) {
	if text, ok := inputs["Duration"].(string); ok {
		d, err := parseDuration(text)
		if err != nil {
			return time.Time{}, err
		}
		if d > maxSleep {
			return time.Time{}, fmt.Errorf("the Duration %s is longer than seven days", text)
		}
		return now.Add(d), nil
	}
	text, _ := inputs["Timestamp"].(string)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("the Timestamp %q is not valid", text)
	}
	if at.After(now.Add(maxSleep)) {
		return time.Time{}, fmt.Errorf("the Timestamp %s is more than seven days ahead", text)
	}
	return at, nil
}

// parseDuration reads ISO 8601: P1DT2H3M4S. Years, months and weeks have no place in
// a sleep of seven days.
func parseDuration(text string) (time.Duration, error) {
	wrong := fmt.Errorf("the Duration %q is not valid", text)
	rest, ok := strings.CutPrefix(text, "P")
	if !ok || rest == "" {
		return 0, wrong
	}
	days, clock, timed := strings.Cut(rest, "T")
	var total time.Duration
	units := []struct {
		letter string
		unit   time.Duration
	}{{"H", time.Hour}, {"M", time.Minute}, {"S", time.Second}}
	if days != "" {
		n, after, err := leading(days, "D")
		if err != nil || after != "" {
			return 0, wrong
		}
		total = time.Duration(n) * 24 * time.Hour
	}
	if timed && clock == "" {
		return 0, wrong
	}
	for _, u := range units {
		if !strings.Contains(clock, u.letter) {
			continue
		}
		n, after, err := leading(clock, u.letter)
		if err != nil {
			return 0, wrong
		}
		total, clock = total+time.Duration(n)*u.unit, after
	}
	if clock != "" {
		return 0, wrong
	}
	return total, nil
}

// leading reads the number before letter, of at most seven digits.
func leading(text, letter string) (int, string, error) {
	number, after, ok := strings.Cut(text, letter)
	if !ok || len(number) > 7 {
		return 0, "", strconv.ErrSyntax
	}
	n, err := strconv.ParseUint(number, 10, 32)
	return int(n), after, err
}
