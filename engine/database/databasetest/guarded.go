package databasetest

import (
	"bytes"
	"sync"
)

// guarded is written by the server's output and read by the test.
type guarded struct {
	mu sync.Mutex
	to bytes.Buffer
}

func (g *guarded) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.to.Write(b)
}

func (g *guarded) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.to.String()
}
