package securityhub

import (
	"net/netip"
	"slices"
	"time"

	"sumun.dev/api/securityhubapi"
)

// anyOf makes a condition of filters of which one must hold, for one of the values.
func anyOf[F any](filters []F, holds func(f F, v any, now time.Time) bool) condition {
	return condition{n: len(filters), holds: func(values []any, now time.Time) bool {
		return slices.ContainsFunc(filters, func(f F) bool {
			return slices.ContainsFunc(values, func(v any) bool { return holds(f, v, now) })
		})
	}}
}

func numbers(filters []securityhubapi.NumberFilter) condition {
	c := anyOf(filters, func(f securityhubapi.NumberFilter, v any, _ time.Time) bool {
		n, ok := v.(float64)
		return ok && (f.Eq == nil || n == *f.Eq) && (f.Gte == nil || n >= *f.Gte) && (f.Lte == nil || n <= *f.Lte) &&
			(f.Gt == nil || n > *f.Gt) && (f.Lt == nil || n < *f.Lt)
	})
	for _, f := range filters {
		if f == (securityhubapi.NumberFilter{}) {
			c.why = "data should have one of the properties Gte, Lte, Eq, Gt, Lt"
		}
	}
	return c
}

func booleans(filters []securityhubapi.BooleanFilter) condition {
	c := anyOf(filters, func(f securityhubapi.BooleanFilter, v any, _ time.Time) bool { return v == *f.Value })
	for _, f := range filters {
		if f.Value == nil {
			c.why = "data should have required property 'Value'"
		}
	}
	return c
}

func addresses(filters []securityhubapi.IpFilter) condition {
	var blocks []netip.Prefix
	why := ""
	for _, f := range filters {
		block, err := blockOf(value(f.Cidr))
		if err != nil {
			why = "data.Cidr should be an IP address or a CIDR block"
		}
		blocks = append(blocks, block)
	}
	c := anyOf(blocks, func(block netip.Prefix, v any, _ time.Time) bool {
		s, _ := v.(string)
		a, err := netip.ParseAddr(s)
		return err == nil && block.Contains(a)
	})
	c.why = why
	return c
}

// blockOf reads a CIDR block, or one address.
func blockOf(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Prefix(a.BitLen())
	}
	return netip.ParsePrefix(s)
}

// A span of time has two ends, either of which may be open. With days it moves with the clock.
type span struct {
	from, to time.Time
	days     int
	older    bool
}

// dates reads filters of time: a start and an end, or days from now. API
// Reference, "DateFilter" and "DateRange".
func dates(filters []securityhubapi.DateFilter) condition {
	var spans []span
	why := ""
	for _, f := range filters {
		s, problem := spanOf(f)
		if problem != "" {
			why = problem
		}
		spans = append(spans, s)
	}
	c := anyOf(spans, func(s span, v any, now time.Time) bool {
		written, _ := v.(string)
		at, err := parseTime(written)
		return err == nil && s.holds(at, now)
	})
	c.why = why
	return c
}

func spanOf(f securityhubapi.DateFilter) (s span, problem string) {
	if r := f.DateRange; r != nil {
		switch {
		case f.Start != nil || f.End != nil:
			return s, "data should have either DateRange or Start and End"
		case r.Value == nil || *r.Value < 0 || r.Unit == nil:
			return s, "data.DateRange should have required properties 'Value' and 'Unit'"
		}
		return span{days: int(*r.Value), older: value(r.Comparison) == securityhubapi.DateRangeComparisonOlderThan}, ""
	}
	if f.Start == nil && f.End == nil {
		return s, "data should have either DateRange or Start and End"
	}
	s.days = -1
	for _, end := range []struct {
		written *string
		at      *time.Time
	}{{f.Start, &s.from}, {f.End, &s.to}} {
		if end.written == nil {
			continue
		}
		at, err := parseTime(*end.written)
		if err != nil {
			return s, `data should match format "date-time"`
		}
		*end.at = at
	}
	return s, ""
}

// window returns the times outside of which no value meets any of the filters; an
// end that is zero is open.
func window(filters []securityhubapi.DateFilter, now time.Time) (from, to time.Time) {
	for i, f := range filters {
		s, _ := spanOf(f) // was checked
		switch {
		case s.days >= 0 && s.older:
			s.to = now.AddDate(0, 0, -s.days)
		case s.days >= 0:
			s.from = now.AddDate(0, 0, -s.days)
		}
		if i == 0 || s.from.Before(from) {
			from = s.from
		}
		if i == 0 || s.to.IsZero() || !to.IsZero() && s.to.After(to) {
			to = s.to
		}
	}
	return from, to
}

func (s span) holds(at, now time.Time) bool {
	if s.days >= 0 {
		limit := now.AddDate(0, 0, -s.days)
		return s.older == at.Before(limit)
	}
	return !at.Before(s.from) && (s.to.IsZero() || !at.After(s.to))
}
