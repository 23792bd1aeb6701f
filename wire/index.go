package wire

import (
	"slices"
	"strings"
)

// An Index knows every operation, served or not, by what its requests look like.
type Index struct {
	target  map[string]AnyOperation // X-Amz-Target
	targets map[string]*Service     // the target's prefix
	cbor    map[string]AnyOperation // "service/operation" in an RPC v2 path
	signed  map[string][]*served    // by the scope's service
	action  map[string]AnyOperation // "version/Action"
	names   map[string][]*served    // by the first label of the host
	routes  map[AnyOperation]*Route
	s3      *served
	open    []*served // REST services, but S3, with operations that nobody signs
}

// served is one service and, for REST, its router.
type served struct {
	service *Service
	actions map[string]AnyOperation
	router  *router
}

// NewIndex returns an index of the operations in routes, which are served, and
// of the known ones, which are recognised all the same so that a refusal can name them.
func NewIndex(routes []Route, known ...AnyOperation) *Index {
	x := &Index{
		target: map[string]AnyOperation{}, targets: map[string]*Service{}, cbor: map[string]AnyOperation{},
		signed: map[string][]*served{}, action: map[string]AnyOperation{}, names: map[string][]*served{}, routes: map[AnyOperation]*Route{},
	}
	all := map[*Service]*served{}
	for _, r := range routes {
		x.routes[r.Operation] = &r
		x.add(all, r.Operation)
	}
	for _, op := range known {
		if _, listed := x.routes[op]; !listed {
			x.add(all, op)
		}
	}
	return x
}

func (x *Index) add(all map[*Service]*served, op AnyOperation) {
	m := op.About()
	s := all[m.Service]
	if s == nil {
		s = &served{service: m.Service, actions: map[string]AnyOperation{}}
		all[m.Service] = s
		x.signed[m.Service.SigningName] = append(x.signed[m.Service.SigningName], s)
		x.names[m.Service.EndpointPrefix] = append(x.names[m.Service.EndpointPrefix], s)
		if m.Service.isS3() {
			x.s3 = s
		}
	}
	s.actions[m.Name] = op
	x.action[m.Service.APIVersion+"/"+m.Name] = op
	for _, prefix := range m.Service.targets() {
		x.target[prefix+"."+m.Name] = op
		x.targets[prefix] = m.Service
		x.cbor[prefix+"/"+m.Name] = op
	}
	if m.URI != "" {
		if s.router == nil {
			s.router = &router{slashy: m.Service.isS3()}
		}
		s.router.add(op)
		if m.NoAuth && !m.Service.isS3() && !slices.Contains(x.open, s) {
			x.open = append(x.open, s)
		}
	}
}

func (s *Service) isS3() bool { return s.EndpointPrefix == "s3" }

// targets are the prefixes of X-Amz-Target that name the service: the model's,
// and its last part, which is what SDKs built from Smithy models send.
func (s *Service) targets() []string {
	if s.TargetPrefix == "" {
		return nil
	}
	if i := strings.LastIndexByte(s.TargetPrefix, '.'); i >= 0 {
		return []string{s.TargetPrefix, s.TargetPrefix[i+1:]}
	}
	return []string{s.TargetPrefix}
}

// speaks reports whether the service has the protocol.
func (s *Service) speaks(p Protocol) bool {
	for _, q := range s.Protocols {
		if p == q {
			return true
		}
	}
	return false
}
