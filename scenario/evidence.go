package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/aws"
)

// evidence
//
// evidence looks up, as the present caller, the records that the findings in the last
// command's output rest on, in CloudTrail's event history and the resolver's query log, and prints them. It
// fails when a finding names none, or one that is in neither.
func (s *step) evidence(args []string) error {
	if len(args) != 0 {
		return misused("usage: evidence, after 'aws guardduty get-findings' without --query")
	}
	if s.stage.external() != nil {
		return misused("evidence: the query log of another process cannot be seen")
	}
	rests, err := restsOn(s.script.ReadFile("stdout"))
	if err != nil {
		return err
	}
	var found []Moment
	for _, f := range rests {
		fmt.Fprintln(s.out, f.kind)
		for _, id := range f.ids {
			line, err := s.record(s.ctx, id)
			if err != nil {
				return fmt.Errorf("%s: %w", f.kind, err)
			}
			fmt.Fprintf(s.out, "  %s %s\n", id, line)
			found = append(found, Moment{At: time.Now(), Kind: "evidence", Who: id, What: line})
		}
	}
	for _, m := range found {
		s.tell(m)
	}
	return nil
}

// A resting is a finding with the ids of its records.
type resting struct {
	kind string
	ids  []string
}

// restsOn reads what GetFindings answered.
func restsOn(output string) ([]resting, error) {
	var doc struct {
		Findings []struct {
			Type    string
			Service struct{ AdditionalInfo struct{ Value string } }
		}
	}
	if err := json.Unmarshal([]byte(output), &doc); err != nil || len(doc.Findings) == 0 {
		return nil, misused("evidence: the last command's output holds no findings, as 'aws guardduty get-findings' prints them")
	}
	var all []resting
	for _, f := range doc.Findings {
		var info struct{ Evidence []string }
		if err := json.Unmarshal([]byte(f.Service.AdditionalInfo.Value), &info); err != nil {
			return nil, fmt.Errorf("evidence: %s: %w", f.Type, err)
		}
		if len(info.Evidence) == 0 {
			return nil, fmt.Errorf("evidence: %s names no record", f.Type)
		}
		all = append(all, resting{f.Type, info.Evidence})
	}
	return all, nil
}

// record finds a record by its id and says it in a line.
func (s *step) record(ctx context.Context, id string) (string, error) {
	queries, err := s.stage.events(ctx, aws.DNSStream)
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(queries, func(e aws.Event) bool { return e.ID == id }); i >= 0 {
		m, _ := dnsMoment(&queries[i])
		return fmt.Sprintf("%s %s %s %s", m.At.UTC().Format(time.RFC3339), m.Who, m.What, m.Then), nil
	}
	sent, err := s.stage.events(ctx, aws.IngestStream)
	if err != nil {
		return "", err
	}
	for _, e := range sent {
		if line, ok := lineOf(e.Data, e.ID == id, id); ok {
			return "in a log that was sent in: " + line, nil
		}
	}
	return s.deedByID(ctx, id)
}

// deedByID asks CloudTrail, as the present caller, for an event.
func (s *step) deedByID(ctx context.Context, id string) (string, error) {
	out, err := s.Send(ctx, "", true, &cloudtrailapi.LookupEvents, &cloudtrailapi.LookupEventsRequest{
		LookupAttributes: []cloudtrailapi.LookupAttribute{{AttributeKey: cloudtrailapi.LookupAttributeKeyEventId, AttributeValue: id}},
	})
	if err != nil {
		return "", err
	}
	for _, e := range out.(*cloudtrailapi.LookupEventsResponse).Events {
		d, ok := deedOfRecord(e)
		if !ok {
			continue
		}
		var r struct{ RequestID, SourceIPAddress string }
		if err := json.Unmarshal([]byte(*e.CloudTrailEvent), &r); err != nil {
			return "", err
		}
		return strings.Join([]string{d.Time.UTC().Format(time.RFC3339), orHyphen(d.User), d.Source, d.Event, orHyphen(d.Error), orHyphen(r.SourceIPAddress), orHyphen(r.RequestID)}, " "), nil
	}
	return "", errors.New("the record " + id + " is neither in the trail nor in any log")
}
