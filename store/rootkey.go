package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Fresh reports whether b holds nothing yet. Only then may a root key be made.
func Fresh(ctx context.Context, b Backend) (bool, error) {
	check, err := b.Fact(ctx, KeyCheck)
	if err == nil && check == nil { // look whether there is anything else
		err = b.Dump(ctx, func(i Item) error {
			if i.Row != nil || i.Entry != nil || i.Record != nil || i.Due != nil || i.Fact != nil {
				return errUsed
			}
			return nil
		})
	}
	if err != nil && !errors.Is(err, errUsed) {
		return false, fmt.Errorf("look for data: %w", err)
	}
	return check == nil && err == nil, nil
}

var errUsed = errors.New("there is something")

// CheckKey makes sure that the key which the store is sealed under is one of those
// it was opened with, and makes it the current one, before anything else is done:
// ErrWrongKey when it is not. In a fresh store it leaves the value that later starts
// are checked by, under the key that is current.
func (s *Store) CheckKey(ctx context.Context) error {
	if err := s.leaveCheck(ctx); err != nil {
		return fmt.Errorf("check the root key: %w", err)
	}
	err := s.Follow(ctx)
	if errors.Is(err, ErrNoKey) {
		return fmt.Errorf("%w: %w", ErrWrongKey, err)
	}
	return err
}

// opens reports whether one of the keys has sealed the check value.
func opens(seal Sealer, check []byte) error {
	plain, err := seal.Open(check, binding(KeyCheck))
	if err != nil || string(plain) != KeyCheck {
		return fmt.Errorf("%w: that one has the id %q", ErrWrongKey, seal.KeyOf(check))
	}
	return nil
}

// CheckDump reports ErrWrongKey when what d holds was sealed with another key. It
// writes nothing, and looks no further than the value that keys are checked by.
func CheckDump(ctx context.Context, d Dumper, seal Sealer) error {
	err := d.Dump(ctx, func(i Item) error {
		switch {
		case i.Fact == nil:
			return errUsed // facts come first: there is no such value
		case i.Fact.Name == KeyCheck:
			return errors.Join(errUsed, opens(seal, i.Fact.Value))
		}
		return nil
	})
	if errors.Is(err, errUsed) && !errors.Is(err, ErrWrongKey) {
		return nil
	}
	return err
}

// leaveCheck leaves the value in a fresh store. Of several nodes that start at
// once, one does.
func (s *Store) leaveCheck(ctx context.Context) error {
	fresh, err := Fresh(ctx, s.backend)
	if err != nil || !fresh {
		return err
	}
	if _, err = s.backend.KeepFact(ctx, KeyCheck, s.seal.Seal([]byte(KeyCheck), binding(KeyCheck))); err != nil {
		return err
	}
	check, err := s.backend.Fact(ctx, KeyCheck)
	if err != nil || s.seal.KeyOf(check) != s.seal.Current() {
		return err // another node's key
	}
	note, err := keyNote{Key: s.seal.Current(), Resealed: time.Now().UTC()}.sealed(s.seal)
	if err != nil {
		return err
	}
	_, err = s.backend.KeepFact(ctx, keyNoteName, note)
	return err
}
