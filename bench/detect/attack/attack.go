// Package attack makes the records that attack techniques leave in the logs of an account.
//
// A seed decides who does it, where from, with what program, and what everything
// is called: nothing that detection could lean on is the same in two seeds. What is
// done, and the shape of its records, is that of public accounts of attacks and of
// AWS's documentation. The techniques stand in identity.go (credentials and rights),
// evasion.go (logs and defences), data.go (secrets, reading and handing out) and
// resources.go (destruction, hijacking, code), those in Kubernetes in cluster.go, in
// traffic and DNS in network.go.
package attack

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A Technique is one thing that attackers do.
type Technique struct {
	Name string
	// Tactics are the threat purposes of a finding that tells what it is.
	Tactics []string
	Log     Log
	do      func(*scene)
}

// A Log says which reader reads a technique's records.
type Log int

// The logs that techniques leave records in.
const (
	CloudTrail Log = iota
	Kubernetes
	Flow
	DNS
)

// All lists the techniques, in order of their names.
func All() []Technique {
	all := slices.Concat(identity, evasion, data, resources, cluster, network, later)
	slices.SortFunc(all, func(a, b Technique) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// A Victim is whose credentials are used; the zero one is made up, with an account
// of its own.
type Victim struct {
	Account, Region string
	Identity        map[string]any // userIdentity of CloudTrail
	Agent           string         // the program that is used; empty: any
	At              time.Time      // when it begins
}

// Records returns what t leaves, in order of time.
func (t *Technique) Records(seed uint64, v Victim) [][]byte {
	s := newScene(seed, t.Name, v)
	t.do(s)
	return s.out
}

type m = map[string]any

// A scene is where a technique is played.
type scene struct {
	*rand.Rand
	account, region, other string // other: the attacker's own account
	ip, agent              string
	me                     m
	user                   string // of me
	now                    time.Time
	out                    [][]byte
}

func newScene(seed uint64, name string, v Victim) *scene {
	h := uint64(14695981039346656037)
	for _, c := range []byte(name) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	s := &scene{Rand: rand.New(rand.NewPCG(seed, h)), account: v.Account, region: v.Region, now: v.At, me: v.Identity}
	s.other = s.digits(12)
	if s.account == "" {
		s.account = s.digits(12)
		s.region = pick(s, "us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2", "sa-east-1", "ca-central-1")
		s.now = time.Date(2026, time.Month(1+s.IntN(9)), 1+s.IntN(28), s.IntN(24), s.IntN(60), s.IntN(60), 0, time.UTC)
	}
	s.ip = fmt.Sprintf("%d.%d.%d.%d", pick(s, 23, 37, 45, 62, 77, 91, 103, 141, 185, 193), s.IntN(250), s.IntN(250), 1+s.IntN(250))
	if s.agent = v.Agent; s.agent == "" {
		s.agent = s.program()
	}
	if s.me == nil {
		s.me = s.somebody()
	}
	s.user, _ = s.me["userName"].(string)
	return s
}

// program is what calls: tools and libraries of all kinds, with any version.
func (s *scene) program() string {
	v := fmt.Sprintf("%d.%d.%d", 1+s.IntN(3), s.IntN(60), s.IntN(200))
	return pick(s,
		"aws-cli/"+v+" md/awscrt#0.23.8 ua/2.0 os/linux#6."+fmt.Sprint(s.IntN(12))+" md/arch#x86_64 lang/python#3.12.6",
		"aws-cli/"+v+" md/awscrt#0.23.8 ua/2.0 os/windows#10 md/arch#amd64 lang/python#3.12.6",
		"Boto3/"+v+" md/Botocore#"+v+" ua/2.0 os/linux#6.8 md/arch#x86_64 lang/python#3.11.2",
		"Boto3/"+v+" md/Botocore#"+v+" ua/2.0 os/macos#24.1.0 md/arch#arm64 lang/python#3.13.0",
		"aws-sdk-go-v2/"+v+" os/linux lang/go#1.22 md/GOOS#linux md/GOARCH#amd64",
		"aws-sdk-go/"+v+" (go1.21; darwin; arm64)",
		"python-requests/"+v,
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/"+fmt.Sprint(110+s.IntN(30))+".0.0.0 Safari/537.36",
		s.word()+"-"+s.word()+"/"+v,
	)
}

// somebody is whose credentials are used: a user, a person's session, a role's, or
// that of an instance.
func (s *scene) somebody() m {
	name := s.word() + "." + s.word()
	if s.IntN(2) == 0 {
		return m{"type": "IAMUser", "principalId": "AIDA" + s.upper(17), "arn": "arn:aws:iam::" + s.account + ":user/" + name, "accountId": s.account, "accessKeyId": "AKIA" + s.upper(16), "userName": name}
	}
	role, session, path := s.word()+"-"+s.word(), fmt.Sprint(s.now.Unix()), ""
	switch s.IntN(3) {
	case 0:
		role, session, path = "AWSReservedSSO_"+s.word()+"_"+s.hex(16), name+"@"+s.word()+".example", "aws-reserved/sso.amazonaws.com/"
	case 1:
		session = "i-0" + s.hex(16)
	}
	return s.session(role, session, path)
}

func (s *scene) session(role, session, path string) m {
	id := "AROA" + s.upper(17)
	return m{
		"type": "AssumedRole", "principalId": id + ":" + session, "arn": "arn:aws:sts::" + s.account + ":assumed-role/" + role + "/" + session, "accountId": s.account, "accessKeyId": "ASIA" + s.upper(16),
		"sessionContext": m{
			"sessionIssuer": m{"type": "Role", "principalId": id, "arn": "arn:aws:iam::" + s.account + ":role/" + path + role, "accountId": s.account, "userName": role},
			"attributes":    m{"creationDate": s.now.UTC().Format(time.RFC3339), "mfaAuthenticated": "false"},
		},
	}
}

// call records a call of the victim's credentials.
func (s *scene) call(api string, req, resp m, more ...m) {
	s.wait(200, 4000)
	service, operation, _ := strings.Cut(api, ":")
	read := false
	for _, verb := range []string{"Get", "List", "Describe", "Head", "Lookup", "BatchGet", "Search"} {
		read = read || strings.HasPrefix(operation, verb)
	}
	where := s.region
	switch service {
	case "iam", "organizations", "route53", "route53domains", "account":
		where = "us-east-1"
	}
	r := m{
		"eventVersion": "1.11", "userIdentity": s.me, "eventTime": s.now.UTC().Format(time.RFC3339), "eventSource": service + ".amazonaws.com", "eventName": operation,
		"awsRegion": where, "sourceIPAddress": s.ip, "userAgent": s.agent, "requestParameters": req, "responseElements": resp,
		"requestID": s.id(), "eventID": s.id(), "readOnly": read, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": s.account, "eventCategory": "Management",
	}
	for _, extra := range more {
		maps.Copy(r, extra)
	}
	s.add(r)
}

func (s *scene) add(r m) {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // it is of plain values
	}
	s.out = append(s.out, append(b, '\n'))
}

// wait lets some milliseconds pass.
func (s *scene) wait(from, to int) {
	s.now = s.now.Add(time.Duration(from+s.IntN(to-from)) * time.Millisecond)
}

// denied makes a call one that was refused, in the words of its service.
func denied(code string) m {
	return m{"errorCode": code, "errorMessage": "User is not authorized to perform this action", "responseElements": nil}
}

// dataEvent makes a call a data event.
var dataEvent = m{"managementEvent": false, "eventCategory": "Data"}

func pick[T any](s *scene, of ...T) T { return of[s.IntN(len(of))] }

func (s *scene) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[s.IntN(len(alphabet))]
	}
	return string(b)
}

func (s *scene) hex(n int) string    { return s.from("0123456789abcdef", n) }
func (s *scene) upper(n int) string  { return s.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", n) }
func (s *scene) digits(n int) string { return s.from("123456789", 1) + s.from("0123456789", n-1) }
func (s *scene) id() string {
	return s.hex(8) + "-" + s.hex(4) + "-4" + s.hex(3) + "-a" + s.hex(3) + "-" + s.hex(12)
}

// word is one that could be a name, and means nothing.
func (s *scene) word() string {
	n := ""
	for range 2 + s.IntN(2) {
		n += s.from("bcdfghklmnprstvz", 1) + s.from("aeiou", 1)
	}
	return n
}

func (s *scene) arn(service, resource string) string {
	return "arn:aws:" + service + ":" + s.region + ":" + s.account + ":" + resource
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it is of plain values
	}
	return string(b)
}

func policy(statement m) m { return m{"Version": "2012-10-17", "Statement": []any{statement}} }

// letIn is a policy document for the attacker's account, or for everyone.
func (s *scene) letIn(action, resource string) m {
	who := pick[any](s, m{"AWS": "arn:aws:iam::" + s.other + ":root"}, m{"AWS": s.other}, "*", m{"AWS": "*"}, m{"AWS": []any{"arn:aws:iam::" + s.other + ":user/" + s.word()}})
	out := m{"Effect": "Allow", "Principal": who, "Action": action, "Resource": resource}
	return policy(out)
}

func everything() string {
	return text(policy(m{"Effect": "Allow", "Action": "*", "Resource": "*"}))
}
