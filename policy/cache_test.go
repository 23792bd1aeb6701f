package policy

import (
	"fmt"
	"testing"
)

func TestCacheIsBounded(t *testing.T) {
	text := func(i int) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Id":"%04d","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, i)
	}
	c := Cache{MaxCount: 10, MaxBytes: 12 * len(text(0))}
	often, err := c.Parse(text(0), Identity)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if _, err := c.Parse(text(i), Identity); err != nil {
			t.Fatal(err)
		}
		if again, _ := c.Parse(text(0), Identity); again != often {
			t.Fatalf("after %d others, what is asked for all the time was compiled anew", i)
		}
		if count, bytes := c.size(); count > 10 || bytes > c.MaxBytes {
			t.Fatalf("%d documents of %d bytes are remembered", count, bytes)
		}
	}
	few := Cache{MaxCount: 10, MaxBytes: 4 * len(text(0))}
	for i := range 100 {
		few.Parse(text(i), Identity)
		if _, bytes := few.size(); bytes > few.MaxBytes {
			t.Fatalf("%d bytes are remembered", bytes)
		}
	}
}

func TestCache(t *testing.T) {
	var c Cache
	a, err := c.Parse(administrator, Identity)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := c.Parse(administrator, Identity); a != b {
		t.Error("the document was compiled twice")
	}
	if b, _ := c.Parse(administrator, SCP); a == b || b.Kind != SCP {
		t.Error("kinds share a document")
	}
	if _, err := c.Parse(administrator, Trust); err == nil {
		t.Error("what is no trust policy passed for one")
	}
	if again := c.keep(cacheKey{administrator, Identity}, &Document{}); again != a {
		t.Error("who comes second does not get the first one's document")
	}
	big := Cache{MaxBytes: 10}
	if _, err := big.Parse(administrator, Identity); err != nil {
		t.Error(err)
	}
	if count, _ := big.size(); count != 0 {
		t.Error("a document larger than the cache was kept")
	}
}

// size is how many documents and bytes of text are remembered.
func (c *Cache) size() (count, bytes int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, m := range []map[cacheKey]*Document{c.young, c.old} {
		for key := range m {
			count, bytes = count+1, bytes+len(key.text)
		}
	}
	return count, bytes
}
