package pattern

import (
	"fmt"
	"testing"
)

// finding is what GuardDuty sends, cut to about a kilobyte and a half.
const finding = `{"version":"0","id":"c8c4daa7-a20c-2f03-0070-b7393dd542ad","detail-type":"GuardDuty Finding","source":"aws.guardduty",
"account":"111122223333","time":"2026-11-23T12:00:00Z","region":"us-east-1","resources":[],"detail":{"schemaVersion":"2.0",
"accountId":"111122223333","region":"us-east-1","partition":"aws","id":"16afba5c5c43e07c9e3e5e2e544e95df",
"arn":"arn:aws:guardduty:us-east-1:111122223333:detector/123456789012/finding/16afba5c5c43e07c9e3e5e2e544e95df",
"type":"Backdoor:EC2/C&CActivity.B!DNS","resource":{"resourceType":"Instance","instanceDetails":{"instanceId":"i-0042",
"instanceType":"m3.xlarge","outpostArn":null,"launchTime":"2016-08-02T02:05:06Z","platform":null,"productCodes":[{"productCodeId":"x","productCodeType":"y"}],
"iamInstanceProfile":{"arn":"arn:aws:iam::111122223333:instance-profile/web","id":"AIPA"},"networkInterfaces":[{"ipv6Addresses":[],
"networkInterfaceId":"eni-bfcffe88","privateDnsName":"ip-10-0-0-1","privateIpAddress":"10.0.0.1","subnetId":"subnet-1","vpcId":"vpc-1",
"securityGroups":[{"groupName":"web","groupId":"sg-1"}],"publicIp":"198.51.100.1"}],"tags":[{"key":"env","value":"prod"},{"key":"app","value":"app-42"}],
"instanceState":"running","imageId":"ami-99999999"}},"service":{"serviceName":"guardduty","detectorId":"d","action":{"actionType":"DNS_REQUEST",
"dnsRequestAction":{"domain":"guarddutyc2activityb.com","protocol":"UDP","blocked":false}},"resourceRole":"TARGET","additionalInfo":{},
"eventFirstSeen":"2026-11-23T11:00:00Z","eventLastSeen":"2026-11-23T12:00:00Z","archived":false,"count":3},"severity":8,
"createdAt":"2026-11-23T12:00:00Z","updatedAt":"2026-11-23T12:00:00Z","title":"Command and control","description":"i-0042 queries a domain"}}`

// rules makes n patterns of the kinds that people write; two in a hundred of
// the first hundred match the finding, and no more of the others.
func rules(tb testing.TB, n int) map[int]*Pattern {
	sources := []string{"aws.ec2", "aws.s3", "aws.guardduty", "aws.securityhub", "aws.kms", "aws.iam", "aws.config", "aws.health", "aws.ssm", "app"}
	m := map[int]*Pattern{}
	for i := range n {
		source := sources[i%len(sources)]
		var s string
		switch i / len(sources) % 10 {
		case 0:
			s = fmt.Sprintf(`{"source":["%s"],"detail":{"resource":{"instanceDetails":{"instanceId":["i-%04d"]}}}}`, source, i+20)
		case 1:
			s = fmt.Sprintf(`{"source":["%s"],"detail-type":["Kind %d"]}`, source, i)
		case 2:
			s = fmt.Sprintf(`{"source":["%s"],"detail":{"type":[{"prefix":"Kind%d:"}]}}`, source, i)
		case 3:
			s = fmt.Sprintf(`{"source":["%s"],"detail":{"severity":[{"numeric":[">=",%d,"<",%d]}],"accountId":["%012d"]}}`, source, i%9, i%9+1, i)
		case 4:
			s = fmt.Sprintf(`{"account":["%012d"],"region":["us-east-1","eu-central-1"]}`, i)
		case 5:
			s = fmt.Sprintf(`{"source":["%s"],"resources":[{"suffix":"/res-%d"}]}`, source, i)
		case 6:
			s = fmt.Sprintf(`{"source":["%s"],"detail":{"resource":{"instanceDetails":{"tags":{"key":["app"],"value":["app-%d"]}}}}}`, source, i-20)
		case 7:
			s = fmt.Sprintf(`{"source":["%s"],"detail":{"arn":[{"wildcard":"arn:aws:x%d:*:finding/*"}]}}`, source, i)
		case 8:
			s = fmt.Sprintf(`{"detail":{"service":{"action":{"dnsRequestAction":{"domain":[{"equals-ignore-case":"Host%d.example"}]}}}}}`, i)
		case 9:
			s = fmt.Sprintf(`{"source":[{"anything-but":"x%d"}],"detail":{"id":["id-%d"],"missing":[{"exists":false}]}}`, i, i)
		}
		m[i] = mustParse(tb, s)
	}
	return m
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1, 100, 1000, 10_000} {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			s := NewSet(rules(b, n))
			event, ids := []byte(finding), []int(nil)
			b.ReportAllocs()
			b.SetBytes(int64(len(finding)))
			for b.Loop() {
				var err error
				if ids, err = s.Match(event, ids[:0]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(len(ids)), "matches")
		})
	}
}

// BenchmarkOneByOne is what matching costs without the common automaton: each rule
// looks at the event by itself.
func BenchmarkOneByOne(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			var sets []*Set[int]
			for id, p := range rules(b, n) {
				sets = append(sets, NewSet(map[int]*Pattern{id: p}))
			}
			event, ids := []byte(finding), []int(nil)
			for b.Loop() {
				ids = ids[:0]
				for _, s := range sets {
					var err error
					if ids, err = s.Match(event, ids); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(len(ids)), "matches")
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	all := rules(b, 10_000)
	for b.Loop() {
		NewSet(all)
	}
}

func BenchmarkWith(b *testing.B) {
	s := NewSet(rules(b, 10_000))
	p := mustParse(b, `{"source":["late"]}`)
	for i := 0; b.Loop(); i++ {
		s = s.With(20_000+i%1000, p)
	}
}
