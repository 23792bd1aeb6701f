package launch

import (
	"bytes"
	"sync"
)

// guarded is written by the server's output while others read it. It forgets the
// oldest when there is too much.
type guarded struct {
	mu sync.Mutex
	to bytes.Buffer
}

func (g *guarded) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.to.Len() > 2*maxLog {
		g.to.Next(maxLog)
	}
	return g.to.Write(b)
}

func (g *guarded) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.to.String()
}
