package source

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/detect/record"
)

// told reads a document, in one go where that can be, or as any other.
func told(content string, any bool) (all []string, report Report) {
	t := &taker{name: "f", report: &report, with: newReaders(nil), dns: newReaders(nil).dns, take: func(format string, r *record.Record) error {
		place := strings.TrimLeft(content[r.Origin.Offset:], " \t\r\n,[:")
		all = append(all, fmt.Sprintf("%s %s %s %.20s", format, r.ID, r.Time, place))
		return nil
	}}
	b := bufio.NewReader(strings.NewReader(content))
	var err error
	if any {
		in := &budget{in: b}
		err = t.values(jsontext.NewDecoder(in, lenient...), in, t.next)
	} else {
		err = t.document(b)
	}
	if err != nil {
		all = append(all, err.Error())
	}
	for _, b := range report.Bad {
		all = append(all, fmt.Sprintf("%d: %s", b.Count, b.Why))
	}
	return all, report
}

var documents = []string{
	`{"Records":[]}`, `{"Records":[` + event("a", 1) + `]}`, `{"Records":[` + event("a", 1) + ` , ` + event("b", 2) + "\n]}\n{\"Records\":[" + event("c", 3) + `]}` + event("d", 4),
	`[` + event("a", 1) + `,` + event("b", 2) + `]` + event("c", 3), `{"Records":[` + event("a", 1) + `,]}`, `{"Records":[,` + event("a", 1) + `]}`, `{"Records":[` + event("a", 1) + event("b", 2) + `]}`,
	`{"Records":[` + event("a", 1) + `,1, 12`, `[1,2,"x",null,` + event("a", 1), `{"Records":[` + event("a", 1) + `],"Records":[` + event("b", 2) + `],"x":1}`, `{"Records":[` + event("a", 1)[:80],
	`{"Records":[` + strings.Replace(event("a", 1), "{", `{"eventID":"x",`, 1) + `,` + strings.Replace(event("b", 2), "{", `{"event\u0049D":"x",`, 1) + `,{"detail-type":"x","detail":` + event("c", 3) + `}]}`,
	`{"Records":[` + strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100) + `,` + event("a", 1) + `]}`, `{"Records":[{"eventSource":"x"},` + event("a", 1) + `]`, `{"Records":[` + event("a", 1) + `}`, `[]`, `[`, `[]]`,
}

// A list of plain records is read as any other document.
func FuzzTrail(f *testing.F) {
	for _, d := range documents {
		f.Add(d)
	}
	f.Fuzz(func(t *testing.T, content string) {
		got, one := told(content, false)
		want, other := told(content, true)
		if strings.Join(got, "\n") != strings.Join(want, "\n") || one.Unread() != other.Unread() {
			t.Fatalf("%q:\n%s\n\n%s", content, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// Records lie across the ends of what is at hand, and some are larger than that.
func TestALongTrail(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"Records":[`)
	n := 3000
	for i := range n {
		e := event(fmt.Sprint(i), i)
		if i%1000 == 500 {
			e = strings.Replace(e, `"message":"x"`, `"message":"`+strings.Repeat("x", 2*window)+`"`, 1)
		}
		b.WriteString(e)
		if i < n-1 {
			b.WriteString(",")
		}
	}
	b.WriteString("]}")
	got, report := told(b.String(), false)
	want, _ := told(b.String(), true)
	if report.Unread() > 0 || len(got) != n || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%d records, %v", len(got), report.Bad)
	}
}

// dripping gives a few bytes at a time, and counts them.
type dripping struct {
	in io.Reader
	n  int
}

func (d *dripping) Read(p []byte) (int, error) {
	n, err := d.in.Read(p[:min(len(p), 512)])
	d.n += n
	return n, err
}

// A long value that comes slowly is looked at again when there is twice as much of it,
// not with each read.
func TestALongValueIsScannedSeldom(t *testing.T) {
	value := `{"a":"` + strings.Repeat("x", 300<<10) + `"}`
	in := &dripping{in: strings.NewReader(value + strings.Repeat(" ", 1<<20))}
	s := &stream{in: in}
	if end := s.value(); end != len(value) || in.n != 512<<10 {
		t.Errorf("ends at %d of %d, after %d bytes", end, len(value), in.n)
	}
}
