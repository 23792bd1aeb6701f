package store_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/memory"
)

type user struct{ Name string }

func open(t testing.TB) *store.Store {
	t.Helper()
	return store.Open(memory.New(), seal.NewRoot(seal.GenerateKey()))
}

func call(ctx context.Context, account aws.Account, region aws.Region) context.Context {
	return aws.WithCall(ctx, &aws.Call{Partition: "aws", Account: account, Region: region})
}

func TestThePlaceIsTheCalls(t *testing.T) {
	s := open(t)
	users := store.NewTable(s, "iam.users", store.Global[user]())
	keys := store.NewTable[user](s, "kms.keys")
	ctx := call(t.Context(), "111122223333", "eu-central-1")
	err := s.Update(ctx, func(ctx context.Context) error {
		store.Emit(ctx, aws.Event{Stream: aws.TrailStream})
		store.Schedule(ctx, store.Due{Kind: "k", ID: "i", At: time.Now()})
		return errors.Join(users.Insert(ctx, "ann", &user{"ann"}), keys.Insert(ctx, "k1", &user{"k1"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := call(t.Context(), "111122223333", "us-east-1")
	if _, err := users.Get(elsewhere, "ann"); err != nil {
		t.Errorf("a user is the same in each region: %v", err)
	}
	if _, err := keys.Get(elsewhere, "k1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a key in another region: %v, want ErrNotFound", err)
	}
	arn := aws.ARN{Partition: "aws", Service: "kms", Region: "eu-central-1", Account: "111122223333", Resource: "key/k1"}
	if _, err := keys.At(arn).Get(elsewhere, "k1"); err != nil {
		t.Errorf("at its ARN: %v", err)
	}
	out, err := s.ClaimOutbox(ctx, 1)
	if err != nil || len(out) != 1 || out[0].Account != "111122223333" || out[0].Region != "eu-central-1" || out[0].ID == "" || out[0].Time.IsZero() {
		t.Errorf("the event came as %+v, %v", out, err)
	}
	due, err := s.ClaimDue(ctx, time.Now(), time.Minute, 1)
	if err != nil || len(due) != 1 || due[0].Place != (store.Place{Account: "111122223333", Region: "eu-central-1"}) {
		t.Errorf("the due record came as %+v, %v", due, err)
	}
}

func TestPageTokensAreBound(t *testing.T) {
	s := open(t)
	bind := []string{"kms:ListKeys", "111122223333", "eu-central-1", "filter"}
	token := s.NextToken(bind, "key/1")
	if after, err := s.OpenToken(bind, token); err != nil || after != "key/1" {
		t.Errorf("%q, %v", after, err)
	}
	if b, _ := base64.RawURLEncoding.DecodeString(token); bytes.Contains(b, []byte("key/1")) || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("token %q", token)
	}
	if s.NextToken(bind, "") != "" {
		t.Error("the last page has a token")
	}
	if after, err := s.OpenToken(bind, ""); err != nil || after != "" {
		t.Errorf("the first page: %q, %v", after, err)
	}
	for name, bad := range map[string][]string{
		"another operation": {"kms:ListAliases", "111122223333", "eu-central-1", "filter"},
		"another account":   {"kms:ListKeys", "444455556666", "eu-central-1", "filter"},
		"parts joined":      {"kms:ListKeys111122223333", "eu-central-1", "filter"},
		"nothing":           nil,
	} {
		if _, err := s.OpenToken(bad, token); !errors.Is(err, store.ErrToken) {
			t.Errorf("%s: %v, want ErrToken", name, err)
		}
	}
	for name, bad := range map[string]string{
		"changed": token[:9] + string(token[9]^3) + token[10:], "cut": token[:len(token)-1], "no base64": "!!",
		"long": strings.Repeat("A", 1<<20), "another plane's": open(t).NextToken(bind, "key/1"),
	} {
		if _, err := s.OpenToken(bind, bad); !errors.Is(err, store.ErrToken) {
			t.Errorf("%s: %v, want ErrToken", name, err)
		}
	}
}

func TestUnitsInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		table := store.NewTable[user](s, "users").In(store.Place{Account: "111122223333"})
		done := make(chan error)
		for range 4 {
			go func() {
				done <- s.Update(t.Context(), func(ctx context.Context) error {
					u, err := table.Get(ctx, "ann")
					if errors.Is(err, store.ErrNotFound) {
						u, err = &user{}, nil
					}
					if err != nil {
						return err
					}
					u.Name += "x"
					return table.Put(ctx, "ann", u)
				})
			}()
		}
		for range 4 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if u, err := table.Get(t.Context(), "ann"); err != nil || u.Name != "xxxx" {
			t.Errorf("%v, %v", u, err)
		}
	})
}

func FuzzOpenToken(f *testing.F) {
	s := store.Open(memory.New(), seal.NewRoot(seal.GenerateKey()))
	token := s.NextToken([]string{"op"}, "id")
	f.Add(token, "op")
	f.Add("", "op")
	f.Add("AAAA", "")
	f.Fuzz(func(t *testing.T, text, bind string) {
		after, err := s.OpenToken([]string{bind}, text)
		if err == nil && text != "" && (text != token || bind != "op") {
			t.Errorf("%q opens to %q", text, after)
		}
	})
}

func FuzzLoad(f *testing.F) {
	s := store.Open(memory.New(), seal.NewRoot(seal.GenerateKey()))
	table := store.NewTable(s, "users", store.Index("name", func(u *user) []string { return []string{u.Name} })).In(store.Place{Account: "111122223333"})
	err := s.Update(context.Background(), func(ctx context.Context) error {
		store.Emit(ctx, aws.Event{Account: "111122223333"})
		store.Schedule(ctx, store.Due{Kind: "k", ID: "i", At: time.Now(), Place: store.Place{Account: "111122223333"}})
		return table.Put(ctx, "ann", &user{"ann"})
	})
	if err != nil {
		f.Fatal(err)
	}
	var file bytes.Buffer
	if err := store.Dump(context.Background(), s.Backend(), &file); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add(file.Bytes()[:file.Len()/2])
	f.Add([]byte("SUMUNBK1\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		to := memory.New()
		if store.Load(t.Context(), to, bytes.NewReader(b)) == nil {
			var again bytes.Buffer
			if err := store.Dump(t.Context(), to, &again); err != nil {
				t.Fatal(err)
			}
			return
		}
		if fresh, err := store.Fresh(t.Context(), to); err != nil || !fresh {
			t.Errorf("a refused backup left something: %v", err)
		}
	})
}
