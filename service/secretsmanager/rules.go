package secretsmanager

import (
	"strconv"
	"strings"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/engine/schedule"
)

const day = 24 * time.Hour

// leastBetween is how often a secret may rotate. User Guide, "Schedule expressions
// in Secrets Manager rotation".
const leastBetween = 4 * time.Hour

// checkRules holds rotation rules to what Secrets Manager takes.
func checkRules(in *api.RotationRulesType) error {
	days, expression := orZero(in.AutomaticallyAfterDays), text(in.ScheduleExpression)
	switch {
	case days != 0 && expression != "":
		return api.InvalidParameterException.New("You can specify either AutomaticallyAfterDays or ScheduleExpression in RotationRules, but not both.")
	case days == 0 && expression == "":
		return api.InvalidParameterException.New("RotationRules must include either AutomaticallyAfterDays or ScheduleExpression.")
	}
	w, err := windows(int(days), expression, text(in.Duration))
	if err != nil {
		return err
	}
	return w.check()
}

// orZero is what a pointer points to; 0 of none.
func orZero(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

// A calendar says when the windows are in which a secret rotates. They begin on
// the hour, in UTC.
type calendar struct {
	every    time.Duration // between two; 0: as cron says
	cron     schedule.Schedule
	hourly   bool          // windows close after an hour when no duration is set, else with the day
	duration time.Duration // 0: none set
}

func windows(days int, expression, duration string) (c calendar, err error) {
	if duration != "" {
		hours, err := strconv.Atoi(strings.TrimSuffix(duration, "h"))
		if err != nil || hours < 1 || hours > 24 {
			return c, api.InvalidParameterException.New("The Duration %s is not valid: a rotation window has 1h to 24h.", duration)
		}
		c.duration = time.Duration(hours) * time.Hour
	}
	if expression == "" {
		c.every = time.Duration(days) * day
		return c, nil
	}
	bad := func(why string) error {
		return api.InvalidParameterException.New("The ScheduleExpression %s is not valid: %s", expression, why)
	}
	if c.cron, err = schedule.Parse(expression); err != nil {
		return c, bad("it is neither a cron() nor a rate() expression.")
	}
	if c.every = c.cron.Every(); c.every != 0 {
		switch {
		case strings.Contains(expression, "minute"):
			return c, bad("a rate is in hours or days.")
		case c.every < leastBetween:
			return c, bad("a secret can be rotated as often as every four hours.")
		case c.every > 1000*day:
			return c, bad("a rate has up to 1000 days.")
		}
		c.hourly = strings.Contains(expression, "hour")
		return c, nil
	}
	fields := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(expression, "cron("), ")"))
	switch {
	case fields[0] != "0":
		return c, bad("rotation windows start on the hour, so the minutes must be 0.")
	case fields[5] != "*":
		return c, bad("the year must be *.")
	}
	c.hourly = strings.ContainsAny(fields[1], "/,-*")
	return c, nil
}

// check looks at the windows of some time: that they come, seldom enough, and end
// before the next and within their day.
func (c calendar) check() error {
	const looked = 64
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	opens, closes := c.next(at, at)
	if opens.IsZero() {
		return api.InvalidParameterException.New("The ScheduleExpression is not valid: it never comes.")
	}
	for range looked {
		after, end := c.next(opens, opens)
		switch {
		case after.IsZero():
			return nil
		case after.Sub(opens) < leastBetween:
			return api.InvalidParameterException.New("The ScheduleExpression is not valid: a secret can be rotated as often as every four hours.")
		case closes.After(after) || closes.After(opens.Truncate(day).Add(day)):
			return api.InvalidParameterException.New("The Duration is not valid: a rotation window must not extend into the next rotation window or the next UTC day.")
		}
		opens, closes = after, end
	}
	return nil
}

// next returns the first window that opens after now: last is when the secret was
// last rotated. A rate in days counts days, one in hours hours, from then. The
// window is zero when there is none any more.
func (c calendar) next(last, now time.Time) (opens, closes time.Time) {
	last, now = last.UTC(), now.UTC()
	if c.every == 0 {
		opens = c.cron.Next(now)
		if opens.IsZero() {
			return opens, opens
		}
	} else {
		unit := day
		if c.hourly {
			unit = time.Hour
		}
		opens = last.Truncate(unit).Add(c.every)
		if !opens.After(now) { // missed, or counted from long ago
			opens = opens.Add((now.Sub(opens)/c.every + 1) * c.every)
		}
	}
	switch {
	case c.duration != 0:
		closes = opens.Add(c.duration)
	case c.hourly:
		closes = opens.Add(time.Hour)
	default:
		closes = opens.Truncate(day).Add(day)
	}
	return opens, closes
}

// calendar returns the windows of rules that were checked when they were set; false
// when there are none.
func (r *rotation) calendar() (calendar, bool) {
	if r.Days == 0 && r.Schedule == "" {
		return calendar{}, false
	}
	c, err := windows(r.Days, r.Schedule, r.Duration)
	return c, err == nil
}
