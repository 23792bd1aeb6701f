package secretsmanager

import (
	"sync"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// maxKnown bounds how many names are known. A full map is begun anew, as what is read
// all the time is soon there again.
const maxKnown = 20_000

// known are the ids that secrets of a name had when they were last looked for, so that
// a secret is read without a look into the index. What it says proves itself: an id
// begins with its secret's name, which never changes, so the secret under the id, if
// there still is one, is the one of the name.
type known struct {
	mu  sync.RWMutex
	ids map[called]string
}

type called struct {
	place store.Place
	name  string
}

func calledIn(where aws.ARN, name string) called {
	return called{store.Place{Account: where.Account, Region: where.Region}, name}
}

func (k *known) id(c called) string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.ids[c]
}

func (k *known) note(c called, id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ids == nil || len(k.ids) >= maxKnown {
		k.ids = map[called]string{}
	}
	k.ids[c] = id
}
