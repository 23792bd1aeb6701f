package plane

import (
	"context"
	"slices"

	"sumun.dev/api/acmapi"
	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/api/ec2api"
	"sumun.dev/api/eventsapi"
	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/api/identitystoreapi"
	"sumun.dev/api/kmsapi"
	"sumun.dev/api/lambdaapi"
	"sumun.dev/api/logsapi"
	"sumun.dev/api/organizationsapi"
	"sumun.dev/api/route53resolverapi"
	"sumun.dev/api/s3api"
	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/api/securityhubapi"
	"sumun.dev/api/snsapi"
	"sumun.dev/api/sqsapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/api/ssoadminapi"
	"sumun.dev/api/ssoapi"
	"sumun.dev/api/ssooidcapi"
	"sumun.dev/api/stepfunctionsapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/plane/config"
	"sumun.dev/service/identitycenter"
	"sumun.dev/wire"
)

// Operations lists all operations that the gate recognises. Those that no service
// serves are answered with an error that names them.
func Operations() []wire.AnyOperation {
	return slices.Concat(
		acmapi.Operations(), cloudtrailapi.Operations(), ec2api.Operations(), eventsapi.Operations(), guarddutyapi.Operations(),
		iamapi.Operations(), identitystoreapi.Operations(), kmsapi.Operations(), lambdaapi.Operations(), logsapi.Operations(), organizationsapi.Operations(),
		route53resolverapi.Operations(), s3api.Operations(), secretsmanagerapi.Operations(), securityhubapi.Operations(),
		snsapi.Operations(), sqsapi.Operations(), ssmapi.Operations(), ssoadminapi.Operations(), ssoapi.Operations(),
		ssooidcapi.Operations(), stepfunctionsapi.Operations(), stsapi.Operations(), identitycenter.DirectoryOperations(),
	)
}

// Served says which operations of a modelled service are served.
type Served struct {
	Service string   `json:"service"`
	Served  []string `json:"served"`
	Missing []string `json:"missing"`
}

// Coverage tells what is served, from the routes of all services.
func Coverage(ctx context.Context) ([]Served, error) {
	cfg := config.Default()
	cfg.Data = config.Memory
	p, err := New(ctx, cfg, Options{NoUpstreams: true})
	if err != nil {
		return nil, err
	}
	served := map[string]bool{}
	for _, s := range p.current.Load().services {
		for _, r := range s.serve.Routes() {
			served[r.Meta().Service.Name+":"+r.Meta().Name] = true
		}
	}
	all := map[string]*Served{}
	for _, op := range Operations() {
		m := op.About()
		s := all[m.Service.Name]
		if s == nil {
			s = &Served{Service: m.Service.Name, Served: []string{}, Missing: []string{}}
			all[m.Service.Name] = s
		}
		if served[m.Service.Name+":"+m.Name] {
			s.Served = append(s.Served, m.Name)
		} else {
			s.Missing = append(s.Missing, m.Name)
		}
	}
	var list []Served
	for _, s := range all {
		slices.Sort(s.Served)
		slices.Sort(s.Missing)
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b Served) int {
		if d := len(b.Served) - len(a.Served); d != 0 {
			return d
		}
		if a.Service < b.Service {
			return -1
		}
		return 1
	})
	return list, p.Close(ctx)
}
