package kms

import (
	"sumun.dev/service"
	"sumun.dev/wire"
)

// keyRoutes are those of keys themselves, their policies, aliases, tags and regions.
func (s *Service) keyRoutes() []wire.Route { return nil }

func (s *Service) keyJobs() []service.Job { return nil }
