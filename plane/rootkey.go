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
	"time"

	"sumun.dev/engine/seal"
	"sumun.dev/plane/client"
	"sumun.dev/plane/config"
	"sumun.dev/plane/rootkms"
)

// The files of the data folder that hold the root keys, under which everything is
// sealed: bare, or wrapped under a key of another KMS. There is one or the other.
const (
	RootKeyFile = "root.key"
	RootKMSFile = "root.kms"
)

// kmsTime bounds a call to the KMS that keeps the root keys.
const kmsTime = 10 * time.Second

// OpenRoot opens the root keys of the source that the settings name. Only for a
// plane that is fresh (no data exist) are they made when there are none.
func OpenRoot(ctx context.Context, cfg *config.Config, fresh bool) (*seal.Root, error) {
	bare, wrapped := filepath.Join(cfg.Data, RootKeyFile), filepath.Join(cfg.Data, RootKMSFile)
	if cfg.RootKey.KMS.Key == "" {
		root, err := seal.Find(bare, fresh && !there(wrapped))
		if errors.Is(err, seal.ErrNoKey) && there(wrapped) {
			return nil, fmt.Errorf("%w: %s is wrapped under a KMS key, which root-key.kms must name", err, wrapped)
		}
		return root, err
	}
	if _, set := seal.Environment(); set {
		return nil, fmt.Errorf("root-key.kms: %s is set too; root keys come from one place", seal.Variable)
	}
	if there(bare) {
		return nil, fmt.Errorf("root-key.kms: %s is there too; root keys come from one place: wrap it (docs/root-key.md), then take it away", bare)
	}
	source, err := keptByKMS(&cfg.RootKey.KMS, wrapped)
	if err != nil {
		return nil, fmt.Errorf("root-key.kms: %w", err)
	}
	root, err := seal.Open(ctx, source, fresh)
	if err != nil {
		return nil, fmt.Errorf("root-key.kms: %w", err)
	}
	return root, nil
}

func there(file string) bool {
	_, err := os.Lstat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

// keptByKMS is the source of root keys that the settings name.
func keptByKMS(from *config.RootKMS, file string) (*rootkms.KMS, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone() // with the proxy of the environment: AWS may be behind one
	roots, err := authorities(from.CA)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &rootkms.KMS{
		File: file, Key: from.Key, Earlier: from.Earlier, Plane: cmp.Or(from.Plane, "sumun"), Profile: from.Profile,
		Client: &client.Client{
			HTTP: &http.Client{Transport: transport, Timeout: kmsTime, CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse // what is signed for one place is not sent to another
			}},
			Endpoint: from.URL(), Region: from.KeyRegion(), UserAgent: "sumun",
		},
	}, nil
}
