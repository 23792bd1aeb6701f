package access

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/aws"
	"sumun.dev/detect/record"
)

// WAFMark stands in every record of WAF's log.
const WAFMark = `"webaclId"`

// maxHeaders is how many headers of a request are kept.
const maxHeaders = 64

var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// WAF reads a record of WAF's log: Developer Guide, "Log fields for protection
// pack (web ACL) traffic".
func WAF(b []byte) (*record.Record, error) {
	var e struct {
		Timestamp int64  `json:"timestamp"`
		WebACL    string `json:"webaclId"`
		Rule      string `json:"terminatingRuleId"`
		Action    string `json:"action"`
		Code      *int   `json:"responseCodeSent"`
		Request   struct {
			ClientIP string `json:"clientIp"`
			Country  string `json:"country"`
			Headers  []struct {
				Name  string `json:"name"`
				Value string `json:"value"`
			} `json:"headers"`
			URI    string `json:"uri"`
			Args   string `json:"args"`
			Method string `json:"httpMethod"`
			ID     string `json:"requestId"`
			Host   string `json:"host"`
		} `json:"httpRequest"`
	}
	if len(b) > 4<<20 {
		return nil, errors.New("the record is larger than 4 MiB")
	}
	if err := json.Unmarshal(b, &e, lenient); err != nil {
		return nil, fmt.Errorf("WAF log: %w", err)
	}
	// The year 2200 is the last that is believed.
	if e.WebACL == "" || e.Timestamp <= 0 || e.Timestamp > 7258118400000 {
		return nil, errors.New("WAF log: no webaclId or no timestamp")
	}
	q := &e.Request
	h := &record.HTTP{Door: "waf", Resource: e.WebACL, Method: q.Method, Host: q.Host, URL: q.URI, Action: e.Action, Rule: e.Rule, Country: q.Country}
	if q.Args != "" {
		h.URL += "?" + q.Args
	}
	if e.Code != nil {
		h.Status = *e.Code
	}
	if a, err := netip.ParseAddr(q.ClientIP); err == nil {
		h.Client = a.Unmap()
	}
	for _, one := range q.Headers[:min(len(q.Headers), maxHeaders)] {
		switch {
		case strings.EqualFold(one.Name, "host") && h.Host == "":
			h.Host = one.Value
		case strings.EqualFold(one.Name, "user-agent"):
			h.Agent = one.Value
		}
		h.Headers = append(h.Headers, [2]string{one.Name, one.Value})
	}
	r := &record.Record{Class: record.HTTPActivity, Time: time.UnixMilli(e.Timestamp).UTC(), ID: q.ID, HTTP: h}
	if arn := strings.SplitN(e.WebACL, ":", 6); len(arn) == 6 {
		r.Region, r.Account = aws.Region(arn[3]), aws.Account(arn[4])
	}
	return r, nil
}
