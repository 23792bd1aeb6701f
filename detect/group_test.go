package detect

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/source/dns"
	"sumun.dev/finding"
)

// asked is a question of an instance, on the third of March.
func asked(t *testing.T, instance, domain string, minute int) *record.Record {
	t.Helper()
	at := time.Date(2026, 3, 3, 9, minute, 0, 0, time.UTC)
	r, err := dns.NewReader().Read(fmt.Appendf(nil, `{"version":"1.100000","account_id":"111122223333","region":"eu-west-1","vpc_id":"vpc-0a1b2c3d","query_timestamp":%q,"query_name":%q,"query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[],"srcaddr":"10.0.0.7","srcport":"40000","transport":"UDP","srcids":{"instance":%q}}`,
		at.Format(time.RFC3339), domain+".", instance))
	if err != nil {
		t.Fatal(err)
	}
	r.ID = fmt.Sprint(instance, domain, minute)
	return r
}

// calledOn is a call of an instance's role.
func calledOn(instance, role string, minute int, service, operation, request string) *record.Record {
	r := did(role, 3, minute, service, operation, "203.0.113.7", request)
	r.API.Actor = record.Actor{
		Type: "AssumedRole", ID: "AROAEXAMPLE:" + instance, ARN: "arn:aws:sts::111122223333:assumed-role/" + role + "/" + instance, Account: "111122223333", AccessKey: "ASIA" + instance,
		Delivery: "2.0", Issuer: record.Issuer{Type: "Role", ARN: "arn:aws:iam::111122223333:role/" + role, Name: role, Account: "111122223333"},
	}
	return r
}

const one, two = "i-0123456789abcdef0", "i-0fedcba9876543210"

func TestInstancesOfOneRoleAreAttackedTogether(t *testing.T) {
	const hour, day = 60, 24 * 60
	describe := func(instance, role string, minute int) *record.Record {
		return calledOn(instance, role, minute, "ec2", "DescribeInstances", `{}`)
	}
	stop := calledOn(one, "web", 10, "cloudtrail", "StopLogging", `{"name":"main"}`)
	named := calledOn(one, "ci", 10, "cloudtrail", "StopLogging", `{"name":"main"}`)
	named.API.Actor.Delivery = ""
	renamed := describe(one, "ci", 3)
	renamed.API.Actor.Delivery = ""
	elsewhere := calledOn(one, "web", 10, "cloudtrail", "StopLogging", `{"name":"main"}`)
	elsewhere.API.Actor.Account, elsewhere.API.Actor.Issuer.Account = "444455556666", "444455556666"
	deployed := did("deployer", 3, 0, "iam", "CreateRole", "198.51.100.9", `{"roleName":"web"}`)
	deployed2 := did("deployer", 3, 0, "iam", "CreateRole", "198.51.100.9", `{"roleName":"db"}`)
	c2, pool, evil := asked(t, one, "c2.test", 1), asked(t, one, "pool.test", 2), asked(t, one, "feed-evil.test", 3)
	for _, c := range []struct {
		why  string
		told []*record.Record
		want []string // instances of the attack
	}{
		{"one instance asks for three kinds of evil", []*record.Record{c2, pool, evil}, []string{one}},
		{"two kinds are not enough", []*record.Record{c2, pool, asked(t, one, "c2.test", 3)}, nil},
		{"instances that nothing joins", []*record.Record{c2, pool, asked(t, two, "feed-evil.test", 3)}, nil},
		{"instances that carry one role", []*record.Record{describe(one, "web", 0), describe(two, "web", 0), c2, pool, asked(t, two, "feed-evil.test", 3)}, []string{one, two}},
		{"instances of two roles that one deployer made", []*record.Record{deployed, deployed2, describe(one, "web", 0), describe(two, "db", 0), c2, pool, asked(t, two, "feed-evil.test", 3)}, nil},
		{"what the role's session calls counts, also as the first that is known of the role", []*record.Record{c2, pool, stop}, []string{one}},
		{"in any order", []*record.Record{stop, c2, pool}, []string{one}},
		{"not what somebody calls whose session is only named so", []*record.Record{c2, pool, named}, nil},
		{"who is only named so moves no instance to another role", []*record.Record{describe(one, "web", 0), c2, renamed, pool, stop}, []string{one}},
		{"not what another account's role calls", []*record.Record{c2, pool, elsewhere}, nil},
		{"not what the deployer of the role calls", []*record.Record{deployed, describe(one, "web", 0), did("deployer", 3, 5, "cloudtrail", "StopLogging", "198.51.100.9", `{"name":"main"}`), c2, pool}, nil},
		{"a day later it is another matter", []*record.Record{c2, pool, asked(t, one, "feed-evil.test", day+3)}, nil},
		{"nor a day earlier, which comes late", []*record.Record{c2, pool, asked(t, one, "feed-evil.test", -day)}, nil},
		{"what comes late ages nothing", []*record.Record{c2, pool, asked(t, one, "c2.test", -2*day), asked(t, one, "pool.test", -2*day), evil}, []string{one}},
		{"nor what claims to come from tomorrow", []*record.Record{c2, pool, asked(t, one, "sunk.test", day), evil}, []string{one}},
		{"hours between do not matter", []*record.Record{c2, asked(t, one, "pool.test", 9*hour), calledOn(one, "web", 14*hour, "cloudtrail", "StopLogging", `{"name":"main"}`)}, []string{one}},
		{"low reputations alone are no attack", []*record.Record{asked(t, one, "abused.test", 1), asked(t, one, "coins.test", 2), asked(t, one, "low-reputation.test", 3)}, nil},
		{"what has no form of an instance", []*record.Record{asked(t, "i-\\u0000", "c2.test", 1), asked(t, "i-\\u0000", "pool.test", 2), asked(t, "i-\\u0000", "feed-evil.test", 3)}, nil},
	} {
		e := engine(t)
		var got *finding.Suspicion
		for i, r := range c.told {
			if i > 0 {
				e = engineWith(t, e) // a restart between any two changes nothing
			}
			for _, s := range told(e, r) {
				if s.Type == onHosts {
					got = &s
				}
			}
		}
		switch {
		case got == nil && c.want == nil:
		case got == nil:
			t.Errorf("%s: no sequence", c.why)
		case got.Type != onHosts || got.Severity != critical || !slices.Equal(got.Sequence.Instances, c.want) || !slices.Contains(c.want, got.Instance.ID):
			t.Errorf("%s: %s of %q, %+v", c.why, got.Type, got.Sequence.Instances, got)
		case !slices.Contains(got.Sequence.Domains, "c2.test") || !slices.Contains(got.Sequence.Indicators["MALICIOUS_DOMAIN"], "c2.test") || !slices.Contains(got.Sequence.Indicators["CRYPTOMINING_DOMAIN"], "pool.test"):
			t.Errorf("%s: %+v", c.why, got.Sequence)
		}
	}
}

// TestOneKindOfEvilIsOneThoughManyLogsShowIt holds that an honest miner, a relay of
// Tor and a scanner of the own network are no attack.
func TestOneKindOfEvilIsOneThoughManyLogsShowIt(t *testing.T) {
	for name, types := range map[string][]string{
		"miner":       {"CryptoCurrency:EC2/BitcoinTool.B!DNS", "CryptoCurrency:EC2/BitcoinTool.B", "Impact:EC2/BitcoinDomainRequest.Reputation", "Behavior:EC2/NetworkPortUnusual"},
		"relay":       {"UnauthorizedAccess:EC2/TorClient", "UnauthorizedAccess:EC2/TorRelay", "Behavior:EC2/TrafficVolumeUnusual", "Behavior:EC2/NetworkPortUnusual"},
		"scanner":     {"Recon:EC2/Portscan", "Recon:EC2/PortProbeUnprotectedPort", "UnauthorizedAccess:EC2/SSHBruteForce", "UnauthorizedAccess:EC2/RDPBruteForce"},
		"mail server": {"Backdoor:EC2/Spambot", "Impact:EC2/AbusedDomainRequest.Reputation", "Behavior:EC2/TrafficVolumeUnusual"},
	} {
		var g Group
		for i, typ := range types {
			at := time.Date(2026, 3, 3, 9, i, 0, 0, time.UTC)
			s := finding.Suspicion{Type: typ, At: at, Actor: true, Instance: finding.Instance{ID: one}, Connection: &finding.Connection{}, Evidence: []finding.Evidence{{ID: typ, At: at}}}
			if g.Add(one, one, s) != nil {
				t.Errorf("a %s is an attack", name)
			}
		}
	}
}

// TestAnAttackIsToldAgainWhenThereIsMoreOfIt also holds that all of it is one finding.
func TestAnAttackIsToldAgainWhenThereIsMoreOfIt(t *testing.T) {
	e, n, ids := engine(t), 0, map[string]bool{}
	see := func(r *record.Record) {
		for _, s := range told(e, r) {
			if s.Type == onHosts {
				n++
				ids[s.In(finding.Home{Account: r.Account, Region: r.Region})] = true
			}
		}
	}
	see(calledOn(one, "web", 0, "ec2", "DescribeInstances", `{}`))
	see(calledOn(two, "web", 0, "ec2", "DescribeInstances", `{}`))
	for i, domain := range []string{"c2.test", "pool.test", "feed-evil.test"} {
		see(asked(t, one, domain, i+1))
	}
	for i := range 20 {
		see(asked(t, one, "c2.test", 10+i))
	}
	if n != 1 {
		t.Errorf("told %d times", n)
	}
	see(asked(t, two, "c2.test", 40))
	see(calledOn(two, "web", 45, "cloudtrail", "StopLogging", `{"name":"main"}`))
	if n != 3 || len(ids) != 1 {
		t.Errorf("told %d times, %d findings", n, len(ids))
	}
	// It goes on for days, with less at once than on the first.
	for hours := 20; hours <= 60; hours += 20 {
		see(asked(t, one, "c2.test", hours*60))
	}
	n = 0
	see(asked(t, one, "pool.test", 61*60))
	see(asked(t, one, "feed-evil.test", 62*60))
	if n != 1 || len(ids) != 1 {
		t.Errorf("two days later told %d times, %d findings", n, len(ids))
	}
}

// TestAGroupJoinsWhatEnginesFindApart lets one engine see the queries and another
// the calls.
func TestAGroupJoinsWhatEnginesFindApart(t *testing.T) {
	known := lists(t)
	apart := func() *Engine {
		return NewEngine(Options{Apart: true, Lists: func(aws.Account, aws.Region) intel.Lists { return known }})
	}
	queries, calls := apart(), apart()
	var g Group
	attacks := 0
	take := func(e *Engine, r *record.Record) {
		for _, s := range told(e, r) {
			if s.Type == onHosts {
				t.Errorf("an engine alone says %+v", s)
			}
			if id := InstanceOf(&s); id != one {
				t.Errorf("%s is of %q", s.Type, id)
			}
			b, err := json.Marshal(g)
			if err != nil {
				t.Fatal(err)
			}
			g = Group{}
			if err := json.Unmarshal(b, &g); err != nil {
				t.Fatal(err)
			}
			if seq := g.Add(one, one, s); seq != nil {
				attacks++
				if seq.Type != onHosts || seq.Instance.ID != one || len(seq.Sequence.Signals) != 3 || !slices.Contains(seq.Sequence.Actors, "ASIA"+one) {
					t.Errorf("%+v %+v", seq, seq.Sequence)
				}
			}
		}
	}
	take(queries, asked(t, one, "c2.test", 1))
	take(queries, asked(t, one, "pool.test", 2))
	take(calls, calledOn(one, "web", 4, "cloudtrail", "StopLogging", `{"name":"main"}`))
	if attacks != 1 {
		t.Errorf("%d attacks", attacks)
	}
}

// TestWhatStrangersTryIsNoSignal holds that knocking on an instance's ports adds
// nothing to what it did itself.
func TestWhatStrangersTryIsNoSignal(t *testing.T) {
	s := finding.Suspicion{Type: "UnauthorizedAccess:EC2/SSHBruteForce", Instance: finding.Instance{ID: one}, Connection: &finding.Connection{Inbound: true, Remote: finding.Remote{Address: netip.MustParseAddr("198.51.100.7")}}}
	if onHost(&s) || InstanceOf(&s) != "" {
		t.Error("an attempt on an instance counts as its own")
	}
	if s.Actor = true; !onHost(&s) || InstanceOf(&s) != one {
		t.Error("an attempt of an instance does not count")
	}
}

func FuzzGroup(f *testing.F) {
	f.Add([]byte(`{"Signals":[{"Name":"x","Host":true}],"Hosts":["i-0123456789abcdef0"],"Marks":{"MALICIOUS_IP":["198.51.100.7"]}}`))
	f.Add([]byte(`{"Signals":[null]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var g Group
		if json.Unmarshal(b, &g) == nil {
			g.Add(one, one, finding.Suspicion{Type: "A:B/C", At: time.Unix(1, 0), Actor: true, Instance: finding.Instance{ID: one}, DNS: &finding.DNSRequest{Domain: "c2.test"}})
		}
	})
}
