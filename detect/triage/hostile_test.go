package triage

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"sumun.dev/detect/report"
	"sumun.dev/detect/source"
	"sumun.dev/finding"
)

// endless gives a text again and again, up to some bytes.
func endless(text string, size int64) io.Reader {
	return io.LimitReader(repeated{[]byte(text)}, size)
}

type repeated struct{ text []byte }

func (r repeated) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], r.text)
	}
	return n, nil
}

func packed(in io.Reader) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.Copy(z, in)
	z.Close()
	return b.Bytes()
}

// Whatever stands beside it, the attack in a folder is found, what could not be read
// is counted with its reason, and memory stays small.
func TestHostileLogs(t *testing.T) {
	const mib = 1 << 20
	attack := call(5, "ModifyImageAttribute", share)
	forged := func(s string) string { return strings.ReplaceAll(attack, `"2026-03-01T00:00:05Z"`, s) }
	for name, c := range map[string]struct {
		log  func() []byte
		bad  string // the reason that is told; "" for none
		more int    // findings besides that of the attack
	}{
		"a line of 80 MiB": {log: func() []byte { return packed(endless(strings.Repeat("a", 1024), 80*mib)) }, bad: "is no log that is known"},
		"a JSON line of 80 MiB": {log: func() []byte {
			return packed(io.MultiReader(strings.NewReader(attack+"\n{\"a\":\""), endless(strings.Repeat("a", 1024), 80*mib)))
		}, bad: "is longer than 4 MiB"},
		"a value of 80 MiB": {log: func() []byte {
			return packed(io.MultiReader(strings.NewReader(`{"Records":[{"a":"`), endless(strings.Repeat("a", 1024), 80*mib)))
		}, bad: "is longer than 4 MiB"},
		"nested lists":   {log: func() []byte { return bytes.Repeat([]byte("["), 3*mib) }, bad: "is no JSON from here on"},
		"nested objects": {log: func() []byte { return bytes.Repeat([]byte(`{"Records":`), mib/4) }, bad: "is no JSON from here on"},
		"nesting in a record": {log: func() []byte {
			return []byte(strings.Replace(attack, `"imageId":"ami-1"`, `"imageId":`+strings.Repeat("[", 9000)+strings.Repeat("]", 9000), 1))
		}},
		"wrapped in itself": {log: func() []byte { return wrapped(attack, 40) }, bad: "is wrapped too often"},
		"a bomb": {log: func() []byte {
			return packed(io.MultiReader(strings.NewReader("{}\n{}\n"), endless(strings.Repeat(" ", 1024), 300*mib)))
		}, bad: "unpacks to far more than it is"},
		"gzip in gzip in gzip": {log: func() []byte {
			return packed(bytes.NewReader(packed(bytes.NewReader(packed(bytes.NewReader(packed(strings.NewReader(attack))))))))
		}, bad: "is packed more than three times"},
		"a gzip file cut off":      {log: func() []byte { b := packed(strings.NewReader(attack)); return b[:len(b)-20] }, bad: "is no JSON from here on"},
		"a zip file cut off":       {log: func() []byte { return zipOf(t, "a", attack)[:50] }, bad: "zip: not a valid zip file"},
		"a zip file that lies":     {log: func() []byte { return lying(zipOf(t, "a", attack)) }, bad: "zip"},
		"a name with escapes":      {log: func() []byte { return zipOf(t, "\x1b[2J../../etc/passwd", "rubbish\n") }, bad: "is no log that is known"},
		"a zstd window of 128 MiB": {log: func() []byte { return wide() }, bad: "window size"},
		"bytes that are no UTF-8":  {log: func() []byte { return []byte(strings.Replace(attack, "user/ann", "user/\xff\xfe\x80", 1)) }, more: 1},
		"NUL bytes":                {log: func() []byte { return make([]byte, mib) }, bad: "is no log that is known"},
		"the year 9999":            {log: func() []byte { return []byte(forged(`"9999-12-31T23:59:59Z"`)) }},
		"the year 1":               {log: func() []byte { return []byte(forged(`"0001-01-01T00:00:00Z"`)) }},
		"a flow of the year 292277": {log: func() []byte {
			return []byte("2 111122223333 eni-1 10.0.0.7 198.51.100.20 44321 443 6 20 4249 9223372036854775807 9223372036854775807 ACCEPT OK\n")
		}, bad: "too large"},
		"no time":                   {log: func() []byte { return []byte(forged(`"soon"`)) }, bad: "eventTime"},
		"ids of others":             {log: func() []byte { return []byte(strings.Replace(call(5, "DescribeImages", ""), `"e5"`, `"e1"`, 1)) }},
		"control characters in ids": {log: func() []byte { return []byte(strings.Replace(attack, `"e5"`, `"\u001b[2J\u0000\n\u202e"`, 1)) }},
		"numbers for texts":         {log: func() []byte { return []byte(strings.Replace(attack, `"ModifyImageAttribute"`, `7`, 1)) }, bad: "CloudTrail record"},
		"lists for texts":           {log: func() []byte { return []byte(strings.Replace(attack, `"userIdentity":{`, `"userIdentity":[{`, 1)) }, bad: "is no"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for n, b := range map[string][]byte{"attack": []byte(call(1, "ModifyImageAttribute", share)), "hostile": c.log()} {
				if err := os.WriteFile(filepath.Join(dir, n), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := run(t, Options{Paths: []string{dir}})
			runtime.ReadMemStats(&after)
			if grown := int64(after.Sys) - int64(before.Sys); grown > 256*mib {
				t.Errorf("it took %d MiB", grown/mib)
			}
			if len(r.Findings) != 1+c.more {
				t.Errorf("%d findings", len(r.Findings))
			}
			told := ""
			for _, b := range r.Read.Bad {
				told += fmt.Sprintln(b.File, b.Why, b.Count, b.At)
			}
			if (c.bad == "") != (told == "") || !strings.Contains(told, c.bad) {
				t.Errorf("told %q, want %q", told, c.bad)
			}
			for format, write := range report.Formats {
				var b strings.Builder
				if err := write(&b, r.Findings); err != nil || strings.ContainsAny(b.String(), "\x1b\x00\u202e") || !utf8.ValidString(b.String()) {
					t.Errorf("%s: %v, %.2000q", format, err, b.String())
				}
			}
		})
	}
}

// wrapped puts a record into an event of EventBridge, and that into another.
func wrapped(record string, times int) []byte {
	for range times {
		record = `{"detail-type":"AWS API Call via CloudTrail","detail":` + record + `}`
	}
	return []byte(record)
}

func zipOf(t *testing.T, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, content)
	z.Close()
	return b.Bytes()
}

// lying makes the end of a zip file say that its list has all members that it can.
func lying(b []byte) []byte {
	end := bytes.LastIndex(b, []byte("PK\x05\x06"))
	binary.LittleEndian.PutUint16(b[end+8:], 0xfffe)
	binary.LittleEndian.PutUint16(b[end+10:], 0xfffe)
	return b
}

func wide() []byte {
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, zstd.WithWindowSize(128<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil
	}
	io.Copy(z, endless("0123456789abcdef", 140<<20))
	z.Close()
	return b.Bytes()
}

// Forged times of one record neither end what others have begun nor make what is
// known of them old: the same is found with them as without, and they are judged too.
func TestForgedTimesAgeNothing(t *testing.T) {
	var days, forged []string
	for day := range 12 {
		at := time.Date(2026, 2, 1+day, 9, 0, 0, 0, time.UTC).Format(time.RFC3339)
		days = append(days, strings.Replace(call(0, "DescribeImages", ""), "2026-03-01T00:00:00Z", at, 1))
	}
	days = append(days, strings.Replace(call(1, "ModifyImageAttribute", share), "2026-03-01T00:00:01Z", "2026-02-14T09:00:00Z", 1))
	for i, line := range days {
		forged = append(forged, line)
		if i%4 == 1 {
			forged = append(forged, strings.Replace(call(0, "DescribeImages", ""), "2026-03-01T00:00:00Z", fmt.Sprint(9990+i, "-01-01T00:00:00Z"), 1))
		}
	}
	judged := func(lines []string) *Result {
		return run(t, Options{Paths: []string{"-"}, From: source.From{Stdin: strings.NewReader(strings.Join(lines, "\n"))}})
	}
	plain, strange := judged(days), judged(forged)
	if strange.Strange != 3 || strange.Judged != plain.Judged+3 || strange.Read.Late != 0 || !strange.To.Equal(plain.To) || len(plain.Findings) != 1 {
		t.Errorf("%+v\n%+v", plain, strange)
	}
	if len(strange.Findings) != 1 || strange.Findings[0].ID != plain.Findings[0].ID || strange.Findings[0].Level() != plain.Findings[0].Level() {
		t.Errorf("%+v\n%+v", plain.Findings, strange.Findings)
	}
	alone := judged([]string{strings.Replace(call(1, "ModifyImageAttribute", share), "2026-03-01T00:00:01Z", "9999-01-01T00:00:00Z", 1)})
	if len(alone.Findings) != 1 || alone.Strange != 1 {
		t.Errorf("%+v", alone)
	}
}

// The same id with other content is another record.
func TestForgedIDsHideNothing(t *testing.T) {
	quiet := strings.Replace(call(1, "DescribeImages", ""), `"e1"`, `"e9"`, 1)
	r := run(t, Options{Paths: []string{"-"}, From: source.From{Stdin: strings.NewReader(quiet + "\n" + call(9, "ModifyImageAttribute", share) + "\n" + quiet)}})
	if len(r.Findings) != 1 || r.Judged != 2 || r.Copies != 1 {
		t.Errorf("%+v", r)
	}
}

// Of more findings than can be kept, the most severe are, and the others are counted.
func TestTheMostSevereFindingsAreKept(t *testing.T) {
	flood := func(n int) string {
		var b strings.Builder
		for i := range n {
			line := strings.ReplaceAll(call(10+i, "ModifyImageAttribute", share), "ann", fmt.Sprint("u", i))
			fmt.Fprintln(&b, line)
		}
		return b.String()
	}
	log := func(s string) Options {
		return Options{Paths: []string{"-"}, From: source.From{Stdin: strings.NewReader(s)}, most: 8}
	}
	few := run(t, log(flood(8)))
	if len(few.Findings) != 8 || few.Dropped != 0 {
		t.Fatalf("%d findings, %d dropped", len(few.Findings), few.Dropped)
	}
	many := run(t, log(flood(100)))
	if n := len(many.Findings); n < 6 || n > 8 || n+many.Dropped != 100 || many.Judged != 100 {
		t.Errorf("%d findings, %d dropped", len(many.Findings), many.Dropped)
	}
	// What is suppressed takes no place from others, and is told as suppressed.
	o := log(call(1, "ModifyImageAttribute", share) + "\n" + flood(100))
	o.Suppress = []Suppression{{Principal: "arn:aws:iam::*:user/u*", Reason: "known"}}
	hidden := run(t, o)
	if len(hidden.Findings) != 1 || hidden.Dropped != 0 || hidden.Suppressed[0].Findings != 100 {
		t.Errorf("%d findings, %d dropped, %+v", len(hidden.Findings), hidden.Dropped, hidden.Suppressed)
	}
	// A severe one stays, wherever it comes.
	k := newKept(Options{most: 8})
	suspicion := func(i int, severity float64, signal string) finding.Suspicion {
		return finding.Suspicion{Type: "Recon:IAMUser/AnomalousBehavior", Signal: signal, Key: fmt.Sprint(i), Severity: severity, At: time.Unix(int64(i), 0)}
	}
	for i := range 100 {
		k.add(finding.Home{}, suspicion(i, 2, ""))
		if i == 50 {
			k.add(finding.Home{}, suspicion(1000, 8, ""))
		}
	}
	if found, _, _ := k.told(); found[0].Severity != 8 || found[1].FirstSeen.Unix() != 0 {
		t.Errorf("%+v", found[0])
	}
	// Findings with long texts are fewer.
	k = newKept(Options{})
	for i := range 300 {
		k.add(finding.Home{}, suspicion(i, 2, fmt.Sprint(i, strings.Repeat("x", 1<<20))))
	}
	if found, _, dropped := k.told(); len(found)+dropped != 300 || len(found) > maxHeld>>20 || len(found) < maxHeld>>21 {
		t.Errorf("%d findings, %d dropped", len(found), dropped)
	}
}
