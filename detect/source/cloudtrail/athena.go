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
		case "requestParameters", "responseElements", "additionalEventData", "serviceEventDetails":
			if json.Valid([]byte(cell)) {
				fields[name] = json.RawMessage(cell)
			} else if v, ok := assigned(cell); ok {
				fields[name] = v
			} else {
				return nil, errors.New("cannot read " + name)
			}
		case "resources":
			if json.Valid([]byte(cell)) {
				fields[name] = json.RawMessage(cell)
			} else if v, ok := structures(cell); ok {
				fields[name] = v
			} else {
				return nil, errors.New("cannot read " + name)
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

// maxName is how long the name of a parameter is at most.
const maxName = 128

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

// structures reads what Athena prints of resources: [{arn=…, accountid=…, type=…}, …].
func structures(s string) ([]map[string]any, bool) {
	s, ok := strings.CutPrefix(s, "[")
	if !ok {
		return nil, false
	}
	var all []map[string]any
	for {
		s = strings.TrimLeft(s, ", ")
		if s == "]" {
			return all, true
		}
		one, rest, ok := nested(s, 0)
		if !ok {
			return nil, false
		}
		if arn, ok := one["arn"]; ok {
			one["ARN"] = arn // as the record spells it here
			delete(one, "arn")
		}
		all, s = append(all, one), rest
	}
}

// assigned reads what CloudTrail Lake prints of a document: {name=value, …}, where a
// value is JSON or a text, which goes on to the next name.
func assigned(s string) (map[string]json.RawMessage, bool) {
	s, open := strings.CutPrefix(s, "{")
	s, shut := strings.CutSuffix(s, "}")
	if !open || !shut {
		return nil, false
	}
	out := map[string]json.RawMessage{}
	tries := 16 // of values that begin as JSON and are none; each may be long
	for s = strings.TrimSpace(s); s != ""; {
		n := nameEnd(s)
		if n < 0 {
			return nil, false
		}
		name, rest := s[:n], s[n+1:]
		value, after := valueOf(rest, &tries)
		out[name] = value
		s = strings.TrimLeft(strings.TrimPrefix(after, ","), " ")
	}
	return out, true
}

// valueOf takes the value that s begins with.
func valueOf(s string, tries *int) (value json.RawMessage, rest string) {
	if s != "" && strings.IndexByte(`{["`, s[0]) >= 0 && *tries > 0 {
		in := json.NewDecoder(strings.NewReader(s))
		if in.Decode(&value) == nil {
			if rest := s[in.InputOffset():]; rest == "" || next(rest) {
				return value, rest
			}
		}
		*tries--
	}
	end := len(s)
	for i := range len(s) {
		if s[i] == ',' && next(s[i:]) {
			end = i
			break
		}
	}
	switch text := s[:end]; text {
	case "null", "true", "false":
		value = json.RawMessage(text)
	default:
		value, _ = json.Marshal(text) // of a text it does not fail
	}
	return value, s[end:]
}

// next reports whether another name and its value follow.
func next(s string) bool {
	s, ok := strings.CutPrefix(s, ", ")
	return ok && nameEnd(s) > 0
}

// nameEnd finds the sign after the name that s begins with, -1 when there is none.
func nameEnd(s string) int {
	for i := range min(len(s), maxName) {
		switch c := s[i]; {
		case c == '=' && i > 0:
			return i
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == ':':
		default:
			return -1
		}
	}
	return -1
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
