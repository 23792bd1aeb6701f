package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/aws"
	"sumun.dev/detect/record"
	"sumun.dev/detect/source/access"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/detect/source/kube"
	"sumun.dev/detect/source/scan"
)

// containers are the names whose lists hold records: CloudTrail's files, the
// answers of LookupEvents, FilterLogEvents and GetQueryResults, what CloudWatch Logs
// sends to subscribers, EventLists of Kubernetes.
var containers = []string{"Records", "Events", "events", "logEvents", "records", "items", "results"}

// A valueFormat is a log with a JSON value a record.
type valueFormat struct {
	name string
	mark []byte // stands in each of its records, with the quotes of a name
	read func(t *taker, value []byte) (*record.Record, error)
}

// valueFormats are tried in this order.
var valueFormats = []valueFormat{
	{CloudTrail, []byte(`"eventSource"`), func(_ *taker, b []byte) (*record.Record, error) { return cloudtrail.Read(b) }},
	{ResolverDNS, []byte(`"query_name"`), func(t *taker, b []byte) (*record.Record, error) { return t.dns.Read(b) }},
	{Kubernetes, []byte(kube.Mark), func(t *taker, b []byte) (*record.Record, error) { return t.kube(b) }},
	{WAF, []byte(access.WAFMark), func(_ *taker, b []byte) (*record.Record, error) { return access.WAF(b) }},
}

// kube reads an event of a Kubernetes audit log. Whose it is, the log group knows
// better than the event.
func (t *taker) kube(b []byte) (*record.Record, error) {
	r, err := kube.Read(b)
	if r != nil {
		r.Kubernetes.Cluster = t.cluster
		if t.owner != "" {
			r.Account = t.owner
		}
	}
	return r, err
}

func hasContainer(b []byte) bool {
	for _, c := range containers {
		if bytes.Contains(b, []byte(`"`+c+`"`)) {
			return true
		}
	}
	return false
}

// jsonLines reads a value a line.
func (t *taker) jsonLines(b *bufio.Reader) error {
	queries := false // the latest line was a query
	return t.eachLine(b, func(line []byte, at record.Origin) error {
		line = exported(line)
		if t.with.unwanted(line) {
			return nil
		}
		for _, of := range [...]bool{queries, !queries} {
			if of {
				if r := t.dns.Plain(line); r != nil {
					queries = true
					return t.give(ResolverDNS, r, at)
				}
			} else if r, end := t.with.trail.Plain(line, 0); end >= 0 && scan.Space(line, end) == len(line) {
				queries = false
				return t.give(CloudTrail, r, at)
			}
		}
		if !jsontext.Value(line).IsValid(lenient...) {
			t.report.bad(at, errors.New("is no JSON"))
			return nil
		}
		return t.value(line, at, 0)
	})
}

// carriers are parts of the names of all that carries records, and of CloudTrail's mark.
var carriers = [][]byte{[]byte("vent"), []byte("essage"), []byte("detail"), []byte("items")}

// unwanted reports whether a line that looks like an object holds no record that
// somebody wants, nor carries one: neither a mark of its format stands in it nor the
// name of what carries records. Marks within texts have lost their quotes.
func (w *readers) unwanted(line []byte) bool {
	if len(w.only) == 0 || line[0] != '{' || line[len(line)-1] != '}' {
		return false
	}
	for _, carrier := range carriers {
		if bytes.Contains(line, carrier) {
			return false
		}
	}
	for _, f := range valueFormats {
		if w.wants(f.name) && f.name != CloudTrail && bytes.Contains(line, bytes.Trim(f.mark, `"`)) {
			return false
		}
	}
	return true
}

// passes reports whether a file begins with lines of which none is wanted.
func (w *readers) passes(head []byte) bool {
	if len(head) == sniffed { // the last line may go on
		head = head[:bytes.LastIndexByte(head, '\n')+1]
	}
	some := false
	for line := range bytes.Lines(head) {
		if line = exported(bytes.TrimSpace(line)); len(line) == 0 {
			continue
		}
		if some = true; !w.unwanted(line) {
			return false
		}
	}
	return some
}

// values reads values one after the other, the first one in a way of its own.
func (t *taker) values(dec *jsontext.Decoder, in *budget, first func(*jsontext.Decoder, *budget) error) error {
	for next := first; ; next = t.next {
		err := next(dec, in)
		var broken *jsontext.SyntacticError
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLong), errors.As(err, &broken), errors.Is(err, io.ErrUnexpectedEOF):
			why := "is no JSON from here on"
			if errors.Is(err, errLong) {
				why = "a value " + errLong.Error() + "; not read from here on"
			}
			t.report.cut(t.here(dec), errors.New(why))
			return nil
		default:
			return err
		}
	}
}

// here is where a document was read to.
func (t *taker) here(dec *jsontext.Decoder) record.Origin {
	return record.Origin{File: t.name, Offset: t.place(t.skipped + dec.InputOffset())}
}

// next reads one value at the top of a document.
func (t *taker) next(dec *jsontext.Decoder, in *budget) error {
	in.renew()
	switch dec.PeekKind() {
	case '[':
		if _, err := dec.ReadToken(); err != nil {
			return err
		}
		return t.list(dec, in)
	case '{':
		return t.object(dec, in)
	}
	at := t.here(dec)
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	return t.value(v, at, 0)
}

// list reads the rest of a list of values.
func (t *taker) list(dec *jsontext.Decoder, in *budget) error {
	for dec.PeekKind() != ']' {
		in.renew()
		at := t.here(dec)
		v, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if err := t.value(v, at, 0); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// object reads an object that holds records, or is one itself.
func (t *taker) object(dec *jsontext.Decoder, in *budget) error {
	at := t.here(dec)
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	return t.members(dec, in, at, false)
}

// members reads the rest of an object. held says that a list of records was read
// of it: then it is no record itself.
func (t *taker) members(dec *jsontext.Decoder, in *budget, at record.Origin, held bool) error {
	whole := []byte{'{'}
	for dec.PeekKind() == '"' {
		in.renew()
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		if dec.PeekKind() == '[' && isContainer(name) {
			if _, err := dec.ReadToken(); err != nil {
				return err
			}
			held = true
			if err := t.list(dec, in); err != nil {
				return err
			}
			continue
		}
		v, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if text := ""; (name == "owner" || name == "logGroup") && json.Unmarshal(v, &text) == nil {
			t.from(name, text)
		}
		if held || len(whole)+len(name)+len(v) > maxLine {
			continue
		}
		if len(whole) > 1 {
			whole = append(whole, ',')
		}
		if whole, err = jsontext.AppendQuote(whole, name); err != nil {
			return err
		}
		whole = append(append(whole, ':'), v...)
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	if held {
		return nil
	}
	return t.value(append(whole, '}'), at, 0)
}

// from notes what CloudWatch Logs says of the log group of messages to come.
func (t *taker) from(name, value string) {
	if name == "owner" {
		t.owner = ""
		if len(value) == 12 && strings.Trim(value, "0123456789") == "" {
			t.owner = aws.Account(value)
		}
		return
	}
	t.cluster = kube.Home(value)
}

func isContainer(name string) bool {
	for _, c := range containers {
		if c == name {
			return true
		}
	}
	return false
}

// maxWrapped is how many wrappers a record may have: an event of EventBridge in a
// message of CloudWatch Logs.
const maxWrapped = 3

// value reads a record, or what it is wrapped in. value is good only until then.
func (t *taker) value(value []byte, at record.Origin, depth int) error {
	if depth > maxWrapped {
		t.report.bad(at, errors.New("is wrapped too often"))
		return nil
	}
	inner, bad := t.unwrap(value)
	switch {
	case bad != nil:
		t.report.bad(at, bad)
		return nil
	case inner != nil:
		for _, v := range inner {
			if err := t.value(v, at, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if len(value) > 0 && value[0] != '{' {
		return t.text(value, at)
	}
	// A mark may stand deeper in a record of another format: what cannot be read as
	// the first is tried as the next.
	why := errUnknown
	for _, f := range valueFormats {
		if !bytes.Contains(value, f.mark) {
			continue
		}
		if !t.with.wants(f.name) {
			if why == errUnknown {
				return nil
			}
			continue
		}
		r, err := f.read(t, bytes.Clone(value))
		switch {
		case err == nil && r == nil:
			return nil
		case err == nil:
			return t.give(f.name, r, at)
		case why == errUnknown:
			why = err
		}
	}
	if why == errUnknown && bytes.Contains(value, digest) {
		return nil
	}
	of, list := listIn(value)
	if of == "" {
		if bytes.Contains(value, insight) {
			why = errInsight
		}
		t.report.bad(at, why)
		return nil
	}
	for _, v := range list {
		if err := t.value(v, at, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// digest marks the files that CloudTrail puts beside those of a trail, to prove that
// they are whole: they are no logs, and nothing is lost with them.
var digest = []byte(`"digestS3Bucket"`)

// insight marks events of CloudTrail Insights: how often a call came, and not whose
// it was. What they count stands in the trail.
var (
	insight    = []byte(`"AwsCloudTrailInsight"`)
	errInsight = errors.New("is an event of CloudTrail Insights, which is not judged: the calls that it counts are in the trail")
)

// listIn returns what stands in the first list of records that an object has, and
// the name of that; none when it has no such list.
func listIn(object []byte) (name string, list []jsontext.Value) {
	if !hasContainer(object) {
		return "", nil
	}
	dec := jsontext.NewDecoder(bytes.NewReader(object), lenient...)
	if token, err := dec.ReadToken(); err != nil || token.Kind() != '{' {
		return "", nil
	}
	for dec.PeekKind() == '"' {
		token, err := dec.ReadToken()
		if err != nil {
			return "", nil
		}
		name := token.String()
		v, err := dec.ReadValue()
		if err != nil {
			return "", nil
		}
		if isContainer(name) && v.Kind() == '[' && json.Unmarshal(v, &list, json.JoinOptions(lenient...)) == nil {
			return name, list
		}
	}
	return "", nil
}

// text reads a line that was wrapped: a message of CloudWatch Logs.
func (t *taker) text(line []byte, at record.Origin) error {
	for _, f := range lineFormats {
		parse := f.recognise(t.with, [][]byte{line})
		if parse == nil {
			continue
		}
		if !t.with.wants(f.name) {
			return nil
		}
		r, err := parse(line)
		switch {
		case err != nil:
			t.report.bad(at, err)
			return nil
		case r == nil:
			return nil
		}
		return t.give(f.name, r, at)
	}
	t.report.bad(at, errUnknown)
	return nil
}

// unwrap takes a record out of what carries it: an event of EventBridge, an
// element of LookupEvents' answer, a message of CloudWatch Logs, or a list of
// those or of Kubernetes events. It returns nil for what carries nothing.
func (t *taker) unwrap(v []byte) ([][]byte, error) {
	var carrier struct {
		CloudTrailEvent *string          `json:"CloudTrailEvent"`
		Message         *string          `json:"message"`
		Detail          jsontext.Value   `json:"detail"`
		DetailType      string           `json:"detail-type"`
		Events          []jsontext.Value `json:"logEvents"`
		Owner           string           `json:"owner"`
		Group           string           `json:"logGroup"`
		Kind            string           `json:"kind"`
		Items           []jsontext.Value `json:"items"`
	}
	switch {
	case len(v) > 0 && v[0] == '[':
		if inner, err := result(v); inner != nil || err != nil {
			return inner, err
		}
		return texts(v)
	case len(v) > 1 && v[0] == '"':
		return texts(slices.Concat([]byte{'['}, v, []byte{']'}))
	case len(v) == 0 || v[0] != '{':
		return nil, nil
	case bytes.Contains(v, []byte(`"CloudTrailEvent"`)), bytes.Contains(v, []byte(`"detail-type"`)), bytes.Contains(v, []byte(`"message"`)), bytes.Contains(v, []byte(`"logEvents"`)), bytes.Contains(v, []byte(`"EventList"`)):
	default:
		return nil, nil
	}
	if err := json.Unmarshal(v, &carrier, json.JoinOptions(lenient...)); err != nil {
		return nil, nil // its names mean something else
	}
	switch {
	case carrier.CloudTrailEvent != nil:
		return one(*carrier.CloudTrailEvent)
	case carrier.DetailType != "" && len(carrier.Detail) > 0 && carrier.Detail[0] == '{':
		return [][]byte{carrier.Detail}, nil
	case carrier.Kind == "EventList":
		var all [][]byte
		for _, e := range carrier.Items {
			all = append(all, e)
		}
		return all, nil
	case len(carrier.Events) > 0:
		t.from("owner", carrier.Owner)
		t.from("logGroup", carrier.Group)
		var all [][]byte
		for _, e := range carrier.Events {
			all = append(all, e)
		}
		return all, nil
	case carrier.Message != nil && strings.HasPrefix(*carrier.Message, "CWL CONTROL MESSAGE"):
		return [][]byte{}, nil // CloudWatch Logs tries whether a subscriber is there
	case carrier.Message != nil && !bytes.Contains(v, []byte(`"eventSource"`)):
		return one(*carrier.Message)
	}
	return nil, nil
}

// result takes a message out of a line of what CloudWatch Logs Insights found: a
// list of fields and their values.
func result(v []byte) ([][]byte, error) {
	var fields []struct {
		Field string `json:"field"`
		Value string `json:"value"`
	}
	if !bytes.Contains(v, []byte(`"@message"`)) || json.Unmarshal(v, &fields, json.JoinOptions(lenient...)) != nil {
		return nil, nil
	}
	for _, f := range fields {
		if f.Field == "@message" {
			return one(f.Value)
		}
	}
	return nil, nil
}

// texts takes records out of texts, as when somebody asked LookupEvents for nothing
// but CloudTrailEvent.
func texts(v []byte) ([][]byte, error) {
	var some []string
	if json.Unmarshal(v, &some, json.JoinOptions(lenient...)) != nil {
		return nil, nil
	}
	var all [][]byte
	for _, s := range some {
		message, err := one(s)
		if err != nil {
			return nil, err
		}
		all = append(all, message...)
	}
	return all, nil
}

func one(message string) ([][]byte, error) {
	message = strings.TrimSpace(message)
	if strings.HasPrefix(message, "{") && !jsontext.Value(message).IsValid(lenient...) {
		return nil, errors.New("carries what is no JSON")
	}
	if message == "" {
		return nil, fmt.Errorf("carries nothing")
	}
	return [][]byte{[]byte(message)}, nil
}

// budget bounds how much a single value may take.
type budget struct {
	in   io.Reader
	left int
}

func (b *budget) renew() { b.left = maxLine }

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	if len(p) > b.left {
		p = p[:b.left]
	}
	n, err := b.in.Read(p)
	b.left -= n
	return n, err
}
