package secretsmanager

import (
	"sumun.dev/service"
	"sumun.dev/wire"
)

func (s *Service) rotationRoutes() []wire.Route { return nil }

func (s *Service) rotationJobs() []service.Job { return nil }
