package detect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestVerdictsDoNotLeanOnNames tries the evidence of all rules again with other
// names, accounts, addresses, programs, ids and file names: what was found is found,
// what was passed over is passed over.
func TestVerdictsDoNotLeanOnNames(t *testing.T) {
	for _, r := range Rules() {
		t.Run(r.Name, func(t *testing.T) {
			for seed := range uint64(3) {
				for file, hit := range map[string]bool{"hit.jsonl": true, "miss.jsonl": false} {
					m := newMask(seed + 1)
					m.agents = !slices.Contains(byProgram, r.Name)
					evidence(t, r, filepath.Join("rule", r.Name, file), hit, m)
				}
			}
		})
	}
}

// byProgram are the rules whose finding types are about the program: GuardDuty's
// types for distributions of penetration testers.
var byProgram = []string{"pentest"}

// A mask gives everything another name, the same for the same; the zero one none.
type mask struct {
	*rand.Rand
	given  map[string]string // by what it was
	octet  [256]byte         // of public addresses, the first
	rest   [3]byte           // what the others are XORed with
	agents bool
}

var fixed = &mask{}

func newMask(seed uint64) *mask {
	m := &mask{Rand: rand.New(rand.NewPCG(seed, 0x4a5c)), given: map[string]string{}}
	// Where no special address lies, so that a public one stays public.
	public := m.Perm(80)
	for i := range m.octet {
		m.octet[i] = byte(11 + public[i%80]) // three to one: few are in a fixture
	}
	for i := range m.rest {
		m.rest[i] = byte(m.IntN(256))
	}
	return m
}

// as returns what stands for s, made by f at first sight.
func (m *mask) as(kind, s string, f func() string) string {
	if m.Rand == nil {
		return s
	}
	if _, ok := m.given[kind+s]; !ok {
		m.given[kind+s] = f()
	}
	return m.given[kind+s]
}

func (m *mask) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[m.IntN(len(alphabet))]
	}
	return string(b)
}

func (m *mask) word(s string) string {
	if first, rest, ok := strings.Cut(s, "/"); ok {
		return m.word(first) + "/" + m.word(rest) // folders stay folders
	}
	return m.as("word ", s, func() string { return m.from("bcdfghjklmnpqrstvwz", 3) + m.from("aeiou", 2) + m.from("bdgkmnprst", 4) })
}

// owned are accounts of AWS itself, which publishes layers there: Lambda Developer
// Guide, "Lambda layers"; AppConfig's and Lambda Insights' are documented by number.
var owned = []string{"017000801446", "580247275435"}

func (m *mask) account(s string) string {
	if slices.Contains(owned, s) {
		return s
	}
	return m.as("account ", s, func() string { return m.from("123456789", 1) + m.from("0123456789", 11) })
}

// known are addresses that everybody knows: public resolvers, which are what some
// rules look for.
var known = []string{"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "149.112.112.112", "208.67.222.222", "208.67.220.220"}

func (m *mask) addr(a netip.Addr) netip.Addr {
	if m.Rand == nil || !a.Is4() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || slices.Contains(known, a.String()) ||
		netip.MustParsePrefix("100.64.0.0/10").Contains(a) || netip.MustParsePrefix("240.0.0.0/4").Contains(a) {
		return a
	}
	b := a.As4()
	return netip.AddrFrom4([4]byte{m.octet[b[0]], b[1] ^ m.rest[0], b[2] ^ m.rest[1], b[3] ^ m.rest[2]})
}

// prefix changes a range as addr does what is in it: bits are XORed, so that
// neighbours stay neighbours.
func (m *mask) prefix(p netip.Prefix) netip.Prefix {
	return netip.PrefixFrom(m.addr(p.Addr()), p.Bits()).Masked()
}

// naming are fields whose texts are names that somebody chose.
var naming = map[string]bool{
	"userName": true, "roleName": true, "groupName": true, "policyName": true, "bucketName": true, "functionName": true, "layerName": true, "trailName": true,
	"secretId": true, "key": true, "name": true, "instanceProfileName": true, "keyName": true, "alarmNames": true, "dBInstanceIdentifier": true, "dBSnapshotIdentifier": true,
	"queueUrl": true, "topicArn": true, "repositoryName": true, "clusterName": true, "family": true, "policyId": true, "roleSessionName": true, "username": true, "namespace": true,
	"domainName": true, "filterName": true, "domain": true, "emailIdentity": true, "notebookInstanceName": true, "tableName": true, "names": true, "documentName": true,
}

// spoken are names that AWS or Kubernetes gave a meaning, and texts that are none.
var spoken = regexp.MustCompile(`^(AWS-.*|Amazon.*|system:.*|kube-.*|default|aws-auth|aws-node|cluster-admin|cluster-info|root|all|\*|/.*|arn:.*|https?:.*|.*::.*|-|clusterrole-aggregation-controller|kubernetes-dashboard.*|eks:.*|kubeadm:.*|kubernetes-admin|view|edit|admin|HIDDEN_.*|events|configmaps|pods|secrets|[0-9]+|node-role.*|AWSReservedSSO_.*|AWSServiceRole.*)$`)

var (
	digits    = regexp.MustCompile(`\b[0-9]{12}\b`)
	ids       = regexp.MustCompile(`\b(AKIA|ASIA|AIDA|AROA)[A-Z0-9]{5,}\b`)
	resources = regexp.MustCompile(`\b(i|ami|snap|vol|sg|vpc|eni|subnet|fl|acl|lt)-[0-9a-f]{3,}\b`)
	addresses = regexp.MustCompile(`\b[0-9]{1,3}(\.[0-9]{1,3}){3}\b`)
)

// lines changes a fixture, and what is learnt before it, in the same way.
func (m *mask) lines(t *testing.T, files ...[]byte) (one, two []byte) {
	if m.Rand == nil {
		return files[0], files[1]
	}
	var names []string
	for _, f := range files {
		for line := range bytes.Lines(f) {
			var v any
			if json.Unmarshal(line, &v) == nil {
				names = m.names(v, "", names)
			}
		}
	}
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	names = slices.Compact(names)
	var words *regexp.Regexp
	if len(names) > 0 {
		for i, n := range names {
			names[i] = regexp.QuoteMeta(n)
		}
		words = regexp.MustCompile(`(^|[^A-Za-z0-9_.-])(` + strings.Join(names, "|") + `)($|[^A-Za-z0-9_.-])`)
	}
	var out [2][]byte
	for i, f := range files {
		for line := range bytes.Lines(f) {
			var v any
			if json.Unmarshal(line, &v) != nil {
				out[i] = append(out[i], m.text(string(line), nil)...) // a flow
				continue
			}
			b, err := json.Marshal(m.value(v, "", words))
			if err != nil {
				t.Fatal(err)
			}
			out[i] = append(append(out[i], b...), '\n')
		}
	}
	return out[0], out[1]
}

// names collects what somebody chose.
func (m *mask) names(v any, field string, all []string) []string {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			all = m.names(e, k, all)
		}
	case []any:
		for _, e := range v {
			all = m.names(e, field, all)
		}
	case string:
		if naming[field] && len(v) > 1 && !spoken.MatchString(v) && !strings.ContainsAny(v, ` {"`) && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

func (m *mask) value(v any, field string, words *regexp.Regexp) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = m.value(e, k, words)
		}
	case []any:
		for i, e := range v {
			v[i] = m.value(e, field, words)
		}
	case string:
		switch field {
		case "eventID", "requestID", "auditID":
			return m.as("id ", v, func() string {
				return m.from("0123456789abcdef", 8) + "-" + m.from("0123456789abcdef", 4) + "-4000-a000-" + m.from("0123456789abcdef", 12)
			})
		case "userAgent":
			if m.agents && !strings.HasSuffix(v, ".amazonaws.com") {
				return m.as("agent ", v, func() string {
					return m.from("abcdefghijklmnopqrstuvwxyz", 7) + "/" + fmt.Sprint(m.IntN(9)) + ".1 os/" + m.from("abcdefghijklmnopqrstuvwxyz", 5)
				})
			}
			return v
		case "eventName", "eventSource", "eventTime", "awsRegion", "eventType", "errorCode", "verb", "resource", "kind", "type", "query_name", "authorization.k8s.io/reason", "policyArn":
			if field != "policyArn" || strings.Contains(v, ":aws:policy/") {
				return v
			}
		}
		return m.text(v, words)
	}
	return v
}

func (m *mask) text(s string, words *regexp.Regexp) string {
	s = digits.ReplaceAllStringFunc(s, m.account)
	s = ids.ReplaceAllStringFunc(s, func(id string) string {
		return m.as("id ", id, func() string { return id[:4] + m.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", len(id)-4) })
	})
	s = resources.ReplaceAllStringFunc(s, func(id string) string {
		return m.as("id ", id, func() string {
			kind, rest, _ := strings.Cut(id, "-")
			return kind + "-" + m.from("0123456789abcdef", len(rest))
		})
	})
	s = addresses.ReplaceAllStringFunc(s, func(a string) string {
		parsed, err := netip.ParseAddr(a)
		if err != nil {
			return a
		}
		return m.addr(parsed).String()
	})
	if words == nil {
		return s
	}
	// What separates two names belongs to one match only: once more for the second.
	for range 2 {
		s = words.ReplaceAllStringFunc(s, func(found string) string {
			part := words.FindStringSubmatch(found)
			return part[1] + m.word(part[2]) + part[3]
		})
	}
	return s
}

// TestAMaskChangesWhatItShould keeps the test above from proving nothing.
func TestAMaskChangesWhatItShould(t *testing.T) {
	m := newMask(7)
	m.agents = true
	in := []byte(`{"eventName":"CreateUser","userIdentity":{"userName":"ann","arn":"arn:aws:iam::111122223333:user/ann","accessKeyId":"AKIAQ3EGRT5YU7IO8PA2"},"sourceIPAddress":"203.0.113.9","userAgent":"aws-cli/2","requestParameters":{"userName":"bert-two"}}` + "\n")
	out, _ := m.lines(t, in, nil)
	for _, gone := range []string{"ann", "bert", "111122223333", "Q3EGRT5YU7IO8PA2", "203.0.113.9", "aws-cli"} {
		if bytes.Contains(out, []byte(gone)) {
			t.Errorf("%s is still there: %s", gone, out)
		}
	}
	if !bytes.Contains(out, []byte(`"eventName":"CreateUser"`)) || !bytes.Contains(out, []byte(`:user/`+m.word("ann")+`"`)) {
		t.Errorf("%s", out)
	}
}
