package scenario

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-yaml"

	"sumun.dev/aws"
	"sumun.dev/gateway"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
)

// TestRealBinary plays against the built program with the real AWS CLI and dig.
// SUMUN_TEST_CLI names the AWS CLI; without it the test is skipped, since each of
// its calls takes a second or more. SUMUN_TEST_ONLY may name folders.
func TestRealBinary(t *testing.T) {
	awsCLI := os.Getenv("SUMUN_TEST_CLI")
	if awsCLI == "" {
		t.Skip("SUMUN_TEST_CLI names no AWS CLI")
	}
	dig, err := exec.LookPath("dig")
	if err != nil {
		absent(t, "there is no dig", err)
	}
	binary := filepath.Join(t.TempDir(), "sumun")
	if out, err := exec.Command("go", "build", "-o", binary, "sumun.dev/cmd/sumun").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	version, err := exec.Command(awsCLI, "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, version)
	}
	playAll(t, Setting{Durable: true, open: func(ctx context.Context, cfg config.Config, _ *slog.Logger) (stage, error) {
		o := &outside{binary: binary, awsCLI: awsCLI, rawBlobs: strings.HasPrefix(string(version), "aws-cli/1."), digCLI: dig, config: cfg}
		return o, o.start(ctx)
	}})
}

// outside is a plane in a process of its own.
type outside struct {
	binary, awsCLI, digCLI string
	rawBlobs               bool // the CLI is of version 1, which takes blobs as they are
	config                 config.Config

	process *exec.Cmd
	note    *runtime.Note
}

func (o *outside) start(ctx context.Context) error {
	if err := os.MkdirAll(o.config.Data, 0o700); err != nil {
		return err
	}
	folder := filepath.Dir(filepath.Dir(o.config.Data))
	if lists := filepath.Join(o.config.Data, listsFolder); notThere(lists) && !notThere(filepath.Join(folder, listsFolder)) {
		if err := os.CopyFS(lists, os.DirFS(filepath.Join(folder, listsFolder))); err != nil {
			return err
		}
	}
	// Settings that a scenario cannot have come from the command line.
	text, err := yaml.Marshal(map[string]any{
		"hosts": o.config.Hosts, "dns": map[string]any{"zones": o.config.DNS.Zones}, "quotas": o.config.Quotas,
	})
	if err != nil {
		return err
	}
	file := filepath.Join(filepath.Dir(o.config.Data), "sumun.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	// Version 1 of the CLI fetches what options name by a URL; version 2 never does.
	if err := os.WriteFile(o.awsConfig(), []byte("[default]\ncli_follow_urlparam = false\n"), 0o600); err != nil {
		return err
	}
	o.process = exec.Command(o.binary, "up", "--config", file, "--data", o.config.Data, "--listen", o.config.Listen,
		"--admin", "127.0.0.1:0", "--dns", o.config.DNS.Listen, "--account-id", o.config.AccountID, "--region", o.config.Region)
	o.process.Stderr = os.Stderr
	out, err := o.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := o.process.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == "sumun: ready" {
			o.note, err = runtime.Read(o.config.Data)
			return err
		}
	}
	return errors.Join(errors.New("the program ended before it was ready"), o.process.Wait())
}

func notThere(name string) bool {
	_, err := os.Stat(name)
	return errors.Is(err, fs.ErrNotExist)
}

func (o *outside) awsConfig() string { return filepath.Join(filepath.Dir(o.config.Data), "aws.conf") }

func (o *outside) api() (*http.Client, string) {
	return &http.Client{CheckRedirect: noRedirect}, o.note.API
}

func (o *outside) keys() (map[string]sigv4.Credentials, error) {
	text, err := os.ReadFile(filepath.Join(o.config.Data, runtime.CredentialsFile))
	if err != nil {
		return nil, err
	}
	var keys map[string]runtime.Key
	if err := json.Unmarshal(text, &keys); err != nil {
		return nil, err
	}
	all := map[string]sigv4.Credentials{}
	for name, k := range keys {
		all[name] = sigv4.Credentials{KeyID: k.AccessKeyID, Secret: k.SecretAccessKey}
	}
	return all, nil
}

func (o *outside) resolver() netip.AddrPort {
	at, _ := netip.ParseAddrPort(o.note.DNS)
	return at
}

// Scripts that need these are not played here.

func (o *outside) dials(netip.Addr) *http.Transport { return nil }
func (o *outside) metadata() string                 { return "" }

func (o *outside) ask(ctx context.Context, from netip.Addr, query []byte, tcp bool) ([]byte, error) {
	return exchange(ctx, from, o.resolver(), query, tcp)
}

func (o *outside) events(context.Context, string) ([]aws.Event, error) {
	return nil, errors.New("another process cannot be seen into")
}

func (o *outside) explain(ctx context.Context, id string) (*gateway.Explanation, error) {
	r, err := http.Get(o.note.Admin + "/explain?id=" + url.QueryEscape(id))
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return nil, nil
	}
	var x gateway.Explanation
	return &x, json.NewDecoder(r.Body).Decode(&x)
}

func (o *outside) restart(ctx context.Context) error {
	o.config.Listen, o.config.DNS.Listen = strings.TrimPrefix(o.note.API, "http://"), o.note.DNS
	if err := o.close(ctx); err != nil {
		return err
	}
	return o.start(ctx)
}

func (o *outside) settle() {}

func (o *outside) close(context.Context) error {
	if err := o.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return o.process.Wait()
}

func (o *outside) external() tools { return o }

// consoleOnly is a service that only AWS's console calls: the real CLI has no
// commands of it, so that ours stand in.
const consoleOnly = "sso-directory"

// aws runs the real CLI, and keeps the keys that it prints.
func (o *outside) aws(s *step, args []string) error {
	if len(args) > 0 && args[0] == consoleOnly {
		return s.ownAWS(args)
	}
	if o.rawBlobs {
		var err error
		if args, err = decoded(s, args); err != nil {
			return err
		}
	}
	c := exec.CommandContext(s.ctx, o.awsCLI, append([]string{"--endpoint-url", o.note.API}, args...)...)
	c.Dir = s.files.Name()
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(c.Dir, ".tmp"), "TZ=UTC", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1", "AWS_CONFIG_FILE=" + o.awsConfig(),
		"AWS_REGION=" + s.region, "AWS_DEFAULT_REGION=" + s.region, "AWS_ACCESS_KEY_ID=" + s.current.KeyID, "AWS_SECRET_ACCESS_KEY=" + s.current.Secret,
	}
	if s.current.Token != "" {
		c.Env = append(c.Env, "AWS_SESSION_TOKEN="+s.current.Token)
	}
	if s.current.KeyID == "" {
		c.Args = append(c.Args, "--no-sign-request")
	}
	var out strings.Builder
	c.Stdout, c.Stderr = &out, s.errs
	err := c.Run()
	fmt.Fprint(s.out, out.String())
	// A line that the CLI cannot read ends it with 252, in version 1 with 2 as well,
	// which of "s3" means files that were left out.
	var ended *exec.ExitError
	if errors.As(err, &ended) && (ended.ExitCode() == 252 || ended.ExitCode() == 2 && args[0] != "s3") {
		return misused("aws: the command is wrong: %s", s.errs)
	}
	var made struct {
		AccessKey struct{ UserName, AccessKeyId, SecretAccessKey string }
	}
	if json.Unmarshal([]byte(out.String()), &made) == nil && made.AccessKey.SecretAccessKey != "" {
		s.keys[made.AccessKey.UserName] = sigv4.Credentials{KeyID: made.AccessKey.AccessKeyId, Secret: made.AccessKey.SecretAccessKey}
	}
	return err
}

// decoded returns the arguments with blobs in files of their own instead of base64.
func decoded(s *step, args []string) ([]string, error) {
	args = slices.Clone(args)
	for i := 2; i < len(args)-1; i++ {
		option, is := strings.CutPrefix(args[i], "--")
		if !is || strings.HasPrefix(args[i+1], "fileb://") || !s.cli.Blob(args[0], args[1], option) {
			continue
		}
		text := args[i+1]
		if name, named := strings.CutPrefix(text, "file://"); named {
			b, err := s.world.ReadFile(name)
			if err != nil {
				return nil, misused("%v", err)
			}
			text = string(b)
		}
		blob, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil {
			return nil, misused("--%s: %v", option, err)
		}
		file := filepath.Join(s.files.Name(), ".tmp", fmt.Sprint("blob", i))
		if err := os.WriteFile(file, blob, 0o600); err != nil {
			return nil, err
		}
		args[i+1] = "fileb://" + file
	}
	return args, nil
}

func (o *outside) dig(s *step, args []string, _ *question) error {
	at := o.resolver()
	all := []string{"@" + at.Addr().String(), "-p", strconv.Itoa(int(at.Port()))}
	for _, a := range args {
		if !strings.HasPrefix(a, "@") {
			all = append(all, a)
		}
	}
	c := exec.CommandContext(s.ctx, o.digCLI, all...)
	c.Stdout, c.Stderr = s.out, s.errs
	return c.Run()
}
