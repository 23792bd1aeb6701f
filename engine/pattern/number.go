package pattern

// Numbers compare as decimal fractions: EventBridge takes -5e9 to 5e9 with six
// digits behind the point ("Numeric matching" in the User Guide). A number is
// held as twice its millionths, plus one towards its sign when digits beyond
// the sixth remain, so that an event's 0.0000005 is above 0 and below 0.000001.
const maxNumber = 2 * 5_000_000_000 * 1_000_000

// number reads a JSON number; ok is false outside the range.
func number[T string | []byte](t T) (v int64, exact, ok bool) {
	i, negative := 0, false
	if i < len(t) && t[i] == '-' {
		negative, i = true, 1
	}
	// The digits are t[first:end] without the point; the value is
	// 0.digits × 10^point.
	first, end, point, seenPoint := -1, i, 0, false
	for ; end < len(t); end++ {
		c := t[end]
		if c == '.' {
			seenPoint = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		if first < 0 && c != '0' {
			first = end
		}
		switch {
		case first >= 0 && !seenPoint:
			point++
		case first < 0 && seenPoint:
			point--
		}
	}
	if first < 0 {
		return 0, true, end > i
	}
	point += exponent(t[end:])
	if point > 10 {
		return 0, false, false
	}
	units, taken, rest := int64(0), 0, false
	for _, c := range []byte(t[first:end]) {
		if c == '.' {
			continue
		}
		if taken < point+6 {
			units = units*10 + int64(c-'0')
			taken++
			continue
		}
		rest = rest || c != '0'
	}
	for ; taken < point+6; taken++ {
		units *= 10
	}
	v = 2 * units
	if rest {
		v++
	}
	if v > maxNumber {
		return 0, false, false
	}
	if negative {
		v = -v
	}
	return v, !rest, true
}

// exponent reads "e-12"; what is absurd is only kept large.
func exponent[T string | []byte](t T) int {
	if len(t) == 0 || t[0] != 'e' && t[0] != 'E' {
		return 0
	}
	i, negative := 1, false
	if i < len(t) && (t[i] == '-' || t[i] == '+') {
		negative = t[i] == '-'
		i++
	}
	n := 0
	for ; i < len(t) && t[i] >= '0' && t[i] <= '9'; i++ {
		if n < 1<<30 {
			n = n*10 + int(t[i]-'0')
		}
	}
	if negative {
		return -n
	}
	return n
}
