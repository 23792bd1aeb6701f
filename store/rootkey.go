package store

import (
	"context"
	"fmt"
)

// keyCheck is the fact by which a wrong root key is recognised.
const keyCheck = "key-check"

// Fresh reports whether b holds nothing yet. Only then may a root key be made.
func Fresh(ctx context.Context, b Backend) (bool, error) {
	check, err := b.Fact(ctx, keyCheck)
	if err != nil {
		return false, fmt.Errorf("look for data: %w", err)
	}
	return check == nil, nil
}

// CheckKey makes sure that the store is sealed with the key it was opened with,
// before anything else is done: ErrWrongKey when it is not. In a fresh store it
// leaves the value that later starts are checked by.
func (s *Store) CheckKey(ctx context.Context) error {
	check, err := s.backend.Fact(ctx, keyCheck)
	if check == nil && err == nil { // of several nodes that start at once, one leaves its value
		check, err = s.backend.KeepFact(ctx, keyCheck, s.seal.Seal([]byte(keyCheck), binding(keyCheck)))
	}
	if err != nil {
		return fmt.Errorf("check the root key: %w", err)
	}
	plain, err := s.seal.Open(check, binding(keyCheck))
	if err != nil || string(plain) != keyCheck {
		return ErrWrongKey
	}
	return nil
}
