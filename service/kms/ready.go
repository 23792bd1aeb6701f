package kms

import (
	"context"
	"fmt"
	"sync"

	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
	"sumun.dev/store"
)

// A ready key is one that cryptography is done with: its record as it was
// committed, and its materials as they are used. It is shared by all calls, so
// nobody changes the record.
type ready struct {
	*key
	arn        aws.ARN
	conditions map[string][]string // what policies ask about the key itself

	mu     sync.Mutex
	parsed map[string]*mat.Key // by material id
	public []byte              // of an asymmetric key, once it was asked for
}

// ready returns the key at an ARN, from memory when it is there: the hot path
// neither reads the database nor parses keys. A unit of work that has written
// already reads through it, since what it wrote may be this key.
func (s *Service) ready(ctx context.Context, arn aws.ARN) (*ready, error) {
	if writes(ctx) {
		return s.readReady(ctx, arn)
	}
	at := spotOf(arn)
	r, version := recall(s.known, s.known.keys, at)
	if r != nil {
		return r, nil
	}
	r, err := s.readReady(store.Outside(ctx), arn)
	if err != nil {
		return nil, err
	}
	remember(s.known, s.known.keys, version, at, r)
	return r, nil
}

func (s *Service) readReady(ctx context.Context, arn aws.ARN) (*ready, error) {
	k, err := s.key(ctx, arn)
	if err != nil {
		return nil, err
	}
	conditions, err := s.conditionsOf(ctx, arn, k)
	if err != nil {
		return nil, fmt.Errorf("aliases of %s: %w", arn, err)
	}
	return &ready{key: k, arn: arn, conditions: conditions, parsed: map[string]*mat.Key{}}, nil
}

// current returns the material that encrypts and signs.
func (r *ready) current() (*mat.Key, error) { return r.version(r.key.Current) }

// version returns one of the key's materials; an error of ours when there is none
// or it has no bytes, which the key's state has told the caller before.
func (r *ready) version(id string) (*mat.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.parsed[id]; m != nil {
		return m, nil
	}
	for i := range r.Materials {
		if r.Materials[i].ID != id {
			continue
		}
		m, err := mat.Parse(mat.Spec(r.Spec), r.Materials[i].Bytes)
		if err != nil {
			return nil, fmt.Errorf("material %s of %s: %w", id, r.arn, err)
		}
		r.parsed[id] = m
		return m, nil
	}
	return nil, fmt.Errorf("kms: %s has no material %q", r.arn, id)
}

// publicKey returns the public half of an asymmetric key as DER.
func (r *ready) publicKey() ([]byte, error) {
	m, err := r.current()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.public == nil {
		if r.public, err = m.Public(); err != nil {
			return nil, fmt.Errorf("public key of %s: %w", r.arn, err)
		}
	}
	return r.public, nil
}
