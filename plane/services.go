package plane

import (
	"context"
	"slices"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/api/eventsapi"
	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/api/kmsapi"
	"sumun.dev/api/organizationsapi"
	"sumun.dev/api/route53resolverapi"
	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/api/securityhubapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/gateway"
	"sumun.dev/plane/config"
	"sumun.dev/respond"
	"sumun.dev/service/cloudtrail"
	"sumun.dev/service/events"
	"sumun.dev/service/guardduty"
	"sumun.dev/service/iam"
	"sumun.dev/service/kms"
	"sumun.dev/service/organizations"
	"sumun.dev/service/route53resolver"
	"sumun.dev/service/secretsmanager"
	"sumun.dev/service/secretsmanager/rotate"
	"sumun.dev/service/securityhub"
	"sumun.dev/service/ssm"
	"sumun.dev/service/ssm/parameters"
	"sumun.dev/service/sts"
)

// build makes the gate and all services: the list of what this plane serves.
func (c *core) build(ctx context.Context, cfg *config.Config, o Options, again *birth) error {
	var who identities
	c.gate = gateway.New(gateway.Options{
		Store: c.store, Publish: c.publish, Identities: &who, Membership: who.membership,
		Log: c.log, Metrics: c.metrics, Quotas: cfg.Quotas == "aws", TrustedProxies: o.proxies,
		Assume: func(ctx context.Context, role aws.ARN, session string) (*aws.Principal, error) {
			return assume(c.gate.Inside("sts", &stsapi.AssumeRole), who.sts)(ctx, role, session)
		},
	})
	who.iam = iam.New(c.env(cfg, o, "iam"))
	who.iam.UseMembership(who.membership)
	who.iam.UseAdministration(who.administration)
	who.iam.UseEntities(who.entity)
	c.principals = who.iam
	who.passed = &passed{policies: who.iam}
	known, err := who.known(cfg, o)
	if err != nil {
		return err
	}
	who.sts = sts.New(c.env(cfg, o, "sts"), known)
	who.organizations = organizations.New(c.env(cfg, o, "organizations"), who.iam)
	c.mount(&iamapi.Service, who.iam)
	c.mount(&stsapi.Service, who.sts)
	c.roles = &instanceRoles{iam: who.iam, caller: c.gate.Inside("ec2", &stsapi.AssumeRole)}
	c.mount(&organizationsapi.Service, who.organizations)
	center, err := c.mountIdentityCenter(cfg, o, &who)
	if err != nil {
		return err
	}
	c.mountSignIn(cfg, o, &who)
	c.mount(&cloudtrailapi.Service, cloudtrail.New(c.env(cfg, o, "cloudtrail")))
	c.firewall = route53resolver.New(c.env(cfg, o, "route53resolver"))
	c.mount(&route53resolverapi.Service, c.firewall)
	guard := guardduty.New(c.env(cfg, o, "guardduty", (*guardduty.Service).Needs(nil)...))
	guard.UseOrganizations(who.organizations)
	c.mount(&guarddutyapi.Service, guard)
	c.mount(&securityhubapi.Service, securityhub.New(c.env(cfg, o, "securityhub")))
	c.mount(&eventsapi.Service, events.New(c.env(cfg, o, "events", (*events.Service).Needs(nil)...)))
	keys := kms.New(c.env(cfg, o, "kms"))
	stores, err := keyStores(cfg, o)
	if err != nil {
		return err
	}
	keys.ReachKeyStores(stores)
	c.mount(&kmsapi.Service, keys)
	secrets := secretsmanager.New(c.env(cfg, o, "secretsmanager", slices.Concat((*secretsmanager.Service).Needs(nil), (*secretsmanager.Service).Own(nil))...))
	c.mount(&secretsmanagerapi.Service, secrets)
	automation := c.env(cfg, o, "ssm")
	automation.AWS = c.gate.InsideAny("ssm") // a runbook's author chooses what it calls, its role what it may
	public, err := publicParameters(cfg)
	if err != nil {
		return err
	}
	values := parameters.New(c.env(cfg, o, "ssm", (*parameters.Service).Needs(nil)...), public)
	c.mount(&ssmapi.Service, ssm.New(automation, respond.Builtin(), values))
	c.gate.Know(Operations()...)
	if c.born, err = c.firstStart(ctx, cfg, who.iam, again); err != nil {
		return err
	}
	from, err := sources(cfg, c.born.Account)
	if err != nil {
		return err
	}
	center.Use(cfg.IdentityCenter.URL, from...)
	servers, err := databases(cfg, c.born.Account)
	if err != nil {
		return err
	}
	secrets.UseFunctions(rotate.New(c.gate.Inside("lambda", rotate.Needs()...), servers))
	guard.Follow(feeds(cfg, c.born.Account))
	if c.addresses, err = openAddresses(cfg, c.log); err != nil {
		return err
	}
	guard.Locate(c.addresses.net.Load)
	return nil
}
