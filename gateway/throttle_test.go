package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/aws"
)

func TestCallersAreKeptToAWSRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := newThrottle()
		lookup := &aws.Call{Account: "111122223333", Region: "us-east-1", Service: "cloudtrail", Operation: "LookupEvents"}
		for i, want := range []bool{true, true, false} {
			if limits.allow(lookup, time.Now()) != want {
				t.Errorf("call %d: allowed %v", i, !want)
			}
		}
		elsewhere := *lookup
		elsewhere.Region = "eu-west-1"
		if !limits.allow(&elsewhere, time.Now()) {
			t.Error("another region shares the rate")
		}
		time.Sleep(time.Second)
		if !limits.allow(lookup, time.Now()) {
			t.Error("a second later it is still too fast")
		}
		for range 1000 {
			if !limits.allow(&aws.Call{Account: "1", Service: "sts", Operation: "GetCallerIdentity"}, time.Now()) {
				t.Fatal("an operation without a documented rate is slowed down")
			}
		}
	})
}

// Symmetric cryptography shares one rate, which depends on the region; what manages
// keys has rates of its own.
func TestOperationsOfKMSShareARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := newThrottle()
		allowed := func(region aws.Region, operation string, n int) (passed int) {
			for range n {
				if limits.allow(&aws.Call{Account: "111122223333", Region: region, Service: "kms", Operation: operation}, time.Now()) {
					passed++
				}
			}
			return passed
		}
		if n := allowed("eu-north-1", "Encrypt", 9_000) + allowed("eu-north-1", "Decrypt", 9_000); n != 10_000 {
			t.Errorf("%d calls of cryptography passed", n)
		}
		if n := allowed("us-east-1", "Encrypt", 20_000); n != 20_000 {
			t.Errorf("in us-east-1 %d passed", n)
		}
		if n := allowed("eu-north-1", "CreateKey", 6); n != 5 {
			t.Errorf("%d keys were made", n)
		}
		if n := allowed("eu-north-1", "Sign", 3000); n != 3000 {
			t.Errorf("a rate that depends on the key was applied: %d", n)
		}
	})
}
