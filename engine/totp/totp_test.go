package totp

import (
	"testing"
	"time"
)

// The seed of both RFCs' appendices.
var seed = []byte("12345678901234567890")

func TestCodesOfRFC4226(t *testing.T) {
	for step, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := Code(seed, int64(step)); got != want {
			t.Errorf("step %d: %s, want %s", step, got, want)
		}
	}
}

func TestCodesOfRFC6238(t *testing.T) {
	// The last six of the eight digits in appendix B.
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := Code(seed, Step(time.Unix(at, 0))); got != want {
			t.Errorf("%d: %s, want %s", at, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	const now = 1000
	for _, c := range []struct {
		name string
		code string
		used int64
		ok   bool
	}{
		{"now", Code(seed, now), 0, true},
		{"one_before", Code(seed, now-1), 0, true},
		{"one_after", Code(seed, now+1), 0, true},
		{"two_before", Code(seed, now-2), 0, false},
		{"two_after", Code(seed, now+2), 0, false},
		{"used", Code(seed, now), now, false},
		{"older_than_the_used", Code(seed, now-1), now, false},
		{"newer_than_the_used", Code(seed, now+1), now, true},
		{"empty", "", 0, false},
		{"longer", Code(seed, now) + "0", 0, false},
		{"shorter", Code(seed, now)[:5], 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			step, ok := Check(seed, c.code, now, c.used)
			if ok != c.ok || ok && Code(seed, step) != c.code {
				t.Errorf("got %d, %t", step, ok)
			}
		})
	}
}

func TestPair(t *testing.T) {
	const now = 1000
	for _, c := range []struct {
		name          string
		first, second int64
		ok            bool
	}{
		{"just_now", now - 1, now, true},
		{"clock_behind", now - 8, now - 7, true},
		{"clock_ahead", now + 8, now + 9, true},
		{"too_far", now + 10, now + 11, false},
		{"the_wrong_way_round", now, now - 1, false},
		{"the_same_twice", now, now, false},
		{"not_consecutive", now - 2, now, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			step, ok := Pair(seed, Code(seed, c.first), Code(seed, c.second), now)
			if ok != c.ok || ok && step != c.second {
				t.Errorf("got %d, %t", step, ok)
			}
		})
	}
}
