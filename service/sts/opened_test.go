package sts

import (
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/stsapi"
)

// That a token was opened before changes nothing about who it is for and how long.
func TestWhatWasOpenedIsCheckedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t)
		out, _, err := call(t, s, alice, &stsapi.AssumeRole, ask())
		if err != nil {
			t.Fatal(err)
		}
		c := out.Credentials
		first, _, err := s.Temporary(c.AccessKeyId, c.SessionToken)
		if err != nil {
			t.Fatal(err)
		}
		first.Name = "mallory"
		if again, secret, err := s.Temporary(c.AccessKeyId, c.SessionToken); err != nil || again.Name != "deploy" || string(secret) != c.SecretAccessKey {
			t.Errorf("%+v, %v", again, err)
		}
		other, _, err := call(t, s, alice, &stsapi.AssumeRole, ask())
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range [][2]string{
			{c.AccessKeyId, other.Credentials.SessionToken}, {other.Credentials.AccessKeyId, c.SessionToken}, {c.AccessKeyId, c.SessionToken + "A"}, {c.AccessKeyId, ""},
		} {
			if _, _, err := s.Temporary(wrong[0], wrong[1]); err == nil {
				t.Errorf("%v is opened", wrong)
			}
		}
		time.Sleep(time.Hour)
		if _, _, err := s.Temporary(c.AccessKeyId, c.SessionToken); err == nil {
			t.Error("it is good for ever")
		}
	})
}

func TestOpenedIsBounded(t *testing.T) {
	var o opened
	used := keyOf("ASIAUSED", "t")
	o.keep(used, &unsealed{weight: 1})
	for n := range 3 * mostOpened {
		o.keep(openedKey{digest: [32]byte{byte(n), byte(n >> 8), byte(n >> 16)}}, &unsealed{weight: 1})
		if o.find(used) == nil {
			t.Fatalf("what is used all the time is forgotten after %d", n)
		}
	}
	if len(o.young)+len(o.old) > 2*mostOpened {
		t.Errorf("%d are remembered", len(o.young)+len(o.old))
	}
	for n := range 1000 {
		o.keep(openedKey{keyID: "x", digest: [32]byte{byte(n), byte(n >> 8)}}, &unsealed{weight: bytesOpened / 20})
		if o.bytes > bytesOpened {
			t.Fatalf("%d bytes", o.bytes)
		}
	}
}
