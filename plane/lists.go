package plane

import (
	"context"
	"fmt"
	"os"

	"sumun.dev/aws"
	"sumun.dev/plane/config"
	"sumun.dev/service/ssm/parameters"
	"sumun.dev/store"
)

// loadLists fills the firewall domain lists that the settings name from their files.
func (c *core) loadLists(ctx context.Context, cfg *config.Config) error {
	for i, l := range cfg.Lists {
		at := store.Place{Account: aws.Account(l.Account), Region: aws.Region(l.Region)}
		if at.Account == "" {
			at.Account = c.born.Account
		}
		if at.Region == "" {
			at.Region = aws.Region(cfg.Region)
		}
		f, err := os.Open(l.File)
		if err != nil {
			return fmt.Errorf("domain-lists[%d]: %w", i, err)
		}
		err = c.firewall.LoadFile(asService(ctx, "route53resolver.amazonaws.com", at), l.Name, f)
		f.Close() // only read
		if err != nil {
			return fmt.Errorf("domain-lists[%d]: %s: %w", i, l.File, err)
		}
	}
	return nil
}

// publicParameters returns the parameters under /aws/service: those that come with
// Sumun and those of the file that the settings name.
func publicParameters(cfg *config.Config) (*parameters.Public, error) {
	if cfg.Parameters == "" {
		return parameters.ReadPublic(nil)
	}
	text, err := os.ReadFile(cfg.Parameters)
	if err != nil {
		return nil, fmt.Errorf("public-parameters: %w", err)
	}
	public, err := parameters.ReadPublic(text)
	if err != nil {
		return nil, fmt.Errorf("public-parameters: %s: %w", cfg.Parameters, err)
	}
	return public, nil
}
