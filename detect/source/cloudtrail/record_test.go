package cloudtrail

import (
	"strings"
	"testing"
	"time"
)

const call = `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:ci","arn":"arn:aws:sts::111122223333:assumed-role/deploy/ci","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/deploy","accountId":"111122223333","userName":"deploy"},"attributes":{"creationDate":"2026-01-01T09:00:00Z","mfaAuthenticated":"true"}}},"eventTime":"2026-01-01T10:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"ModifyImageAttribute","awsRegion":"eu-central-1","sourceIPAddress":"203.0.113.7","userAgent":"aws-cli/2","requestParameters":{"imageId":"ami-1","launchPermission":{"add":{"items":[{"userId":"444455556666"},{"group":"all"}]}}},"responseElements":{"_return":true},"requestID":"r","eventID":"e","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","unknown":[{}]}`

func TestRead(t *testing.T) {
	r, err := Read([]byte(call))
	if err != nil {
		t.Fatal(err)
	}
	a := r.API
	if r.ID != "e" || r.Account != "111122223333" || r.Region != "eu-central-1" || !r.Time.Equal(time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)) ||
		a.Actor.Principal() != "arn:aws:iam::111122223333:role/deploy" || a.Actor.Session() != "ci" || !a.Actor.MFA || !a.Management || a.ReadOnly || !a.IP.IsValid() || a.ByService() {
		t.Errorf("%+v %+v", r, a)
	}
	if got := strings.Join(a.Request.All("launchPermission", "add", "items", "userId"), ","); got != "444455556666" {
		t.Errorf("users %q", got)
	}
	if a.Request.Str("launchPermission", "add", "items", "group") != "all" || a.Request.Str("imageId") != "ami-1" || !a.Response.True("_return") || a.Request.Str("imageId", "x") != "" {
		t.Errorf("request %v, response %v", a.Request.Tree(), a.Response.Tree())
	}
}

func TestRefused(t *testing.T) {
	for _, bad := range []string{
		"", "null", "[]", "{", `{}`, `{"eventName":"X","eventTime":"2026-01-01T10:00:00Z"}`, `{"eventName":"X","eventSource":"y"}`,
		strings.Replace(call, "2026-01-01T10:00:00Z", "soon", 1), strings.Replace(call, `"ec2.amazonaws.com"`, `7`, 1),
	} {
		if r, err := Read([]byte(bad)); err == nil {
			t.Errorf("%.60q: got %+v", bad, r)
		}
	}
}

func TestADocumentThatNestsTooDeepIsEmpty(t *testing.T) {
	r, err := Read([]byte(strings.Replace(call, `{"_return":true}`, strings.Repeat("[", 500)+strings.Repeat("]", 500), 1)))
	if err != nil {
		t.Fatal(err)
	}
	if tree := r.API.Response.Tree(); tree != nil {
		t.Errorf("%v", tree)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(call))
	f.Add([]byte(`{"eventName":"X","eventSource":"y","eventTime":"2026-01-01T10:00:00Z","requestParameters":"\ud800"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Read(b)
		if err != nil {
			return
		}
		if r.API == nil || r.API.Operation == "" || r.Time.IsZero() && !strings.Contains(string(b), "0001-01-01") {
			t.Errorf("%q is read as %+v", b, r)
		}
		r.API.Request.Tree()
		r.API.Actor.Principal()
	})
}

func TestTimesOfCloudTrailLake(t *testing.T) {
	r, err := Read([]byte(`{"eventTime":"2026-03-26 16:43:57.000000000","eventSource":"iam.amazonaws.com","eventName":"CreateUser"}`))
	if err != nil || !r.Time.Equal(time.Date(2026, 3, 26, 16, 43, 57, 0, time.UTC)) {
		t.Errorf("%v, %v", r, err)
	}
	for _, wrong := range []string{"2026-03-26", "26.03.2026 16:43", "2026-03-26 16:43:57 and more"} {
		if _, err := Read([]byte(`{"eventTime":"` + wrong + `","eventSource":"iam.amazonaws.com","eventName":"CreateUser"}`)); err == nil {
			t.Errorf("%s is read", wrong)
		}
	}
}
