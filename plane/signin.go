package plane

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"time"

	"sumun.dev/aws"
	"sumun.dev/gateway/trail"
	"sumun.dev/plane/config"
	"sumun.dev/service/signin"
	"sumun.dev/store"
)

// mountSignIn mounts AWS Sign-In, whose pages are for people's browsers.
func (c *core) mountSignIn(cfg *config.Config, o Options, who *identities) {
	s := signin.New(c.env(cfg, o, "signin", (*signin.Service).Needs(nil)...), signin.Options{
		Users:   who.iam,
		Account: who.account,
		Credential: func(ctx context.Context, keyID, token string) (*aws.Principal, []byte, error) {
			k, err := who.Credential(ctx, keyID, token)
			if err != nil {
				return nil, nil, err
			}
			return k.Principal, k.Secret, nil
		},
		Stands: who.stands,
		Shown:  func(p *aws.Principal) (json.RawMessage, string) { return trail.Identity(p), trail.Username(p) },
		Enter: func(ctx context.Context, at store.Place) context.Context {
			return asService(ctx, aws.SignInSource, at)
		},
		As: func(ctx context.Context, p *aws.Principal, from netip.Addr) context.Context {
			return aws.WithCall(ctx, &aws.Call{
				Principal: p, Partition: "aws", Account: p.Account, Region: c.gate.Region, RequestID: aws.UUID(), Time: time.Now(),
				Service: "signin", SourceIP: from,
			})
		},
		From: func(r *http.Request) (netip.Addr, *aws.TLS) { return c.gate.ClientAddress(r), c.gate.ClientTLS(r) },
	})
	c.mount(&signin.API, s)
	c.console = s
}

// account returns the open account with a number or alias.
func (i *identities) account(ctx context.Context, text string) (aws.Account, error) {
	account, err := i.iam.AccountNamed(ctx, text)
	if err != nil {
		return "", err
	}
	closed, err := i.organizations.Closed(ctx, account)
	if err == nil && closed {
		err = store.ErrNotFound
	}
	return account, err
}

// stands refuses who has signed in to the console and is no longer there.
func (i *identities) stands(ctx context.Context, p *aws.Principal) error {
	same := *p // which what is alive is brought up to date in
	var err error
	if p.Session != nil {
		err = i.alive(ctx, &same)
	} else {
		_, err = i.own(ctx, &same)
	}
	if err != nil {
		return err
	}
	_, err = i.credential(ctx, &same, nil)
	return err
}
