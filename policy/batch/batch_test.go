package batch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// cases are lines with their answers. Both keep the schema.
func cases(t testing.TB) (in, out []string) { return read(t, "testdata/cases.txt") }

func read(t testing.TB, file string) (in, out []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "=> "):
			out = append(out, line[3:])
		default:
			in = append(in, line)
		}
	}
	if len(in) != len(out) || len(in) < 30 {
		t.Fatalf("%d lines, %d answers", len(in), len(out))
	}
	return in, out
}

func TestRunAnswersEveryLineInOrder(t *testing.T) {
	in, want := cases(t)
	var e Evaluator
	var out bytes.Buffer
	failed, err := e.Run(strings.NewReader(strings.Join(in, "\n")), &out) // the last line has no end
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(got) != len(want) {
		t.Fatalf("%d answers to %d lines", len(got), len(in))
	}
	wrong := 0
	for i := range in {
		if strings.Contains(want[i], `"error"`) {
			wrong++
		}
		if got[i] != want[i] {
			t.Errorf("%s\n got %s\nwant %s", in[i], got[i], want[i])
		}
	}
	if failed != wrong {
		t.Errorf("%d failed, want %d", failed, wrong)
	}
}

// What AWS's documents say of who may do what, case by case: across accounts, for
// each kind of principal, of every condition operator, level, grant and trust.
func TestDocumentedRules(t *testing.T) {
	in, want := read(t, "testdata/rules.txt")
	if len(in) < 200 {
		t.Errorf("%d cases", len(in))
	}
	var e Evaluator
	for i := range in {
		if a := e.Answer([]byte(in[i])); a.Decision+" "+a.DecidedBy != want[i] {
			t.Errorf("%s\n got %s %s%s, want %s", in[i], a.Decision, a.DecidedBy, a.Error, want[i])
		}
	}
}

func TestSchemaSaysWhatIsTaken(t *testing.T) {
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("sumun.json", schema); err != nil {
		t.Fatal(err)
	}
	aCase, answer := c.MustCompile("sumun.json#/$defs/case"), c.MustCompile("sumun.json#/$defs/answer")
	in, out := cases(t)
	for i := range in {
		var line, said any
		if err := json.Unmarshal([]byte(out[i]), &said); err != nil {
			t.Fatal(err)
		}
		if err := answer.Validate(said); err != nil {
			t.Errorf("%s: %v", out[i], err)
		}
		bad := json.Unmarshal([]byte(in[i]), &line) != nil || aCase.Validate(line) != nil
		if taken := !strings.Contains(out[i], `"error"`); taken && bad {
			t.Errorf("taken against the schema: %s: %v", in[i], aCase.Validate(line))
		}
	}
	for _, bad := range []string{`{}`, `{"principal":"*","action":"s3:GetObject","more":1}`, `{"principal":"*","action":"s3"}`, `{"principal":"*","action":"s3:Get","scps":[{}]}`} {
		var line any
		if err := json.Unmarshal([]byte(bad), &line); err != nil {
			t.Fatal(err)
		}
		var e Evaluator
		if aCase.Validate(line) == nil || e.Answer([]byte(bad)).Error == "" {
			t.Errorf("the schema or the evaluator takes %s", bad)
		}
	}
}

func TestTheDocumentedSchemaIsThis(t *testing.T) {
	text, err := os.ReadFile("../../docs/policy-eval.schema.json")
	if err != nil || string(text) != Schema {
		t.Errorf("docs/policy-eval.schema.json is not policy/batch/schema.json: %v", err)
	}
}

func TestLongLinesAreAnsweredAndPassed(t *testing.T) {
	in, want := cases(t)
	var e Evaluator
	var out bytes.Buffer
	long := strings.Repeat("x", MaxLine+1)
	failed, err := e.Run(strings.NewReader(in[0]+"\n"+long+"\n"+in[0]+"\r\n\n"+long), &out)
	tooLong := fmt.Sprintf(`{"error":"the line is longer than %d bytes"}`, MaxLine)
	lines := strings.Split(out.String(), "\n")
	if err != nil || failed != 3 || len(lines) != 6 || lines[0] != want[0] || lines[1] != tooLong || lines[2] != want[0] || lines[4] != tooLong {
		t.Errorf("%v, %d failed:\n%s", err, failed, &out)
	}
}

// An answer comes before the next line is asked for.
func TestAnswersDoNotWait(t *testing.T) {
	in, want := cases(t)
	fromUs, toThem := io.Pipe()
	fromThem, toUs := io.Pipe()
	done := make(chan error)
	go func() {
		var e Evaluator
		_, err := e.Run(fromUs, toUs)
		done <- err
	}()
	buffer := make([]byte, 1<<16)
	for i := range 5 {
		if _, err := io.WriteString(toThem, in[i]+"\n"); err != nil {
			t.Fatal(err)
		}
		n, err := fromThem.Read(buffer)
		if got := strings.TrimSuffix(string(buffer[:n]), "\n"); err != nil || got != want[i] {
			t.Errorf("%s, want %s: %v", got, want[i], err)
		}
	}
	if err := toThem.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func FuzzAnswer(f *testing.F) {
	in, _ := cases(f)
	for _, line := range in {
		f.Add([]byte(line))
	}
	var e Evaluator
	f.Fuzz(func(t *testing.T, line []byte) {
		text, failed := e.line(line)
		var a Answer
		if err := json.Unmarshal(text, &struct{}{}); err != nil {
			t.Fatalf("%q is answered with %q", line, text)
		}
		if a = e.Answer(line); failed != (a.Error != "") || (a.Error == "") != (a.Decision != "") {
			t.Errorf("%q: %+v", line, a)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	in, _ := cases(b)
	var good []string
	for _, line := range in {
		if (&Evaluator{}).Answer([]byte(line)).Error == "" {
			good = append(good, line)
		}
	}
	text := strings.Repeat(strings.Join(good, "\n")+"\n", 100)
	lines := len(good) * 100
	var e Evaluator
	for b.Loop() {
		if failed, err := e.Run(strings.NewReader(text), io.Discard); failed > 0 || err != nil {
			b.Fatal(failed, err)
		}
	}
	b.ReportMetric(float64(lines*b.N)/b.Elapsed().Seconds(), "lines/s")
}
