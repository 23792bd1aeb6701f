package main

import (
	"bufio"
	"cmp"
	crand "crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/api/kmsapi"
	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/plane/runtime"
	"sumun.dev/spine/nats/natstest"
	"sumun.dev/store/postgres/postgrestest"
)

const nodesConfig = `
listen: 127.0.0.1:0
admin: 127.0.0.1:0
account-id: "111122223333"
dns: {listen: ""}
`

// deadBy is how long the others may take to go on with what a dead node judged.
// Half a minute is enough (service/guardduty); machines that test have more to do.
const deadBy = 2 * time.Minute

// pollEvery is seldom, because each look is on record too, and read by the next.
const pollEvery = time.Second

// A node dies (kill -9) in the midst of what it judges: a count half way to its
// threshold, an account's habits. Another goes on with what it knew. What is found is
// what one plane finds that nobody kills, and each call on record is counted once.
func TestAnotherNodeGoesOnWhereOneDied(t *testing.T) {
	t.Parallel()
	url := natstest.Server(t)
	servers := fmt.Sprintf("store: {postgres: %q}\nspine: {nats: %q, prefix: %s, max-mib: 64}\n", postgrestest.Schema(t), url, natstest.Prefix(t, url))
	kills := 3
	if testing.Short() {
		kills = 1
	}
	seed := rand.Uint64()
	if text := os.Getenv("SUMUN_TEST_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		ok(t, err)
	}
	t.Logf("SUMUN_TEST_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	alone := newProgram(t, nodesConfig)
	alone.start()
	defer alone.end()
	told := newTale(random, alone)
	told.begin()
	var want []string // after each chapter
	for range kills {
		told.chapter(nil, -1)
		want = append(want, told.settled())
	}

	var nodes []*program
	for n := range 3 {
		p := newProgram(t, nodesConfig+servers)
		p.env = []string{"SUMUN_ROOT_KEY=" + strings.Repeat("5e71c09a", 8)}
		if n > 0 {
			keys, err := os.ReadFile(filepath.Join(nodes[0].data, runtime.CredentialsFile))
			ok(t, err)
			ok(t, os.WriteFile(filepath.Join(p.data, runtime.CredentialsFile), keys, 0o600))
		}
		p.start()
		defer p.end()
		nodes = append(nodes, p)
	}
	is := newTale(random, nodes...)
	is.begin()
	for n := range kills {
		stream := []string{"guardduty-trail", "guardduty-ingest"}[n%2]
		dies, at := is.reader(stream), random.IntN(steps)
		t.Logf("node %d, which reads %s, dies at step %d", slices.Index(nodes, dies), stream, at)
		is.chapter(dies, at)
		died := time.Now()
		is.same(want[n])
		t.Logf("all is found %s after the chapter's end", time.Since(died).Round(100*time.Millisecond))
		dies.start()
		is.live = nodes
	}
	is.same(want[kills-1]) // nor does what the dead have left come later
}

// end kills the program if it runs.
func (p *program) end() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// steps are those of a chapter, secrets what is read of eight at each.
const steps = 12

var secrets = [steps]int{1: 2, 2: 2, 5: 1, 6: 1, 9: 1, 10: 1}

// A tale is what somebody does on the nodes of a cluster, chapter by chapter.
type tale struct {
	t        *testing.T
	live     []*program
	random   *rand.Rand
	detector string
	chapters int
	marks    int
	logs     int // that were sent in
	read     int // secrets

	mu    sync.Mutex
	given int // rights, as acknowledged
}

func newTale(random *rand.Rand, nodes ...*program) *tale {
	return &tale{t: nodes[0].t, live: nodes, random: random}
}

func (s *tale) node(not *program) *program {
	for {
		if p := s.live[s.random.IntN(len(s.live))]; p != not {
			return p
		}
	}
}

// begin lets the nodes know what is normal: for nine days dev makes administrators.
func (s *tale) begin() {
	s.t.Helper()
	s.detector = *must(s.node(nil), &guarddutyapi.CreateDetector, &guarddutyapi.CreateDetectorRequest{Enable: true}).DetectorId
	must(s.node(nil), &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "backup"})
	for n := range 8 {
		must(s.node(nil), &secretsmanagerapi.CreateSecret, &secretsmanagerapi.CreateSecretRequest{Name: fmt.Sprint("secret", n), SecretString: new("x")})
	}
	var log strings.Builder
	for day := -9; day < 0; day++ {
		for hour := range 6 {
			at := time.Now().AddDate(0, 0, day).Add(time.Duration(hour) * 10 * time.Minute)
			log.WriteString(deed("dev", at, fmt.Sprint("past", day, hour)))
		}
	}
	s.ingest(log.String())
}

// deed is a line of a log that is sent in.
func deed(user string, at time.Time, id string) string {
	return fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDA%[1]s","arn":"arn:aws:iam::111122223333:user/%[1]s","accountId":"111122223333","accessKeyId":"AKIA%[1]s","userName":"%[1]s"},"eventTime":%[2]q,"eventSource":"iam.amazonaws.com","eventName":"AttachUserPolicy","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.7","userAgent":"aws-cli/2.17.9","requestParameters":{"userName":"new","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"},"responseElements":null,"requestID":%[3]q,"eventID":%[3]q,"readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}`+"\n",
		user, at.UTC().Format(time.RFC3339), id)
}

func (s *tale) ingest(log string) {
	s.t.Helper()
	n := s.node(nil).note
	r, err := http.NewRequest(http.MethodPost, n.Admin+"/ingest", strings.NewReader(log))
	ok(s.t, err)
	r.Header.Set("Authorization", "Bearer "+n.Token)
	answer, err := http.DefaultClient.Do(r)
	ok(s.t, err)
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %v", body, err)
	}
	s.logs++
}

// chapter does what is found: keys are doomed, secrets are swept, and administrators
// are made by who does it every day and by who never did. At a step the node that is
// to die is killed while it and all others give rights away. Its own reads would be
// lost with it, so it makes none.
func (s *tale) chapter(dies *program, at int) {
	s.t.Helper()
	n := s.chapters
	s.chapters++
	s.give(s.node(dies), 1)
	secret := 0
	for step := range steps {
		var killing sync.WaitGroup
		if step == at {
			var writers sync.WaitGroup
			for _, p := range s.live {
				writers.Go(func() { s.give(p, 10) })
			}
			s.live = slices.DeleteFunc(slices.Clone(s.live), func(p *program) bool { return p == dies })
			pause := time.Duration(s.random.IntN(300)) * time.Millisecond
			killing.Go(func() {
				time.Sleep(pause)
				dies.kill()
				writers.Wait()
			})
		}
		switch step % 4 {
		case 0:
			key := must(s.node(nil), &kmsapi.CreateKey, &kmsapi.CreateKeyRequest{}).KeyMetadata.KeyId
			must(s.node(nil), &kmsapi.ScheduleKeyDeletion, &kmsapi.ScheduleKeyDeletionRequest{KeyId: key})
		case 1, 2:
			for range secrets[step] {
				must(s.node(dies), &secretsmanagerapi.GetSecretValue, &secretsmanagerapi.GetSecretValueRequest{SecretId: fmt.Sprint("secret", secret)})
				secret++
				s.read++
			}
		case 3:
			s.ingest(deed("dev", time.Now(), fmt.Sprint("dev", n, step)) + deed("eve", time.Now(), fmt.Sprint("eve", n, step)))
		}
		killing.Wait()
	}
}

// give gives rights away so many times, or until the node is dead.
func (s *tale) give(p *program, times int) {
	for range times {
		if _, err := call(p, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "backup", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess"}); err != nil {
			return
		}
		s.mu.Lock()
		s.given++
		s.mu.Unlock()
	}
}

// reader returns the node that judges the account's events of a stream.
func (s *tale) reader(stream string) *program {
	s.t.Helper()
	for deadline := time.Now().Add(deadBy); time.Now().Before(deadline); {
		before := make([]float64, len(s.live))
		for n, p := range s.live {
			before[n] = p.judged(stream)
		}
		if stream == "guardduty-ingest" {
			s.marks++
			s.ingest(deed("dev", time.Now().AddDate(0, 0, -1), fmt.Sprint("mark", s.marks)))
		} else {
			must(s.live[0], &iamapi.TagUser, &iamapi.TagUserRequest{UserName: "backup", Tags: []iamapi.Tag{{Key: "mark", Value: crand.Text()}}})
		}
		for range 20 {
			time.Sleep(100 * time.Millisecond)
			for n, p := range s.live {
				if p.judged(stream) > before[n] {
					return p
				}
			}
		}
	}
	s.t.Fatalf("no node judges %s", stream)
	return nil
}

// judged returns how many events of a stream a node has judged since it started.
func (p *program) judged(stream string) (sum float64) {
	p.t.Helper()
	answer, err := http.Get(p.note.Admin + "/metrics")
	ok(p.t, err)
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if name, value, _ := strings.Cut(lines.Text(), " "); strings.HasPrefix(name, `sumun_followed_events_total{share="`+stream) {
			n, err := strconv.ParseFloat(value, 64)
			ok(p.t, err)
			sum += n
		}
	}
	return sum
}

// settled returns what is found on one plane when it has judged all that was done so
// far. What is read comes on record some time after it was answered; what is done after
// that is judged after it.
func (s *tale) settled() string {
	s.t.Helper()
	s.until("all reads are on record", func() bool {
		byID, _ := s.records()
		reads := 0
		for _, name := range byID {
			if name == "GetSecretValue" {
				reads++
			}
		}
		return reads == s.read
	})
	s.give(s.live[0], 1)
	s.until("all logs are judged", func() bool { return s.live[0].judged("guardduty-ingest") >= float64(s.logs) })
	s.until("all calls are judged", func() bool { return strings.Contains(s.found(), " all but 0 ") })
	return s.found()
}

func (s *tale) until(what string, is func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(deadBy); !is(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			s.t.Fatalf("not after %s: %s", deadBy, what)
		}
	}
}

// same waits until what is found is what it should be.
func (s *tale) same(want string) {
	s.t.Helper()
	for deadline := time.Now().Add(deadBy); ; time.Sleep(pollEvery) {
		got := s.found()
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("found:\n%s\nand by one plane that nobody kills:\n%s", got, want)
		}
	}
}

// found says what is found: types, counts, and what it rests on. Of what every node does
// as often as it can, the count is compared with what is on record. Calls through
// several nodes stand in the trail in the order in which these publish them, on which
// depends how severe they look together; logs stand in the order in which they were
// sent.
func (s *tale) found() string {
	s.t.Helper()
	p := s.live[0]
	records, given := s.records()
	list := must(p, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: s.detector})
	if len(list.FindingIds) == 0 {
		return ""
	}
	var all []string
	for _, f := range must(p, &guarddutyapi.GetFindings, &guarddutyapi.GetFindingsRequest{DetectorId: s.detector, FindingIds: list.FindingIds}).Findings {
		var info map[string]any
		ok(s.t, json.Unmarshal([]byte(*f.Service.AdditionalInfo.Value), &info))
		var rests []string
		for _, id := range info["evidence"].([]any) {
			rests = append(rests, cmp.Or(records[id.(string)], id.(string)))
		}
		slices.Sort(rests)
		delete(info, "evidence")
		more, err := json.Marshal(info)
		ok(s.t, err)
		count := fmt.Sprint(*f.Service.Count)
		if strings.Contains(strings.Join(rests, ""), "AttachUserPolicy") {
			count, rests = "", nil
			if f.Type == "PrivilegeEscalation:IAM/AccountManipulation" {
				count = fmt.Sprint("all but ", given-int(*f.Service.Count))
			}
		}
		severity := fmt.Sprint(f.Severity)
		if *f.Resource.AccessKeyDetails.UserName == "administrator" {
			severity = ""
		}
		all = append(all, fmt.Sprint(f.Type, " ", severity, " ", *f.Resource.AccessKeyDetails.UserName, " ", count, " ", string(more), " ", rests))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// records returns what was done on record, by event id, and how often rights were
// given away: never less than was acknowledged.
func (s *tale) records() (byID map[string]string, given int) {
	s.t.Helper()
	byID = map[string]string{}
	for next := (*string)(nil); ; {
		out := must(s.live[0], &cloudtrailapi.LookupEvents, &cloudtrailapi.LookupEventsRequest{NextToken: next})
		for _, e := range out.Events {
			if byID[*e.EventId] != "" {
				s.t.Fatalf("the event %s is on record twice", *e.EventId)
			}
			byID[*e.EventId] = *e.EventName
			if *e.EventName == "AttachUserPolicy" && !strings.Contains(*e.CloudTrailEvent, `"errorCode"`) {
				given++
			}
		}
		if next = out.NextToken; next != nil {
			continue
		}
		if given < s.given {
			given = s.given // on its way, else it will be missing in the end
		}
		return byID, given
	}
}
