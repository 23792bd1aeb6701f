package format

import (
	"bytes"
	"fmt"
	"iter"
	"strings"
)

// lines yields the lines of content with their numbers, empty ones left out.
func lines(content []byte) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		n := 0
		for line := range bytes.Lines(bytes.TrimPrefix(content, []byte("\ufeff"))) {
			n++
			if line = bytes.TrimSpace(line); len(line) > 0 && !yield(n, string(line)) {
				return
			}
		}
	}
}

// readLines reads TXT: one entry a line. Comments begin with #.
func readLines(e *Entries, content []byte) error {
	for n, line := range lines(content) {
		if line[0] == '#' {
			continue
		}
		if err := e.add(line); err != nil {
			return at(n, err)
		}
	}
	return nil
}

// readAlienVault reads the reputation feed: fields separated by #, the entry first.
func readAlienVault(e *Entries, content []byte) error {
	for n, line := range lines(content) {
		if line[0] == '#' {
			continue
		}
		entry, _, ok := strings.Cut(line, "#")
		if !ok {
			return at(n, fmt.Errorf("%.80q has no fields separated by #", line))
		}
		if err := e.add(entry); err != nil {
			return at(n, err)
		}
	}
	return nil
}
