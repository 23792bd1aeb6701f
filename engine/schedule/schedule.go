// Package schedule reads the cron and rate expressions of AWS.
package schedule

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrExpression says that a text is no schedule expression.
var ErrExpression = errors.New("schedule: not a schedule expression")

// A Schedule says when something falls due: every so often, or at the times of a
// cron expression in UTC. EventBridge User Guide, "Schedule expressions".
type Schedule struct {
	every time.Duration
	cron  *cron
}

// Parse reads "rate(5 minutes)" or "cron(0 12 * * ? *)".
func Parse(s string) (Schedule, error) {
	inner, ok := strings.CutSuffix(s, ")")
	if rate, is := strings.CutPrefix(inner, "rate("); ok && is {
		every, err := parseRate(rate)
		return Schedule{every: every}, err
	}
	if fields, is := strings.CutPrefix(inner, "cron("); ok && is {
		c, err := parseCron(fields)
		return Schedule{cron: c}, err
	}
	return Schedule{}, ErrExpression
}

func parseRate(s string) (time.Duration, error) {
	number, unit, _ := strings.Cut(s, " ")
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil || n == 0 || number[0] == '+' {
		return 0, ErrExpression
	}
	// AWS insists on "1 minute" and "2 minutes".
	if n > 1 {
		var plural bool
		if unit, plural = strings.CutSuffix(unit, "s"); !plural {
			return 0, ErrExpression
		}
	}
	one := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[unit]
	every := time.Duration(n) * one
	if one == 0 || every/one != time.Duration(n) || every > 100*365*24*time.Hour {
		return 0, ErrExpression
	}
	return every, nil
}

// Every is the time between two beats; 0 of a cron expression.
func (s Schedule) Every() time.Duration { return s.every }

// Next returns the first time after t, zero when there is none.
func (s Schedule) Next(t time.Time) time.Time {
	if s.cron == nil {
		return t.Add(s.every)
	}
	return s.cron.next(t)
}

// Skip returns the first time of the beat of from that lies after now.
func (s Schedule) Skip(from, now time.Time) time.Time {
	if s.cron != nil {
		return s.cron.next(now)
	}
	beats := now.Sub(from)/s.every + 1
	return from.Add(beats * s.every)
}

// A cron is a parsed cron expression.
type cron struct {
	minutes, hours, months, years []bool // by value less the lowest
	days                          []dayRule
}

const firstYear, lastYear = 1970, 2199

// A dayRule reports whether it selects a day.
type dayRule func(day time.Time) bool

var (
	monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

// parseCron reads minutes, hours, day of month, month, day of week and year.
// One of the two days must be "?".
func parseCron(s string) (*cron, error) {
	f := strings.Fields(s)
	if len(f) != 6 || (f[2] == "?") == (f[4] == "?") {
		return nil, ErrExpression
	}
	var c cron
	var err error
	for _, part := range []struct {
		to        *[]bool
		text      string
		low, high int
		names     []string
	}{
		{&c.minutes, f[0], 0, 59, nil}, {&c.hours, f[1], 0, 23, nil}, {&c.months, f[3], 1, 12, monthNames}, {&c.years, f[5], firstYear, lastYear, nil},
	} {
		if *part.to, err = parseField(part.text, part.low, part.high, part.names); err != nil {
			return nil, err
		}
	}
	if f[4] == "?" {
		c.days, err = parseDays(f[2], monthDay)
	} else {
		c.days, err = parseDays(f[4], weekDay)
	}
	return &c, err
}

// parseField reads a list of values, ranges and steps. The result is indexed by
// value less low.
func parseField(s string, low, high int, names []string) ([]bool, error) {
	set := make([]bool, high-low+1)
	for part := range strings.SplitSeq(s, ",") {
		from, to, step, err := parseSpan(part, low, high, names)
		if err != nil {
			return nil, err
		}
		for v := from; v <= to; v += step {
			set[v-low] = true
		}
	}
	return set, nil
}

func parseSpan(s string, low, high int, names []string) (from, to, step int, err error) {
	span, every, stepped := strings.Cut(s, "/")
	step = 1
	if stepped {
		if step, err = strconv.Atoi(every); err != nil || step < 1 || step > high {
			return 0, 0, 0, ErrExpression
		}
	}
	if span == "*" {
		return low, high, step, nil
	}
	first, last, ranged := strings.Cut(span, "-")
	if from, err = parseValue(first, low, high, names); err != nil {
		return 0, 0, 0, err
	}
	switch {
	case ranged:
		if to, err = parseValue(last, low, high, names); err != nil {
			return 0, 0, 0, err
		}
	case stepped:
		to = high
	default:
		to = from
	}
	if to < from {
		return 0, 0, 0, ErrExpression
	}
	return from, to, step, nil
}

func parseValue(s string, low, high int, names []string) (int, error) {
	if i := slices.Index(names, strings.ToUpper(s)); i >= 0 {
		return i + 1, nil // months and days of the week count from one
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high || s[0] == '+' {
		return 0, ErrExpression
	}
	return n, nil
}

func parseDays(s string, one func(string) (dayRule, error)) ([]dayRule, error) {
	var rules []dayRule
	for part := range strings.SplitSeq(s, ",") {
		r, err := one(part)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// monthDay reads a day of the month: a span, L for the last, 3W for the weekday
// nearest to the third.
func monthDay(s string) (dayRule, error) {
	if s == "L" {
		return func(d time.Time) bool { return d.AddDate(0, 0, 1).Day() == 1 }, nil
	}
	if near, ok := strings.CutSuffix(s, "W"); ok {
		n, err := parseValue(near, 1, 31, nil)
		if err != nil {
			return nil, err
		}
		return func(d time.Time) bool { return d.Day() == nearestWeekday(d, n) }, nil
	}
	set, err := parseField(s, 1, 31, nil)
	if err != nil {
		return nil, err
	}
	return func(d time.Time) bool { return set[d.Day()-1] }, nil
}

// nearestWeekday returns the working day nearest to day n of d's month, within
// the month; 0 when the month has no day n.
func nearestWeekday(d time.Time, n int) int {
	first := time.Date(d.Year(), d.Month(), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	if n > last {
		return 0
	}
	switch first.AddDate(0, 0, n-1).Weekday() {
	case time.Saturday:
		if n == 1 {
			return 3
		}
		return n - 1
	case time.Sunday:
		if n == last {
			return n - 2
		}
		return n + 1
	}
	return n
}

// weekDay reads a day of the week, 1 or SUN to 7 or SAT: a span, 5L for the last
// Thursday of the month, 6#3 for its third Friday, L for Saturday.
func weekDay(s string) (dayRule, error) {
	if s == "L" {
		return func(d time.Time) bool { return d.Weekday() == time.Saturday }, nil
	}
	if last, ok := strings.CutSuffix(s, "L"); ok {
		n, err := parseValue(last, 1, 7, dayNames)
		if err != nil {
			return nil, err
		}
		return func(d time.Time) bool {
			return int(d.Weekday()) == n-1 && d.AddDate(0, 0, 7).Month() != d.Month()
		}, nil
	}
	if day, nth, ok := strings.Cut(s, "#"); ok {
		n, err := parseValue(day, 1, 7, dayNames)
		if err != nil {
			return nil, err
		}
		k, err := parseValue(nth, 1, 5, nil)
		if err != nil {
			return nil, err
		}
		return func(d time.Time) bool { return int(d.Weekday()) == n-1 && (d.Day()-1)/7 == k-1 }, nil
	}
	set, err := parseField(s, 1, 7, dayNames)
	if err != nil {
		return nil, err
	}
	return func(d time.Time) bool { return set[d.Weekday()] }, nil
}

// next returns the first minute after t that the expression selects.
func (c *cron) next(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Minute).Add(time.Minute)
	for t.Year() <= lastYear {
		switch {
		case t.Year() < firstYear || !c.years[t.Year()-firstYear]:
			t = time.Date(t.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC)
		case !c.months[t.Month()-1]:
			t = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		case !c.on(t):
			t = time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, time.UTC)
		case !c.hours[t.Hour()]:
			t = t.Truncate(time.Hour).Add(time.Hour)
		case !c.minutes[t.Minute()]:
			t = t.Add(time.Minute)
		default:
			return t
		}
	}
	return time.Time{}
}

func (c *cron) on(day time.Time) bool {
	return slices.ContainsFunc(c.days, func(r dayRule) bool { return r(day) })
}
