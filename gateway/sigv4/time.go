package sigv4

import (
	"net/http"
	"time"
)

// date returns the time a request says, and how many times it says one.
// X-Amz-Date goes before Date. IAM User Guide, "Elements of an AWS API request
// signature", on dates.
func (r *Request) date() (string, int) {
	for _, name := range [...]string{"X-Amz-Date", "Date"} {
		if values := r.Header[name]; len(values) > 0 {
			return values[0], len(values)
		}
	}
	return "", 0
}

// readTime reads ISO 8601's basic form and, from a Date header, the HTTP forms.
func readTime(s string) (time.Time, bool) {
	if len(s) == len(basicFormat) {
		return readBasic(s)
	}
	at, err := http.ParseTime(s)
	return at.UTC(), err == nil
}

// readBasic reads 20060102T150405Z; time.Parse takes four times as long.
func readBasic(s string) (time.Time, bool) {
	if s[8] != 'T' || s[15] != 'Z' {
		return time.Time{}, false
	}
	var n [6]int
	for i, at := range [...][2]int{{0, 4}, {4, 6}, {6, 8}, {9, 11}, {11, 13}, {13, 15}} {
		for _, c := range []byte(s[at[0]:at[1]]) {
			if c < '0' || c > '9' {
				return time.Time{}, false
			}
			n[i] = n[i]*10 + int(c-'0')
		}
	}
	at := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	// time.Date carries over what does not exist; no such date is accepted.
	ok := at.Day() == n[2] && int(at.Month()) == n[1] && n[3] < 24 && n[4] < 60 && n[5] < 60
	return at, ok
}
