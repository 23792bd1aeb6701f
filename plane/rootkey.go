package plane

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sumun.dev/engine/seal"
	"sumun.dev/plane/client"
	"sumun.dev/plane/config"
	"sumun.dev/plane/roothsm"
	"sumun.dev/plane/rootkms"
	"sumun.dev/plane/rootwrap"
)

// The files of the data folder that hold the root keys, under which everything is
// sealed: bare, or wrapped under a key of another KMS or of an HSM. There is one of
// them.
const (
	RootKeyFile = "root.key"
	RootKMSFile = "root.kms"
	RootHSMFile = "root.hsm"
)

// pinVariable may hold the PIN of an HSM's token.
const pinVariable = "SUMUN_HSM_PIN"

// kmsTime bounds a call to the KMS that keeps the root keys.
const kmsTime = 10 * time.Second

// OpenRoot opens the root keys of the source that the settings name. Only for a
// plane that is fresh (no data exist) are they made when there are none.
func OpenRoot(ctx context.Context, cfg *config.Config, fresh bool) (*seal.Root, error) {
	bare := filepath.Join(cfg.Data, RootKeyFile)
	setting, wrapped := "root-key.kms", filepath.Join(cfg.Data, RootKMSFile)
	other := filepath.Join(cfg.Data, RootHSMFile)
	switch {
	case cfg.RootKey.PKCS11 != config.RootHSM{}:
		setting, wrapped, other = "root-key.pkcs11", other, wrapped
	case cfg.RootKey.KMS.Key == "":
		root, err := seal.Find(bare, fresh && !there(wrapped) && !there(other))
		switch {
		case errors.Is(err, seal.ErrNoKey) && there(wrapped):
			return nil, fmt.Errorf("%w: %s is wrapped under a KMS key, which root-key.kms must name", err, wrapped)
		case errors.Is(err, seal.ErrNoKey) && there(other):
			return nil, fmt.Errorf("%w: %s is wrapped under a key of an HSM, which root-key.pkcs11 must name", err, other)
		}
		return root, err
	}
	if _, set := seal.Environment(); set {
		return nil, fmt.Errorf("%s: %s is set too; root keys come from one place", setting, seal.Variable)
	}
	if there(bare) {
		return nil, fmt.Errorf("%s: %s is there too; root keys come from one place: wrap it (docs/root-key.md), then take it away", setting, bare)
	}
	if there(other) {
		return nil, fmt.Errorf("%s: %s is there too; root keys come from one place", setting, other)
	}
	by, err := wrapper(cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	root, err := seal.Open(ctx, &rootwrap.Keys{File: wrapped, By: by}, fresh)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return root, nil
}

// wrapper is what the settings have wrap the root keys.
func wrapper(cfg *config.Config) (rootwrap.Wrapper, error) {
	if h := cfg.RootKey.PKCS11; h != (config.RootHSM{}) {
		pin, err := pin(h.PINFile)
		if err != nil {
			return nil, err
		}
		return roothsm.Open(roothsm.Settings{Module: h.Module, Token: h.Token, Key: h.Key, PIN: pin})
	}
	return keptByKMS(&cfg.RootKey.KMS)
}

// heldPIN is the PIN that the environment gave. It is taken out of there, so that no
// child process inherits it.
var heldPIN = sync.OnceValue(func() string {
	defer os.Unsetenv(pinVariable)
	return os.Getenv(pinVariable)
})

// pin reads the PIN of an HSM's token, from a file that only its owner can read or
// from the environment.
func pin(file string) (string, error) {
	if file == "" {
		if pin := heldPIN(); pin != "" {
			return pin, nil
		}
		return "", fmt.Errorf("there is no PIN: name pin-file, or set %s", pinVariable)
	}
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("others can read %s: chmod 600 it", file)
	}
	b, err := os.ReadFile(file)
	return strings.TrimRight(string(b), "\r\n"), err
}

func there(file string) bool {
	_, err := os.Lstat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

// keptByKMS is the source of root keys that the settings name.
func keptByKMS(from *config.RootKMS) (*rootkms.KMS, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone() // with the proxy of the environment: AWS may be behind one
	roots, err := authorities(from.CA)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &rootkms.KMS{
		Key: from.Key, Earlier: from.Earlier, Plane: cmp.Or(from.Plane, "sumun"), Profile: from.Profile,
		Client: &client.Client{
			HTTP: &http.Client{Transport: transport, Timeout: kmsTime, CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse // what is signed for one place is not sent to another
			}},
			Endpoint: from.URL(), Region: from.KeyRegion(), UserAgent: "sumun",
		},
	}, nil
}
