package gateway_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/gateway"
	"sumun.dev/store"
	"sumun.dev/store/memory"
)

// silent is a backend in memory that says how long it has heard of nobody.
type silent struct {
	store.Backend
	silence time.Duration
}

func (s *silent) Silence() time.Duration { return s.silence }

// A node that may have missed a revocation serves nobody, from outside or inside.
func TestANodeOutOfTouchRefusesCalls(t *testing.T) {
	b := &silent{Backend: memory.New()}
	h := newHouse(t, func(o *gateway.Options) { o.Store = store.Open(b, seal.NewRoot(seal.GenerateKey())) })
	alice := h.user("alice", allow(`"*"`))
	ctx := aws.WithCall(context.Background(), &aws.Call{Principal: &aws.Principal{Kind: aws.User, Account: account, Name: "alice", ARN: h.users[alice.KeyID].principal.ARN}, Partition: "aws", Account: account, Region: "eu-central-1"})
	for _, c := range []struct {
		silence time.Duration
		status  int
	}{{0, 200}, {store.MaxSilence, 200}, {store.MaxSilence + 1, 503}, {time.Second, 200}} {
		b.silence = c.silence
		w := h.send(alice, sts("Action=GetCallerIdentity&Version=2011-06-15"))
		if w.Code != c.status || c.status == 503 && !strings.Contains(w.Body.String(), "<Code>ServiceUnavailable</Code>") {
			t.Errorf("after %s of silence: %d %s", c.silence, w.Code, w.Body)
		}
		_, err := kmsapi.CreateKey.Call(ctx, h.inside, &kmsapi.CreateKeyRequest{Description: new("x")})
		if (err == nil) != (c.status == 200) {
			t.Errorf("inside, after %s of silence: %v", c.silence, err)
		}
	}
}
