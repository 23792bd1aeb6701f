package plane

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/enforce/metadata"
	"sumun.dev/plane/config"
	"sumun.dev/service/iam"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// instanceRoles assumes the roles of instances as EC2 does, in its name.
type instanceRoles struct {
	iam    *iam.Service
	caller wire.Caller
}

const ec2 = "ec2.amazonaws.com"

func (r *instanceRoles) as(ctx context.Context, i *metadata.Instance) context.Context {
	return asService(ctx, ec2, store.Place{Account: i.Account, Region: i.Region})
}

// RoleOf returns the role in the instance's profile.
func (r *instanceRoles) RoleOf(ctx context.Context, i *metadata.Instance) (*metadata.Role, error) {
	if i.Profile == "" {
		return nil, metadata.ErrNoRole
	}
	p, err := r.iam.Profile(r.as(ctx, i), i.Profile)
	if errors.Is(err, iam.ErrNoProfile) {
		return nil, metadata.ErrNoRole
	}
	if err != nil {
		return nil, err
	}
	return &metadata.Role{Name: p.RoleName, ARN: p.Role, Profile: p.ARN, ProfileID: p.ID}, nil
}

// Assume begins a session for an instance, named by its id.
func (r *instanceRoles) Assume(ctx context.Context, i *metadata.Instance, role *metadata.Role) (*metadata.Credentials, error) {
	out, err := stsapi.AssumeRole.Call(r.as(ctx, i), r.caller, &stsapi.AssumeRoleRequest{RoleArn: role.ARN.String(), RoleSessionName: i.ID})
	if refused := (*aws.Error)(nil); errors.As(err, &refused) && strings.HasPrefix(refused.Code, "AccessDenied") {
		return nil, metadata.ErrRefused
	}
	if err != nil {
		return nil, err
	}
	c := out.Credentials
	return &metadata.Credentials{AccessKeyID: c.AccessKeyId, SecretAccessKey: c.SecretAccessKey, Token: c.SessionToken, Created: time.Now(), Expires: c.Expiration}, nil
}

// instances are the hosts of the settings.
func instances(cfg *config.Config, account aws.Account) ([]metadata.Instance, error) {
	var all []metadata.Instance
	for i, h := range cfg.Hosts {
		at, err := netip.ParseAddr(h.Address)
		if err != nil {
			return nil, fmt.Errorf("hosts[%d].address: %w", i, err)
		}
		owner, region := ownerOf(&h, cfg, account)
		all = append(all, metadata.Instance{Address: at, ID: h.Instance, Account: owner, Region: region, Profile: h.Profile})
	}
	return all, nil
}

// ownerOf says whose a host is, and where.
func ownerOf(h *config.Host, cfg *config.Config, account aws.Account) (aws.Account, aws.Region) {
	owner, region := aws.Account(h.Account), aws.Region(h.Region)
	if owner == "" {
		owner = account
	}
	if region == "" {
		region = aws.Region(cfg.Region)
	}
	return owner, region
}

// Metadata answers instances. A reset changes who answers.
func (p *Plane) Metadata() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.current.Load().metadata.ServeHTTP(w, r) })
}
