package plane

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"sumun.dev/engine/reach"
	"sumun.dev/engine/xks"
	"sumun.dev/plane/config"
)

// keyStores reaches proxies of external key stores where the settings say that it may.
func keyStores(cfg *config.Config, o Options) (*xks.Client, error) {
	options := xks.Options{Dial: o.DialProviders, Timeout: cfg.KeyStores.Timeout}
	var err error
	if options.Networks, err = networks(cfg.KeyStores.Networks); err != nil {
		return nil, fmt.Errorf("key-stores: networks: %w", err)
	}
	if options.Roots, err = authorities(cfg.KeyStores.CA); err != nil {
		return nil, fmt.Errorf("key-stores: ca: %w", err)
	}
	if options.Timeout < 0 || options.Timeout > 10*time.Second {
		return nil, errors.New("key-stores: timeout: at most 10s")
	}
	return xks.New(options), nil
}

// networks reads CIDR blocks.
func networks(texts []string) (reach.Networks, error) {
	var all reach.Networks
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// authorities returns the system's authorities and those in a PEM file; nil without a file.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return pool, nil
}
