package scenario

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"sumun.dev/plane/config"
)

// account is the management account of scenarios whose settings name none.
const account = "111122223333"

// listsFolder is the folder of the script's files that it can make GuardDuty's lists
// of, as file://NAME.
const listsFolder = "lists"

// settings reads the script's settings, if it has some. A scenario may say what
// its plane is, but not where it listens, what it asks or what it opens.
func settings(folder string) (config.Config, error) {
	base := config.Default()
	base.Data, base.AccountID = config.Memory, account
	base.Listen, base.Admin, base.DNS.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	base.Metadata.Listen, base.Trusted = "127.0.0.1:0", []string{balancer.String()}
	cfg := base
	file := filepath.Join(folder, ConfigFile)
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return base, nil
	}
	if err := cfg.Read(file); err != nil {
		return cfg, err
	}
	if err := onlyItsOwn(base, cfg); err != nil {
		return cfg, fmt.Errorf("%s: %w", ConfigFile, err)
	}
	if err := inFolder(&cfg, folder); err != nil {
		return cfg, fmt.Errorf("%s: %w", ConfigFile, err)
	}
	return cfg, nil
}

// onlyItsOwn refuses settings that are not the scenario's to make.
func onlyItsOwn(base, cfg config.Config) error {
	for name, changed := range map[string]bool{
		"listen": cfg.Listen != base.Listen, "admin": cfg.Admin != base.Admin, "tls": cfg.TLS != base.TLS,
		"insecure-http": cfg.InsecureHTTP, "dns.listen": cfg.DNS.Listen != base.DNS.Listen, "dns.upstreams": len(cfg.DNS.Upstreams) > 0,
		"metadata": cfg.Metadata != base.Metadata,
		"store":    cfg.Store != base.Store, "spine": cfg.Spine != base.Spine, "log": cfg.Log != base.Log,
		"identity-providers": !reflect.DeepEqual(cfg.Providers, base.Providers),
		"key-stores":         !reflect.DeepEqual(cfg.KeyStores, base.KeyStores),
		"databases":          len(cfg.Databases) > 0,
		"identity-center":    len(cfg.IdentityCenter.Sources) > 0,
		"trusted-proxies":    !reflect.DeepEqual(cfg.Trusted, base.Trusted),
	} {
		if changed {
			return fmt.Errorf("a scenario cannot set %q: its plane talks to nobody else", name)
		}
	}
	if cfg.Data != base.Data {
		return fmt.Errorf("a scenario cannot set %q: where its plane keeps things is for who plays it to say", "data")
	}
	return nil
}

// inFolder makes the files that the settings name those of the scenario.
func inFolder(cfg *config.Config, folder string) error {
	for i, l := range cfg.Lists {
		if !filepath.IsLocal(l.File) {
			return fmt.Errorf("domain-lists[%d].file: %q lies outside the scenario's folder", i, l.File)
		}
		cfg.Lists[i].File = filepath.Join(folder, l.File)
	}
	if cfg.Parameters != "" {
		if !filepath.IsLocal(cfg.Parameters) {
			return fmt.Errorf("public-parameters: %q lies outside the scenario's folder", cfg.Parameters)
		}
		cfg.Parameters = filepath.Join(folder, cfg.Parameters)
	}
	for _, files := range [...][]string{cfg.Addresses.MMDB, cfg.Addresses.Clouds, cfg.Addresses.Tor, cfg.Addresses.VPNs, cfg.Addresses.Proxies} {
		for i, name := range files {
			if !filepath.IsLocal(name) {
				return fmt.Errorf("addresses: %q lies outside the scenario's folder", name)
			}
			files[i] = filepath.Join(folder, name)
		}
	}
	for i, f := range cfg.Feeds {
		name, isFile := strings.CutPrefix(f.URL, "file:")
		if !isFile || !filepath.IsLocal(name) {
			return fmt.Errorf("feeds[%d].url: a scenario's feeds are 'file:NAME', with NAME in its folder", i)
		}
		cfg.Feeds[i].URL = (&url.URL{Scheme: "file", Path: filepath.Join(folder, name)}).String()
	}
	return nil
}
