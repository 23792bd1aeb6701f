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
