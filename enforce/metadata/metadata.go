// Package metadata tells instances who they are and gives them their role's credentials, as EC2's instance metadata service does.
package metadata

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"sumun.dev/aws"
)

// An Instance is who may ask: it is known by the address that its connections come from.
type Instance struct {
	Address netip.Addr
	ID      string // i-…
	Account aws.Account
	Region  aws.Region
	Profile string // name of its instance profile; empty: it has none
}

// A Role is what an instance profile holds.
type Role struct {
	Name      string
	ARN       aws.ARN
	Profile   aws.ARN // of the instance profile
	ProfileID string  // AIPA…
}

// Credentials are a session of a role.
type Credentials struct {
	AccessKeyID, SecretAccessKey, Token string
	Created, Expires                    time.Time
}

// Roles is who knows and assumes the roles of instances.
type Roles interface {
	// RoleOf returns the role in an instance's profile, ErrNoRole when it has none.
	RoleOf(ctx context.Context, i *Instance) (*Role, error)
	// Assume returns a new session for an instance, ErrRefused when the role does not
	// trust EC2.
	Assume(ctx context.Context, i *Instance, role *Role) (*Credentials, error)
}

// Why there are no credentials.
var (
	ErrNoRole  = errors.New("metadata: the instance has no role")
	ErrRefused = errors.New("metadata: the role cannot be assumed")
)

// renewal is how long before their end credentials are replaced. EC2 User Guide,
// "Retrieve security credentials from instance metadata": new ones are there at
// least five minutes before the old ones expire.
const renewal = 10 * time.Minute

// Service answers instances over HTTP. It is safe for concurrent use.
type Service struct {
	instances map[netip.Addr]*Instance
	roles     Roles
	log       *slog.Logger
	tokens    *tokens

	mu    sync.Mutex
	given map[string]*given // by instance; at most one of each
}

type given struct {
	sync.Mutex
	role aws.ARN
	*Credentials
}

// New returns the service of these instances.
func New(instances []Instance, roles Roles, log *slog.Logger) *Service {
	s := &Service{instances: make(map[netip.Addr]*Instance, len(instances)), roles: roles, log: log, tokens: newTokens(), given: map[string]*given{}}
	for _, i := range instances {
		s.instances[i.Address.Unmap()] = &i
	}
	return s
}

// ServeHTTP answers one request. Whoever is no instance is told nothing.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "EC2ws")
	w.Header().Set("Content-Type", "text/plain")
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	i := s.instances[at.Addr().Unmap().WithZone("")]
	switch {
	case err != nil || i == nil:
		http.Error(w, "Not Found", http.StatusNotFound)
	case browsed(r) || !called(r):
		http.Error(w, "Forbidden", http.StatusForbidden)
	case r.Method == http.MethodPut:
		s.token(w, r, i)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
	case !s.tokens.good(r.Header.Get(tokenHeader), i, time.Now()):
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
	default:
		s.answer(w, r, i)
	}
}

// browsed reports whether a browser's page asks, which has no business here.
func browsed(r *http.Request) bool {
	for _, h := range []string{"Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode"} {
		if len(r.Header.Values(h)) > 0 {
			return true
		}
	}
	return false
}

// called reports whether the request is for the service by its address: the one that
// the connection came to, or EC2's, from where a host's network may lead here. A page
// whose name somebody has pointed here still asks for that name. EC2 User Guide,
// "Access instance metadata for an EC2 instance".
func called(r *http.Request) bool {
	at, err := netip.ParseAddrPort(r.Host)
	host := at.Addr()
	if err != nil {
		if host, err = netip.ParseAddr(strings.Trim(r.Host, "[]")); err != nil {
			return false
		}
	}
	if host == netip.AddrFrom4([4]byte{169, 254, 169, 254}) || host == netip.AddrFrom16([16]byte{0: 0xfd, 2: 0x0e, 3: 0xc2, 14: 0x02, 15: 0x54}) {
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && local.AddrPort().Addr().Unmap().WithZone("") == host.Unmap().WithZone("")
}

// token begins a session. EC2 User Guide, "Use IMDSv2": what comes through a proxy
// gets none, so that an open one on the instance leads nobody in.
func (s *Service) token(w http.ResponseWriter, r *http.Request, i *Instance) {
	if r.URL.Path != "/latest/api/token" {
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	if len(r.Header.Values("X-Forwarded-For")) > 0 {
		http.Error(w, "Forbidden", http.StatusForbidden)
		return
	}
	lasts, ok := lifetime(r.Header.Get(ttlHeader))
	if !ok {
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	w.Header().Set(ttlHeader, r.Header.Get(ttlHeader))
	w.Write([]byte(s.tokens.issue(i, time.Now().Add(lasts))))
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request, i *Instance) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	role, err := s.roles.RoleOf(r.Context(), i)
	if err != nil && !errors.Is(err, ErrNoRole) {
		s.failed(w, i, err)
		return
	}
	switch {
	case path == "/latest":
		text(w, "dynamic", "meta-data")
	case path == "/latest/meta-data":
		names := []string{"instance-id", "local-ipv4", "placement/"}
		if role != nil {
			names = []string{"iam/", "instance-id", "local-ipv4", "placement/"}
		}
		text(w, names...)
	case path == "/latest/meta-data/instance-id":
		text(w, i.ID)
	case path == "/latest/meta-data/local-ipv4" && i.Address.Is4():
		text(w, i.Address.String())
	case path == "/latest/meta-data/placement":
		text(w, "region")
	case path == "/latest/meta-data/placement/region":
		text(w, string(i.Region))
	case path == "/latest/dynamic":
		text(w, "instance-identity/")
	case path == "/latest/dynamic/instance-identity":
		text(w, "document")
	case path == "/latest/dynamic/instance-identity/document":
		encoded(w, document{Account: string(i.Account), Instance: i.ID, Address: i.Address.String(), Region: string(i.Region), Version: "2017-09-30"})
	case role != nil && path == "/latest/meta-data/iam":
		text(w, "info", "security-credentials/")
	case role != nil && path == "/latest/meta-data/iam/info":
		encoded(w, info{Code: "Success", Updated: stamp(time.Now()), Profile: role.Profile.String(), ProfileID: role.ProfileID})
	case role != nil && path == "/latest/meta-data/iam/security-credentials":
		text(w, role.Name)
	case role != nil && path == "/latest/meta-data/iam/security-credentials/"+role.Name:
		s.credentials(w, r, i, role)
	default:
		http.Error(w, "Not Found", http.StatusNotFound)
	}
}

func text(w http.ResponseWriter, lines ...string) { w.Write([]byte(strings.Join(lines, "\n"))) }

func encoded(w http.ResponseWriter, v any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	w.Write(b)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (s *Service) failed(w http.ResponseWriter, i *Instance, err error) {
	s.log.Error("an instance gets no answer about its role", "instance", i.ID, "error", err)
	http.Error(w, "Internal Server Error", http.StatusInternalServerError)
}

// document is the instance identity document; it is not signed.
type document struct {
	Account  string `json:"accountId"`
	Instance string `json:"instanceId"`
	Address  string `json:"privateIp"`
	Region   string `json:"region"`
	Version  string `json:"version"`
}

type info struct {
	Code      string
	Updated   string `json:"LastUpdated"`
	Profile   string `json:"InstanceProfileArn"`
	ProfileID string `json:"InstanceProfileId"`
}

type secret struct {
	Code, LastUpdated, Type, AccessKeyId, SecretAccessKey, Token, Expiration string
}

type refusal struct{ Code, Message, LastUpdated string }

// credentials shows the session of the instance's role. A refusal is an answer too,
// in EC2's words: EC2 User Guide, "Troubleshoot IAM and instance profiles".
func (s *Service) credentials(w http.ResponseWriter, r *http.Request, i *Instance, role *Role) {
	c, err := s.session(r.Context(), i, role)
	if errors.Is(err, ErrRefused) {
		encoded(w, refusal{"AssumeRoleUnauthorizedAccess", "EC2 cannot assume the role " + role.Name + ". Please see documentation at https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html.", stamp(time.Now())})
		return
	}
	if err != nil {
		s.failed(w, i, err)
		return
	}
	encoded(w, secret{"Success", stamp(c.Created), "AWS-HMAC", c.AccessKeyID, c.SecretAccessKey, c.Token, stamp(c.Expires)})
}

// session returns the session that the instance has, or a new one when it ends soon
// or is of another role.
func (s *Service) session(ctx context.Context, i *Instance, role *Role) (*Credentials, error) {
	s.mu.Lock()
	g := s.given[i.ID]
	if g == nil {
		g = &given{}
		s.given[i.ID] = g
	}
	s.mu.Unlock()
	g.Lock()
	defer g.Unlock()
	if g.Credentials != nil && g.role == role.ARN && time.Until(g.Expires) > renewal {
		return g.Credentials, nil
	}
	c, err := s.roles.Assume(ctx, i, role)
	if err != nil {
		return nil, err
	}
	g.Credentials, g.role = c, role.ARN
	return c, nil
}
