package wire

import (
	"strings"
	"testing"
)

// examples shows, for each predicate, values that AWS's pattern takes and refuses.
var examples = []struct {
	name          string
	takes, leaves []string
}{
	{"functionUrlQualifier", []string{"live", "v1", "-_"}, []string{"", "12", "a b", "$LATEST"}},
	{"lambdaAlias", []string{"live", "1a"}, []string{"", "12", "a.b"}},
	{"resolverName", []string{"my rule's", "1a", " "}, []string{"", "123", "a.b"}},
	{"notOnlyDigits", []string{"a1", "1.5", "-"}, []string{"", "15", "a b"}},
	{"tagKey", []string{"team", "aw:s", "AWS:x", "a9"}, []string{"", "aws:x", "a b"}},
	{"tagKeyAnchored", []string{"team", "xaws:"}, []string{"", "aws:x", "a*b"}},
	{"tagKeyUnicode", []string{"", "größe 1", "a@%"}, []string{"aws:", "a*"}},
	{"notBlank", []string{"x", " x ", "$"}, []string{"", "  ", "\t", "a\nb", "a\r"}},
	{"pathParameter", []string{"x", "$.a.b[0]", "$"}, []string{"", " ", "a\nb"}},
	{"domainName", []string{"a.bc", "*.example.com", "x-1.y2", strings.Repeat("a", 63) + ".de"}, []string{"", "com", "-a.bc", "a-.bc", "a.b", "a..bc", "*.*.bc", strings.Repeat("a", 64) + ".de"}},
	{"domainNameFqdn", []string{"a.bc", "x-1.y2"}, []string{"*.a.bc", "-a.bc", "a.-bc", "a.b"}},
	{"emailAddress", []string{"a@b.cd", "a b@x-y.z.org"}, []string{"@b.cd", "a@b", "a@-b.cd", "a@b-.cd", "a@b.c1", "a\n@b.cd"}},
	{"jdbcURL", []string{"jdbc:redshift://a-b.redshift.amazonaws.com:5439/dev"}, []string{"jdbc:redshift://-a.redshift.x:1/d", "jdbc:redshift://a-.redshift.x:1/d", "jdbc:mysql://a.redshift.x:1/d", "jdbc:redshift://a.redshift.x:123456/d"}},
	{"collectionName", []string{"orders", "systemx", "_a.b", "1\n"}, []string{"", "system.users", "a$b", "-a"}},
	{"s3Bucket", []string{"", "a.b", "a-"}, []string{"a.", ".", "a b"}},
	{"logBucket", []string{"aws-waf-logs", "1.2.3", "a.b-c", "1a.2.3.4"}, []string{"ab", "1.2.3.4", "123.45.6.78", "a..b", "a.-b", "a-.b", "Abc", "abc-"}},
	{"accountAlias", []string{"abc", "a-b", "a-b-c"}, []string{"ab", "a--b", "-ab", "ab-", "Abc", strings.Repeat("a", 64)}},
	{"parameterGroupName", []string{"ab", "a-b", "default.mysql8.0", "default.a-b"}, []string{"", "a", "a--b", "ab-", "a.b-c", "default.a..b", "default.a--b", "1a"}},
	{"catalogName", []string{"", "main", "a:b"}, []string{"a.b", "a/b", `a\b`, "aws:x", "a\nb"}},
	{"licenseFilepath", []string{"a", "a/b.txt", ".a"}, []string{"", "/a", "a/", "a//b", "..", "a/../b", "a..b"}},
	{"indexName", []string{"logs", "logs-2026", "a_b"}, []string{"", ".", "..", "_a", "-a", "A", "a b", "a*", ".\n"}},
	{"notebookName", []string{"a b", "größe", "😀", "a\tb"}, []string{"", "a/b", "a:b", `a\b`, "a\nb"}},
	{"managedServiceData", []string{`{"type": "WAFV2"}`, `a\t`}, []string{"", `a\nb`, `\r`, "a\nb"}},
	{"eventSource", []string{"my.app", "aws.ec2", " x", "$"}, []string{"", " ", "a\nb"}},
	{"schedulerSource", []string{"my.app", "aws", "$.source", "$.a[0].b[*]", "$"}, []string{"", "aws.ec2", " a", "$x"}},
	{"jwksURL", []string{"", "https://example.com/keys", "https://100.example.com:8443", "https://172.15.example.com"}, []string{"http://example.com", "https://10.0.0.1.nip.io/", "https://192.168.0.1.nip.io", "https://172.16.0.1.nip.io", "https://localhost"}},
	{"secretARN", []string{"arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-AbCdEf"}, []string{"", "arn:aws:secretsmanager:eu-central-1:1:secret:db", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:" + strings.Repeat("a", 2048)}},
	{"duration", []string{"P1D", "PT1H30M", "-P1Y2M3D", "PT0.5S", "P2W"}, []string{"", "P", "PT", "1D", "P1H", "P1DT1H1"}},
	{"dateTime", []string{"2026", "2026-11-23", "20261123", "2026-11-23T12:50:00Z", "2026-11-23T12:50:00.5Z", "20261123T125000Z", "2026-11-23T12", "2026-11", "2026-W47-1", "2026-327", "2026-11-23T12:50-05:00", "2026-11-23T24:00"},
		[]string{"", "26", "202611", "2026-1123", "202611-23", "2026-13", "2026-11-23T12:5000", "2026-11-23T1250:00", "2026-11-23T25:00", "2026-11-23T12:50:00+01:00"}},
	{"upTo100000", []string{"a", strings.Repeat("ä", 100000)}, []string{"", strings.Repeat("a", 100001), "a\nb"}},
	{"targetLocationsURL", []string{"https://b.s3.amazonaws.com/k", "https://b.s3.eu-central-1.amazonaws.com/" + strings.Repeat("k", 2000)}, []string{"https://b.s3.amazonaws.com/", "http://b.s3.amazonaws.com/k", "https://b.s3.amazonaws.com/" + strings.Repeat("k", 2001)}},
	{"instanceURL", []string{"https://gitlab.example.com", "https://" + strings.Repeat("a", 1024)}, []string{"https://", "http://a", "https://a b", "https://" + strings.Repeat("a", 1025)}},
}

func TestPredicatesTakeAndRefuse(t *testing.T) {
	shown := map[string]bool{}
	for _, x := range examples {
		shown[x.name] = true
		m := Pattern("@" + x.name)
		if err := m.Err(); err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		for _, s := range x.takes {
			if !m.Match(s) {
				t.Errorf("%s refuses %.60q, which %s takes", x.name, s, m)
			}
		}
		for _, s := range x.leaves {
			if m.Match(s) {
				t.Errorf("%s takes %.60q, which %s refuses", x.name, s, m)
			}
		}
	}
	for _, p := range predicates {
		if !shown[p.name] {
			t.Errorf("predicate %s has no examples", p.name)
		}
	}
}

func TestPatternsMatchWholeValuesAsJavaDoes(t *testing.T) {
	for _, x := range []struct {
		pattern, value string
		want           bool
	}{
		{`[a-z]+`, "abc", true},
		{`[a-z]+`, "abc1", false},
		{`^[a-z]+$`, "abc\n", false},
		{`a|bc`, "ac", false},
		{`(?i)all|[0-9]{12}`, "ALL", true},
		{`(?i)all|[0-9]{12}`, "allx", false},
		{`.*`, "a\rb", false},
		{`.*`, "a\u2028b", false},
		{`(?s).*`, "a\nb", true},
		{`[\s\S]*`, "a\nb", true},
		{`\s+`, "\v", true},
		{`[\u0020-\u007E]+`, "a~", true},
		{`[\u0020-\u007E]+`, "é", false},
		{`[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*`, "a😀\t", true},
		{`[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*`, "a\n", false},
		{`[]a]+`, "]a", true},
		{`[^]]+`, "]", false},
		{`\p{Print}+`, "a b", true},
		{`[\p{XDigit}-]+`, "aF-0", true},
		{`\p{L}+`, "größe", true},
		{`a\Z`, "a", true},
		{`\.`, "x", false},
		{`[.]`, "x", false},
	} {
		if got := Pattern(x.pattern).Match(x.value); got != x.want {
			t.Errorf("%s on %q: %v, want %v (%v)", x.pattern, x.value, got, x.want, Pattern(x.pattern).Err())
		}
	}
}

func TestAPatternThatCannotBeReadMatchesNothing(t *testing.T) {
	for _, p := range []string{`(?=a)`, `[a-z&&[^b]]`, `[a[b]]`, `\u12`, `\uZZZZ`, `a\`, `@nobody`} {
		m := Pattern(p)
		if m.Err() == nil || m.Match("a") || m.String() != p {
			t.Errorf("%s: error %v, match %v, text %s", p, m.Err(), m.Match("a"), m)
		}
	}
}
