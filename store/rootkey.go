package store

import (
	"context"
	"errors"
	"fmt"
)

// keyCheck is the fact by which a wrong root key is recognised.
const keyCheck = "key-check"

// Fresh reports whether b holds nothing yet. Only then may a root key be made.
func Fresh(ctx context.Context, b Backend) (bool, error) {
	check, err := b.Fact(ctx, keyCheck)
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

// CheckKey makes sure that the store is sealed with the key it was opened with,
// before anything else is done: ErrWrongKey when it is not. In a fresh store it
// leaves the value that later starts are checked by.
func (s *Store) CheckKey(ctx context.Context) error {
	if err := s.leaveCheck(ctx); err != nil {
		return fmt.Errorf("check the root key: %w", err)
	}
	check, err := s.backend.Fact(ctx, keyCheck)
	if err != nil {
		return fmt.Errorf("check the root key: %w", err)
	}
	if check == nil {
		return fmt.Errorf("%w: there are data, but nothing to check the key by", ErrWrongKey)
	}
	return opens(s.seal, check)
}

// opens reports whether the check value was sealed with the key.
func opens(seal Sealer, check []byte) error {
	plain, err := seal.Open(check, binding(keyCheck))
	if err != nil || string(plain) != keyCheck {
		return ErrWrongKey
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
		case i.Fact.Name == keyCheck:
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
	_, err = s.backend.KeepFact(ctx, keyCheck, s.seal.Seal([]byte(keyCheck), binding(keyCheck)))
	return err
}
