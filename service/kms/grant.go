package kms

import (
	"sumun.dev/wire"
)

func (s *Service) grantRoutes() []wire.Route { return nil }
