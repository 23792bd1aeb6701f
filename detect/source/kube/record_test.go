package kube

import (
	"strings"
	"testing"
	"time"

	"sumun.dev/detect/record"
)

const exec = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a-1","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/web/pods/p-1/exec?command=sh","verb":"create","user":{"username":"kubernetes-admin","uid":"aws-iam-authenticator:111122223333:AROA","groups":["system:authenticated"],"extra":{"accessKeyId":["AKIA"],"arn":["arn:aws:sts::111122223333:assumed-role/dev/ann"]}},"sourceIPs":["198.51.100.7","rubbish"],"userAgent":"kubectl/v1","objectRef":{"resource":"pods","namespace":"web","name":"p-1","apiVersion":"v1","subresource":"exec"},"responseStatus":{"metadata":{},"code":101},"requestObject":{"a":1},"requestReceivedTimestamp":"2026-03-01T10:00:00.000000Z","stageTimestamp":"2026-03-01T10:00:01.500000Z","annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"x"}}`

func TestRead(t *testing.T) {
	r, err := Read([]byte(exec))
	if err != nil {
		t.Fatal(err)
	}
	k := r.Kubernetes
	if r.Class != record.Orchestration || r.ID != "a-1" || !r.Time.Equal(time.Date(2026, 3, 1, 10, 0, 1, 5e8, time.UTC)) || r.Account != "111122223333" {
		t.Errorf("%+v", r)
	}
	if k.Verb != "create" || k.Resource != "pods" || k.Subresource != "exec" || k.Namespace != "web" || k.Name != "p-1" || k.User != "kubernetes-admin" || len(k.Groups) != 1 ||
		len(k.Sources) != 1 || k.Sources[0].String() != "198.51.100.7" || k.Code != 101 || k.Decision != "allow" || k.Request.Str("a") != "1" || k.Anonymous() {
		t.Errorf("%+v", k)
	}
	if r, err := Read([]byte(strings.Replace(exec, "ResponseComplete", "RequestReceived", 1))); r != nil || err != nil {
		t.Errorf("the first stage: %+v, %v", r, err)
	}
	for _, bad := range []string{`{`, `{}`, `[]`, strings.Replace(exec, `"verb":"create",`, "", 1), strings.Replace(exec, "2026-03-01T10:00:01", "yesterday", 1), strings.Repeat(" ", maxRecord+1)} {
		if r, err := Read([]byte(bad)); err == nil {
			t.Errorf("%.60s: %+v", bad, r)
		}
	}
}

func TestHome(t *testing.T) {
	for group, want := range map[string]string{"/aws/eks/prod/cluster": "prod", "/aws/eks/cluster": "", "/aws/lambda/x": "", "/aws/eks/a/b/cluster": ""} {
		if got := Home(group); got != want {
			t.Errorf("%s: %q", group, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(exec))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Read(b)
		if err == nil && r != nil && (r.Kubernetes == nil || r.ID == "" || r.Time.IsZero()) {
			t.Errorf("%q: %+v", b, r)
		}
	})
}
