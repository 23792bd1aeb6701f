package cloudtrail

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"sumun.dev/detect/record"
)

// columns are those of the table that CloudTrail's documentation has Athena make,
// as the record spells them: User Guide, "Query AWS CloudTrail logs".
var columns = spelt("eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent", "errorCode",
	"errorMessage", "requestParameters", "responseElements", "additionalEventData", "requestID", "eventID", "resources", "eventType", "apiVersion",
	"readOnly", "recipientAccountId", "serviceEventDetails", "sharedEventID", "vpcEndpointId", "managementEvent", "eventCategory", "tlsDetails",
	"sessionCredentialFromConsole")

// members are those of userIdentity and tlsDetails, which Athena prints as {name=value, …}.
var members = spelt("type", "principalId", "arn", "accountId", "invokedBy", "accessKeyId", "userName", "identityProvider", "onBehalfOf", "userId",
	"identityStoreArn", "sessionContext", "attributes", "mfaAuthenticated", "creationDate", "sessionIssuer", "ec2RoleDelivery", "webIdFederationData",
	"federatedProvider", "sourceIdentity", "assumedRoot", "tlsVersion", "cipherSuite", "clientProvidedHostHeader", "credentialId", "inScopeOf")

func spelt(names ...string) map[string]string {
	m := map[string]string{}
	for _, n := range names {
		m[strings.ToLower(n)] = n
	}
	return m
}

// A Table reads the rows of a CSV file that Athena wrote of CloudTrail records.
type Table struct{ columns []string }

// NewTable reads the first line of a file; nil when it is no table of CloudTrail
// records.
func NewTable(header []byte) *Table {
	cells, err := row(header)
	if err != nil || len(cells) > 1000 {
		return nil
	}
	t := &Table{}
	known := map[string]bool{}
	for _, c := range cells {
		name := columns[strings.ToLower(strings.TrimSpace(c))]
		known[name] = true
		t.columns = append(t.columns, name)
	}
	if !known["eventTime"] || !known["eventSource"] || !known["eventName"] {
		return nil
	}
	return t
}

func row(line []byte) ([]string, error) {
	if len(line) > maxRecord {
		return nil, errors.New("the row is larger than 4 MiB")
	}
	return csv.NewReader(bytes.NewReader(line)).Read()
}

// Read reads a row; nil for the header.
func (t *Table) Read(line []byte) (*record.Record, error) {
	cells, err := row(line)
	if err != nil {
		return nil, err
	}
	if len(cells) != len(t.columns) {
		return nil, errors.New("the row has another number of columns than the first")
	}
	if i := slices.Index(t.columns, "eventTime"); strings.EqualFold(strings.TrimSpace(cells[i]), "eventTime") {
		return nil, nil
	}
	fields := map[string]any{}
	for i, name := range t.columns {
		cell := strings.TrimSpace(cells[i])
		if name == "" || cell == "" || cell == "null" {
			continue
		}
		switch name {
		case "userIdentity", "tlsDetails":
			if strings.HasPrefix(cell, "{") && json.Valid([]byte(cell)) {
				fields[name] = json.RawMessage(cell)
			} else if v, ok := structure(cell); ok {
				fields[name] = v
			} else {
				return nil, errors.New("cannot read " + name)
			}
		case "requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "resources":
			if json.Valid([]byte(cell)) {
				fields[name] = json.RawMessage(cell)
			}
		case "readOnly", "managementEvent":
			fields[name] = strings.EqualFold(cell, "true")
		default:
			fields[name] = cell
		}
	}
	b, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	return Read(b)
}

// maxNested is how deep a structure goes; userIdentity's own is three.
const maxNested = 6

// structure reads what Athena prints of a structure: {type=IAMUser, arn=…}. A value
// goes on to the next name that is known.
func structure(s string) (map[string]any, bool) {
	v, rest, ok := nested(s, 0)
	return v, ok && strings.TrimSpace(rest) == ""
}

func nested(s string, depth int) (map[string]any, string, bool) {
	s, ok := strings.CutPrefix(s, "{")
	if !ok || depth > maxNested {
		return nil, "", false
	}
	out := map[string]any{}
	for {
		s = strings.TrimLeft(s, ", ")
		if rest, ok := strings.CutPrefix(s, "}"); ok {
			return out, rest, true
		}
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			return nil, "", false
		}
		spelling := members[strings.ToLower(name)]
		if strings.HasPrefix(rest, "{") && strings.Contains(rest, "=") {
			inner, after, ok := nested(rest, depth+1)
			if !ok {
				return nil, "", false
			}
			if spelling != "" {
				out[spelling] = inner
			}
			s = after
			continue
		}
		end := valueEnd(rest)
		if end < 0 {
			return nil, "", false
		}
		if v := rest[:end]; v != "null" && spelling != "" {
			out[spelling] = v
		}
		s = rest[end:]
	}
}

// valueEnd finds where a value ends: at a brace, or at a comma that a name follows.
func valueEnd(s string) int {
	for i := range len(s) {
		switch s[i] {
		case '}':
			return i
		case ',':
			name, _, ok := strings.Cut(strings.TrimLeft(s[i:min(len(s), i+64)], ", "), "=")
			if ok && members[strings.ToLower(name)] != "" {
				return i
			}
		}
	}
	return -1
}
