package access

import (
	"strings"
	"testing"
	"time"

	"sumun.dev/detect/record"
)

const (
	albLine     = `https 2026-07-02T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 198.51.100.7:2817 10.0.0.1:80 0.086 0.048 0.037 200 201 34 366 "GET https://www.example.com:443/a/b?c=\"d HTTP/1.1" "curl/7 \"x\" y" ECDHE TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:111122223333:targetgroup/t/73e2d6bc24d8a067 "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "arn:aws:acm:x" 1 2026-07-02T22:22:48.364000Z "waf,forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_1`
	nlbLine     = `tls 2.0 2026-12-20T02:59:40 net/my-nlb/c6e77e28c25b2234 g3d4b5e8bb8464cd 198.51.100.7:51341 172.100.100.185:443 5 2 98 246 - arn:aws:acm:x - ECDHE tlsv12 - www.example.com h2 h2 "h2","http/1.1" 2026-12-20T02:59:30`
	classicLine = `2026-05-13T23:39:43.945958Z my-elb 198.51.100.7:2817 10.0.0.1:80 0.000073 0.001048 0.000057 404 404 0 29 "GET http://www.example.com:80/x HTTP/1.1" "curl/7.38.0" - -`
	s3Line      = `79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be bucket-1 [06/Feb/2026:00:00:38 +0000] 198.51.100.7 arn:aws:sts::111122223333:assumed-role/app/s 3E57427F3EXAMPLE REST.GET.OBJECT a%20b.txt "GET /bucket-1/a%20b.txt HTTP/1.1" 200 - 113 4096 7 5 "-" "aws-cli/2 \"quoted\" x" - HOST= SigV4 ECDHE AuthHeader bucket-1.s3.amazonaws.com TLSV1.2 - -`
	wafLine     = `{"timestamp":1767261600123,"formatVersion":1,"webaclId":"arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/w/1","terminatingRuleId":"sqli","terminatingRuleType":"REGULAR","action":"BLOCK","httpSourceName":"ALB","httpSourceId":"x","httpRequest":{"clientIp":"198.51.100.7","country":"NL","headers":[{"name":"Host","value":"www.example.com"},{"name":"User-Agent","value":"curl"}],"uri":"/a","args":"b=c","httpVersion":"HTTP/1.1","httpMethod":"GET","requestId":"r1"},"responseCodeSent":null}`
)

func TestBalancers(t *testing.T) {
	for line, want := range map[string]record.HTTP{
		albLine:     {Door: "alb", Resource: "app/my-lb/50dc6c495c0c9188", ClientPort: 2817, Method: "GET", Host: "www.example.com", URL: `/a/b?c=\"d`, Agent: `curl/7 \"x\" y`, Status: 200, Target: 201, Received: 34, Sent: 366, Action: "waf,forward"},
		nlbLine:     {Door: "nlb", Resource: "net/my-nlb/c6e77e28c25b2234", ClientPort: 51341, Host: "www.example.com", Received: 98, Sent: 246},
		classicLine: {Door: "elb", Resource: "my-elb", ClientPort: 2817, Method: "GET", Host: "www.example.com", URL: "/x", Agent: "curl/7.38.0", Status: 404, Target: 404, Sent: 29},
	} {
		r, err := Balancer([]byte(line))
		if err != nil || !IsBalancer([]byte(line)) {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if h := r.HTTP; h.Client.String() != "198.51.100.7" || h.Door != want.Door || h.Resource != want.Resource || h.ClientPort != want.ClientPort || h.Method != want.Method || h.Host != want.Host || h.URL != want.URL ||
			h.Agent != want.Agent || h.Status != want.Status || h.Target != want.Target || h.Received != want.Received || h.Sent != want.Sent || h.Action != want.Action {
			t.Errorf("got  %+v\nwant %+v", *h, want)
		}
		if want.Door == "alb" && (r.Account != "111122223333" || r.Region != "us-east-2") {
			t.Errorf("%+v", r)
		}
	}
}

func TestS3(t *testing.T) {
	r, err := S3([]byte(s3Line))
	if err != nil || !IsS3([]byte(s3Line)) {
		t.Fatal(err)
	}
	a := r.API
	if a.Service != "s3.amazonaws.com" || a.Operation != "GetObject" || a.Request.Str("bucketName") != "bucket-1" || a.Request.Str("key") != "a b.txt" || a.Additional.Str("bytesTransferredOut") != "113" ||
		a.IP.String() != "198.51.100.7" || a.Actor.Principal() != "arn:aws:iam::111122223333:role/app" || a.Failed() || !a.ReadOnly || a.Management || !r.Time.Equal(time.Date(2026, 2, 6, 0, 0, 38, 0, time.UTC)) {
		t.Errorf("%+v", a)
	}
	denied := strings.NewReplacer("200 - 113", "403 AccessDenied 113", "arn:aws:sts::111122223333:assumed-role/app/s", "-").Replace(s3Line)
	if r, err := S3([]byte(denied)); err != nil || !r.API.Denied() || r.API.Actor.Account != "ANONYMOUS_PRINCIPAL" {
		t.Errorf("%+v, %v", r, err)
	}
	// What a client says of itself changes nothing that was done.
	forged := strings.Replace(s3Line, `"aws-cli/2 \"quoted\" x"`, `"x" - - "y`, 1)
	if r, err := S3([]byte(forged)); err != nil || r.API.Operation != "GetObject" || r.API.IP.String() != "198.51.100.7" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestWAF(t *testing.T) {
	r, err := WAF([]byte(wafLine))
	if err != nil {
		t.Fatal(err)
	}
	if h := r.HTTP; h.Action != "BLOCK" || h.Rule != "sqli" || h.Host != "www.example.com" || h.Agent != "curl" || h.URL != "/a?b=c" || h.Country != "NL" || r.Account != "111122223333" || r.Region != "eu-west-1" || r.ID != "r1" {
		t.Errorf("%+v", h)
	}
	for _, bad := range []string{`{`, `{}`, `{"webaclId":"x"}`, `{"webaclId":"x","timestamp":9e18}`} {
		if r, err := WAF([]byte(bad)); err == nil {
			t.Errorf("%s: %+v", bad, r)
		}
	}
}

func TestOtherLines(t *testing.T) {
	for _, line := range []string{"", "hello world", "2 111122223333 eni-1 10.0.0.7 198.51.100.20 44321 443 6 20 4249 1767261600 1767261660 ACCEPT OK", strings.Repeat("a ", 100), strings.Repeat("x", maxLine+1), `a [b`, `a "b`} {
		if IsBalancer([]byte(line)) || IsS3([]byte(line)) {
			t.Errorf("%.60s is taken for an access log", line)
		}
		if r, err := Balancer([]byte(line)); err == nil {
			t.Errorf("%.60s: %+v", line, r)
		}
		if r, err := S3([]byte(line)); err == nil {
			t.Errorf("%.60s: %+v", line, r)
		}
	}
}

func FuzzBalancer(f *testing.F) {
	for _, line := range []string{albLine, nlbLine, classicLine} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Balancer(b)
		if (err == nil) != (r != nil) || err == nil && (r.HTTP == nil || r.Time.IsZero() && r.HTTP.Door == "") {
			t.Errorf("%q: %+v, %v", b, r, err)
		}
	})
}

func FuzzS3(f *testing.F) {
	f.Add([]byte(s3Line))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := S3(b); (err == nil) != (r != nil) {
			t.Errorf("%q: %+v, %v", b, r, err)
		}
	})
}

func FuzzWAF(f *testing.F) {
	f.Add([]byte(wafLine))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := WAF(b); (err == nil) != (r != nil) {
			t.Errorf("%q: %+v, %v", b, r, err)
		}
	})
}
