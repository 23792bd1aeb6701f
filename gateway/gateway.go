// Package gateway is the one door through which every call comes.
//
// Reading order: chain.go is the way of a call, step by step; inside.go is the
// same door for calls that services make; audit.go is where what happened is
// written down; server.go is the door's frame: time limits and draining.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"sumun.dev/aws"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/policy"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Options are what a gate needs. Store, Publish and Identities are required.
type Options struct {
	Store *store.Store

	// Publish puts records of reads and refusals on the spine; records of
	// changes go with the change, through the store's outbox.
	Publish func(ctx context.Context, events ...aws.Event) error

	Identities Identities

	// Membership returns where an account stands in its organisation; nil when it is
	// in none. It is asked on every call, so it answers from memory. Nil: there are
	// no organisations.
	Membership func(ctx context.Context, account aws.Account) (*policy.Membership, error)

	// Assume makes a session of role for the service that asks, whose call ctx
	// carries. It stands behind wire.Caller.As.
	Assume func(ctx context.Context, role aws.ARN, session string) (*aws.Principal, error)

	Region         aws.Region // of services that have no regions; us-east-1 when empty
	Log            *slog.Logger
	Metrics        prometheus.Registerer // nil: none are kept
	Quotas         bool                  // AWS's request rates apply
	TrustedProxies []netip.Prefix        // whose X-Forwarded-For is believed
}

// Identities knows who may call. It is asked on every call, so it answers from memory.
type Identities interface {
	// Credential returns whose access key it is. The session token is checked
	// against the key's session; it is empty for a long-term key. An *aws.Error
	// whose code begins with ExpiredToken says that the session is over, any other
	// that the key is unknown or inactive.
	Credential(ctx context.Context, accessKeyID, sessionToken string) (*Credential, error)

	// Policies returns the policies on the principal's side, for the call that ctx
	// carries: an *aws.Error when credentials of its kind do not go with it. They
	// are shared: the gate does not change them.
	Policies(ctx context.Context, p *aws.Principal) (*policy.Policies, error)
}

// A Credential is an access key and whose it is.
type Credential struct {
	Principal *aws.Principal
	Secret    []byte
}

// Format keeps the secret out of logs, whatever the verb.
func (c Credential) Format(f fmt.State, _ rune) {
	if c.Principal != nil {
		fmt.Fprint(f, c.Principal.AccessKeyID)
	}
}

// Gateway is the gate. Mount and Know come before the first call.
type Gateway struct {
	Options
	verifier  sigv4.Verifier
	resources policy.Cache // of the policies that resources have
	metrics   *metrics
	audit     *queue
	throttle  *throttle
	unproven  *sampler
	bodies    *semaphore.Weighted // bodyMemory
	strangers *semaphore.Weighted // strangerMemory
	calls     calls
	turns     turns
	memory    memory

	mu     sync.Mutex
	routes []wire.Route
	known  []wire.AnyOperation
	table  atomic.Pointer[table]
}

// table is what Mount and Know have put together.
type table struct {
	index  *wire.Index
	served map[wire.AnyOperation]*wire.Route
	signs  map[string]bool // signing names of services that are served
}

// New returns a gate that serves nothing yet.
func New(o Options) *Gateway {
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{Options: o, bodies: semaphore.NewWeighted(bodyMemory), strangers: semaphore.NewWeighted(strangerMemory), unproven: newSampler()}
	g.audit = newQueue(o.Publish, o.Log)
	g.metrics = newMetrics(o.Metrics, g.audit, &g.calls)
	if o.Quotas {
		g.throttle = newThrottle()
	}
	return g
}

// Mount serves routes.
func (g *Gateway) Mount(routes ...wire.Route) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.routes = append(g.routes, routes...)
	g.table.Store(nil)
}

// Know recognises operations that are not served, so that the refusal names them.
func (g *Gateway) Know(operations ...wire.AnyOperation) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known = append(g.known, operations...)
	g.table.Store(nil)
}

func (g *Gateway) operations() *table {
	if t := g.table.Load(); t != nil {
		return t
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.table.Load(); t != nil {
		return t
	}
	t := &table{index: wire.NewIndex(g.routes, g.known...), served: make(map[wire.AnyOperation]*wire.Route, len(g.routes)), signs: map[string]bool{}}
	for i := range g.routes {
		t.served[g.routes[i].Operation] = &g.routes[i]
		t.signs[g.routes[i].Operation.About().Service.SigningName] = true
	}
	g.table.Store(t)
	return t
}

// Operation finds a served operation by the names that aws:executeAwsApi and the
// CLI use: "route53resolver", "UpdateFirewallDomains".
func (g *Gateway) Operation(service, operation string) (wire.AnyOperation, bool) {
	for op := range g.operations().served {
		m := op.About()
		if m.Name == operation && (strings.EqualFold(m.Service.Name, service) || m.Service.Prefix == service || m.Service.EndpointPrefix == service) {
			return op, true
		}
	}
	return nil, false
}

// errNotDeclared keeps a service to the needs that it has declared.
var errNotDeclared = errors.New("gateway: a service called an operation that it has not declared")
