package schedule

import (
	"testing"
	"time"
)

func TestSchedulesFire(t *testing.T) {
	const layout = "2006-01-02 15:04:05"
	for _, c := range []struct{ expression, after, want string }{
		{"rate(5 minutes)", "2026-01-01 00:00:30", "2026-01-01 00:05:30"},
		{"rate(1 day)", "2026-01-01 00:00:00", "2026-01-02 00:00:00"},
		{"cron(0 10 * * ? *)", "2026-01-01 10:00:00", "2026-01-02 10:00:00"},
		{"cron(15 12 * * ? *)", "2026-01-01 10:00:00", "2026-01-01 12:15:00"},
		{"cron(0 18 ? * MON-FRI *)", "2026-01-02 18:00:00", "2026-01-05 18:00:00"},
		{"cron(0 8 1 * ? *)", "2026-01-01 08:00:01", "2026-02-01 08:00:00"},
		{"cron(0/15 * * * ? *)", "2026-01-01 08:16:00", "2026-01-01 08:30:00"},
		{"cron(0/10 * ? * MON-FRI *)", "2026-01-02 23:55:00", "2026-01-05 00:00:00"},
		{"cron(0/5 8-17 ? * MON-FRI *)", "2026-01-02 17:55:00", "2026-01-05 08:00:00"},
		{"cron(30 9 ? * 2#1 *)", "2026-01-05 09:30:00", "2026-02-02 09:30:00"},
		{"cron(0 0 L * ? *)", "2026-02-01 00:00:00", "2026-02-28 00:00:00"},
		{"cron(0 0 L * ? *)", "2028-02-01 00:00:00", "2028-02-29 00:00:00"},
		{"cron(0 0 ? * 6L *)", "2026-01-01 00:00:00", "2026-01-30 00:00:00"},
		{"cron(0 0 15W * ? *)", "2026-02-01 00:00:00", "2026-02-16 00:00:00"},
		{"cron(0 0 1W * ? *)", "2026-07-31 00:00:00", "2026-08-03 00:00:00"},
		{"cron(0 0 29 2 ? *)", "2026-01-01 00:00:00", "2028-02-29 00:00:00"},
		{"cron(0 0 1 JAN,JUL ? 2027-2028)", "2026-01-01 00:00:00", "2027-01-01 00:00:00"},
		{"cron(0 0 31 2 ? *)", "2026-01-01 00:00:00", ""},
		{"cron(0 0 1 1 ? 2020)", "2026-01-01 00:00:00", ""},
	} {
		s, err := Parse(c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		after, err := time.Parse(layout, c.after)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if n := s.Next(after); !n.IsZero() {
			got = n.Format(layout)
		}
		if got != c.want {
			t.Errorf("%s after %s: %q, want %q", c.expression, c.after, got, c.want)
		}
	}
}

func TestBadSchedulesAreRefused(t *testing.T) {
	for _, s := range []string{"", "rate(0 minutes)", "rate(1 minutes)", "rate(2 minute)", "rate(5 seconds)", "rate(-1 day)", "rate(5minutes)", "rate(99999999999 days)",
		"cron(0 10 * * * *)", "cron(0 10 ? * ? *)", "cron(0 10 * * ?)", "cron(60 10 * * ? *)", "cron(0 24 * * ? *)", "cron(0 0 0 * ? *)", "cron(0 0 ? * 8 *)",
		"cron(0 0 ? * 2#6 *)", "cron(0 0 5-3 * ? *)", "cron(0/0 0 * * ? *)", "cron(a 0 * * ? *)", "cron(0 0 * * ? 1969)", "at(2026-01-01T00:00:00)", "rate(5 minutes"} {
		if _, err := Parse(s); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
}

func FuzzSchedule(f *testing.F) {
	f.Add("cron(0/15 8-17 ? * MON-FRI *)")
	f.Add("rate(5 minutes)")
	f.Fuzz(func(t *testing.T, s string) {
		sched, err := Parse(s)
		if err != nil {
			return
		}
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		if n := sched.Next(now); !n.IsZero() && !n.After(now) {
			t.Fatalf("%s: %s", s, n)
		}
	})
}
