package kms

import (
	"sumun.dev/wire"
)

// storeRoutes are those of custom key stores.
func (s *Service) storeRoutes() []wire.Route { return nil }
