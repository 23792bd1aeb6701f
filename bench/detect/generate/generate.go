// Package generate makes the CloudTrail records of ordinary weeks in an account: nothing in them is an attack.
//
// A seed decides everything: the same seed gives the same records. Who works
// there is in people.go, what they do daily in work.go, and what only happens now
// and then, with every API that a detection rule looks at, in seldom.go.
package generate

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Account is where all happens, Sister an account of the same organization,
// whose trail is part of the same logs.
const (
	Account = "111122223333"
	Sister  = "444455556666"
	vendor  = "777788889999" // of a firm that watches the account for its customers
	region  = "eu-west-1"
)

type m = map[string]any

// A world is what happens in an account.
type world struct {
	*rand.Rand
	out []record
	now time.Time // of the session that is under way
	n   int

	people                                                                  []*who
	apps                                                                    []*who
	ci, tf, cdk, images, scanner, monitor, backup, ml, cleaner, dev, sister *who
}

type record struct {
	at   time.Time
	n    int
	body []byte
}

// Records returns the records of so many days, some thousand each, in order of time,
// each with its line feed.
func Records(seed uint64, days int) [][]byte {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 0x5eed))}
	w.hire()
	begin := time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(seed%7))
	for day := range days {
		w.day(begin.AddDate(0, 0, day), day)
	}
	slices.SortFunc(w.out, func(a, b record) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.n - b.n
	})
	all := make([][]byte, len(w.out))
	for i, r := range w.out {
		all[i] = r.body
	}
	return all
}

// day is what happens on one.
func (w *world) day(midnight time.Time, n int) {
	at := func(from, to float64) {
		w.now = midnight.Add(time.Duration((from + w.Float64()*(to-from)) * float64(time.Hour)))
	}
	weekend := midnight.Weekday() == time.Saturday || midnight.Weekday() == time.Sunday
	for _, a := range w.apps {
		for range 20 + w.IntN(15) {
			at(0, 23.9)
			w.application(a)
		}
	}
	for range 24 {
		at(0, 23.9)
		w.monitoring()
	}
	at(2, 3)
	w.scan()
	at(3, 4)
	w.cleaning()
	at(1, 2)
	w.backups(n)
	w.training()
	if weekend && w.IntN(4) > 0 {
		return
	}
	for range 2 + w.IntN(4) {
		at(8, 18)
		w.terraform()
	}
	for range 1 + w.IntN(3) {
		at(8, 18)
		w.release()
	}
	for range w.IntN(3) {
		at(8, 18)
		w.stack()
	}
	for _, p := range w.people {
		if w.IntN(5) == 0 {
			continue
		}
		at(7.5, 16)
		w.console(p)
		if w.IntN(2) == 0 {
			at(8, 17)
			w.shell(p)
		}
	}
	if w.IntN(3) == 0 {
		at(9, 17)
		w.developer()
	}
	if midnight.Weekday() == time.Tuesday {
		at(5, 6)
		w.imagePipeline()
	}
	for _, s := range seldom {
		// s.monthly happens on some 21 working days.
		if w.Float64() < s.monthly/21 {
			at(8, 18)
			s.do(w)
		}
	}
}

// call records a call.
func (w *world) call(p *who, api string, req, resp m, more ...m) {
	w.n++
	w.now = w.now.Add(time.Duration(50+w.IntN(p.pace)) * time.Millisecond)
	service, operation, _ := strings.Cut(api, ":")
	verb := strings.TrimRight(operation, "0123456789v")
	read := strings.HasPrefix(verb, "Get") || strings.HasPrefix(verb, "List") || strings.HasPrefix(verb, "Describe") || strings.HasPrefix(verb, "Head") || strings.HasPrefix(verb, "Receive") || strings.HasPrefix(verb, "Decrypt") || strings.HasPrefix(verb, "Assume") || strings.HasPrefix(verb, "Lookup")
	r := m{
		"eventVersion": "1.11", "userIdentity": p.identity(w), "eventTime": w.now.UTC().Format(time.RFC3339),
		"eventSource": service + ".amazonaws.com", "eventName": operation, "awsRegion": p.region(service), "sourceIPAddress": p.ip, "userAgent": p.agent,
		"requestParameters": req, "responseElements": resp, "requestID": w.hex(24), "eventID": fmt.Sprintf("%s-%s-4%s-a%s-%s", w.hex(8), w.hex(4), w.hex(3), w.hex(3), w.hex(12)),
		"readOnly": read, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": p.account, "eventCategory": "Management",
	}
	if p.console {
		r["sessionCredentialFromConsole"] = "true"
	}
	for _, extra := range more {
		for k, v := range extra {
			r[k] = v
		}
	}
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // it is of plain values
	}
	w.out = append(w.out, record{w.now.Truncate(time.Second), w.n, append(b, '\n')})
}

// fails makes a call one that was refused or went wrong.
func fails(code string) m { return m{"errorCode": code, "errorMessage": "An error occurred."} }

// data makes a call a data event.
var data = m{"managementEvent": false, "eventCategory": "Data"}

func (w *world) hex(n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[w.IntN(16)]
	}
	return string(b)
}

func (w *world) upper(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[w.IntN(32)]
	}
	return string(b)
}

func pick[T any](w *world, of ...T) T { return of[w.IntN(len(of))] }

func (w *world) word() string {
	return pick(w, "orders", "billing", "search", "users", "media", "reports", "mail", "gateway", "stock", "events")
}
