package detect

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect/record"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/finding"
)

// saves is what is written down of accounts.
func saves(t *testing.T, e *Engine, accounts ...aws.Account) (out [][]byte) {
	t.Helper()
	for _, a := range accounts {
		b, err := e.Save(a)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

// What all accounts hold is bounded; the account that is flooded forgets, the others
// do not; and an engine that was taken elsewhere forgets the same.
func TestAccountsShareTheMemory(t *testing.T) {
	const most = 256 << 10
	read := cloudtrail.NewReader()
	call := func(i int, account aws.Account, who string) *record.Record {
		at := time.Date(2026, 3, 1, 0, 0, i, 0, time.UTC)
		r, err := read.Read(fmt.Appendf(nil, `{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDA%[1]s","arn":"arn:aws:iam::%[2]s:user/%[1]s","accountId":"%[2]s","accessKeyId":"AKIA%[1]s","userName":"%[1]s"},"eventTime":"%[3]s","eventSource":"iam.amazonaws.com","eventName":"ListUsers","awsRegion":"us-east-1","sourceIPAddress":"198.51.100.%[4]d","userAgent":"aws-cli/2","eventID":"e%[5]d","eventType":"AwsApiCall","readOnly":true,"recipientAccountId":"%[2]s"}`,
			who, account, at.Format(time.RFC3339), i%200, i))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	newEngine := func() *Engine {
		e := NewEngine(Options{})
		e.most = most
		return e
	}
	const quiet, flooded = aws.Account("111122223333"), aws.Account("444455556666")
	one, other := newEngine(), newEngine()
	see := func(r *record.Record) {
		one.See(r, func(finding.Suspicion) {})
		other.See(r, func(finding.Suspicion) {})
	}
	for i := range 20 {
		see(call(i, quiet, fmt.Sprint("q", i)))
	}
	before := saves(t, one, quiet)
	for i := range 3000 {
		if i%701 == 700 { // moved to another one in the middle
			b := saves(t, other, quiet, flooded)
			other = newEngine()
			for k, a := range []aws.Account{quiet, flooded} {
				if err := other.Load(a, b[k]); err != nil {
					t.Fatal(err)
				}
			}
		}
		see(call(20+i, flooded, fmt.Sprint("f", i)))
		if n := one.parts.Held(); n > most || other.parts.Held() != n {
			t.Fatalf("call %d: %d bytes held, %d by the one that was moved", i, n, other.parts.Held())
		}
	}
	a, b := saves(t, one, quiet, flooded), saves(t, other, quiet, flooded)
	if one.parts.Held() < most/2 {
		t.Errorf("%d bytes held of %d: nothing was to be forgotten", one.parts.Held(), most)
	}
	if states(t, a[0]) == "" || states(t, a[0]) == states(t, a[1]) || states(t, a[0]) != states(t, before[0]) {
		t.Error("the quiet account forgot")
	}
	for k := range a {
		if states(t, a[k]) != states(t, b[k]) {
			t.Errorf("account %d: the engine that was moved remembers otherwise", k)
		}
	}
}

// What is normal in an account that is quiet takes less when many others come.
func TestQuietAccountsMakeRoom(t *testing.T) {
	e, read := NewEngine(Options{}), cloudtrail.NewReader()
	learn := func(account, who int) {
		r, err := read.Read(fmt.Appendf(nil, `{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%012[1]d:user/u%[2]d","accountId":"%012[1]d","userName":"u%[2]d"},"eventTime":"2026-03-01T00:00:00Z","eventSource":"iam.amazonaws.com","eventName":"ListUsers","awsRegion":"us-east-1","sourceIPAddress":"198.51.100.1","userAgent":"aws-cli/2","eventID":"e","eventType":"AwsApiCall","readOnly":true,"recipientAccountId":"%012[1]d"}`, account, who))
		if err != nil {
			t.Fatal(err)
		}
		e.Learn(r)
	}
	size := func() int {
		var s saved
		if err := json.Unmarshal(saves(t, e, "000000000001")[0], &s); err != nil {
			t.Fatal(err)
		}
		return len(s.Normal)
	}
	for who := range 500 {
		learn(1, who)
	}
	alone := size()
	for account := range 1023 {
		learn(2+account, 1)
	}
	if n := size(); n > alone/2 {
		t.Errorf("%d bytes among many, %d alone", n, alone)
	}
}

// states is what rules remember, of what is written down of an account.
func states(t *testing.T, b []byte) (out string) {
	t.Helper()
	var s saved
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(s.States)) {
		out += name + " " + string(s.States[name]) + "\n"
	}
	return out + string(s.Actors)
}
