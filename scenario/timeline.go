package scenario

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// late is how long a moment may take from when it happens until it is told: the
// timeline waits so long, so that it can print moments in their order.
const late = 300 * time.Millisecond

// A timeline prints moments in the order in which they happened.
type timeline struct {
	out   io.Writer
	began time.Time

	mu      sync.Mutex
	waiting []Moment
	last    Moment // not printed yet: it may happen again
	times   int
	ended   time.Time
}

func (l *timeline) add(m Moment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, m)
	l.print(time.Now().Add(-late))
}

// end waits for what is still to be told, and prints it.
func (l *timeline) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.print(time.Now().Add(time.Hour))
	l.flush()
}

// took is the time from the beginning to the last moment.
func (l *timeline) took() time.Duration { return l.ended.Sub(l.began) }

// print prints the moments before a time. The caller holds the lock.
func (l *timeline) print(before time.Time) {
	slices.SortStableFunc(l.waiting, func(a, b Moment) int { return a.At.Compare(b.At) })
	for len(l.waiting) > 0 && l.waiting[0].At.Before(before) {
		m := l.waiting[0]
		l.waiting = l.waiting[1:]
		same := m
		same.At = l.last.At
		if l.times > 0 && same == l.last {
			l.times++
			continue
		}
		l.flush()
		l.last, l.times = m, 1
		if m.At.After(l.ended) {
			l.ended = m.At
		}
	}
}

// flush prints the moment that is held back.
func (l *timeline) flush() {
	if l.times == 0 {
		return
	}
	m, times := l.last, l.times
	l.times = 0
	ms := m.At.Sub(l.began).Milliseconds()
	switch m.Kind {
	case "say":
		fmt.Fprintf(l.out, "\n%6d ms  %s\n", ms, m.What)
		return
	case "more":
		fmt.Fprintln(l.out, strings.TrimRight(strings.Repeat(" ", 11)+m.What, " "))
		return
	}
	mark := " "
	if m.Bad {
		mark = "!"
	}
	text := fmt.Sprintf("%6d ms %s %-8s %-34s %s", ms, mark, m.Kind, m.Who, m.What)
	if m.Then != "" {
		text += "  →  " + m.Then
	}
	if times > 1 {
		text += fmt.Sprintf("  (%d times)", times)
	}
	fmt.Fprintln(l.out, strings.TrimRight(printable(text), " "))
}

// maxTold is how long a line may be, in characters.
const maxTold = 400

// printable leaves out what could steer a terminal: names and answers are whatever
// somebody sent.
func printable(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > maxTold {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = '.'
		}
		b.WriteRune(r)
	}
	return b.String()
}
