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

// maxStates bounds the search for the worst value.
const maxStates = 4096

// tooComplex reports whether some value could keep maxActive places in the
// wildcards of one field open. A single wildcard of few stars is always fine.
func tooComplex(f fieldTest) bool {
	var all [][]int16
	for _, c := range f.any {
		for _, w := range append([]condition{c}, c.not...) {
			if w.kind == kWildcard {
				steps, _ := wildcardSteps(w.text)
				all = append(all, steps)
			}
		}
	}
	return len(all) > 0 && worst(all) >= maxActive
}

// worst returns the largest number of open places over all values, by walking
// the deterministic automaton; it gives up, with maxActive, when that is large.
func worst(all [][]int16) int {
	var steps []int16
	var begin []int32
	alphabet := map[int16]bool{}
	for _, w := range all {
		begin = append(begin, int32(len(steps)))
		steps = append(steps, w...)
		steps = append(steps, -2) // the end
	}
	for _, s := range steps {
		alphabet[s] = true
	}
	alphabet[256] = true // any byte that no wildcard names
	delete(alphabet, star)
	delete(alphabet, -2)

	start := closure(steps, begin)
	most := 0 // that many wildcards begin costs nothing
	seen := map[string]bool{fingerprint(start): true}
	for queue := [][]int32{start}; len(queue) > 0; queue = queue[1:] {
		for c := range alphabet {
			var to []int32
			for _, at := range queue[0] {
				switch steps[at] {
				case star:
					to = append(to, at)
				case c:
					to = append(to, at+1)
				}
			}
			to = closure(steps, to)
			most = max(most, len(to))
			key := fingerprint(to)
			if most >= maxActive || len(seen) > maxStates {
				return maxActive
			}
			if len(to) > 0 && !seen[key] {
				seen[key] = true
				queue = append(queue, to)
			}
		}
	}
	return most
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
