package main

import (
	"errors"
	"fmt"
	"syscall"

	"sumun.dev/engine/seal"
	"sumun.dev/plane"
	"sumun.dev/plane/config"
	"sumun.dev/store"
)

// advise adds to an error what its reader can do.
func advise(err error, cfg config.Config) error {
	switch {
	case errors.Is(err, store.ErrInUse):
		return fmt.Errorf("%w: stop the plane that runs on %s, or name another folder with --data", err, cfg.Data)
	case errors.Is(err, seal.ErrNoKey) && wrappedIn(&cfg) != "":
		return fmt.Errorf("%w: put the file %s back into %s", err, wrappedIn(&cfg), cfg.Data)
	case errors.Is(err, store.ErrWrongKey) && wrappedIn(&cfg) != "":
		return fmt.Errorf("%w: %s in %s must hold the key that this data was made with", err, wrappedIn(&cfg), cfg.Data)
	case errors.Is(err, seal.ErrNoKey):
		return fmt.Errorf("%w: put the file root.key back into %s, or give the key in SUMUN_ROOT_KEY", err, cfg.Data)
	case errors.Is(err, store.ErrWrongKey):
		return fmt.Errorf("%w: %s/root.key or SUMUN_ROOT_KEY must hold the key that this data was made with", err, cfg.Data)
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: another program listens there; choose another address (--listen, --admin, --dns)", err)
	}
	return err
}

// wrappedIn names the file of root keys that a KMS or an HSM wraps; empty when
// nothing does.
func wrappedIn(cfg *config.Config) string {
	switch {
	case cfg.RootKey.KMS.Key != "":
		return plane.RootKMSFile
	case cfg.RootKey.PKCS11 != config.RootHSM{}:
		return plane.RootHSMFile
	}
	return ""
}
