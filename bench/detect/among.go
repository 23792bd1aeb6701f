package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sumun.dev/bench/detect/generate"
	"sumun.dev/finding"
)

// among puts a technique into the midst of ordinary work, as if somebody used the
// key of the user that works there, and says what is found of it when all was
// learnt before.
func among(work [][]byte, file string) (told []string, err error) {
	steps, err := moved(work, file)
	if err != nil {
		return nil, err
	}
	mine := map[string]bool{}
	for _, s := range steps {
		mine[s.id] = true
		at := slices.IndexFunc(work, func(b []byte) bool { return timeOf(b).After(s.at) })
		if at < 0 {
			at = len(work)
		}
		work = slices.Insert(slices.Clone(work), at, s.body)
	}
	o, err := modes[1].judge(work)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, f := range o.found {
		if slices.ContainsFunc(f.Evidence, func(e finding.Evidence) bool { return mine[e.ID] }) {
			seen[fmt.Sprintf("%s %s %.1f", f.Type, f.Signal, f.Level())] = true
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

type step struct {
	at   time.Time
	id   string
	body []byte
}

// moved returns the records of a technique as the user's, at noon of a day in the
// last third, in order of time.
func moved(work [][]byte, file string) ([]step, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		var trail struct{ Records []map[string]any }
		if err := json.Unmarshal(b, &trail); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		all = trail.Records
	}
	slices.SortStableFunc(all, func(x, y map[string]any) int { return cmp.Compare(str(x["eventTime"]), str(y["eventTime"])) })
	var erik any
	for _, b := range work {
		if bytes.Contains(b, []byte(`:user/erik"`)) {
			var r map[string]any
			if err := json.Unmarshal(b, &r); err != nil {
				return nil, err
			}
			erik = r["userIdentity"]
			break
		}
	}
	var out []step
	var began time.Time
	noon := timeOf(work[len(work)*3/4]).Truncate(24 * time.Hour).Add(12 * time.Hour)
	for _, r := range all {
		t, err := time.Parse(time.RFC3339, str(r["eventTime"]))
		if err != nil {
			return nil, err
		}
		if began.IsZero() {
			began = t
		}
		at := noon.Add(t.Sub(began))
		own := str(r["recipientAccountId"])
		r["eventTime"], r["userIdentity"] = at.Format(time.RFC3339), erik
		b, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		out = append(out, step{at, str(r["eventID"]), bytes.ReplaceAll(b, []byte(own), []byte(generate.Account))})
	}
	return out, nil
}

func str(v any) string { s, _ := v.(string); return s }

// timeOf reads when a record of package generate was.
func timeOf(b []byte) time.Time {
	const name = `"eventTime":"`
	_, after, _ := strings.Cut(string(b), name)
	t, _ := time.Parse(time.RFC3339, after[:min(len(after), 20)])
	return t
}
