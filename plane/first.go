package plane

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"sumun.dev/aws"
	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
	"sumun.dev/service/iam"
	"sumun.dev/store"
)

// birth is what a plane's first start decided.
type birth struct {
	Account aws.Account
	Keys    map[string]runtime.Key `json:",omitempty"`

	// Replaced says that Keys belong over those that credentials.json names.
	Replaced bool `json:",omitempty"`
}

// The settings of the environment that give root's key.
const (
	rootIDVariable     = "SUMUN_ROOT_ACCESS_KEY_ID"
	rootSecretVariable = "SUMUN_ROOT_SECRET_ACCESS_KEY"
)

// firstStart makes the management account, its root user and its administrator,
// unless an earlier start has. again holds what a reset must make once more.
func (c *core) firstStart(ctx context.Context, cfg *config.Config, iamService *iam.Service, again *birth) (*birth, error) {
	id, secret, err := givenRoot()
	if err != nil {
		return nil, err
	}
	born, err := c.births.Get(ctx, "plane")
	if err == nil && cfg.ReplaceRootKey {
		return c.replaceRoot(ctx, iamService, born.Account, id, secret)
	}
	if err == nil {
		if id != "" || secret != "" {
			c.log.Warn("root has its key since the first start; what the environment gives is not used", "variable", rootIDVariable)
		}
		return born, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if again == nil {
		if again, err = newBirth(cfg, id, secret); err != nil {
			return nil, err
		}
	}
	err = c.store.Update(ctx, func(ctx context.Context) error {
		ctx = asService(ctx, "iam.amazonaws.com", store.Place{Account: again.Account})
		for name, k := range again.Keys {
			key := iam.Key{ID: k.AccessKeyID, Secret: k.SecretAccessKey}
			add := iamService.AddAdministrator
			if name == "root" {
				add = iamService.AddRoot
			}
			if err := add(ctx, again.Account, key); err != nil {
				return err
			}
		}
		return c.births.Insert(ctx, "plane", again)
	})
	return again, err
}

// replaceRoot makes the key that the environment gives the only one of root: the
// way back for who has lost the keys of the first start. Whoever may set the
// environment of the plane and open its data has the root key of the data already.
func (c *core) replaceRoot(ctx context.Context, iamService *iam.Service, account aws.Account, id, secret string) (*birth, error) {
	if id == "" || secret == "" {
		return nil, fmt.Errorf("replace-root-key: %s and %s must give the key", rootIDVariable, rootSecretVariable)
	}
	root, err := rootKey(account, id, secret)
	if err != nil {
		return nil, err
	}
	born := &birth{Account: account, Keys: map[string]runtime.Key{"root": root}, Replaced: true}
	err = c.store.Update(ctx, func(ctx context.Context) error {
		ctx = asService(ctx, "iam.amazonaws.com", store.Place{Account: account})
		if err := iamService.ReplaceRoot(ctx, account, iam.Key{ID: id, Secret: secret}); err != nil {
			return fmt.Errorf("replace-root-key: %w", err)
		}
		return c.births.Put(ctx, "plane", born)
	})
	if err != nil {
		return nil, err
	}
	c.log.Warn("root's access keys were replaced by the one that the environment gives; start without replace-root-key from now on", "accessKeyId", id)
	return born, nil
}

func newBirth(cfg *config.Config, rootID, rootSecret string) (*birth, error) {
	account := aws.Account(cfg.AccountID)
	if account == "" {
		n, err := rand.Int(rand.Reader, big.NewInt(9e11))
		if err != nil {
			return nil, err
		}
		account = aws.Account(fmt.Sprintf("%012d", n.Int64()+1e11))
	}
	root, err := rootKey(account, rootID, rootSecret)
	if err != nil {
		return nil, err
	}
	b := &birth{Account: account, Keys: map[string]runtime.Key{"root": root}}
	if !cfg.NoAdmin {
		k := iam.NewKey(account)
		b.Keys["administrator"] = runtime.Key{AccessKeyID: k.ID, SecretAccessKey: k.Secret}
	}
	return b, nil
}

var keyIDForm = regexp.MustCompile(`^AKIA[A-Z0-9]{16}$`)

// Keys that AWS and others have published as examples.
var publishedKeys = []string{"AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE", "AKIDEXAMPLE"}

var publishedSecrets = []string{
	"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
}

// givenRoot returns what the environment says of root's key, and takes the secret
// out of it at every start, so that no child process inherits it.
func givenRoot() (id, secret string, err error) {
	id, secret = os.Getenv(rootIDVariable), os.Getenv(rootSecretVariable)
	return id, secret, os.Unsetenv(rootSecretVariable)
}

// rootKey returns the key that was given for root, else a random one.
func rootKey(account aws.Account, id, secret string) (runtime.Key, error) {
	if id == "" && secret == "" {
		k := iam.NewKey(account)
		return runtime.Key{AccessKeyID: k.ID, SecretAccessKey: k.Secret}, nil
	}
	switch {
	case id == "" || secret == "":
		return runtime.Key{}, fmt.Errorf("%s and %s go together", rootIDVariable, rootSecretVariable)
	case !keyIDForm.MatchString(id):
		return runtime.Key{}, fmt.Errorf("%s: not 'AKIA' and 16 capital letters and digits", rootIDVariable)
	case len(secret) < 32:
		return runtime.Key{}, fmt.Errorf("%s: weak, it has under 32 characters", rootSecretVariable)
	case slices.Contains(publishedKeys, id) || slices.Contains(publishedSecrets, secret):
		return runtime.Key{}, fmt.Errorf("%s, %s: weak, this key has been published as an example", rootIDVariable, rootSecretVariable)
	}
	return runtime.Key{AccessKeyID: id, SecretAccessKey: secret}, nil
}

// keep writes the keys of a durable plane to its data folder, for 'sumun env', and
// then forgets them: only the file and IAM hold them. A start that died in between
// is made good by the next.
func (c *core) keep(ctx context.Context, b *birth, folder string) error {
	if len(b.Keys) == 0 {
		return nil
	}
	file, keys := filepath.Join(folder, runtime.CredentialsFile), map[string]runtime.Key{}
	if b.Replaced {
		// The others' keys stay where they are; when the file is lost or spoilt, so are they.
		if text, err := os.ReadFile(file); err != nil || json.Unmarshal(text, &keys) != nil {
			keys = map[string]runtime.Key{}
		}
	}
	maps.Copy(keys, b.Keys)
	if err := runtime.WriteFile(file, keys); err != nil {
		return err
	}
	return c.store.Update(ctx, func(ctx context.Context) error {
		return c.births.Put(ctx, "plane", &birth{Account: b.Account})
	})
}
