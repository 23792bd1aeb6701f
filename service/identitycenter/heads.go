package identitycenter

import (
	"context"
	"errors"

	"sumun.dev/api/identitystoreapi"
	"sumun.dev/store"
)

// heads counts who is in an identity store.
type heads struct{ Users, Groups int }

// countHead adds to the counts and refuses to grow beyond AWS's limits.
func (s *Service) countHead(ctx context.Context, storeID string, users, groups int) error {
	h, err := s.heads.Get(ctx, storeID)
	if errors.Is(err, store.ErrNotFound) {
		h, err = &heads{}, nil
	}
	if err != nil {
		return err
	}
	h.Users, h.Groups = max(h.Users+users, 0), max(h.Groups+groups, 0)
	if users > 0 && h.Users > maxUsers {
		return identitystoreapi.ServiceQuotaExceededException.New("The identity store has %d users, which is the most.", maxUsers)
	}
	if groups > 0 && h.Groups > maxGroups {
		return identitystoreapi.ServiceQuotaExceededException.New("The identity store has %d groups, which is the most.", maxGroups)
	}
	return s.heads.Put(ctx, storeID, h)
}
