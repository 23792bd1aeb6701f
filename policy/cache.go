package policy

import "sync"

// A Cache remembers compiled documents by text and kind, so that a policy is
// compiled once however often it is asked about. It is bounded; the zero Cache
// has the bounds that are meant for one gate. It is safe for concurrent use.
type Cache struct {
	// MaxCount and MaxBytes bound the documents remembered and their texts; 0
	// means 10,000 documents and 16 MiB.
	MaxCount, MaxBytes int

	mu         sync.RWMutex
	young, old map[cacheKey]*Document // what was asked for lately, and before that
	bytes      int                    // of the texts in young
}

type cacheKey struct {
	text string
	kind Kind
}

// Parse returns the compiled document. Errors are those of the function Parse,
// and are not remembered.
func (c *Cache) Parse(doc string, kind Kind) (*Document, error) {
	key := cacheKey{doc, kind}
	c.mu.RLock()
	d := c.young[key]
	c.mu.RUnlock()
	if d != nil {
		return d, nil
	}
	c.mu.Lock()
	d = c.old[key]
	c.mu.Unlock()
	if d == nil {
		var err error
		if d, err = Parse([]byte(doc), kind); err != nil {
			return nil, err
		}
	}
	return c.keep(key, d), nil
}

// keep puts a document among the young ones. When they are as many as half of
// what is allowed they become the old ones, and the old ones are forgotten: what
// is asked for all the time is never forgotten, and nothing needs a list of uses.
func (c *Cache) keep(key cacheKey, d *Document) *Document {
	c.mu.Lock()
	defer c.mu.Unlock()
	if first := c.young[key]; first != nil {
		return first
	}
	count, bytes := c.MaxCount, c.MaxBytes
	if count == 0 {
		count = 10_000
	}
	if bytes == 0 {
		bytes = 16 << 20
	}
	if len(key.text) > bytes/2 || count < 2 {
		return d
	}
	if c.young == nil || len(c.young) >= count/2 || c.bytes+len(key.text) > bytes/2 {
		c.old, c.young, c.bytes = c.young, make(map[cacheKey]*Document), 0
	}
	c.young[key] = d
	c.bytes += len(key.text)
	return d
}
