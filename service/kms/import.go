package kms

import (
	"sumun.dev/service"
	"sumun.dev/wire"
)

func (s *Service) importRoutes() []wire.Route { return nil }

func (s *Service) importJobs() []service.Job { return nil }
