package kms

import (
	"sumun.dev/wire"
)

// cryptoRoutes are those that use a key.
func (s *Service) cryptoRoutes() []wire.Route { return nil }
