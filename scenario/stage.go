package scenario

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"testing/synctest"
	"time"

	"sumun.dev/aws"
	"sumun.dev/gateway"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane"
	"sumun.dev/plane/config"
)

// A stage is the plane that a script plays on, and the way to it.
type stage interface {
	api() (*http.Client, string) // and the URL of the AWS APIs
	keys() (map[string]sigv4.Credentials, error)
	dials(from netip.Addr) *http.Transport                                            // connects from an address
	metadata() string                                                                 // URL of the instance metadata service
	ask(ctx context.Context, from netip.Addr, query []byte, tcp bool) ([]byte, error) // the resolver
	resolver() netip.AddrPort                                                         // where the resolver listens; zero when nowhere
	events(ctx context.Context, stream string) ([]aws.Event, error)
	explain(ctx context.Context, id string) (*gateway.Explanation, error) // nil: nothing is known of the call
	restart(ctx context.Context) error                                    // on the same data
	settle()                                                              // waits until what a command has begun is done, as far as can be known
	close(ctx context.Context) error
	external() tools // nil: commands are ours
}

// closeTime is how long a plane may take to finish.
const closeTime = 30 * time.Second

// inside is a plane in this process, in virtual time and without listeners, or in
// real time with them.
type inside struct {
	plane   *plane.Plane
	config  config.Config
	options plane.Options
	virtual bool

	past   map[string][]aws.Event       // what a spine in memory knew before it was started again
	first  map[string]sigv4.Credentials // the keys of the first start: a durable plane forgets them
	server *http.Server

	instances *http.Server // for the instance metadata service

	network *network
	imds    *network // to the instance metadata service
	client  *http.Client

	provider *provider // nil until a script needs it
}

func openInside(ctx context.Context, cfg config.Config, lists string, virtual bool, log *slog.Logger) (*inside, error) {
	s := &inside{config: cfg, virtual: virtual}
	s.options = plane.Options{Log: log, MemorySpine: virtual, NoUpstreams: len(cfg.DNS.Upstreams) == 0, NoNote: true, Lists: lists, DialProviders: s.dial}
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	s.first = map[string]sigv4.Credentials{}
	for name, k := range s.plane.Credentials() {
		s.first[name] = sigv4.Credentials{KeyID: k.AccessKeyID, Secret: k.SecretAccessKey}
	}
	return s, nil
}

func (s *inside) open(ctx context.Context) error {
	var err error
	if s.plane, err = plane.New(ctx, s.config, s.options); err != nil {
		return err
	}
	if !s.virtual {
		if _, err := s.plane.Listen(ctx); err != nil {
			return err
		}
		s.client = &http.Client{Transport: &http.Transport{}, CheckRedirect: noRedirect}
		return nil
	}
	s.network, s.imds = newNetwork(), newNetwork()
	s.server = &http.Server{Handler: s.plane.API()}
	go s.server.Serve(s.network) // ends with ErrServerClosed
	s.instances = &http.Server{Handler: s.plane.Metadata()}
	go s.instances.Serve(s.imds)
	s.client = &http.Client{Transport: &http.Transport{DialContext: s.network.dial, DisableKeepAlives: true}, CheckRedirect: noRedirect}
	return nil
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (s *inside) api() (*http.Client, string) {
	if s.virtual {
		return s.client, "http://127.0.0.1:4566" // a name only: the network has one server
	}
	return s.client, s.plane.Note().API
}

func (s *inside) dials(from netip.Addr) *http.Transport {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	dial := d.DialContext
	if s.virtual {
		dial = func(ctx context.Context, _, address string) (net.Conn, error) {
			if address == imds+":80" {
				return s.imds.dialFrom(ctx, from)
			}
			return s.network.dialFrom(ctx, from)
		}
	}
	return &http.Transport{DialContext: dial, DisableKeepAlives: true}
}

// imds is where EC2's instances find the metadata service.
const imds = "169.254.169.254"

func (s *inside) metadata() string {
	if s.virtual {
		return "http://" + imds
	}
	return s.plane.Note().Metadata
}

func (s *inside) keys() (map[string]sigv4.Credentials, error) { return s.first, nil }

func (s *inside) resolver() netip.AddrPort {
	if s.virtual {
		return netip.AddrPort{}
	}
	at, _ := netip.ParseAddrPort(s.plane.Note().DNS) // zero: the resolver is off
	return at
}

func (s *inside) ask(ctx context.Context, from netip.Addr, query []byte, tcp bool) ([]byte, error) {
	if !s.virtual {
		return exchange(ctx, from, s.resolver(), query, tcp)
	}
	return s.plane.Resolver.Resolve(ctx, netip.AddrPortFrom(from, 53535), query), nil
}

func (s *inside) events(ctx context.Context, stream string) ([]aws.Event, error) {
	all := slices.Clone(s.past[stream])
	seen := map[string]bool{}
	for _, e := range all {
		seen[e.ID] = true
	}
	for e, err := range s.plane.Events(ctx, stream, time.Time{}) {
		if err != nil {
			return nil, err
		}
		if !seen[e.ID] {
			all = append(all, e)
		}
	}
	return all, nil
}

func (s *inside) restart(ctx context.Context) error {
	if s.config.InMemory() {
		return misused("restart: a plane in memory keeps nothing; play this scenario on a durable store")
	}
	if !s.virtual { // clients find it again where it was
		n := s.plane.Note()
		s.config.Listen, s.config.DNS.Listen = n.API[len("http://"):], n.DNS
	}
	if s.options.MemorySpine {
		past := map[string][]aws.Event{}
		for _, stream := range []string{aws.TrailStream, aws.DNSStream, aws.FindingsStream, aws.BusStream} {
			var err error
			if past[stream], err = s.events(ctx, stream); err != nil {
				return err
			}
		}
		s.past = past
	}
	kept := s.provider // it is not the plane's
	s.provider = nil
	if err := s.close(ctx); err != nil {
		return err
	}
	s.provider = kept
	return s.open(ctx)
}

// breath is how far a bubble's clock moves after each command: enough for what
// services do soon, so that a script sees it done.
const breath = time.Second

func (s *inside) settle() {
	if !s.virtual {
		return
	}
	synctest.Wait()
	time.Sleep(breath)
	synctest.Wait()
}

func (s *inside) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	s.client.CloseIdleConnections()
	if s.provider != nil {
		if err := s.provider.server.Close(); err != nil {
			return err
		}
	}
	for _, server := range []*http.Server{s.server, s.instances} {
		if server == nil {
			continue
		}
		if err := server.Shutdown(ctx); err != nil {
			return err
		}
	}
	return s.plane.Close(ctx)
}
