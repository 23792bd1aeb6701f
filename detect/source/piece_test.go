package source

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"sumun.dev/detect/record"
)

const (
	trailRecord = `{"eventVersion":"1.08","userIdentity":{"type":"Root","accountId":"111122223333"},"eventTime":"2026-01-01T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"ListUsers","awsRegion":"us-east-1","sourceIPAddress":"198.51.100.7","eventID":"%d","readOnly":true,"recipientAccountId":"111122223333"}`
	flowHeader  = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
	flowLine    = "2 111122223333 eni-1 10.0.0.1 198.51.100.7 443 5000 6 10 840 1767261600 1767261660 ACCEPT OK"
)

// What is taken apart and put together again reads as before.
func TestPiecesReadAsTheWhole(t *testing.T) {
	trail := func(n int) string { return fmt.Sprintf(trailRecord, n) }
	for name, c := range map[string]struct {
		content string
		records int
		bad     int
	}{
		"trail_file":      {`{"Records":[` + trail(1) + `, ` + trail(2) + `,` + trail(3) + `]}`, 3, 0},
		"pretty":          {"{\n \"Records\": [\n  " + trail(1) + ",\n  " + trail(2) + "\n ]\n}\n", 2, 0},
		"lines":           {trail(1) + "\n" + trail(2) + "\n{\"broken\n" + trail(3) + "\n", 3, 1},
		"flow":            {strings.Repeat(flowLine+"\n", 3), 3, 0},
		"flow_header":     {flowHeader + "\n" + flowLine + "\r\n" + flowLine, 2, 0},
		"custom_columns":  {"start end dstaddr srcaddr action account-id protocol dstport srcport\n1767261600 1767261660 10.0.0.9 198.51.100.7 ACCEPT 111122223333 6 22 40000\n", 1, 0},
		"cloudwatch":      {`{"owner":"111122223333","logGroup":"x","logEvents":[{"id":"1","timestamp":1,"message":` + fmt.Sprintf("%q", trail(1)) + `},{"id":"2","timestamp":2,"message":` + fmt.Sprintf("%q", trail(2)) + `}]}`, 2, 0},
		"nothing":         {"", 0, 0},
		"no_log_at_all":   {"hello\nworld\n", 0, 1},
		"ends_too_early":  {`{"Records":[` + trail(1) + `,{"event`, 1, 1},
		"utf16":           {wide(trail(1)+"\n"+trail(2), false), 2, 0},
		"byte_order_mark": {"\xef\xbb\xbf" + trail(1) + "\n", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var report Report
			got := 0
			err := Pieces(t.Context(), "x", []byte(c.content), &report, func(p Piece) error {
				if bytes.ContainsAny(p.Text, "\n\r") {
					t.Errorf("%q is several lines", p.Text)
				}
				if len(p.Header) > 0 {
					p.Text = append(append(p.Header, '\n'), p.Text...)
				}
				var again Report
				if err := Read("x", append(p.Text, '\n'), &again, func(r *record.Record) {
					if got++; r.Account != p.Account || r.Account != "111122223333" {
						t.Errorf("account %q", r.Account)
					}
				}); err != nil || again.Unread() > 0 {
					t.Errorf("%q: %v %+v", p.Text, err, again.Bad)
				}
				return nil
			})
			if err != nil || got != c.records || report.Unread() != c.bad {
				t.Errorf("%d records, %+v, %v", got, report.Bad, err)
			}
		})
	}
}

func TestUnpackIsBounded(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, more, err := Unpack(bytes.NewReader(packed.Bytes()), 1000); !more || err != nil {
		t.Errorf("%t %v", more, err)
	}
	if content, more, err := Unpack(&packed, 1<<20); len(content) != 1<<20 || more || err != nil {
		t.Errorf("%d bytes, %t, %v", len(content), more, err)
	}
	if _, _, err := Unpack(strings.NewReader("PK\x03\x04x"), 100); err == nil {
		t.Error("zip is taken")
	}
}

func TestHeader(t *testing.T) {
	for content, want := range map[string]string{flowHeader + "\n" + flowLine + "\n": flowHeader, flowLine + "\n" + flowLine + "\n": "", fmt.Sprintf(trailRecord, 1) + "\n": ""} {
		if got, some := Header([]byte(content)); string(got) != want || !some {
			t.Errorf("%q of %q", got, content)
		}
	}
	if got, some := Header([]byte(flowHeader + "\n")); got != nil || some {
		t.Errorf("%q", got)
	}
}

// FuzzPieces: whatever is sent in, pieces are lines, and what is read of them is
// bounded by what came.
func FuzzPieces(f *testing.F) {
	f.Add([]byte(`{"Records":[` + fmt.Sprintf(trailRecord, 1) + `]}`))
	f.Add([]byte(flowHeader + "\n" + flowLine + "\n"))
	f.Add([]byte(`[1,{"a":[{}]}]`))
	f.Fuzz(func(t *testing.T, content []byte) {
		var report Report
		size := 0
		err := Pieces(context.Background(), "x", content, &report, func(p Piece) error {
			if bytes.ContainsAny(p.Text, "\n") {
				t.Errorf("%q", p.Text)
			}
			size += len(p.Text)
			text := p.Text
			if len(p.Header) > 0 { // columns mean nothing without it
				text = slices.Concat(p.Header, []byte("\n"), p.Text)
			}
			return Read("x", text, &Report{}, func(*record.Record) {})
		})
		if err != nil || size > 12*len(content)+64 {
			t.Errorf("%v, %d bytes of %d", err, size, len(content))
		}
	})
}
