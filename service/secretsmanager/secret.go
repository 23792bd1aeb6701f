package secretsmanager

import (
	"sumun.dev/service"
	"sumun.dev/wire"
)

// secretRoutes are those of secrets, their values, stages, policies, tags and replicas.
func (s *Service) secretRoutes() []wire.Route { return nil }

func (s *Service) secretJobs() []service.Job { return nil }
