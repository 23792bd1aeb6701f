package tree

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
)

// Plain returns a writer of lines, one in each Write, that shows what is not
// printable by its code: who writes a policy or a request must not write on the
// terminal of whoever reads why it was decided so.
func Plain(w io.Writer) io.Writer { return plain{w} }

type plain struct{ w io.Writer }

func (p plain) Write(line []byte) (int, error) {
	text, ended := bytes.CutSuffix(line, []byte("\n"))
	out := make([]byte, 0, len(line))
	for _, r := range string(text) {
		if unicode.IsPrint(r) {
			out = append(out, string(r)...)
			continue
		}
		out = fmt.Appendf(out, `\u%04x`, r)
	}
	if ended {
		out = append(out, '\n')
	}
	if _, err := p.w.Write(out); err != nil {
		return 0, err
	}
	return len(line), nil
}
