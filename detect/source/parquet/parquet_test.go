package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	writer "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// row is a table as somebody else writes it, in most of the ways that there are.
type row struct {
	Version   int32    `parquet:"version"`
	Account   string   `parquet:"account_id,dict"`
	Source    string   `parquet:"srcaddr,dict,optional"`
	Port      *int32   `parquet:"srcport,optional"`
	Bytes     int64    `parquet:"bytes,delta"`
	Packets   int32    `parquet:"packets,delta"`
	Interface string   `parquet:"interface_id,delta"`
	Note      []byte   `parquet:"note"`
	Rejected  bool     `parquet:"rejected"`
	Maybe     *bool    `parquet:"maybe,optional"`
	Ratio     float64  `parquet:"ratio"`
	Half      float32  `parquet:"half,dict"`
	When      int64    `parquet:"start,timestamp(millisecond)"`
	Tags      []string `parquet:"tags,list"`
	Inner     struct {
		Deep string `parquet:"deep"`
	} `parquet:"inner"`
	Last string `parquet:"last"`
}

func rowsOf(n int) []row {
	all := make([]row, n)
	for i := range all {
		r := &all[i]
		r.Version, r.Account, r.Bytes, r.Packets = 2, "111122223333", int64(i*i*i)-1000, int32(-i*7)
		r.Interface, r.Note, r.Rejected, r.Ratio, r.Half = fmt.Sprintf("eni-%08x", i/3), fmt.Appendf(nil, "note %d", i), i%5 == 0, float64(i)/8, float32(i%4)/2
		r.When, r.Last, r.Tags, r.Inner.Deep = 1_772_359_200_999+int64(i)*1000, strings.Repeat("x", i%7)+"end", []string{"a", "b"}[:i%3%2+1], "deep"
		if i%4 > 0 {
			r.Source = fmt.Sprintf("10.0.%d.%d", i/1000%256, i%17)
			port := int32(i % 65536)
			r.Port = &port
		}
		if i%6 > 2 {
			is := i%2 == 0
			r.Maybe = &is
		}
	}
	all[n-1].Bytes, all[n-1].Packets = math.MinInt64, math.MaxInt32
	return all
}

func text(all []row) string {
	var b strings.Builder
	b.WriteString("version\taccount_id\tsrcaddr\tsrcport\tbytes\tpackets\tinterface_id\tnote\trejected\tmaybe\tratio\thalf\tstart\tlast\n")
	for _, r := range all {
		source, port, maybe := "-", "-", "-"
		if r.Source != "" {
			source = r.Source
		}
		if r.Port != nil {
			port = fmt.Sprint(*r.Port)
		}
		if r.Maybe != nil {
			maybe = fmt.Sprint(*r.Maybe)
		}
		fmt.Fprintln(&b, strings.Join([]string{fmt.Sprint(r.Version), r.Account, source, port, fmt.Sprint(r.Bytes), fmt.Sprint(r.Packets), r.Interface, string(r.Note),
			fmt.Sprint(r.Rejected), maybe, fmt.Sprint(r.Ratio), fmt.Sprint(r.Half), fmt.Sprint(r.When / 1000), r.Last}, "\t"))
	}
	return b.String()
}

func write(t testing.TB, all []row, options ...writer.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := writer.NewGenericWriter[row](&b, options...)
	for len(all) > 0 {
		n := min(len(all), 1500)
		if _, err := w.Write(all[:n]); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil { // a row group
			t.Fatal(err)
		}
		all = all[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func every(string) bool { return true }

func read(b []byte) (string, error) {
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return "", err
	}
	out, err := io.ReadAll(f.Lines(every))
	return string(out), err
}

// What another program wrote is read as it was meant, in each codec and version.
func TestWhatOthersWrite(t *testing.T) {
	all := rowsOf(4000)
	want := text(all)
	for _, version := range []int{1, 2} {
		for name, codec := range map[string]compress.Codec{"": &writer.Uncompressed, "snappy": &writer.Snappy, "gzip": &writer.Gzip, "zstd": &writer.Zstd} {
			t.Run(fmt.Sprint(version, name), func(t *testing.T) {
				b := write(t, all, writer.Compression(codec), writer.DataPageVersion(version), writer.PageBufferSize(8<<10), writer.DataPageStatistics(true))
				got, err := read(b)
				if err != nil {
					t.Fatal(err)
				}
				if got != want {
					g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
					for i := range min(len(g), len(w)) {
						if g[i] != w[i] {
							t.Fatalf("line %d of %d:\n%s\nwant of %d\n%s", i, len(g), g[i], len(w), w[i])
						}
					}
					t.Fatalf("%d lines, want %d", len(g), len(w))
				}
			})
		}
	}
	b := write(t, all[:1], writer.Compression(&writer.Brotli))
	if _, err := read(b); err == nil || !strings.Contains(err.Error(), "BROTLI") {
		t.Error(err)
	}
}

func TestOnlySomeColumns(t *testing.T) {
	b := write(t, rowsOf(3))
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.Columns(), " "); !strings.HasPrefix(got, "version account_id") || strings.Contains(got, "tags") || strings.Contains(got, "deep") || !strings.HasSuffix(got, " last") {
		t.Error(got)
	}
	out, err := io.ReadAll(f.Lines(func(name string) bool { return name == "version" || name == "last" }))
	if err != nil || string(out) != "version\tlast\n2\tend\n2\txend\n2\txxend\n" {
		t.Errorf("%q, %v", out, err)
	}
	out, err = io.ReadAll(f.Lines(func(string) bool { return false }))
	if err != nil || string(out) != "\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// A value cannot end its line, nor its column.
func TestValuesAreNoStructure(t *testing.T) {
	all := rowsOf(1)
	all[0].Note, all[0].Last = []byte("a\tb\nc"), "\x1b[2J"
	got, err := read(write(t, all))
	if err != nil || strings.Count(got, "\n") != 2 || strings.Count(got, "\t") != 26 || strings.Contains(got, "\x1b") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestBrokenFilesAreRefused(t *testing.T) {
	whole := write(t, rowsOf(4))
	short := func(n int) []byte { return whole[:len(whole)-n] }
	patch := func(length uint32) []byte {
		b := bytes.Clone(whole)
		binary.LittleEndian.PutUint32(b[len(b)-8:], length)
		return b
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "the magic alone": []byte("PAR1"), "twice": []byte("PAR1PAR1PAR1"), "cut off": short(1), "no footer": short(40),
		"a footer of 4 GiB": patch(math.MaxUint32), "a footer of nothing": patch(0), "a footer too small": patch(7), "a footer too large": patch(uint32(len(whole))),
		"encrypted": append(bytes.Clone(whole[:len(whole)-4]), "PARE"...),
	} {
		if got, err := read(b); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	// Whatever single bytes are, there is an end.
	for i := 0; i < len(whole); i += 3 {
		for _, c := range []byte{0, 0xff, whole[i] ^ 1} {
			b := bytes.Clone(whole)
			b[i] = c
			f, err := Open(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				continue
			}
			if n, err := io.Copy(io.Discard, io.LimitReader(f.Lines(every), 1<<20)); n == 1<<20 && err == nil {
				t.Logf("byte %d of %d as %d gives more than 1 MiB", i, len(b), c)
			}
		}
	}
}

// A column has one dictionary in a row group, and all that pages unpack to is told
// before they do.
func TestPagesAreCounted(t *testing.T) {
	type word struct {
		Word string `parquet:"word,dict"`
	}
	var b bytes.Buffer
	w := writer.NewGenericWriter[word](&b, writer.Compression(&writer.Gzip))
	var words []word
	for i := range 140 {
		words = append(words, word{fmt.Sprint(i, strings.Repeat("a", 8<<10))})
	}
	if _, err := w.Write(words); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	spent := int64(0)
	f, err := Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	f.Spend = func(n int64) error { spent += n; return nil }
	if n, err := io.Copy(io.Discard, f.Lines(every)); err != nil || spent < 1<<20 {
		t.Errorf("%d bytes of text, %d told, %v", n, spent, err)
	}
	enough := fmt.Errorf("enough")
	f.Spend = func(int64) error { return enough }
	if _, err := io.Copy(io.Discard, f.Lines(every)); !errors.Is(err, enough) {
		t.Error(err)
	}
	// The dictionary's page comes again in the place of the data's.
	f.Spend = nil
	l := f.Lines(every).(*lines)
	if err := l.columns[0].begin(&f.groups[0].at(1).list[0]); err != nil {
		t.Fatal(err)
	}
	from := l.columns[0].at
	if _, err := l.columns[0].value(nil); err != nil {
		t.Fatal(err)
	}
	l.columns[0].at, l.columns[0].left = from, 0
	if _, err := l.columns[0].value(nil); err == nil || !strings.Contains(err.Error(), "more than one dictionary") {
		t.Error(err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(write(f, rowsOf(20), writer.Compression(&writer.Snappy)))
	f.Add(write(f, rowsOf(20), writer.Compression(&writer.Gzip), writer.DataPageVersion(2)))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		io.Copy(io.Discard, io.LimitReader(file.Lines(every), 1<<20))
	})
}

func BenchmarkLines(b *testing.B) {
	whole := write(b, rowsOf(60_000), writer.Compression(&writer.Gzip))
	for b.Loop() {
		f, err := Open(bytes.NewReader(whole), int64(len(whole)))
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, f.Lines(every))
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(n)
	}
	b.ReportMetric(60_000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
