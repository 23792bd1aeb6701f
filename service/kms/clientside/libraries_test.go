package clientside

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	keystore "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographykeystoresmithygenerated"
	keystoretypes "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographykeystoresmithygeneratedtypes"
	mpl "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygenerated"
	mpltypes "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygeneratedtypes"
	esdk "github.com/aws/aws-encryption-sdk/releases/go/encryption-sdk/awscryptographyencryptionsdksmithygenerated"
	esdktypes "github.com/aws/aws-encryption-sdk/releases/go/encryption-sdk/awscryptographyencryptionsdksmithygeneratedtypes"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// A keyring says which KMS keys protect a message, in the same words for every library.
type keyring struct {
	Kind      string   `json:"kind"` // kms, discovery, mrk, mrk-discovery, hierarchical
	Generator string   `json:"generator,omitempty"`
	Keys      []string `json:"keys,omitempty"`
	Regions   []string `json:"regions,omitempty"`
	Branch    string   `json:"branch,omitempty"` // of hierarchical: the branch key, and the table that holds it
	Table     string   `json:"table,omitempty"`
}

// The algorithm suites with key commitment, without and with a signature.
const (
	committed = "committed"
	signed    = "signed"
)

// A library is an implementation of the AWS Encryption SDK.
type library interface {
	encrypt(t *testing.T, p person, k keyring, suite string, context map[string]string, plaintext string) ([]byte, error)
	decrypt(t *testing.T, p person, k keyring, message []byte) (plaintext string, context map[string]string, err error)
}

// libraries are those that write and read each other's messages.
var libraries = map[string]library{"javascript": javascript{}, "go": golang{}}

// golang is the AWS Encryption SDK for Go.
type golang struct{}

func (golang) encrypt(t *testing.T, p person, k keyring, suite string, context map[string]string, plaintext string) ([]byte, error) {
	t.Helper()
	ring, err := golangKeyring(t, p, k)
	if err != nil {
		return nil, err
	}
	id := mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKey
	if suite == signed {
		id = mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKeyEcdsaP384
	}
	out, err := golangClient(t).Encrypt(t.Context(), esdktypes.EncryptInput{Plaintext: []byte(plaintext), AlgorithmSuiteId: &id, EncryptionContext: context, Keyring: ring})
	if err != nil {
		return nil, err
	}
	return out.Ciphertext, nil
}

func (golang) decrypt(t *testing.T, p person, k keyring, message []byte) (string, map[string]string, error) {
	t.Helper()
	ring, err := golangKeyring(t, p, k)
	if err != nil {
		return "", nil, err
	}
	out, err := golangClient(t).Decrypt(t.Context(), esdktypes.DecryptInput{Ciphertext: message, Keyring: ring})
	if err != nil {
		return "", nil, err
	}
	return string(out.Plaintext), out.EncryptionContext, nil
}

func golangClient(t *testing.T) *esdk.Client {
	t.Helper()
	c, err := esdk.NewClient(esdktypes.AwsEncryptionSdkConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func golangKeyring(t *testing.T, p person, k keyring) (mpltypes.IKeyring, error) {
	t.Helper()
	p.become(t)
	c, err := mpl.NewClient(mpltypes.MaterialProvidersConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var generator *string
	if k.Generator != "" {
		generator = &k.Generator
	}
	switch k.Kind {
	case "kms":
		return c.CreateAwsKmsMultiKeyring(t.Context(), mpltypes.CreateAwsKmsMultiKeyringInput{Generator: generator, KmsKeyIds: k.Keys})
	case "discovery":
		return c.CreateAwsKmsDiscoveryMultiKeyring(t.Context(), mpltypes.CreateAwsKmsDiscoveryMultiKeyringInput{Regions: k.Regions})
	case "mrk":
		return c.CreateAwsKmsMrkMultiKeyring(t.Context(), mpltypes.CreateAwsKmsMrkMultiKeyringInput{Generator: generator, KmsKeyIds: k.Keys})
	case "mrk-discovery":
		return c.CreateAwsKmsMrkDiscoveryMultiKeyring(t.Context(), mpltypes.CreateAwsKmsMrkDiscoveryMultiKeyringInput{Regions: k.Regions})
	case "hierarchical":
		return c.CreateAwsKmsHierarchicalKeyring(t.Context(), mpltypes.CreateAwsKmsHierarchicalKeyringInput{KeyStore: keyStore(t, p, k.Table, k.Generator), TtlSeconds: 60, BranchKeyId: &k.Branch})
	}
	t.Fatalf("no keyring %q", k.Kind)
	return nil, nil
}

// keyStore is the library's store of branch keys, in a table whose name is its
// logical name too, under a KMS key at home.
func keyStore(t *testing.T, p person, table, key string) *keystore.Client {
	t.Helper()
	cfg := p.config(t, home)
	c, err := keystore.NewClient(keystoretypes.KeyStoreConfig{
		DdbTableName: table, LogicalKeyStoreName: table, DdbClient: dynamodb.NewFromConfig(cfg), KmsClient: kms.NewFromConfig(cfg),
		KmsConfiguration: &keystoretypes.KMSConfigurationMemberkmsKeyArn{Value: key},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// javascript is the AWS Encryption SDK for JavaScript, in a process of Node.js for
// each person.
type javascript struct{}

type request struct {
	Verb    string            `json:"verb"`
	Keyring keyring           `json:"keyring"`
	Cached  bool              `json:"cached,omitempty"` // through a caching materials manager, 2 messages a key
	Suite   string            `json:"suite,omitempty"`
	Context map[string]string `json:"context,omitempty"`
	Data    []byte            `json:"data"`
}

type answer struct {
	Data    []byte            `json:"data"`
	Context map[string]string `json:"context"`
	Error   string            `json:"error"`
}

func (javascript) encrypt(t *testing.T, p person, k keyring, suite string, context map[string]string, plaintext string) ([]byte, error) {
	t.Helper()
	a, err := node(t, p).ask(request{Verb: "encrypt", Keyring: k, Suite: suite, Context: context, Data: []byte(plaintext)})
	return a.Data, err
}

func (javascript) decrypt(t *testing.T, p person, k keyring, message []byte) (string, map[string]string, error) {
	t.Helper()
	a, err := node(t, p).ask(request{Verb: "decrypt", Keyring: k, Data: message})
	return string(a.Data), a.Context, err
}

// A process is Node.js with library.js.
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	answers *bufio.Reader
}

// processes are those of the people who have one, by their names.
var processes = map[string]*process{}

// node returns the person's process, which ends with them.
func node(t *testing.T, p person) *process {
	t.Helper()
	modules := installed(t)
	if running := processes[p.name]; running != nil {
		return running
	}
	c := exec.Command("node", filepath.Join(modules, "library.js"))
	c.Env = append(os.Environ(), "NODE_NO_WARNINGS=1")
	for name, value := range p.env {
		c.Env = append(c.Env, name+"="+value)
	}
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	running := &process{command: c, in: in, answers: bufio.NewReader(out)}
	processes[p.name] = running
	return running
}

// leave ends what runs for a person.
func leave(t *testing.T, p person) {
	running := processes[p.name]
	if running == nil {
		return
	}
	delete(processes, p.name)
	if err := errors.Join(running.in.Close(), running.command.Wait()); err != nil {
		t.Errorf("node: %v", err)
	}
}

func (p *process) ask(r request) (answer, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return answer{}, err
	}
	if _, err := p.in.Write(append(text, '\n')); err != nil {
		return answer{}, err
	}
	line, err := p.answers.ReadBytes('\n')
	if err != nil {
		return answer{}, fmt.Errorf("node: %w", err)
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return answer{}, err
	}
	if a.Error != "" {
		return answer{}, errors.New(a.Error)
	}
	return a, nil
}

// installed returns a folder with library.js and the packages of its lock file,
// which is kept in the user's cache. Without Node.js and npm the test is skipped,
// or fails when SUMUN_TEST_REQUIRE=1 says that they must be there.
func installed(t *testing.T) string {
	t.Helper()
	dir, err := install()
	if err == nil {
		return dir
	}
	if os.Getenv("SUMUN_TEST_REQUIRE") == "1" {
		t.Fatalf("SUMUN_TEST_REQUIRE=1, and the packages of Node.js are not there: %v", err)
	}
	t.Skipf("the packages of Node.js are not there: %v", err)
	return ""
}

var install = sync.OnceValues(func() (string, error) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", err
		}
	}
	sum := sha256.New()
	texts := map[string][]byte{}
	for _, name := range []string{"package.json", "package-lock.json", "library.js"} {
		text, err := os.ReadFile(filepath.Join("node", name))
		if err != nil {
			return "", err
		}
		texts[name] = text
		sum.Write(text)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, "sumun-clientside")
	dir := filepath.Join(cache, hex.EncodeToString(sum.Sum(nil)[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	// Made beside and moved, so that what is there is whole.
	made, err := os.MkdirTemp(cache, "install-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(made)
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(made, name), text, 0o600); err != nil {
			return "", err
		}
	}
	c := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	c.Dir = made
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	if err := os.Rename(made, dir); err != nil {
		if _, there := os.Stat(dir); there != nil {
			return "", err
		}
	}
	return dir, nil
})
