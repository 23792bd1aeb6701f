package secretsmanager

import (
	"testing"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
)

func TestWindowsOfRotation(t *testing.T) {
	const layout = "2006-01-02 15:04"
	for _, c := range []struct {
		days                     int64
		expression, duration     string
		last, now, opens, closes string
	}{
		{days: 1, last: "2026-01-01 13:37", now: "2026-01-01 13:37", opens: "2026-01-02 00:00", closes: "2026-01-03 00:00"},
		{days: 30, last: "2026-01-01 13:37", now: "2026-01-01 13:37", opens: "2026-01-31 00:00", closes: "2026-02-01 00:00"},
		{days: 30, duration: "2h", last: "2026-01-01 13:37", now: "2026-01-05 00:00", opens: "2026-01-31 00:00", closes: "2026-01-31 02:00"},
		{days: 7, last: "2026-01-01 00:00", now: "2026-01-20 10:00", opens: "2026-01-22 00:00", closes: "2026-01-23 00:00"}, // two were missed
		{expression: "rate(4 hours)", last: "2026-01-01 13:37", now: "2026-01-01 13:37", opens: "2026-01-01 17:00", closes: "2026-01-01 18:00"},
		{expression: "rate(6 hours)", duration: "3h", last: "2026-01-01 00:00", now: "2026-01-01 00:00", opens: "2026-01-01 06:00", closes: "2026-01-01 09:00"},
		{expression: "rate(10 days)", last: "2026-01-01 13:37", now: "2026-01-01 13:37", opens: "2026-01-11 00:00", closes: "2026-01-12 00:00"},
		{expression: "rate(1 day)", duration: "24h", last: "2026-01-01 13:37", now: "2026-01-01 13:37", opens: "2026-01-02 00:00", closes: "2026-01-03 00:00"},
		{expression: "cron(0 16 1,15 * ? *)", duration: "3h", last: "2026-01-01 00:00", now: "2026-01-01 16:00", opens: "2026-01-15 16:00", closes: "2026-01-15 19:00"},
		{expression: "cron(0 8 1 * ? *)", last: "2026-01-01 00:00", now: "2026-01-01 09:00", opens: "2026-02-01 08:00", closes: "2026-02-02 00:00"},
		{expression: "cron(0 /8 * * ? *)"},
		{expression: "cron(0 0/8 * * ? *)", last: "2026-01-01 00:00", now: "2026-01-01 09:00", opens: "2026-01-01 16:00", closes: "2026-01-01 17:00"},
		{expression: "cron(0 23 ? * SAT *)", last: "2026-01-01 00:00", now: "2026-01-01 09:00", opens: "2026-01-03 23:00", closes: "2026-01-04 00:00"},
		{expression: "cron(0 1 ? * 2#1 *)", last: "2026-01-01 00:00", now: "2026-01-05 01:00", opens: "2026-02-02 01:00", closes: "2026-02-03 00:00"},
		{expression: "cron(0 17 L * ? *)", last: "2026-01-01 00:00", now: "2026-02-01 00:00", opens: "2026-02-28 17:00", closes: "2026-03-01 00:00"},
		// Refused.
		{expression: "rate(3 hours)"},
		{expression: "rate(300 minutes)"},
		{expression: "rate(1001 days)"},
		{expression: "rate(1 hours)"},
		{expression: "cron(15 1 * * ? *)"},
		{expression: "cron(0 1 * * ? 2027)"},
		{expression: "cron(0 * * * ? *)"},
		{expression: "cron(0 1,4 * * ? *)"},
		{expression: "cron(0 1,23 * * ? *)"}, // two hours over midnight
		{expression: "cron(0 1 31 2 ? *)"},   // never comes
		{expression: "cron(0 1 * * * *)"},
		{expression: "every day"},
		{expression: "rate(4 hours)", duration: "5h"},
		{expression: "cron(0 20 * * ? *)", duration: "5h"}, // into the next day
		{expression: "rate(1 day)", duration: "25h"},
		{days: 1, duration: "0h"},
		{days: 1, expression: "rate(1 day)"},
		{},
	} {
		in := &api.RotationRulesType{}
		if c.days != 0 {
			in.AutomaticallyAfterDays = &c.days
		}
		if c.expression != "" {
			in.ScheduleExpression = &c.expression
		}
		if c.duration != "" {
			in.Duration = &c.duration
		}
		err := checkRules(in)
		if c.opens == "" {
			if err == nil {
				t.Errorf("%d %s %s: accepted", c.days, c.expression, c.duration)
			}
			continue
		}
		if err != nil {
			t.Errorf("%d %s %s: %v", c.days, c.expression, c.duration, err)
			continue
		}
		last, _ := time.Parse(layout, c.last)
		now, _ := time.Parse(layout, c.now)
		w, _ := windows(int(c.days), c.expression, c.duration)
		opens, closes := w.next(last, now)
		if opens.Format(layout) != c.opens || closes.Format(layout) != c.closes {
			t.Errorf("%d %s %s after %s, last %s: %s to %s, want %s to %s", c.days, c.expression, c.duration, c.now, c.last, opens.Format(layout), closes.Format(layout), c.opens, c.closes)
		}
	}
}
