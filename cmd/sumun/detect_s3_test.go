package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sumun.dev/gateway/sigv4"
)

// trailStore is a store with a log in a bucket, for one access key, or for everyone.
func trailStore(t *testing.T, log string, open bool) (url string, gets *atomic.Int32) {
	t.Helper()
	content, err := os.ReadFile(log)
	ok(t, err)
	gets = new(atomic.Int32)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !open {
			got, err := sigv4.Received(r)
			if err == nil {
				var sig *sigv4.Signature
				if sig, err = sigv4.Parse(got, func(string) sigv4.Rules { return sigv4.S3 }); err == nil {
					sum := sha256.Sum256(nil)
					err = (&sigv4.Verifier{}).Verify(sig, "secret", &sum, time.Now())
				}
			}
			if err != nil {
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprint(w, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
				return
			}
		} else if r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		switch r.URL.Path {
		case "/logs/":
			fmt.Fprint(w, "<R>")
			for _, key := range []string{"AWSLogs/1/", "AWSLogs/1/CloudTrail/a.json", "AWSLogs/1/Config/b.json"} {
				if strings.HasPrefix(key, r.URL.Query().Get("prefix")) {
					fmt.Fprintf(w, "<Contents><Key>%s</Key><Size>%d</Size></Contents>", key, len(content))
				}
			}
			fmt.Fprint(w, "</R>")
		case "/logs/AWSLogs/1/CloudTrail/a.json":
			gets.Add(1)
			w.Write(content)
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "<Error><Code>NoSuchBucket</Code><Message>There is none.</Message></Error>")
		}
	}))
	t.Cleanup(web.Close)
	return web.URL, gets
}

func TestDetectReadsBuckets(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	log := sharedImage(t)
	everyones, gets := trailStore(t, log, true)
	const trail = "s3://logs/AWSLogs/*/CloudTrail/"
	status, out, complaint := command(t, "", "detect", "--no-sign-request", "--endpoint-url", everyones, trail+"*")
	if status != 0 || !strings.Contains(out, "AMIExternalAccess") || !strings.Contains(out, "s3://logs/AWSLogs/1/CloudTrail/a.json:1 e0") || !strings.Contains(complaint, "3 records of 1 files") {
		t.Errorf("%d %s %s", status, out, complaint)
	}
	if n := gets.Load(); n != 1 {
		t.Errorf("the object was fetched %d times", n)
	}
	mine, _ := trailStore(t, log, false)
	if status, _, complaint := command(t, "", "detect", "--endpoint-url", mine, "s3://logs/AWSLogs/1/Cl"); status != 2 || !strings.Contains(complaint, "no AWS credentials") || !strings.Contains(complaint, "--no-sign-request") {
		t.Errorf("without credentials: %d %s", status, complaint)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	t.Setenv("AWS_ENDPOINT_URL_S3", mine)
	if status, _, complaint := command(t, "", "detect", "s3://logs/AWSLogs/1/Cl"); status != 2 || !strings.Contains(complaint, "AccessDenied") || strings.Contains(complaint, "wrong") {
		t.Errorf("with a wrong secret: %d %s", status, complaint)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	if status, out, complaint := command(t, "", "detect", "s3://logs/AWSLogs/1/Cl"); status != 0 || !strings.Contains(out, "AMIExternalAccess") {
		t.Errorf("signed: %d %s %s", status, out, complaint)
	}
	if status, out, complaint := command(t, "", "detect", "--baseline", "s3://logs/AWSLogs/1/Cl", log); status != 0 || !strings.Contains(out, "AMIExternalAccess") {
		t.Errorf("as a baseline: %d %s %s", status, out, complaint)
	}
	// What cannot be had of several objects is told, and stops no other.
	status, out, complaint = command(t, "", "detect", "--fail-on", "low", "s3://logs/AWSLogs/1/")
	if status != 2 || !strings.Contains(complaint, "exit status is 2") || !strings.Contains(out, "AMIExternalAccess") || !strings.Contains(complaint, "Config/b.json") || !strings.Contains(complaint, "NoSuchBucket") {
		t.Errorf("%d %s %s", status, out, complaint)
	}
	for path, want := range map[string]string{"s3://other/x": "NoSuchBucket", "s3://logs/none": "no object", "s3://": "s3://bucket/prefix", "s3://-/x": "s3://bucket/prefix"} {
		if status, _, complaint := command(t, "", "detect", path); status != 2 || !strings.Contains(complaint, want) {
			t.Errorf("%s: %d %s", path, status, complaint)
		}
	}
	if status, _, complaint := command(t, "", "detect", "--endpoint-url", "s3.example.com", trail); status != 2 || !strings.Contains(complaint, "https://") {
		t.Errorf("a wrong endpoint: %d %s", status, complaint)
	}
}
