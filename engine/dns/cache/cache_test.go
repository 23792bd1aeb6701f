package cache_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/engine/dns"
	"sumun.dev/engine/dns/cache"
)

func entry(t testing.TB, name string, ttl int) (dns.Key, *dns.Answer) {
	t.Helper()
	q := new(mdns.Msg).SetQuestion(name, mdns.TypeA)
	m := new(mdns.Msg).SetReply(q)
	rr, err := mdns.NewRR(fmt.Sprintf("%s %d IN A 192.0.2.1", name, ttl))
	if err != nil {
		t.Fatal(err)
	}
	m.Answer = append(m.Answer, rr)
	a, err := dns.NewAnswer(m, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	n, err := dns.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	return dns.Key{Name: string(n), Type: mdns.TypeA}, a
}

func TestAnswersLastTheirTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(1 << 20)
		key, a := entry(t, "www.example.", 60)
		c.Put(key, a)
		get := func() *dns.Answer { return c.Get(dns.Name(key.Name), key.Type, false, false, time.Now()) }
		if get() != a {
			t.Error("not kept")
		}
		if c.Get(dns.Name(key.Name), key.Type, true, false, time.Now()) != nil || c.Get(dns.Name(key.Name), key.Type, false, true, time.Now()) != nil ||
			c.Get(dns.Name(key.Name), mdns.TypeAAAA, false, false, time.Now()) != nil {
			t.Error("an answer to another question")
		}
		time.Sleep(59 * time.Second)
		if get() != a {
			t.Error("lost before its time")
		}
		time.Sleep(time.Second)
		if get() != nil {
			t.Error("kept beyond its time")
		}
		key, zero := entry(t, "zero.example.", 0)
		c.Put(key, zero)
		if c.Len() != 1 {
			t.Error("TTL 0 is kept")
		}
	})
}

func TestMemoryIsBoundedAndUsedAnswersStay(t *testing.T) {
	c := cache.New(1 << 20)
	hotKey, hot := entry(t, "hot.example.", 3600)
	c.Put(hotKey, hot)
	for i := range 50_000 {
		key, a := entry(t, fmt.Sprintf("n%d.example.", i), 3600)
		c.Put(key, a)
		if i%10 == 0 && c.Get(dns.Name(hotKey.Name), hotKey.Type, false, false, time.Now()) != hot {
			t.Fatalf("after %d others, the answer that everybody asks for is gone", i)
		}
	}
	if n := c.Len(); n < 1000 || n > 5000 {
		t.Errorf("%d answers in a MiB", n)
	}
	c.Clear()
	if c.Len() != 0 {
		t.Error("Clear left some")
	}
}

func TestConcurrentUse(t *testing.T) {
	c := cache.New(1 << 18)
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			for i := range 2000 {
				key, a := entry(t, fmt.Sprintf("n%d.example.", i%700), 3600)
				c.Put(key, a)
				c.Get(dns.Name(key.Name), key.Type, false, false, time.Now())
			}
		})
	}
	users.Wait()
}
