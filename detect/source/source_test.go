package source

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"golang.org/x/text/encoding/unicode"

	"sumun.dev/detect/record"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// event is a CloudTrail record, made at a second after the start.
func event(id string, second int) string {
	return fmt.Sprintf(`{"eventTime":%q,"eventSource":"iam.amazonaws.com","eventName":"ListUsers","eventID":%q,"recipientAccountId":"111122223333","requestParameters":{"message":"x"}}`,
		start.Add(time.Duration(second)*time.Second).Format(time.RFC3339), id)
}

func file(name, content string) File {
	return File{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}
}

// ids reads files, and returns the ids of the records in their order.
func ids(t testing.TB, files ...File) (string, *Report) {
	t.Helper()
	var all []string
	var report Report
	for r, err := range Records(t.Context(), files, &report) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Origin.File == "" || r.Time.IsZero() {
			t.Errorf("%+v", r)
		}
		all = append(all, r.ID)
	}
	return strings.Join(all, " "), &report
}

func gz(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(s))
	z.Close()
	return b.String()
}

func zst(s string) string {
	z, _ := zstd.NewWriter(nil)
	return string(z.EncodeAll([]byte(s), nil))
}

func zipped(members ...string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, _ := z.Create(members[i])
		w.Write([]byte(members[i+1]))
	}
	z.Close()
	return b.String()
}

// wide writes ASCII as UTF-16.
func wide(s string, big bool) string {
	out := make([]byte, 0, 2*len(s)+2)
	for _, c := range append([]byte{0xff}, s...) {
		switch high := byte(0); {
		case c == 0xff && big:
			out = append(out, 0xfe, 0xff)
		case c == 0xff:
			out = append(out, 0xff, 0xfe)
		case big:
			out = append(out, high, c)
		default:
			out = append(out, c, high)
		}
	}
	return string(out)
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

func TestShapes(t *testing.T) {
	a, b := event("a", 1), event("b", 2)
	lookup := `{"Events":[{"EventId":"a","CloudTrailEvent":` + quoted(a) + `},{"EventId":"b","CloudTrailEvent":` + quoted(b) + `}],"NextToken":"x"}`
	bus := func(e string) string {
		return `{"version":"0","id":"1","detail-type":"AWS API Call via CloudTrail","source":"aws.iam","detail":` + e + `}`
	}
	spread := strings.ReplaceAll(`{"Records":[`+a+`,`+b+`]}`, ",", ",\n  ")
	for name, content := range map[string]string{
		"a trail's file":             `{"Records":[` + a + `,` + b + `]}`,
		"spread over lines":          spread,
		"a list":                     `[` + a + `,` + b + `]`,
		"lines":                      a + "\n" + b + "\n",
		"lines without the last end": a + "\r\n" + b,
		"one after the other":        strings.ReplaceAll(a+b, ",", ",\n"),
		"LookupEvents":               lookup,
		"EventBridge, lines":         bus(a) + "\n" + bus(b),
		"CloudWatch Logs":            `{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","timestamp":1,"message":` + quoted(a) + `},{"id":"2","message":` + quoted(b) + `}]}`,
		"FilterLogEvents":            `{"events":[{"logStreamName":"s","message":` + quoted(a) + `},{"message":` + quoted(b) + `}]}`,
		"GetQueryResults":            `{"results":[[{"field":"@timestamp","value":"2026"},{"field":"@message","value":` + quoted(a) + `}],[{"field":"@message","value":` + quoted(b) + `}]],"status":"Complete"}`,
		"GetLogEvents":               `{"events":[{"timestamp":1,"message":` + quoted(a) + `},{"message":` + quoted(b) + `}],"nextForwardToken":"f/1"}`,
		"a try of a subscription":    `{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logEvents":[{"id":"","message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}` + "\n" + a + "\n" + b,
		"the events of LookupEvents": `[` + quoted(a) + `,` + quoted(b) + `]`,
		"the same, each in a list":   `[[` + quoted(a) + `],[` + quoted(b) + `]]`,
		"the same, a line each":      quoted(a) + "\n" + quoted(b) + "\n",
		"a query's results as CSV":   "@timestamp,@message\n" + `2026-01-01 00:00:01.000,"` + strings.ReplaceAll(a, `"`, `""`) + "\"\r\n" + `2026-01-01 00:00:02.000,"` + strings.ReplaceAll(b, `"`, `""`) + `"`,
		"a log stream as CSV":        "timestamp,message\n" + `1767225601000,"` + strings.ReplaceAll(a, `"`, `""`) + "\"\n" + `1767225602000,"` + strings.ReplaceAll(b, `"`, `""`) + `"`,
		"an export":                  gz("2026-01-01T00:00:01.000Z " + a + "\n2026-01-01T00:00:02.000Z " + b + "\n"),
		"EventBridge in a message":   `{"events":[{"message":` + quoted(bus(a)) + `},{"message":` + quoted(b) + `}]}`,
		"a byte order mark":          "\xef\xbb\xbf" + `{"Records":[` + a + `,` + b + `]}`,
		"UTF-16":                     wide(a+"\r\n"+b, false),
		"UTF-16, the other way":      wide(`{"Records":[`+a+`,`+b+`]}`, true),
		"a digest beside":            `{"awsAccountId":"111122223333","digestStartTime":"2026-01-01T00:00:00Z","digestS3Bucket":"trail","logFiles":[{"s3Bucket":"trail"}]}` + "\n" + a + "\n" + b,
		"out of order":               b + "\n" + a,
		"gzip":                       gz(a + "\n" + b),
		"two gzip members":           gz(a+"\n") + gz(b),
		"zstd":                       zst(`{"Records":[` + a + `,` + b + `]}`),
		"zip":                        zipped("2.json", b, "1.json", a, ".DS_Store", "x"),
		"gzip in zip":                zipped("x.json.gz", gz(a+"\n"+b)),
	} {
		t.Run(name, func(t *testing.T) {
			got, report := ids(t, file("f", content))
			if got != "a b" || report.Unread() != 0 || report.Records[CloudTrail] != 2 {
				t.Errorf("got %q, %+v", got, report)
			}
		})
	}
}

// Documents that stand a line each, as when the files of a trail are unpacked one
// after the other, hold records.
func TestDocumentsInLines(t *testing.T) {
	a, b := event("a", 1), event("b", 2)
	for name, content := range map[string]string{
		"files of a trail":         `{"Records":[` + a + `]}` + "\n" + `{"Records":[` + b + `]}` + "\n",
		"nothing, then a file":     `{"Records":[]}` + "\n" + `{"Records":[` + a + `,` + b + `]}` + "\n",
		"answers":                  `{"NextToken":"x","Events":[{"EventId":"a","CloudTrailEvent":` + quoted(a) + `}]}` + "\n" + `{"Events":[{"EventId":"b","CloudTrailEvent":` + quoted(b) + `}]}` + "\n",
		"a record, then a file":    a + "\n" + `{"Records":[` + b + `]}` + "\n",
		"a record, then an answer": a + "\n" + `{"Events":[{"CloudTrailEvent":` + quoted(b) + `}]}` + "\n",
		"files, then a record":     `{"Records":[` + a + `]}` + "\n" + `{"Records":[]}` + "\n" + b + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, report := ids(t, file("f", content))
			if got != "a b" || report.Unread() != 0 || report.Records[CloudTrail] != 2 {
				t.Errorf("got %q, %+v", got, report)
			}
		})
	}
}

// A file that is missing, or a part of it, is set apart from a line that is.
func TestWhatIsCutIsTold(t *testing.T) {
	a, b := event("a", 1), event("b", 2)
	long := a + "\n" + b + "\n"
	for i := range 500 {
		long += event(fmt.Sprint("c", i*i*7919), i) + "\n"
	}
	gone := File{Name: "f", Open: func() (io.ReadCloser, error) { return nil, errors.New("AccessDenied") }}
	for name, c := range map[string]struct {
		file File
		cut  int
	}{
		"all":               {file("f", long), 0},
		"a broken line":     {file("f", a+"\nrubbish\n"+b), 0},
		"no log":            {file("f", "hello\nworld\n"), 0},
		"not to be opened":  {gone, 1},
		"lines cut, packed": {file("f", gz(long)[:3000]), 1},
		"a document cut":    {file("f", `{"Records":[`+a+","+b[:50]), 1},
		"a member cut":      {file("f", zipped("1.json", a, "2.json.gz", gz(long)[:3000])), 1},
		"a note in a zip":   {file("f", zipped("1.json", a, "README", "hello\n")), 0},
		"bzip2":             {file("f", "BZh91AY&SY\x13\xb2"), 1},
		"tar in gzip":       {file("f", gz("a.json"+strings.Repeat("\x00", 251)+"ustar\x0000"+a)), 1},
		"Insights":          {file("f", `{"Records":[{"eventTime":"2026-01-01T00:00:00Z","eventType":"AwsCloudTrailInsight","insightDetails":{"eventSource":"iam.amazonaws.com"}}]}`), 0},
	} {
		t.Run(name, func(t *testing.T) {
			if _, report := ids(t, c.file); report.Cut() != c.cut {
				t.Errorf("%d: %+v", report.Cut(), report)
			}
		})
	}
}

// Flow logs come as files, and as messages of CloudWatch Logs.
func TestFlowLogs(t *testing.T) {
	const header, line = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status",
		"2 111122223333 eni-1 10.0.0.7 198.51.100.20 44321 443 6 20 4249 1767261600 1767261660 ACCEPT OK"
	idle := "2 111122223333 eni-1 - - - - - - - 1767261600 1767261660 - NODATA"
	for name, content := range map[string]string{
		"a file":                    header + "\n" + line + "\n" + line + "\n" + idle + "\n",
		"packed":                    gz(header + "\r\n" + line + "\r\n" + line),
		"without a header":          idle + "\n" + line + "\n" + line,
		"exported":                  "2026-01-01T10:00:00.000Z " + line + "\n2026-01-01T10:00:00.000Z " + line + "\n",
		"columns of one's own":      "start srcaddr dstaddr\n1767261600 10.0.0.7 198.51.100.20\n1767261600 10.0.0.7 198.51.100.20",
		"sent to a subscriber":      `{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","timestamp":1,"message":` + quoted(line) + `},{"id":"2","message":` + quoted(line) + `}]}`,
		"what FilterLogEvents says": `{"events":[{"logStreamName":"s","message":` + quoted(line) + `},{"message":` + quoted(idle) + `},{"message":` + quoted(line) + `}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, report := ids(t, file("f", content)); report.Records[VPCFlow] != 2 || report.Unread() != 0 {
				t.Errorf("%+v", report)
			}
		})
	}
	if _, report := ids(t, file("f", "PAR1\x15\x04\x15")); report.Unread() != 1 || !strings.Contains(report.Bad[0].Why, "Parquet") {
		t.Errorf("%+v", report)
	}
}

// Logs of other kinds are told by what is in them.
func TestOtherLogs(t *testing.T) {
	audit := func(id, more string) string {
		return `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"` + id + `","stage":"ResponseComplete","verb":"get","requestURI":"/x","user":{"username":"ann"},"stageTimestamp":"2026-01-01T10:00:00Z"` + more + `}`
	}
	a, b := audit("a", ""), audit("b", `,"responseObject":{"message":"x","data":{"eventSource":"y"}}`)
	alb := `h2 2026-07-02T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 198.51.100.7:2817 10.0.0.1:80 0.086 0.048 0.037 200 201 34 366 "GET https://www.example.com:443/a HTTP/1.1" "curl" ECDHE TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:111122223333:targetgroup/t/1 "Root=1"`
	s3 := `79a5 bucket-1 [06/Feb/2026:00:00:38 +0000] 198.51.100.7 - 3E57 REST.GET.OBJECT a "GET /a HTTP/1.1" 200 - 113 4096 7 5 "-" "curl" -`
	waf := `{"timestamp":1767261600123,"webaclId":"arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/w/1","action":"BLOCK","httpRequest":{"clientIp":"198.51.100.7"}}`
	csv := "eventtime,eventsource,eventname,useridentity\n2026-01-01T10:00:00Z,iam.amazonaws.com,ListUsers,\"{type=Root, accountid=111122223333}\"\n2026-01-01T10:00:01Z,iam.amazonaws.com,ListUsers,\n"
	for name, c := range map[string]struct{ content, format string }{
		"audit lines":            {a + "\n" + b, Kubernetes},
		"an EventList":           {`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + a + "," + b + `]}`, Kubernetes},
		"EventLists":             {`{"kind":"EventList","items":[` + a + "]}\n" + `{"kind":"EventList","items":[` + b + "]}\n", Kubernetes},
		"audit to a subscriber":  {`{"messageType":"DATA_MESSAGE","owner":"444455556666","logGroup":"/aws/eks/prod/cluster","logEvents":[{"id":"1","message":` + quoted(a) + `},{"id":"2","message":` + quoted(b) + `}]}`, Kubernetes},
		"audit that is exported": {"2026-01-01T10:00:00.000Z " + a + "\n2026-01-01T10:00:00.000Z " + b + "\n", Kubernetes},
		"ALB":                    {alb + "\n" + alb, Balancer},
		"S3":                     {s3 + "\n" + s3, S3Access},
		"WAF":                    {waf + "\n" + waf, WAF},
		"CSV of Athena":          {csv, CloudTrail},
	} {
		t.Run(name, func(t *testing.T) {
			if _, report := ids(t, file("f", c.content)); report.Records[c.format] != 2 || report.Unread() != 0 {
				t.Errorf("%+v", report)
			}
		})
	}
	var report Report
	for r := range Records(t.Context(), []File{file("f", `{"owner":"444455556666","logGroup":"/aws/eks/prod/cluster","logEvents":[{"message":`+quoted(a)+`}]}`)}, &report) {
		if r.Account != "444455556666" || r.Kubernetes.Cluster != "prod" {
			t.Errorf("%+v", r)
		}
	}
}

func TestWhatCannotBeReadIsCounted(t *testing.T) {
	a, b := event("a", 1), event("b", 2)
	blank := strings.Repeat(" ", 150<<20)
	half := a + "\n" + blank
	for name, c := range map[string]struct {
		content, ids string
		bad          int
	}{
		"a broken line":         {a + "\n{\"eventSource\":\n" + b, "a b", 1},
		"a line of rubbish":     {a + "\nrubbish\n" + b, "a b", 1},
		"a record without time": {a + "\n" + `{"eventSource":"x","eventName":"y"}` + "\n" + b, "a b", 1},
		"cut off":               {`{"Records":[` + a + `,` + b[:50], "a", 1},
		"cut off, packed":       {gz(a + "\n" + b + strings.Repeat(" ", 100))[:150], "", 1},
		"text":                  {"hello\nworld\n", "", 1},
		"another JSON":          {`{"hello":"world"}`, "", 1},
		"nesting":               {a + "\n" + strings.Repeat("[", 100_000) + "\n" + b, "a b", 1},
		"a long line":           {a + "\n" + `{"eventSource":"` + strings.Repeat("x", 5<<20) + `"}` + "\n" + b, "a b", 1},
		"a long value":          {`{"Records":[` + a + `,{"eventSource":"` + strings.Repeat("x", 5<<20) + `"}]}`, "a", 1},
		"bytes":                 {"\x00\x01\x02\xff", "", 1},
		"a zip of a zip of …":   {zipped("a", zipped("b", zipped("c", zipped("d", a)))), "", 1},
		"bomb":                  {zst(half + blank), "a", 1},
		"a long last line":      {a + "\n" + b + "\n" + strings.Repeat("x", 5<<20), "a b", 1},
		"a note in a zip":       {zipped("1.json", a, "README", "hello\nworld\n", "2.json", b, "3.json", gz(a)[:20]), "a b", 2},
		"bombs in a zip":        {zipped("1", half, "2", half, "3.json", b), "a a", 2}, // the first one ends in time
		"nothing":               {"", "", 0},
		"space":                 {" \n\n", "", 0},
		"wrapped in itself":     {strings.Repeat(`{"detail-type":"x","detail":`, 6) + a + strings.Repeat("}", 6), "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, report := ids(t, file("f", c.content), file("g", ""))
			if got != c.ids || report.Unread() != c.bad {
				t.Errorf("got %q, %+v; want %q and %d", got, report, c.ids, c.bad)
			}
			for _, b := range report.Bad {
				if !strings.HasPrefix(b.File, "f") || b.Why == "" || len(b.At) == 0 {
					t.Errorf("%+v", b)
				}
			}
			if n := len(report.Bad); strings.HasPrefix(name, "bomb") && (n == 0 || report.Bad[n-1].Why != errBomb.Error()) {
				t.Errorf("%+v", report.Bad)
			}
		})
	}
}

// What hostile logs can be in is bounded, and counting it is no work.
func TestKindsOfWhatCannotBeReadAreBounded(t *testing.T) {
	var r Report
	const n = 100_000
	for i := range n {
		r.bad(record.Origin{File: "f", Line: i + 1}, fmt.Errorf("kind %d", i))
		r.bad(record.Origin{File: "f", Line: i + 1}, errors.New("kind 0"))
	}
	if len(r.Bad) != maxKinds || r.Unread() != 2*n || r.Bad[0].Count != n+1 || len(r.Bad[0].At) != maxShown {
		t.Errorf("%d kinds, %d pieces, the first %+v", len(r.Bad), r.Unread(), r.Bad[0])
	}
}

// A zip file that lies on disk is read there.
func TestZipOnDiskIsNotCopied(t *testing.T) {
	name := filepath.Join(t.TempDir(), "logs.zip")
	if err := os.WriteFile(name, []byte(zipped("1.json", event("a", 1), "2.json", event("b", 2))), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	files, err := Expand(t.Context(), []string{name}, From{Stdin: nil})
	if err != nil {
		t.Fatal(err)
	}
	if got, report := ids(t, files...); got != "a b" || report.Unread() != 0 {
		t.Errorf("%q, %+v", got, report)
	}
}

func TestFilesComeInOrderOfTime(t *testing.T) {
	var all []string
	for i := range 5 {
		var lines []string
		for k := range 40 {
			lines = append(lines, event(fmt.Sprintf("%03d", i+k*5), i+k*5))
		}
		all = append(all, strings.Join(lines, "\n"))
	}
	var want []string
	for i := range 200 {
		want = append(want, fmt.Sprintf("%03d", i))
	}
	got, report := ids(t, file("e", all[4]), file("b", all[1]), file("a", all[0]), file("d", all[3]), file("c", gz(all[2])))
	if got != strings.Join(want, " ") || report.Late != 0 || report.Files != 5 {
		t.Errorf("got %s, %+v", got, report)
	}
}

// What a file begins with is not what happened first in it.
func TestFilesThatAreNotSorted(t *testing.T) {
	var all [6][]string
	for i := range 300 {
		f := (i*7 + i/11) % len(all)
		all[f] = append(all[f], event(fmt.Sprintf("%03d", i), i*2))
	}
	var files []File
	for i, lines := range all {
		rand.New(rand.NewPCG(1, uint64(i))).Shuffle(len(lines), func(i, k int) { lines[i], lines[k] = lines[k], lines[i] })
		files = append(files, file(string('z'-rune(i)), strings.Join(lines, "\n")))
	}
	// One that only begins hours later, but for a record that is found late in it.
	var late []string
	for i := range 100 {
		late = append(late, event("z", 800+i))
	}
	late = append(late, event("late", 41))
	got, report := ids(t, append(files, file("late", strings.Join(late, "\n")))...)
	var want []string
	for i := range 300 {
		if want = append(want, fmt.Sprintf("%03d", i)); i == 20 {
			want = append(want, "late")
		}
	}
	if got != strings.Join(want, " ")+strings.Repeat(" z", 100) || report.Late != 0 {
		t.Errorf("%d late: %s", report.Late, got)
	}
}

// A busy account has thousands of records in a file, in any order.
func TestManyRecordsThatAreNotSorted(t *testing.T) {
	const n = 6000
	lines := make([]string, n)
	for i := range lines {
		lines[i] = event(fmt.Sprint(i), i/20)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, k int) { lines[i], lines[k] = lines[k], lines[i] })
	var report Report
	var latest time.Time
	count := 0
	for r, err := range Records(t.Context(), []File{file("f", strings.Join(lines[:n/2], "\n")), file("g", strings.Join(lines[n/2:], "\n"))}, &report) {
		if err != nil || r.Time.Before(latest) {
			t.Fatal(r, err)
		}
		latest = r.Time
		count++
	}
	if count != n || report.Late != 0 {
		t.Errorf("%d records, %d late", count, report.Late)
	}
}

// Large records are not held back by their number.
func TestLargeRecordsAreFewAtOnce(t *testing.T) {
	var o reading
	large := make([]*record.Record, 0, 1000)
	for i := range cap(large) {
		large = append(large, &record.Record{Time: start.Add(time.Duration(i) * time.Second), Origin: record.Origin{Offset: int64(i) * 3 << 20}})
	}
	o.today = start
	o.next = func() ([]*record.Record, bool) {
		if len(large) == 0 {
			return nil, false
		}
		some := large[:1]
		large = large[1:]
		return some, true
	}
	o.stop = func() {}
	n, most := 0, 0
	for o.advance(mostSettle, 30<<20) {
		n++
		most = max(most, o.held.len())
	}
	if n != 1000 || most > 12 || o.held.bytes != 0 {
		t.Errorf("%d records, up to %d at once, %d bytes at the end", n, most, o.held.bytes)
	}
}

func TestOriginNamesThePlace(t *testing.T) {
	content := event("a", 1) + "\n\n" + event("b", 2) + "\n"
	var report Report
	for r := range Records(t.Context(), []File{file("logs/x", content)}, &report) {
		if line, _, _ := strings.Cut(content[r.Origin.Offset:], "\n"); line != event(r.ID, map[string]int{"a": 1, "b": 2}[r.ID]) || r.Origin.String() != map[string]string{"a": "logs/x:1", "b": "logs/x:3"}[r.ID] {
			t.Errorf("%s: %s", r.ID, r.Origin)
		}
	}
	doc := `{"Records": [` + event("a", 1) + `,` + event("b", 2) + `]}`
	for r := range Records(t.Context(), []File{file("x", doc)}, &report) {
		if !strings.HasPrefix(strings.TrimLeft(doc[r.Origin.Offset:], " ,["), event(r.ID, map[string]int{"a": 1, "b": 2}[r.ID])) {
			t.Errorf("%s: %s", r.ID, r.Origin)
		}
	}
}

// A mark at the beginning takes its bytes too, and UTF-16 two or four a character.
func TestOriginsBehindAMark(t *testing.T) {
	const mark = "\xef\xbb\xbf"
	strange := strings.Replace(event("a", 1), `"x"`, `"é€😀"`, 1)
	b := event("b", 2)
	utf16 := func(s string) string {
		out, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, c := range map[string]struct{ content, first, second string }{
		"a list":          {mark + `[` + strange + `,` + b + `]`, strange, b},
		"a trail":         {mark + `{"Records":[` + strange + `,` + b + `]}`, strange, b},
		"a document":      {mark + "{\n\"Records\": [" + strange + `,` + b + `]}`, strange, b},
		"lines":           {mark + strange + "\n" + b, strange, b},
		"a wide trail":    {utf16(`{"Records":[` + strange + `,` + b + `]}`), utf16(strange)[2:], utf16(b)[2:]},
		"a wide document": {utf16("{\n\"Records\": [" + strange + `,` + b + `]}`), utf16(strange)[2:], utf16(b)[2:]},
		"wide lines":      {utf16(strange + "\r\n" + b), utf16(strange)[2:], utf16(b)[2:]},
		"both marks":      {utf16("\ufeff" + strange + "\n" + b), utf16(strange)[2:], utf16(b)[2:]},
	} {
		n := 0
		var report Report
		for r, err := range Records(t.Context(), []File{file("f", c.content)}, &report) {
			if err != nil {
				t.Fatal(err)
			}
			want := c.first
			if n++; r.ID == "b" {
				want = c.second
			}
			// In a document it is where the value before ended.
			if got := strings.TrimLeft(c.content[r.Origin.Offset:], ", \x00"); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s at %d of %d", name, r.ID, r.Origin.Offset, strings.Index(c.content, want))
			}
		}
		if n != 2 || report.Unread() > 0 {
			t.Errorf("%s: %d records, %+v", name, n, report.Bad)
		}
	}
	// Of what nobody asked for long, not all is kept.
	p := newPlaces(strings.NewReader(utf16(strings.Repeat("é", 2*maxAhead))))
	if n, err := io.Copy(io.Discard, p); err != nil || len(p.text)-p.at > maxAhead || p.of(n) != 2+n {
		t.Errorf("%d bytes, %d kept, %v, %d", n, len(p.text)-p.at, err, p.of(n))
	}
}

func TestExpand(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.json", "a/2.json", "a/1.json", ".hidden/x", "a/.y"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ path, want string }{
		{"", "a/1.json a/2.json b.json"}, {"a", "a/1.json a/2.json"}, {"a/*.json", "a/1.json a/2.json"}, {"b.json", "b.json"}, {"a/.y", "a/.y"},
	} {
		files, err := Expand(t.Context(), []string{filepath.Join(dir, c.path), filepath.Join(dir, c.path)}, From{Stdin: nil})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range files {
			name, _ := filepath.Rel(dir, f.Name)
			got = append(got, name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v", c.path, got)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"none", "none*", "[", "a/[x", "empty", "emp*"} {
		if _, err := Expand(t.Context(), []string{filepath.Join(dir, p)}, From{Stdin: nil}); err == nil {
			t.Errorf("%s is found", p)
		}
	}
}

// A link to a folder that somebody names is that folder. Below one, links are not
// followed, and what cannot be opened stops nothing: both are told.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "real", "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "real", "a.json"), []byte(event("a", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"link": "real", "real/in/up": "..", "real/gone": "nowhere", "real/in/b.json": "../a.json"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	files, err := Expand(t.Context(), []string{filepath.Join(dir, "link")}, From{})
	if err != nil {
		t.Fatal(err)
	}
	got, report := ids(t, files...)
	if got != "a a" || report.Unread() != 2 || report.Cut() != 1 {
		t.Errorf("%s, %+v", got, report)
	}
	for _, b := range report.Bad {
		if name := filepath.Base(b.File); b.Cut != (name == "gone") || name != "gone" && name != "up" {
			t.Errorf("%+v", b)
		}
	}
}

func TestReadingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var report Report
	n, last := 0, error(nil)
	for _, err := range Records(ctx, []File{file("x", strings.Repeat(event("a", 1)+"\n", 40_000))}, &report) {
		if n++; n == 10 {
			cancel()
		}
		last = err
	}
	if n > 9000 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d records, %v", n, last)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"Records":[` + event("a", 1) + `]}`))
	f.Add([]byte(event("a", 1) + "\n" + event("b", 1)))
	f.Add([]byte("eventtime,eventsource,eventname\n2026-01-01T10:00:00Z,a,b"))
	f.Add([]byte(`{"kind":"EventList","items":[{"auditID":"a","verb":"get","stageTimestamp":"2026-01-01T10:00:00Z"}]}`))
	f.Add([]byte(gz(event("a", 1))))
	f.Add([]byte(zipped("x", event("a", 1))))
	f.Add([]byte(`{"Events":[{"CloudTrailEvent":` + quoted(event("a", 1)) + `}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var report Report
		n := 0
		for r, err := range Records(t.Context(), []File{file("f", string(b))}, &report) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Class == 0 || r.Origin.File == "" {
				t.Errorf("%+v", r)
			}
			n++
		}
		total := 0
		for _, of := range report.Records {
			total += of
		}
		if n != total {
			t.Errorf("%d records, %d counted", n, total)
		}
	})
}

// What can be read once only is read as often as files are; of too much, once.
func TestSpool(t *testing.T) {
	a, b := event("a", 1), event("b", 2)
	for size, once := range map[int64]bool{1 << 20: false, int64(len(a)): true, 1: true} {
		stream := file("-", a+"\n"+b)
		stream.Once = true
		again, clean, err := spool(t.Context(), []File{file("f", event("c", 3)), stream, {Name: "gone", Once: true, Open: func() (io.ReadCloser, error) { return nil, os.ErrNotExist }}}, size)
		if err != nil {
			t.Fatal(err)
		}
		if again[1].Once != once || !once && again[1].Size != int64(len(a+b)+1) {
			t.Errorf("%d: %+v", size, again[1])
		}
		for i := range 2 {
			if got, report := ids(t, again...); got != "a b c" && i == 0 || got != "a b c" && !once || report.Unread() != 1 {
				t.Errorf("%d: got %q, %+v", size, got, report)
			}
			if once {
				break
			}
		}
		clean()
	}
	zipped := file("-", zipped("1", a, "2", b))
	zipped.Once = true
	again, clean, err := Spool(t.Context(), []File{zipped})
	if err != nil {
		t.Fatal(err)
	}
	defer clean()
	if got, report := ids(t, again...); got != "a b" || report.Bytes != again[0].Size {
		t.Errorf("got %q, %+v", got, report)
	}
}

// Whoever wants some formats only gets no others, and does not wait for them.
func TestOnlySomeFormats(t *testing.T) {
	const line = "2 111122223333 eni-1 10.0.0.7 198.51.100.20 44321 443 6 20 4249 1767261600 1767261660 ACCEPT OK\n"
	mixed := event("a", 1) + "\n" + `{"version":"1.1","account_id":"111122223333","region":"us-east-1","vpc_id":"vpc-1","query_timestamp":"2026-01-01T00:00:00Z","query_name":"example.com.","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[],"srcaddr":"10.0.0.1","srcport":"1","transport":"UDP","srcids":{}}`
	var report Report
	n := 0
	for r, err := range Records(t.Context(), []File{file("flow", strings.Repeat(line, 10_000)), file("mixed", mixed)}, &report, CloudTrail) {
		if err != nil || r.API == nil {
			t.Errorf("%+v, %v", r, err)
		}
		n++
	}
	if n != 1 || len(report.Records) != 1 || report.Unread() != 0 || report.Bytes > 200_000 {
		t.Errorf("%d, %+v", n, report)
	}
}

// What lies far away is opened once, as long as there is room for it.
func TestShelve(t *testing.T) {
	a, b := event("a", 1), event("b", 2)
	for room, want := range map[int64]int{1 << 20: 2, int64(len(a)): 2, 1: 4} {
		opened := 0
		far := func(name, content string) File {
			return File{Name: name, Size: int64(len(content)), Far: true, Open: func() (io.ReadCloser, error) {
				opened++
				return io.NopCloser(strings.NewReader(content)), nil
			}}
		}
		from := From{Objects: func(_ context.Context, path string) ([]File, error) { return []File{far(path, a)}, nil }}
		files, err := Expand(t.Context(), []string{"s3://x/y", "s3://x/y"}, from)
		if err != nil || len(files) != 1 {
			t.Fatalf("%v, %v", files, err)
		}
		short := far("short", b)
		short.Size++
		files, clean, err := shelve(append(files, short), room)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, report := ids(t, files...)
			if room > int64(len(a)) && (got != "a" || report.Unread() != 1 || !strings.Contains(report.Bad[0].Why, "that were told of it")) {
				t.Errorf("%d: got %q, %+v", room, got, report)
			}
		}
		clean()
		if opened < want {
			t.Errorf("%d: opened %d times", room, opened)
		}
	}
	if _, err := Expand(t.Context(), []string{"s3://x/y"}, From{}); err == nil {
		t.Error("a bucket is read without a store")
	}
}

// What was shelved is not shelved again.
func TestShelvedOnce(t *testing.T) {
	far := File{Name: "far", Size: 1, Far: true, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }}
	near, clean, err := shelve([]File{far}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer clean()
	if near[0].Far || !far.Far {
		t.Errorf("%+v", near)
	}
}

// Pages that unpack to far more than the file is count as a bomb, though little text
// comes of them; and whoever waits for them can give up.
func TestParquetBomb(t *testing.T) {
	type line struct {
		Version int32  `parquet:"version"`
		Account string `parquet:"account_id"`
		Src     string `parquet:"srcaddr"`
		Dst     string `parquet:"dstaddr"`
		Action  string `parquet:"action"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[line](&b, parquet.Compression(&parquet.Zstd), parquet.PageBufferSize(64<<20))
	rows := make([]line, 12_000)
	for i := range rows {
		rows[i] = line{2, "111122223333", "10.0.0.7", "\n" + strings.Repeat("a", 1_000), "ACCEPT"}
	}
	for range 40 { // row groups, and each has a page of 12 MB of which each value becomes "-"
		if _, err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, report := ids(t, file("f", b.String())); len(report.Bad) == 0 || !strings.Contains(report.Bad[len(report.Bad)-1].Why, "far more than it is") {
		t.Errorf("%d bytes: %+v", b.Len(), report.Bad)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	u := &unpacking{ctx: ctx, report: &Report{}, with: newReaders(nil), take: func(string, io.Reader) error { return nil }}
	if err := u.parquet("f", bytes.NewReader(b.Bytes()), 0); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A flow log may come as a table, also from where it cannot be read in any order.
func TestParquet(t *testing.T) {
	type line struct {
		Version   int32  `parquet:"version"`
		Account   string `parquet:"account_id,dict"`
		Interface string `parquet:"interface_id"`
		Src       string `parquet:"srcaddr,optional"`
		Dst       string `parquet:"dstaddr,optional"`
		SrcPort   int32  `parquet:"srcport,optional"`
		DstPort   int32  `parquet:"dstport,optional"`
		Protocol  int32  `parquet:"protocol,optional"`
		Packets   int64  `parquet:"packets,optional"`
		Bytes     int64  `parquet:"bytes,optional"`
		Start     int64  `parquet:"start"`
		End       int64  `parquet:"end"`
		Action    string `parquet:"action,optional"`
		Status    string `parquet:"log_status"`
		Nobody    string `parquet:"az_id"`
	}
	table := func(rows any) string {
		var b bytes.Buffer
		var err error
		switch rows := rows.(type) {
		case []line:
			err = parquet.Write(&b, rows, parquet.Compression(&parquet.Gzip))
		case []struct{ Eventname string }:
			err = parquet.Write(&b, rows)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	flows := table([]line{
		{2, "111122223333", "eni-1", "10.0.0.7", "198.51.100.20", 44321, 443, 6, 20, 4249, 1767261600, 1767261660, "ACCEPT", "OK", "a"},
		{Version: 2, Account: "111122223333", Interface: "eni-1", Start: 1767261600, End: 1767261660, Status: "NODATA"},
		{2, "111122223333", "eni-1", "2001:db8::1", "198.51.100.21", 1, 22, 6, 1, 40, 1767261601, 1767261660, "REJECT", "OK", "a"},
	})
	for name, f := range map[string]File{
		"a stream": file("f", flows), "in gzip": file("f", gz(flows)), "in zip": file("f", zipped("a.parquet", flows)),
		"on disk": {Name: "f", Open: func() (io.ReadCloser, error) {
			name := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(name, []byte(flows), 0o600); err != nil {
				return nil, err
			}
			return os.Open(name)
		}},
	} {
		var report Report
		var all []record.Record
		for r, err := range Records(t.Context(), []File{f}, &report) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, *r)
		}
		if len(all) != 2 || report.Unread() != 0 || all[0].Flow.DstPort != 443 || all[0].Flow.Bytes != 4249 || all[0].Account != "111122223333" || all[0].Origin.Line != 2 ||
			!all[1].Flow.Rejected || all[1].Flow.Src.String() != "2001:db8::1" || all[1].Origin.Line != 4 {
			t.Errorf("%s: %+v, %+v", name, all, report)
		}
	}
	for content, want := range map[string]string{
		table([]struct{ Eventname string }{{"CreateUser"}}): "not those of VPC flow logs",
		flows[:len(flows)-5]: "cut off",
		flows[:4] + strings.Repeat("\xff", 40) + flows[44:]: "column",
	} {
		if _, report := ids(t, file("f", content)); report.Unread() != 1 || !strings.Contains(report.Bad[0].Why, want) {
			t.Errorf("%+v, want %q", report.Bad, want)
		}
	}
}
