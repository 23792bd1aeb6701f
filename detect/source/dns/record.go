// Package dns reads Route 53 Resolver query log records.
package dns

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/detect/record"
	"sumun.dev/detect/source/scan"
	"sumun.dev/engine/dns"
)

const (
	maxRecord  = 256 << 10 // bytes; an answer of 64 KiB takes no more as JSON
	maxAnswers = 100       // addresses kept
)

// A Reader reads records one after the other. It is not safe for concurrent use.
type Reader struct {
	in    bytes.Buffer
	dec   *jsontext.Decoder
	texts *scan.Texts
	names map[string]named

	spare  *record.Spare
	shapes [ofAnswer + 1]shape
	last   [members]string // of each member
	wrote  [len("2026-01-31T10:00:00Z")]byte
	then   time.Time // what wrote says
}

// NewReader returns a Reader.
func NewReader() *Reader { return NewReaderOf(&record.Spare{}) }

// NewReaderOf returns a Reader that takes records from spare.
func NewReaderOf(spare *record.Spare) *Reader {
	r := &Reader{dec: new(jsontext.Decoder), texts: scan.NewTexts(), names: map[string]named{}, spare: spare}
	r.reset()
	return r
}

// reset begins a document. Of a name that comes twice the last value counts.
func (r *Reader) reset() { r.dec.Reset(&r.in, jsontext.AllowDuplicateNames(true)) }

var errSize = errors.New("the record is larger than 256 KiB")

// Read reads the record in b. What it does not know, it skips.
func (r *Reader) Read(b []byte) (*record.Record, error) {
	if rec := r.Plain(b); rec != nil {
		return rec, nil
	}
	return r.any(b)
}

// any reads a record that need not be plain.
func (r *Reader) any(b []byte) (*record.Record, error) {
	if len(b) > maxRecord {
		return nil, errSize
	}
	r.in.Reset()
	r.in.Write(b)
	r.reset()
	rec := &record.Record{Class: record.DNSActivity, DNS: &record.DNS{}}
	if err := r.object(func(name []byte) error { return r.member(rec, name) }); err != nil {
		return nil, fmt.Errorf("query log record: %w", err)
	}
	if rec.DNS.Name == nil || rec.Time.IsZero() {
		return nil, errors.New("query log record: no query_name or no query_timestamp")
	}
	return rec, nil
}

var errObject = errors.New("not a JSON object")

// object reads an object; member reads the value of each name. The name is only
// good until then.
func (r *Reader) object(member func(name []byte) error) error {
	if r.dec.PeekKind() != '{' {
		return errObject
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	for r.dec.PeekKind() == '"' {
		name, err := r.dec.ReadValue()
		if err != nil {
			return err
		}
		if err := member(name[1 : len(name)-1]); err != nil {
			return err
		}
	}
	_, err := r.dec.ReadToken()
	return err
}

func (r *Reader) member(rec *record.Record, name []byte) error {
	d := rec.DNS
	switch string(name) {
	case "account_id":
		return r.kept("account_id", (*string)(&rec.Account))
	case "region":
		return r.kept("region", (*string)(&rec.Region))
	case "query_timestamp":
		return r.parsed("query_timestamp", func(s string) (err error) { rec.Time, err = time.Parse(time.RFC3339, s); return err })
	case "query_name":
		return r.parsed("query_name", func(s string) (err error) { d.Name, err = dns.ParseName(s); d.Sum = d.Name.Sum(); return err })
	case "srcaddr":
		return r.parsed("srcaddr", func(s string) (err error) { d.Source, err = netip.ParseAddr(s); return err })
	case "vpc_id":
		return r.kept("vpc_id", &d.VPC)
	case "query_type":
		return r.kept("query_type", &d.Type)
	case "rcode":
		return r.kept("rcode", &d.Rcode)
	case "transport":
		return r.kept("transport", &d.Transport)
	case "firewall_rule_action":
		return r.kept("firewall_rule_action", &d.Action)
	case "srcids":
		return r.sources(d)
	case "answers":
		return r.answers(d)
	}
	return r.dec.SkipValue()
}

// kept reads a string.
func (r *Reader) kept(name string, to *string) error {
	s, err := r.text()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	*to = s
	return nil
}

// parsed reads a string that says something else.
func (r *Reader) parsed(name string, parse func(string) error) error {
	s, err := r.text()
	if err == nil {
		err = parse(s)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// text reads a string; null is the empty one. Few strings of records have
// escapes: those without are not parsed again.
func (r *Reader) text() (string, error) {
	v, err := r.dec.ReadValue()
	if err != nil {
		return "", err
	}
	switch {
	case v[0] == 'n':
		return "", nil
	case v[0] != '"':
		return "", errors.New("not a string")
	case bytes.IndexByte(v, '\\') < 0:
		return string(v[1 : len(v)-1]), nil
	}
	s, err := jsontext.AppendUnquote(nil, v)
	return string(s), err
}

func (r *Reader) sources(d *record.DNS) error {
	if r.dec.PeekKind() != '{' {
		return r.dec.SkipValue()
	}
	return r.object(func(name []byte) error {
		if string(name) != "instance" {
			return r.dec.SkipValue()
		}
		return r.kept("srcids.instance", &d.Instance)
	})
}

// answers keeps the addresses that were answered.
func (r *Reader) answers(d *record.DNS) error {
	if r.dec.PeekKind() != '[' {
		return r.dec.SkipValue()
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	for r.dec.PeekKind() == '{' {
		var data, typ string
		err := r.object(func(name []byte) error {
			switch string(name) {
			case "Rdata":
				return r.kept("answers.Rdata", &data)
			case "Type":
				return r.kept("answers.Type", &typ)
			}
			return r.dec.SkipValue()
		})
		if err != nil {
			return err
		}
		if (typ == "A" || typ == "AAAA") && len(d.Addresses) < maxAnswers {
			if a, err := netip.ParseAddr(data); err == nil {
				d.Addresses = append(d.Addresses, a)
			}
		}
	}
	_, err := r.dec.ReadToken()
	return err
}
