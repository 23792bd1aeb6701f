package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/aws"
)

// A deed is a line of the trail.
type deed struct {
	Time   time.Time
	User   string
	Source string // "iam.amazonaws.com"
	Event  string // "CreateUser"
	Error  string // code; empty when the call succeeded
	Region string
	Why    string // which statement decided; unknown outside the process
}

// trail [-why] [user=NAME] [event=NAME] [source=NAME] [error=CODE] [region=NAME]
//
// trail prints the calls on record, oldest first: time, user, source, event, and
// the error's code or a hyphen. A filter's value may end in *.
func (s *step) trail(args []string) error {
	why := false
	filters := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		switch {
		case arg == "-why":
			why = true
		case ok && slices.Contains([]string{"user", "event", "source", "error", "region"}, name):
			filters[name] = value
		default:
			return misused("usage: trail [-why] [user=NAME] [event=NAME] [source=NAME] [error=CODE] [region=NAME]")
		}
	}
	deeds, err := s.deeds(s.ctx)
	if err != nil {
		return err
	}
	slices.SortStableFunc(deeds, func(a, b deed) int { return a.Time.Truncate(time.Second).Compare(b.Time.Truncate(time.Second)) })
	for _, d := range deeds {
		if !d.matches(filters) {
			continue
		}
		line := []string{d.Time.UTC().Format(time.RFC3339), orHyphen(d.User), d.Source, d.Event, orHyphen(d.Error)}
		if why {
			line = append(line, orHyphen(d.Why))
		}
		fmt.Fprintln(s.out, strings.Join(line, " "))
	}
	return nil
}

func orHyphen(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (d *deed) matches(filters map[string]string) bool {
	has := map[string]string{"user": d.User, "event": d.Event, "source": d.Source, "error": d.Error, "region": d.Region}
	for name, want := range filters {
		got := has[name]
		if name == "source" && !strings.Contains(want, ".") {
			got, _, _ = strings.Cut(got, ".")
		}
		if prefix, open := strings.CutSuffix(want, "*"); got != want && !(open && strings.HasPrefix(got, prefix)) {
			return false
		}
	}
	return true
}

func (s *step) deeds(ctx context.Context) ([]deed, error) {
	if s.stage.external() != nil {
		return s.lookup(ctx)
	}
	events, err := s.stage.events(ctx, aws.TrailStream)
	if err != nil {
		return nil, err
	}
	deeds := make([]deed, 0, len(events))
	for i := range events {
		deeds = append(deeds, deedOf(&events[i]))
	}
	return deeds, nil
}

func deedOf(e *aws.Event) deed {
	a := e.Attrs
	return deed{Time: e.Time, User: a["user"], Source: a["eventSource"], Event: a["eventName"], Error: a["errorCode"], Region: string(e.Region), Why: a["decision"]}
}

// lookup asks CloudTrail, as the administrator, for the region that the script is
// in. Its own asking is left out.
func (s *step) lookup(ctx context.Context) ([]deed, error) {
	was := s.current
	s.current = s.keys[first]
	defer func() { s.current = was }()
	var deeds []deed
	in := &cloudtrailapi.LookupEventsRequest{}
	for {
		out, err := s.Send(ctx, "", true, &cloudtrailapi.LookupEvents, in)
		if err != nil {
			return nil, err
		}
		page := out.(*cloudtrailapi.LookupEventsResponse)
		for _, e := range page.Events {
			if d, ok := deedOfRecord(e); ok {
				deeds = append(deeds, d)
			}
		}
		if page.NextToken == nil || *page.NextToken == "" {
			slices.Reverse(deeds) // the newest come first
			return deeds, nil
		}
		in.NextToken = page.NextToken
	}
}

func deedOfRecord(e cloudtrailapi.Event) (deed, bool) {
	var record struct{ EventName, EventSource, ErrorCode, AwsRegion, UserAgent string }
	if e.CloudTrailEvent == nil || json.Unmarshal([]byte(*e.CloudTrailEvent), &record) != nil {
		return deed{}, false
	}
	d := deed{Source: record.EventSource, Event: record.EventName, Error: record.ErrorCode, Region: record.AwsRegion}
	if e.EventTime != nil {
		d.Time = *e.EventTime
	}
	if e.Username != nil {
		d.User = *e.Username
	}
	return d, record.UserAgent != userAgent || record.EventName != "LookupEvents"
}

// events [-json] [source=NAME] [detail-type=NAME] [bus=NAME]
//
// events prints what has been put on event buses, oldest first: time, bus, source
// and detail type, or with -json the events themselves as a JSON array.
func (s *step) events(args []string) error {
	asJSON := false
	filters := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		switch {
		case arg == "-json":
			asJSON = true
		case ok && (name == "source" || name == "detail-type" || name == "bus"):
			filters[name] = value
		default:
			return misused("usage: events [-json] [source=NAME] [detail-type=NAME] [bus=NAME]")
		}
	}
	if s.stage.external() != nil {
		return misused("events: the buses of another process cannot be seen; a rule can catch them")
	}
	all, err := s.stage.events(s.ctx, aws.BusStream)
	if err != nil {
		return err
	}
	found := []json.RawMessage{}
	for _, e := range all {
		if !passes(e.Attrs, filters) {
			continue
		}
		found = append(found, e.Data)
		if !asJSON {
			fmt.Fprintf(s.out, "%s %s %s %s\n", e.Time.UTC().Format(time.RFC3339), orHyphen(e.Attrs["bus"]), e.Attrs["source"], e.Attrs["detail-type"])
		}
	}
	if !asJSON {
		return nil
	}
	text, err := json.MarshalIndent(found, "", "    ")
	fmt.Fprintf(s.out, "%s\n", text)
	return err
}

func passes(attrs, filters map[string]string) bool {
	for name, want := range filters {
		if attrs[name] != want {
			return false
		}
	}
	return true
}
