package dns

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/enforce/resolver"
)

// aws is a record as AWS's documentation shows them.
const aws = `{"version":"1.100000","account_id":"123456789012","region":"us-east-1","vpc_id":"vpc-0a1b2c3d","query_timestamp":"2026-01-01T10:00:00Z","query_name":"api.Evil.example.","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[{"Rdata":"198.51.100.7","Type":"A","Class":"IN"},{"Rdata":"other.example.","Type":"CNAME","Class":"IN"},{"Rdata":"100::1","Type":"AAAA","Class":"IN"}],"srcaddr":"10.0.1.25","srcport":"34908","transport":"UDP","srcids":{"instance":"i-0123456789abcdef0","resolver_endpoint":"rslvr-in-1"},"firewall_rule_action":"BLOCK","unknown":{"a":[1,{"b":null}]}}`

func TestRead(t *testing.T) {
	r, err := NewReader().Read([]byte(aws))
	if err != nil {
		t.Fatal(err)
	}
	if r.DNS.Domain() != "api.evil.example" || r.DNS.Instance != "i-0123456789abcdef0" || r.DNS.VPC != "vpc-0a1b2c3d" || r.DNS.Source != netip.MustParseAddr("10.0.1.25") ||
		r.DNS.Transport != "UDP" || r.DNS.Type != "A" || r.DNS.Rcode != "NOERROR" || !r.DNS.Blocked() || !r.Time.Equal(time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)) || len(r.DNS.Addresses) != 2 {
		t.Errorf("%+v", r)
	}
}

// The resolver's own records are read as it means them.
func TestReadWhatTheResolverWrites(t *testing.T) {
	q := resolver.QueryRecord{
		Account: "111122223333", Region: "us-east-1", VPC: "vpc-0a1b2c3d", Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Name: `a\046b.evil.example.`, Type: "AAAA", Class: "IN",
		Rcode: "NOERROR", Answers: []resolver.Answer{{Rdata: "100::1", Type: "AAAA", Class: "IN"}}, Source: netip.MustParseAddrPort("10.0.0.7:53"), Transport: "TCP", Instance: "i-0123456789abcdef0",
	}
	b, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader().Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if r.DNS.Name.String() != `a\046b.evil.example.` || r.DNS.Transport != "TCP" || r.DNS.Instance != q.Instance || len(r.DNS.Addresses) != 1 || !r.Time.Equal(q.Time) || r.DNS.Blocked() {
		t.Errorf("%+v", r)
	}
}

func TestRefused(t *testing.T) {
	reader := NewReader()
	for _, bad := range []string{
		"", " ", "null", "[]", `"x"`, "{", `{"query_name":"a.example."`, `{}`, `{"query_name":"a.example."}`, `{"query_timestamp":"2026-01-01T00:00:00Z"}`,
		strings.Replace(aws, "2026-01-01T10:00:00Z", "now", 1), strings.Replace(aws, "api.Evil.example.", "a..b", 1), strings.Replace(aws, "10.0.1.25", "host", 1),
		strings.Replace(aws, `"UDP"`, `17`, 1), strings.Replace(aws, "api.", strings.Repeat("a", 64)+".", 1),
		`{"query_name":"` + strings.Repeat("x", maxRecord) + `"}`,
	} {
		if r, err := reader.Read([]byte(bad)); err == nil {
			t.Errorf("%.60q: got %+v", bad, r)
		}
		if _, err := reader.Read([]byte(aws)); err != nil {
			t.Fatalf("after %.60q, a good record: %v", bad, err)
		}
	}
}

func TestManyAnswersAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `{"Rdata":"10.0.%d.%d","Type":"A","Class":"IN"},`, i/256, i%256)
	}
	r, err := NewReader().Read([]byte(strings.Replace(aws, `"answers":[`, `"answers":[`+b.String(), 1)))
	if err != nil || len(r.DNS.Addresses) != maxAnswers {
		t.Errorf("%v %v", r, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(aws))
	f.Add([]byte(`{"answers":[{"Rdata":{}}],"srcids":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		reader := NewReader()
		if r, err := reader.Read(b); err == nil && (len(r.DNS.Name) == 0 || r.Time.IsZero()) {
			t.Errorf("%q: %+v", b, r)
		}
		if _, err := reader.Read([]byte(aws)); err != nil {
			t.Errorf("after %q: %v", b, err)
		}
	})
}

// equal reports whether two records say the same. Neither has room for more.
func equal(a, b *record.Record) bool {
	one, other := *a, *b
	one.DNS, other.DNS = new(*a.DNS), new(*b.DNS)
	for _, d := range []*record.DNS{one.DNS, other.DNS} {
		d.Addresses = append([]netip.Addr{}, d.Addresses...)
	}
	return reflect.DeepEqual(one, other)
}

// What is plain is read as all others are.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{
		aws, strings.ReplaceAll(aws, ":", " : "), strings.Replace(aws, `"rcode"`, `"query_name":"b.example.","rcode"`, 1), strings.Replace(aws, "UDP", "\xff", 1), strings.Replace(aws, `"UDP"`, "null", 1), strings.Replace(aws, `"version"`, `"v\u0065rsion"`, 1),
		strings.Replace(aws, `[{"Rdata"`, `[{"Rdata":"10.0.0.1","Rdata"`, 1), strings.Replace(aws, `"answers":[`, `"answers":[1,`, 1), strings.Replace(aws, `"unknown":{`, `"message":{`, 1), strings.Replace(aws, "10:00:00Z", "10:00:00.5Z", 1), strings.Replace(aws, `"srcids":{`, `"srcids":{},"srcids":{`, 1), strings.Replace(aws, `"1.100000"`, `"\ud800"`, 1),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		reader := NewReader()
		reader.Plain([]byte(aws))
		for range 2 { // what came before is taken from there
			got := reader.Plain(b)
			if got == nil {
				return
			}
			if want, err := reader.any(b); err != nil || !equal(got, want) {
				t.Fatalf("%q:\n%+v %+v\n%+v, %v", b, got, got.DNS, want, err)
			}
		}
	})
}

func TestOrdinaryRecordsArePlain(t *testing.T) {
	b := []byte(aws)
	got := NewReader().Plain(b)
	if got == nil {
		t.Fatal("is declined")
	}
	clear(b)
	if want, err := NewReader().any([]byte(aws)); err != nil || !equal(got, want) {
		t.Errorf("%+v, %v", got.DNS, err)
	}
}

func BenchmarkRead(b *testing.B) {
	reader := NewReader()
	b.SetBytes(int64(len(aws)))
	b.ReportAllocs()
	line := []byte(aws)
	for b.Loop() {
		r, err := reader.Read(line)
		if err != nil {
			b.Fatal(err)
		}
		reader.spare.Put(r)
	}
}
