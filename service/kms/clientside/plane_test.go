package clientside

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// The regions that messages travel between.
const (
	home = "us-east-1"
	away = "eu-central-1"
)

// administrator may do everything; TestMain asks the program for the key.
var administrator person

// TestMain builds the program and runs it on free ports for all tests.
func TestMain(m *testing.M) {
	code, err := against(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

func against(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "sumun-clientside-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "sumun")
	build := exec.Command("go", "build", "-o", program, "./cmd/sumun")
	build.Dir = filepath.Join("..", "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build: %w\n%s", err, out)
	}
	data := filepath.Join(dir, "data")
	up := exec.Command(program, "up", "--data", data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--dns", "127.0.0.1:0")
	up.Stderr = os.Stderr
	out, err := up.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := up.Start(); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, up.Process.Signal(syscall.SIGTERM), up.Wait()) }()
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "sumun: ready" {
	}
	if lines.Text() != "sumun: ready" {
		return 0, errors.New("the program ended before it was ready")
	}
	go io.Copy(io.Discard, out)
	text, err := exec.Command(program, "env", "--data", data, "--format", "json").Output()
	if err != nil {
		return 0, fmt.Errorf("sumun env: %w", err)
	}
	administrator = person{name: "administrator"}
	if err := json.Unmarshal(text, &administrator.env); err != nil {
		return 0, err
	}
	// Nothing of the user's own settings.
	maps.Copy(administrator.env, map[string]string{
		"AWS_CONFIG_FILE": filepath.Join(dir, "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "none"), "AWS_EC2_METADATA_DISABLED": "true",
	})
	return m.Run(), nil
}

// A person is an IAM user: the environment of their programs.
type person struct {
	name string
	env  map[string]string
}

// become makes the person's environment that of the test.
func (p person) become(t *testing.T) {
	t.Helper()
	for name, value := range p.env {
		t.Setenv(name, value)
	}
}

// config is what the person's programs find in their environment.
func (p person) config(t *testing.T, region string) aws.Config {
	t.Helper()
	p.become(t)
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(region))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// user makes an IAM user who may do what the statements say, and nothing else. role
// is what the test calls them; their name is their own.
func user(t *testing.T, role string, statements ...string) person {
	t.Helper()
	name := role + "-" + rand.Text()[:8]
	c := iam.NewFromConfig(administrator.config(t, home))
	if _, err := c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	for i, s := range statements {
		document := `{"Version":"2012-10-17","Statement":` + s + `}`
		if _, err := c.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String(fmt.Sprint("p", i)), PolicyDocument: &document}); err != nil {
			t.Fatal(err)
		}
	}
	key, err := c.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		t.Fatal(err)
	}
	p := person{name: name, env: maps.Clone(administrator.env)}
	p.env["AWS_ACCESS_KEY_ID"], p.env["AWS_SECRET_ACCESS_KEY"] = *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey
	t.Cleanup(func() { leave(t, p) })
	return p
}

// may is a statement that allows an action on a key.
func may(action, key string) string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q}`, action, key)
}

// mayFor is may for messages of one tenant.
func mayFor(tenant, action, key string) string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q,"Condition":{"StringEquals":{"kms:EncryptionContext:tenant":%q}}}`, action, key, tenant)
}

// newKey makes a key with the default key policy and returns its ARN.
func newKey(t *testing.T, region string, in *kms.CreateKeyInput) string {
	t.Helper()
	out, err := kms.NewFromConfig(administrator.config(t, region)).CreateKey(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.KeyMetadata.Arn
}

// newMultiRegionKey makes a multi-Region key and returns the ARNs of the primary key
// at home and of the replica away.
func newMultiRegionKey(t *testing.T) (primary, replica string) {
	t.Helper()
	primary = newKey(t, home, &kms.CreateKeyInput{MultiRegion: aws.Bool(true)})
	out, err := kms.NewFromConfig(administrator.config(t, home)).ReplicateKey(t.Context(), &kms.ReplicateKeyInput{KeyId: &primary, ReplicaRegion: aws.String(away)})
	if err != nil {
		t.Fatal(err)
	}
	return primary, *out.ReplicaKeyMetadata.Arn
}

// newAsymmetricKey makes a key pair and returns its ARN and its public key in DER.
func newAsymmetricKey(t *testing.T, spec kmstypes.KeySpec, usage kmstypes.KeyUsageType) (arn string, public []byte) {
	t.Helper()
	arn = newKey(t, home, &kms.CreateKeyInput{KeySpec: spec, KeyUsage: usage})
	out, err := kms.NewFromConfig(administrator.config(t, home)).GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &arn})
	if err != nil {
		t.Fatal(err)
	}
	return arn, out.PublicKey
}

// A record is what the trail has of a call to KMS.
type record struct {
	EventName    string
	ErrorCode    string
	UserAgent    string
	UserIdentity struct{ UserName string }
	// RequestParameters are those that tests ask about.
	RequestParameters struct {
		KeyID             string `json:"keyId"`
		EncryptionContext map[string]string
	}
}

// marks counts the calls by which people have marked their place in the trail.
var marks = map[string]int{}

// recorded returns the calls of a person to KMS in a region. Records follow their
// calls: the person makes one more, which is waited for and left out.
func (p person) recorded(t *testing.T, region string) []record {
	t.Helper()
	mark := kms.NewFromConfig(p.config(t, region))
	if _, err := mark.GenerateRandom(t.Context(), &kms.GenerateRandomInput{NumberOfBytes: aws.Int32(1)}); err != nil {
		var denied interface{ ErrorCode() string }
		if !errors.As(err, &denied) || denied.ErrorCode() != "AccessDeniedException" {
			t.Fatal(err)
		}
	}
	marks[p.name+region]++
	c := cloudtrail.NewFromConfig(administrator.config(t, region))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		var all []record
		marked := 0
		pages := cloudtrail.NewLookupEventsPaginator(c, &cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{
			{AttributeKey: trailtypes.LookupAttributeKeyUsername, AttributeValue: &p.name},
		}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Events {
				var r record
				if err := json.Unmarshal([]byte(*e.CloudTrailEvent), &r); err != nil {
					t.Fatal(err)
				}
				if r.EventName == "GenerateRandom" {
					marked++
					continue
				}
				all = append(all, r)
			}
		}
		if marked == marks[p.name+region] {
			return all
		}
		time.Sleep(50 * time.Millisecond)
	}
}
