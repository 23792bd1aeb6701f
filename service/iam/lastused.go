package iam

import (
	"context"
	"errors"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// useGrain is how much newer a use must be to be written down, so that a key
// used ten thousand times a second does not cause as many writes.
const useGrain = time.Minute

// noteUse keeps when access keys and roles were last used, and for which services.
func (s *Service) noteUse(ctx context.Context, events []aws.Event) error {
	if err := s.noteServices(ctx, events); err != nil {
		return err
	}
	newest := map[string]*aws.Event{}
	for i := range events {
		if id := events[i].Attrs["accessKeyId"]; id != "" {
			newest[id] = &events[i]
		}
	}
	for id, e := range newest {
		if strings.HasPrefix(id, "AKIA") {
			if err := s.noteKey(ctx, id, e); err != nil {
				return err
			}
			continue
		}
		if err := s.noteRole(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) noteKey(ctx context.Context, id string, e *aws.Event) error {
	if c := s.known.key(id); c != nil && !c.newer(e.Time) {
		return nil
	}
	k, err := s.keys.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if k.Used != nil && e.Time.Sub(k.Used.At) < useGrain {
		return nil
	}
	k.Used = useOf(e)
	return s.keys.Put(ctx, id, k)
}

func (s *Service) noteRole(ctx context.Context, e *aws.Event) error {
	who := identityOf(e)
	issuer := who.SessionContext.SessionIssuer
	if issuer.Type != "Role" {
		return nil
	}
	r, err := s.roles.Get(ctx, strings.ToLower(issuer.UserName))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if r.Used != nil && e.Time.Sub(r.Used.At) < useGrain {
		return nil
	}
	r.Used = useOf(e)
	return s.putRole(ctx, r)
}

func useOf(e *aws.Event) *use {
	service, _, _ := strings.Cut(e.Attrs["eventSource"], ".")
	return &use{At: e.Time.UTC().Truncate(time.Second), Service: service, Region: string(e.Region)}
}
