package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/api/eventsapi"
	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/api/route53resolverapi"
	"sumun.dev/api/securityhubapi"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane/runtime"
	"sumun.dev/wire"
)

// asProgram makes the test binary be the program.
const asProgram = "SUMUN_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const (
	badDomain = "guarddutyc2activityb.com"
	botHost   = "127.0.0.11"
)

const crashConfig = `
listen: 127.0.0.1:0
admin: 127.0.0.1:0
account-id: "111122223333"
dns:
  listen: 127.0.0.1:0
  upstreams: [127.0.0.1:9]
  zones:
    - {name: ` + badDomain + `, records: ["@ 1 IN A 198.51.100.7"]}
hosts:
  - {name: bot, instance: i-0123456789abcdef0, address: ` + botHost + `, vpc: vpc-0a1b2c3d}
`

// A program is the real binary on a data folder, killed and started again.
type program struct {
	t    *testing.T
	data string
	env  []string
	errs io.Writer // gets what the program writes on standard error, when set
	cmd  *exec.Cmd
	note *runtime.Note
	key  runtime.Key
}

func (p *program) start() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0], "up", "--data", p.data, "--config", filepath.Join(p.data, "sumun.yaml"))
	p.cmd.Env = slices.Concat(os.Environ(), []string{asProgram + "=1"}, p.env)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	var errs bytes.Buffer
	p.cmd.Stderr = &errs
	if p.errs != nil {
		p.cmd.Stderr = io.MultiWriter(&errs, p.errs)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == "sumun: ready" {
			go io.Copy(io.Discard, out) //nolint:errcheck // ends with the program
			p.read()
			return
		}
	}
	p.t.Fatalf("the program ended before it was ready: %s", errs.String())
}

func (p *program) read() {
	p.t.Helper()
	var err error
	if p.note, err = runtime.Read(p.data); err != nil {
		p.t.Fatal(err)
	}
	keys, err := credentials(p.note)
	if err != nil {
		p.t.Fatal(err)
	}
	p.key = keys["administrator"]
}

func (p *program) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	_ = p.cmd.Wait() // says that it was killed
}

// call makes a signed call over HTTP.
func call[In, Out any](p *program, op *wire.Operation[In, Out], in In) (Out, error) {
	return callIn(p, "us-east-1", op, in)
}

// callIn is call in another region.
func callIn[In, Out any](p *program, region string, op *wire.Operation[In, Out], in In) (Out, error) {
	var none Out
	out, err := p.send(region, op, in)
	if err != nil {
		return none, err
	}
	return out.(Out), nil
}

func (p *program) send(region string, op wire.AnyOperation, in any) (any, error) {
	w, err := wire.EncodeRequest(op, in, p.note.API)
	if err != nil {
		return nil, err
	}
	target := p.note.API + w.RawPath
	if w.RawQuery != "" {
		target += "?" + w.RawQuery
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, w.Method, target, bytes.NewReader(w.Body))
	if err != nil {
		return nil, err
	}
	r.Header = w.Header.Clone()
	sigv4.Sign(r, w.Body, sigv4.Credentials{KeyID: p.key.AccessKeyID, Secret: p.key.SecretAccessKey},
		sigv4.Scope{Region: region, Service: op.About().Service.SigningName}, 0, time.Now())
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return wire.DecodeResponse(op, &wire.Response{Status: resp.StatusCode, Header: resp.Header, Body: body})
}

// must is call for what has to succeed.
func must[In, Out any](p *program, op *wire.Operation[In, Out], in In) Out {
	p.t.Helper()
	out, err := call(p, op, in)
	if err != nil {
		p.t.Fatalf("%s: %v", op, err)
	}
	return out
}

// ask sends the bot's query and returns the answer's code.
func (p *program) ask() (int, error) {
	at, err := netip.ParseAddrPort(p.note.DNS)
	if err != nil {
		return 0, err
	}
	c := mdns.Client{Timeout: time.Second, Dialer: &net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(botHost)}}}
	q := new(mdns.Msg).SetQuestion(mdns.Fqdn(badDomain), mdns.TypeA)
	in, _, err := c.Exchange(q, at.String())
	if err != nil {
		return 0, err
	}
	return in.Rcode, nil
}

// arm sets the loop up: everything but the attack.
func (p *program) arm() (detector string) {
	p.t.Helper()
	list := must(p, &route53resolverapi.CreateFirewallDomainList, &route53resolverapi.CreateFirewallDomainListRequest{Name: "blocked", CreatorRequestId: "1"}).FirewallDomainList
	group := must(p, &route53resolverapi.CreateFirewallRuleGroup, &route53resolverapi.CreateFirewallRuleGroupRequest{Name: "defence", CreatorRequestId: "1"}).FirewallRuleGroup
	must(p, &route53resolverapi.CreateFirewallRule, &route53resolverapi.CreateFirewallRuleRequest{
		Name: "block", CreatorRequestId: "1", FirewallRuleGroupId: *group.Id, FirewallDomainListId: list.Id, Priority: 10,
		Action: route53resolverapi.ActionBlock, BlockResponse: new(route53resolverapi.BlockResponseNxdomain),
	})
	must(p, &route53resolverapi.AssociateFirewallRuleGroup, &route53resolverapi.AssociateFirewallRuleGroupRequest{
		Name: "web", CreatorRequestId: "1", FirewallRuleGroupId: *group.Id, VpcId: "vpc-0a1b2c3d", Priority: 101,
	})
	p.role("bus", "events.amazonaws.com", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"ssm:StartAutomationExecution","Resource":"*"},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/runbook"}]}`)
	p.role("runbook", "ssm.amazonaws.com", fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"route53resolver:UpdateFirewallDomains","Resource":%q},
		{"Effect":"Allow","Action":"securityhub:BatchUpdateFindings","Resource":"*"}]}`, *list.Arn))
	must(p, &securityhubapi.EnableSecurityHub, &securityhubapi.EnableSecurityHubRequest{EnableDefaultStandards: new(false)})
	detector = *must(p, &guarddutyapi.CreateDetector, &guarddutyapi.CreateDetectorRequest{Enable: true}).DetectorId
	must(p, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "block-domain", EventPattern: new(`{
		"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Imported"],
		"detail":{"findings":{"ProductName":["GuardDuty"],"Workflow":{"Status":["NEW"]}}}}`)})
	out := must(p, &eventsapi.PutTargets, &eventsapi.PutTargetsRequest{Rule: "block-domain", Targets: []eventsapi.Target{{
		Id: "runbook", Arn: "arn:aws:ssm:us-east-1:111122223333:automation-definition/Sumun-BlockDomain:$DEFAULT", RoleArn: new("arn:aws:iam::111122223333:role/bus"),
		InputTransformer: &eventsapi.InputTransformer{
			InputPathsMap: map[string]string{"domain": "$.detail.findings[0].Action.DnsRequestAction.Domain", "id": "$.detail.findings[0].Id", "product": "$.detail.findings[0].ProductArn"},
			InputTemplate: `{"AutomationAssumeRole":["arn:aws:iam::111122223333:role/runbook"],"FirewallDomainListId":["` + *list.Id + `"],"Domain":[<domain>],"FindingId":[<id>],"FindingProductArn":[<product>]}`,
		},
	}}})
	if *out.FailedEntryCount > 0 {
		p.t.Fatalf("PutTargets: %s", *out.FailedEntries[0].ErrorMessage)
	}
	return detector
}

func (p *program) role(name, service, document string) {
	p.t.Helper()
	must(p, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: name, AssumeRolePolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`})
	must(p, &iamapi.PutRolePolicy, &iamapi.PutRolePolicyRequest{RoleName: name, PolicyName: "p", PolicyDocument: document})
}

// The program is killed several times while the loop runs. It ends all the same:
// the domain blocked, one finding, the finding resolved, and nothing that was
// acknowledged lost.
func TestLoopSurvivesKill(t *testing.T) {
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) { t.Parallel(); crashRound(t) })
	}
}

// newProgram makes a data folder with these settings for a program to be started on.
func newProgram(t *testing.T, settings string) *program {
	t.Helper()
	p := &program{t: t, data: t.TempDir()}
	ok(t, os.Chmod(p.data, 0o700))
	ok(t, os.WriteFile(filepath.Join(p.data, "sumun.yaml"), []byte(settings), 0o600))
	return p
}

func crashRound(t *testing.T) {
	p := newProgram(t, crashConfig)
	p.start()
	defer func() { p.kill() }()
	detector := p.arm()

	var acknowledged []string
	for n := range 4 {
		// Whoever writes meanwhile notes what was acknowledged.
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("user-%d-%d", n, i)
				if _, err := call(p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: name}); err != nil {
					return // killed
				}
				acknowledged = append(acknowledged, name)
			}
		})
		if _, err := p.ask(); err != nil {
			t.Logf("a query got no answer: %v", err)
		}
		time.Sleep(rand.N(60 * time.Millisecond))
		p.kill()
		writer.Wait()
		p.start()
	}
	p.settle(detector)
	p.lost(acknowledged)
}

// settle waits for the loop's end, while the bot goes on asking as bots do.
func (p *program) settle(detector string) {
	p.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	var state string
	for time.Now().Before(deadline) {
		code, err := p.ask()
		if err != nil {
			state = err.Error() // a packet may get lost on a busy machine
		} else if state = p.state(detector, code); state == "" {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	p.t.Fatalf("the loop did not end: %s", state)
}

// state says what is missing, "" when nothing is.
func (p *program) state(detector string, code int) string {
	if code != mdns.RcodeNameError {
		return "the domain is answered with " + mdns.RcodeToString[code]
	}
	ids := must(p, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: detector}).FindingIds
	if len(ids) != 1 {
		p.t.Fatalf("%d GuardDuty findings, want one", len(ids))
	}
	found := must(p, &securityhubapi.GetFindings, &securityhubapi.GetFindingsRequest{}).Findings
	if len(found) != 1 {
		p.t.Fatalf("%d Security Hub findings, want one", len(found))
	}
	if s := *found[0].Workflow.Status; s != securityhubapi.WorkflowStatusResolved {
		return "the finding is " + string(s)
	}
	return ""
}

// lost fails the test when an acknowledged user, or the record of its creation,
// is not there.
func (p *program) lost(acknowledged []string) {
	p.t.Helper()
	for _, name := range acknowledged {
		if _, err := call(p, &iamapi.GetUser, &iamapi.GetUserRequest{UserName: &name}); err != nil {
			p.t.Errorf("%s was acknowledged: %v", name, err)
		}
	}
	// LookupEvents lags a little behind the calls, as in AWS.
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		err := p.recorded(acknowledged)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("of %d acknowledged: %v", len(acknowledged), err)
		}
	}
	p.t.Logf("%d acknowledged writes are all there, each with one record", len(acknowledged))
}

// recorded says which of the users do not have exactly one record of creation.
func (p *program) recorded(users []string) error {
	records := map[string]int{}
	var next *string
	for {
		out, err := call(p, &cloudtrailapi.LookupEvents, &cloudtrailapi.LookupEventsRequest{NextToken: next, LookupAttributes: []cloudtrailapi.LookupAttribute{
			{AttributeKey: cloudtrailapi.LookupAttributeKeyEventName, AttributeValue: "CreateUser"},
		}})
		if err != nil {
			return err
		}
		for _, e := range out.Events {
			_, rest, _ := strings.Cut(*e.CloudTrailEvent, `"requestParameters":{"userName":"`)
			name, _, _ := strings.Cut(rest, `"`)
			records[name]++
		}
		if next = out.NextToken; next == nil {
			break
		}
	}
	var wrong []error
	for _, name := range users {
		if records[name] != 1 {
			wrong = append(wrong, fmt.Errorf("%s has %d records in the trail", name, records[name]))
		}
	}
	return errors.Join(wrong...)
}
