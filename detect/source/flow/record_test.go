package flow

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"sumun.dev/detect/record"
)

const ordinary = "2 111122223333 eni-0a1b2c3d4e5f67890 10.0.0.7 198.51.100.20 44321 443 6 20 4249 1767261600 1767261660 ACCEPT OK"

func TestDefaultFormat(t *testing.T) {
	r, err := NewReader().Read([]byte(ordinary))
	if err != nil {
		t.Fatal(err)
	}
	want := record.Flow{
		Version: 2, Interface: "eni-0a1b2c3d4e5f67890", Src: netip.MustParseAddr("10.0.0.7"), Dst: netip.MustParseAddr("198.51.100.20"), SrcPort: 44321, DstPort: 443,
		Protocol: 6, Packets: 20, Bytes: 4249, Start: time.Unix(1767261600, 0).UTC(), End: time.Unix(1767261660, 0).UTC(), Status: "OK",
	}
	if *r.Flow != want || r.Account != "111122223333" || !r.Time.Equal(want.Start) || r.Class != record.NetworkActivity {
		t.Errorf("%+v, %+v", r, r.Flow)
	}
}

func TestAHeaderSaysWhatTheColumnsAre(t *testing.T) {
	in := NewReader()
	var all []*record.Record
	for _, line := range []string{
		"instance-id flow-direction new-column dstaddr srcaddr pkt-dst-aws-service tcp-flags end action dstport traffic-path region reject-reason protocol",
		"i-1 egress x 2001:db8::1 10.0.0.7 S3 2 1767261660 REJECT 443 8 eu-west-1 BPA 6",
		"- - - - - - - 1767261660 - - - eu-west-1 - -",                                 // says nothing of addresses
		"version account-id interface-id srcaddr dstaddr start end log-status",         // another file was put behind
		"2 111122223333 eni-1 - - 1767261600 1767261660 NODATA",                        //
		"2 111122223333 eni-1 10.0.0.1 10.0.0.2 1767261600 1767261660 OK",              //
		`"account_id","interface_id","srcaddr","dstaddr","start","end","new_column"`,   // an answer of Athena
		`"111122223333","eni-2","10.0.0.1","10.0.0.2","1767261600","1767261660","a b"`, //
	} {
		if r, err := in.Read([]byte(line)); err == nil && r != nil {
			all = append(all, r)
		}
	}
	if len(all) != 3 {
		t.Fatalf("%d records", len(all))
	}
	f := all[0].Flow
	if f.Instance != "i-1" || f.Direction != "egress" || f.Dst != netip.MustParseAddr("2001:db8::1") || f.Src != netip.MustParseAddr("10.0.0.7") || f.DstService != "S3" || f.Flags != 2 || !f.Rejected || f.Path != 8 || f.Reason != "BPA" || all[0].Region != "eu-west-1" || !all[0].Time.Equal(f.End) {
		t.Errorf("%+v", f)
	}
	if all[1].Flow.Interface != "eni-1" || all[2].Flow.Interface != "eni-2" || all[2].Account != "111122223333" {
		t.Errorf("%+v, %+v", all[1].Flow, all[2].Flow)
	}
}

func TestLinesWithoutAHeader(t *testing.T) {
	for line, ok := range map[string]bool{
		ordinary:                               true,
		"2026-01-01T10:00:00.000Z " + ordinary: true,
		"2 111122223333 eni-1 - - - - - - - 1767261600 1767261660 - NODATA":                               true,
		"2 unknown eni-1 - - - - - - - 1767261600 1767261660 - SKIPDATA":                                  true,
		ordinary + " vpc-1 subnet-1 i-1 19 IPv4 10.0.0.7 198.51.100.20":                                   true,
		ordinary + " vpc-1 subnet-1 i-1 19 IPv4 10.0.0.7 198.51.100.20 eu-west-1 euw1-az1 - -":            true,
		ordinary + " vpc-1 subnet-1 - 3 IPv4 10.0.0.7 198.51.100.20 eu-west-1 euw1-az1 - - - S3 egress 8": true,
		ordinary + " x":                     false,
		"hello world":                       false,
		"":                                  false,
		strings.Repeat("2 ", 14):            false,
		"version srcaddr dstaddr start end": true,
		"version interface-id":              false,
		"2026-01-01T10:00:00.000Z":          false,
	} {
		if Recognise([]byte(line)) != ok {
			t.Errorf("%q: %t", line, !ok)
		}
	}
	r, err := NewReader().Read([]byte(ordinary + " vpc-1 subnet-1 i-1 19 IPv4 10.0.0.8 198.51.100.20"))
	if err != nil || r.Flow.Instance != "i-1" || r.Flow.Flags != 19 || r.Flow.PktSrc.String() != "10.0.0.8" {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestWhatIsNoRecord(t *testing.T) {
	for _, line := range []string{
		strings.Replace(ordinary, "10.0.0.7", "10.0.0.007", 1), strings.Replace(ordinary, "10.0.0.7", "10.0.0.256", 1), strings.Replace(ordinary, " 44321 ", " 70000 ", 1),
		strings.Replace(ordinary, "1767261600", "999999999999999", 1), strings.Replace(ordinary, "eni-", strings.Repeat("e", 300), 1),
		strings.Replace(ordinary, " 4249 ", " 99999999999999999999999 ", 1), ordinary[:60], ordinary + " more",
	} {
		if r, err := NewReader().Read([]byte(line)); err == nil {
			t.Errorf("%q is read: %+v", line, r)
		}
	}
}

// Records stay as they were read while others are.
func TestRecordsAreTheirOwn(t *testing.T) {
	in := NewReader()
	var all []*record.Record
	for i := range 100 {
		r, err := in.Read([]byte(strings.Replace(ordinary, " 44321 ", fmt.Sprintf(" %d ", i), 1)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
		in.Read([]byte("2 broken"))
	}
	for i, r := range all {
		if r.Flow.SrcPort != uint16(i) || r.Flow.Packets != 20 {
			t.Fatalf("%d: %+v", i, r.Flow)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(ordinary))
	f.Add([]byte("srcaddr dstaddr start\n::1 ::2 5\n" + ordinary))
	f.Add([]byte("\"srcaddr\",\"dstaddr\",\"end\"\n1.2.3.4,\"2001:db8::1\",5"))
	f.Add([]byte("2026-01-01T10:00:00.000Z " + ordinary))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := NewReader()
		for line := range strings.Lines(string(b)) {
			Recognise([]byte(line))
			r, err := in.Read([]byte(line))
			if r != nil && (err != nil || r.Flow == nil || !r.Flow.Src.IsValid() || !r.Flow.Dst.IsValid() || r.Time.IsZero()) {
				t.Errorf("%q: %+v, %v", line, r, err)
			}
		}
	})
}

// Lines that are read in one go say what any line says.
func FuzzStandard(f *testing.F) {
	for _, line := range []string{
		ordinary, ordinary + " ", ordinary + "\r\n", ordinary + "\n", strings.Replace(ordinary, "ACCEPT", "REJECT", 1), strings.Replace(ordinary, " OK", " NODATA", 1),
		strings.Replace(ordinary, "10.0.0.7", "10.00.0.7", 1), strings.Replace(ordinary, "10.0.0.7", "::1", 1), strings.Replace(ordinary, "44321", "65536", 1),
		strings.Replace(ordinary, "4249", "9223372036854775808", 1), strings.Replace(ordinary, "4249", "09999999999999999999", 1), strings.Replace(ordinary, "1767261600", "253402300800", 1),
		strings.Replace(ordinary, "eni-0a1b2c3d4e5f67890", "-", 1), strings.Replace(ordinary, "111122223333", "unknown", 1), strings.Replace(ordinary, "111122223333", "1", 1),
		strings.Replace(ordinary, "eni-0a1b2c3d4e5f67890", strings.Repeat("x", 257), 1), "2  " + ordinary[2:], ordinary[1:], "2 1 -eni xT 1.1.1.1 2.2.2.2 1 2 6 3 4 5 6 ACCEPT OK",
	} {
		f.Add(line, true)
		f.Add(line, false)
	}
	const columns = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
	f.Fuzz(func(t *testing.T, line string, headed bool) {
		quick, slow := NewReader(), NewReader()
		if headed {
			for _, r := range []*Reader{quick, slow} {
				if rec, err := r.Read([]byte(columns)); rec != nil || err != nil {
					t.Fatal(rec, err)
				}
			}
		}
		for range 2 { // what came before is taken from there
			one := quick.standard([]byte(line))
			if one == nil {
				continue
			}
			other, err := slow.any([]byte(line))
			if err != nil || other == nil {
				t.Fatalf("%q: %+v, but %v", line, one.Flow, err)
			}
			if *one.Flow != *other.Flow || one.Account != other.Account || one.Time != other.Time || one.Class != other.Class || one.Region != other.Region {
				t.Fatalf("%q: %+v %+v, but %+v %+v", line, one, one.Flow, other, other.Flow)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var lines [][]byte
	for i := range 4096 {
		lines = append(lines, fmt.Appendf(nil, "2 111122223333 eni-0a1b2c3d4e5f6%04x 10.0.%d.%d 198.51.100.%d %d 443 6 20 4249 1767261600 1767261660 ACCEPT OK", i%500, i%7, i%251, i%199, 32768+i))
	}
	in, i := NewReader(), 0
	before := spent(b)
	in.Read([]byte("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"))
	b.ReportAllocs()
	for b.Loop() {
		r, err := in.Read(lines[i%len(lines)])
		if err != nil {
			b.Fatal(err)
		}
		in.again.Put(r)
		i++
	}
	b.ReportMetric(float64(i)/(spent(b)-before).Seconds(), "lines/core-s")
}

// spent is the time that processors have worked for this process, collecting
// garbage included: what a core does does not depend on who else wants it.
func spent(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
