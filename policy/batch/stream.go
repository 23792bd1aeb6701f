package batch

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/go-json-experiment/json"
)

// Bounds of a stream. A line that is longer than MaxLine is answered with an error.
const (
	MaxLine    = 8 << 20
	batchLines = 512
	batchBytes = 16 << 20
)

// Run answers every line of in with one line on out, in order, and returns how
// many could not be decided. What can be read without waiting is decided at
// once, on all processors; an answer never waits for a line that has not come.
func (e *Evaluator) Run(in io.Reader, out io.Writer) (failed int, err error) {
	r := bufio.NewReaderSize(in, 1<<20)
	w := bufio.NewWriterSize(out, 1<<16)
	for {
		lines, end := lines(r)
		answers := make([][]byte, len(lines))
		bad := make([]bool, len(lines))
		spread(len(lines), func(i int) { answers[i], bad[i] = e.line(lines[i]) })
		for i, a := range answers {
			if bad[i] {
				failed++
			}
			if _, err := w.Write(append(a, '\n')); err != nil {
				return failed, err
			}
		}
		if err := w.Flush(); err != nil {
			return failed, err
		}
		if errors.Is(end, io.EOF) {
			return failed, nil
		}
		if end != nil {
			return failed, end
		}
	}
}

func (e *Evaluator) line(line []byte) (answer []byte, failed bool) {
	a := Answer{Error: fmt.Sprintf("the line is longer than %d bytes", MaxLine)}
	if line != nil {
		a = e.Answer(line)
	}
	text, err := json.Marshal(a)
	if err != nil { // an id that was read can be written: this cannot be
		return []byte(`{"error":"the answer cannot be written"}`), true
	}
	return text, a.Error != ""
}

// spread runs work for 0 to n-1 on all processors.
func spread(n int, work func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), (n+7)/8)
	if workers <= 1 {
		for i := range n {
			work(i)
		}
		return
	}
	var all sync.WaitGroup
	for k := range workers {
		all.Go(func() {
			for i := k; i < n; i += workers {
				work(i)
			}
		})
	}
	all.Wait()
}

// lines reads one line and what else has come already. A line that is too long
// is nil, and is read to its end. With the last lines comes io.EOF.
func lines(r *bufio.Reader) (all [][]byte, err error) {
	for size := 0; len(all) < batchLines && size < batchBytes; {
		line, err := oneLine(r)
		if err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)) {
			return all, err
		}
		all = append(all, line)
		size += len(line)
		if err != nil {
			return all, err
		}
		ready, _ := r.Peek(r.Buffered())
		if bytes.IndexByte(ready, '\n') < 0 {
			break
		}
	}
	return all, nil
}

func oneLine(r *bufio.Reader) ([]byte, error) {
	line, tooLong := []byte{}, false
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > MaxLine {
			line, tooLong = line[:0], true
		}
		if !tooLong {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if tooLong && (err == nil || errors.Is(err, io.EOF)) {
			return nil, nil // what follows is read next, be it the end
		}
		return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), err
	}
}
