package pattern

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// star is the step of a wildcard that takes any bytes.
const star = -1

// wildcardSteps splits a wildcard into bytes and stars. The reason is empty
// when it is well formed; its position counts the quote, as EventBridge does.
func wildcardSteps(text string) (steps []int16, reason string) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '*':
			if i+1 < len(text) && text[i+1] == '*' {
				return nil, fmt.Sprintf("Consecutive wildcard characters at pos %d", i+1)
			}
			steps = append(steps, star)
		case '\\':
			if i+1 == len(text) || text[i+1] != '*' && text[i+1] != '\\' {
				return nil, fmt.Sprintf("Invalid escape character at pos %d", i+1)
			}
			i++
			steps = append(steps, int16(text[i]))
		default:
			steps = append(steps, int16(text[i]))
		}
	}
	return steps, ""
}

// maxActive is how many places in its wildcards a value may keep open at once.
// EventBridge publishes no figure; it accepts "/Users/*/dir/dir/dir/dir/dir/doc.txt"
// (8 by our count) and refuses "*:*:*:*:*:event-bus/*" (11).
const maxActive = 10

// tooComplex reports whether some value could keep maxActive places in the
// wildcards of one field open.
func tooComplex(any []condition) bool {
	var all [][]int16
	for _, c := range any {
		for _, w := range append([]condition{c}, c.not...) {
			if w.kind == kWildcard {
				steps, _ := wildcardSteps(w.text)
				all = append(all, steps)
			}
		}
	}
	return len(all) > 0 && worst(all) >= maxActive
}

const (
	finish = -2  // the step behind a wildcard's last
	other  = 256 // any byte that no open place waits for
)

// worst returns the largest number of open places over all values, by walking
// the deterministic automaton; it gives up, with maxActive, when that is large.
func worst(all [][]int16) int {
	var steps []int16
	var begin []int32
	for _, w := range all {
		begin = append(begin, int32(len(steps)))
		steps = append(append(steps, w...), finish)
	}
	most := 0 // that many wildcards begin costs nothing
	limit := max(512, 4*len(steps))
	start := closure(steps, begin)
	seen := map[string]bool{fingerprint(start): true}
	for queue := [][]int32{start}; len(queue) > 0; queue = queue[1:] {
		next := []int16{other}
		for _, at := range queue[0] {
			if steps[at] >= 0 && !slices.Contains(next, steps[at]) {
				next = append(next, steps[at])
			}
		}
		for _, c := range next {
			to := closure(steps, advance(steps, queue[0], c))
			most = max(most, len(to))
			if most >= maxActive || len(seen) > limit {
				return maxActive
			}
			if key := fingerprint(to); len(to) > 0 && !seen[key] {
				seen[key] = true
				queue = append(queue, to)
			}
		}
	}
	return most
}

// advance returns the places open after byte c.
func advance(steps []int16, open []int32, c int16) []int32 {
	var to []int32
	for _, at := range open {
		switch steps[at] {
		case star:
			to = append(to, at)
		case c:
			to = append(to, at+1)
		}
	}
	return to
}

// closure adds the places behind stars, which may take nothing.
func closure(steps []int16, at []int32) []int32 {
	for i := 0; i < len(at); i++ {
		if steps[at[i]] == star && !slices.Contains(at, at[i]+1) {
			at = append(at, at[i]+1)
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

func fingerprint(at []int32) string {
	b := make([]byte, 0, 4*len(at))
	for _, v := range at {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return string(b)
}
