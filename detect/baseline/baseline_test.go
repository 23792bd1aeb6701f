package baseline

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"sumun.dev/detect/enrich"
	"sumun.dev/detect/record"
)

var began = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// call is one of ann's, on a day after the first.
func call(day int, operation, ip string) *record.Record {
	return &record.Record{
		Class: record.APIActivity, Time: began.AddDate(0, 0, day), Account: "111122223333", Region: "eu-west-1",
		API: &record.API{
			Service: "iam.amazonaws.com", Operation: operation, IP: netip.MustParseAddr(ip), Source: ip, Agent: "Boto3/1.34.1 md/Botocore#1.34.1 os/linux#6.1",
			Actor: record.Actor{Type: "IAMUser", ARN: "arn:aws:iam::111122223333:user/ann", Name: "ann"},
		},
	}
}

func TestABurstExplainsNothingOfItself(t *testing.T) {
	b := New()
	for day := range 12 {
		b.Learn(call(day, "ListUsers", "203.0.113.9"), enrich.Place{})
	}
	for range 1000 {
		b.Learn(call(6, "CreateUser", "198.51.100.7"), enrich.Place{})
	}
	// It went on past midnight.
	b.Learn(call(7, "CreateUser", "198.51.100.7"), enrich.Place{})
	j := b.Judge(call(6, "CreateUser", "198.51.100.7"), enrich.Place{})
	if !j.Ready || j.Days != 9 || !j.New(Principal, API) || !j.New(Everybody, Network) || j.New(Principal, Agent) || j.New(Principal, Country) {
		t.Errorf("%+v", j)
	}
	if len(j.Unusual) != 2 || j.Unusual[0].Name != "api" || j.Unusual[0].Of != "account" || j.Unusual[0].Total != 9 || j.Unusual[0].Score < 0.8 {
		t.Errorf("%+v", j.Unusual)
	}
	if j := b.Judge(call(6, "ListUsers", "203.0.113.200"), enrich.Place{}); len(j.Unusual) != 0 || j.Seen(Principal, API) != 9 {
		t.Errorf("what ann does daily: %+v", j)
	}
}

func TestWhatIsHardlyKnownIsNotReady(t *testing.T) {
	b := New()
	for day := range 7 {
		b.Learn(call(day, "ListUsers", "203.0.113.9"), enrich.Place{})
	}
	if b.Judge(call(8, "CreateUser", "203.0.113.9"), enrich.Place{}).Ready {
		t.Error("after six days")
	}
	b.Learn(call(7, "ListUsers", "203.0.113.9"), enrich.Place{})
	if !b.Judge(call(8, "CreateUser", "203.0.113.9"), enrich.Place{}).Ready {
		t.Error("not after a week")
	}
}

func TestWhatIsRefusedIsNoHabit(t *testing.T) {
	b := New()
	for day := range 10 {
		r := call(day, "CreateUser", "203.0.113.9")
		r.API.Error = "AccessDenied"
		b.Learn(r, enrich.Place{})
	}
	if j := b.Judge(call(20, "CreateUser", "203.0.113.9"), enrich.Place{}); !j.New(Principal, API) || j.New(Principal, Network) {
		t.Errorf("%+v", j)
	}
}

func TestWhatIsKnownIsBoundedAndStandsARestart(t *testing.T) {
	b := New()
	b.most = 500
	for day := range 300 {
		b.Learn(call(day, fmt.Sprint("List", day), fmt.Sprintf("10.%d.%d.1", day/200, day%200)), enrich.Place{})
		b.Learn(call(day, "ListUsers", "203.0.113.9"), enrich.Place{})
	}
	if len(b.entries) > b.most {
		t.Errorf("%d entries", len(b.entries))
	}
	for _, later := range []int{301, 1 << 20, -1 << 20} {
		b.Judge(call(later, "ListUsers", "203.0.113.9"), enrich.Place{})
	}
	if j := b.Judge(call(302, "ListUsers", "203.0.113.9"), enrich.Place{}); j.Seen(Principal, API) < 50 {
		t.Errorf("%+v", j)
	}
	one, err := b.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	back := New()
	if err := back.UnmarshalBinary(one); err != nil {
		t.Fatal(err)
	}
	two, err := back.MarshalBinary()
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("not the same when written again: %v", err)
	}
}

func TestFamily(t *testing.T) {
	for agent, want := range map[string]string{
		"aws-cli/2.17.9 md/awscrt#0.20 ua/2.0 os/macos#23.5.0 md/arch#arm64 lang/python#3.11.9": "aws-cli macos",
		"aws-cli/1.45.1 md/Botocore#1.40 os/linux#6.8 md/arch#x86_64":                           "aws-cli linux",
		"APN/1.0 HashiCorp/1.0 Terraform/1.9.5 aws-sdk-go-v2/1.30.4 os/linux lang/go#1.22":      "APN aws-sdk-go-v2 linux",
		"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0":                "browser Firefox",
		"tool_ea782787-a65d-4fc4-9fca":                                                          "tool_ea",
		"":                                                                                      "",
	} {
		if got := Family(agent); got != want {
			t.Errorf("%s: %q, not %q", agent, got, want)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	b := New()
	b.Learn(call(1, "ListUsers", "203.0.113.9"), enrich.Place{})
	one, _ := b.MarshalBinary()
	f.Add(one)
	f.Fuzz(func(t *testing.T, in []byte) {
		b := New()
		if b.UnmarshalBinary(in) == nil {
			b.Learn(call(1, "ListUsers", "203.0.113.9"), enrich.Place{})
			b.Judge(call(1, "ListUsers", "203.0.113.9"), enrich.Place{})
		}
	})
}

// What is familiar is what a judgement says is.
func TestFamiliar(t *testing.T) {
	b := New()
	for day := range 12 {
		for i, name := range []string{"ListUsers", "CreateUser", "GetUser"} {
			if (day+i)%3 > 0 {
				b.Learn(call(day, name, "203.0.113.9"), enrich.Place{})
			}
		}
		familiar, strange := 0, 0
		for _, name := range []string{"ListUsers", "CreateUser", "GetUser", "DeleteUser"} {
			for later := range 20 {
				r := call(later, name, "203.0.113.9")
				if later%2 == 0 {
					r.API.Actor.ARN = "arn:aws:iam::111122223333:user/new"
				}
				j := b.Judge(r, enrich.Place{})
				own := Principal
				if j.Days < Known {
					own = Everybody
				}
				want := !j.Ready || j.Seen(own, API) > 0
				if got := b.Familiar(r); got != want {
					t.Fatalf("day %d, %s on day %d: %t", day, name, later, got)
				}
				if want {
					familiar++
				} else {
					strange++
				}
			}
		}
		if day == 11 && (familiar == 0 || strange == 0) {
			t.Errorf("%d familiar, %d strange", familiar, strange)
		}
	}
}
