package conformance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sumun.dev/aws"
	"sumun.dev/wire"
)

// An outcome is what became of one golden file.
type outcome struct {
	id      string // "kms/Encrypt.request"
	why     string // of a miss; empty when it passed
	unknown bool   // something in it is not in our model
	absent  bool   // the operation or error itself is not in our model
}

// notModelled is how many golden files are about operations and errors that AWS
// added after our models were made. It may only shrink.
const notModelled = 149

// TestSnapshots holds the codecs to the golden files of aws-sdk-go-v2: every
// request is recognised, decoded and written again with the same content; every
// response and error is read and written again.
func TestSnapshots(t *testing.T) {
	var all []outcome
	t.Logf("%-16s %6s %6s %6s %12s %s", "service", "files", "pass", "miss", "not modelled", "with members that are not modelled")
	for _, s := range services() {
		dir := moduleDir(t, "github.com/aws/aws-sdk-go-v2/service/"+s.module)
		var list []outcome
		for _, pattern := range []string{"request_snapshot/*.request.snap", "response_snapshot/*.response.snap", "response_snapshot/*.error.snap"} {
			files, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				list = append(list, s.try(file))
			}
		}
		report(t, s.module, list)
		all = append(all, list...)
	}
	report(t, "all", all)
	modelled, passed, absent := 0, 0, 0
	for _, o := range all {
		if o.absent {
			absent++
		}
		if o.unknown {
			continue
		}
		modelled++
		if o.why == "" {
			passed++
		}
	}
	share := 100 * float64(passed) / float64(modelled)
	t.Logf("%d of %d snapshots whose members are in the model pass: %.2f %%", passed, modelled, share)
	if share < 98 {
		t.Errorf("fewer than 98 %% pass")
	}
	if absent != notModelled {
		t.Errorf("%d golden files are about what our models do not have, want %d: the number may only shrink", absent, notModelled)
	}
	judge(t, "snapshot", all)
}

func report(t *testing.T, name string, list []outcome) {
	t.Helper()
	pass, absent, unknown := 0, 0, 0
	for _, o := range list {
		switch {
		case o.why == "":
			pass++
		case o.absent:
			absent++
		}
		if o.unknown && !o.absent {
			unknown++
		}
	}
	t.Logf("%-16s %6d %6d %6d %12d %d", name, len(list), pass, len(list)-pass-absent, absent, unknown)
}

// judge compares the misses with testdata/known.txt, which may only shrink: a
// known miss that passes, and one that is not known, fail the test.
func judge(t *testing.T, kind string, all []outcome) {
	t.Helper()
	knownMisses := map[string]bool{}
	text, err := os.ReadFile("testdata/known.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		id, reason, ok := strings.Cut(strings.TrimSpace(line), " ")
		if id == "" || id[0] == '#' || !strings.HasPrefix(id, kind+":") {
			continue
		}
		if !ok || strings.TrimSpace(reason) == "" {
			t.Errorf("%s stands in known.txt without a reason", id)
		}
		knownMisses[id] = true
	}
	for _, o := range all {
		id := kind + ":" + o.id
		switch {
		case o.absent:
		case o.why != "" && !knownMisses[id]:
			t.Errorf("%s: %s", id, o.why)
		case o.why == "" && knownMisses[id]:
			t.Errorf("%s passes: take it off known.txt", id)
		}
		delete(knownMisses, id)
	}
	for id := range knownMisses {
		t.Errorf("%s stands in known.txt, but there is no such file", id)
	}
}

func (s service) try(file string) (o outcome) {
	name := strings.TrimSuffix(filepath.Base(file), ".snap")
	o.id = s.module + "/" + name
	defer func() {
		if r := recover(); r != nil {
			o.why = fmt.Sprint("panic: ", r)
		}
	}()
	var err error
	op, isRequest := strings.CutSuffix(name, ".request")
	if isRequest {
		o.unknown, err = s.request(op, file)
	} else if op, isResponse := strings.CutSuffix(name, ".response"); isResponse {
		o.unknown, err = s.response(op, file)
	} else {
		o.unknown, err = s.fault(strings.TrimSuffix(name, ".error"), file)
	}
	if err != nil {
		o.why, o.absent = err.Error(), errors.Is(err, errNotModelled)
	}
	return o
}

var errNotModelled = errors.New("not in our model")

func (s service) request(name, file string) (unknown bool, err error) {
	op := s.operation(name)
	if op == nil {
		return true, errNotModelled
	}
	req, err := readRequest(file)
	if err != nil {
		return false, err
	}
	req.Scope = s.about.SigningName
	if strings.HasPrefix(op.About().URI, "/{Bucket}") {
		req.Bucket = "__Bucket__"
	}
	m, err := wire.Recognise(req, wire.NewIndex(nil, s.operations...))
	if err != nil {
		return false, err
	}
	if m.Operation != op {
		return false, fmt.Errorf("taken for %s", m.Operation.About())
	}
	in, err := m.Decode(req, wire.Limits{})
	if in == nil {
		return false, err
	}
	again, err := wire.EncodeRequest(op, in, "https://test.example.com")
	if err != nil {
		return false, err
	}
	want, unknown := known(requestMessage(req), op.InType(), op.About())
	if d := differences(requestMessage(again), want); len(d) > 0 {
		return unknown, errors.New(strings.Join(d, "; "))
	}
	return unknown, nil
}

func (s service) response(name, file string) (unknown bool, err error) {
	op := s.operation(name)
	if op == nil {
		return true, errNotModelled
	}
	resp, err := readResponse(file)
	if err != nil {
		return false, err
	}
	if status := op.About().Status; status != 0 {
		resp.Status = status // the golden files all say 200
	}
	out, err := wire.DecodeResponse(op, resp)
	if err != nil {
		return false, err
	}
	m := wire.Match{Operation: op, Service: s.about, Protocol: s.about.Protocols[0]}
	again, err := m.Encode(out, "")
	if err != nil {
		return false, err
	}
	want, unknown := known(responseMessage(resp), op.OutType(), op.About())
	if d := differences(responseMessage(again), want); len(d) > 0 {
		return unknown, errors.New(strings.Join(d, "; "))
	}
	return unknown, nil
}

// fault reads an error and lets the kind that our model declares make it again.
func (s service) fault(code, file string) (unknown bool, err error) {
	op, kind := s.kind(code)
	if op == nil {
		return true, errNotModelled
	}
	resp, err := readResponse(file)
	if err != nil {
		return false, err
	}
	_, err = wire.DecodeResponse(op, resp)
	var got *aws.Error
	if !errors.As(err, &got) {
		return false, fmt.Errorf("read as %v", err)
	}
	if got.Code != code {
		return false, fmt.Errorf("read as code %s", got.Code)
	}
	made := kind.New("%s", got.Message)
	made.Fields = got.Fields
	m := wire.Match{Operation: op, Service: s.about, Protocol: s.about.Protocols[0]}
	have, want := responseMessage(m.EncodeError(made, "")), responseMessage(resp)
	for _, x := range []*message{&have, &want} {
		if m.Protocol == wire.JSON {
			// The golden files carry the status that Smithy models bind to HTTP. AWS's
			// JSON services answer 400 or 500, as their API references say.
			x.start = x.start[:1]
		}
		if body, ok := x.body.(map[string]any); ok {
			delete(body, "__type") // restJson says it in a header; it is compared above
		}
	}
	if d := differences(have, want); len(d) > 0 {
		return false, errors.New(strings.Join(d, "; "))
	}
	return false, nil
}

func (s service) kind(code string) (wire.AnyOperation, aws.ErrorKind) {
	for _, op := range s.operations {
		i := slices.IndexFunc(op.About().Errors, func(k aws.ErrorKind) bool { return k.Code == code })
		if i >= 0 {
			return op, op.About().Errors[i]
		}
	}
	return nil, aws.ErrorKind{}
}

func requestMessage(r *wire.Request) message {
	path := r.RawPath
	if r.Bucket != "" {
		path = strings.TrimSuffix("/"+r.Bucket+path, "/")
	}
	body := r.Body
	if r.Stream != nil {
		body, _ = io.ReadAll(r.Stream)
	}
	m := message{start: r.Method + " " + path, query: pairsOf(r.RawQuery), headers: headersOf(r.Header)}
	m.body = bodyOf(m.headers["Content-Type"], body)
	return m
}

func responseMessage(r *wire.Response) message {
	body := r.Body
	if r.Stream != nil {
		body, _ = io.ReadAll(r.Stream)
	}
	m := message{start: strconv.Itoa(r.Status), query: []string{}, headers: headersOf(r.Header)}
	delete(m.headers, "X-Amz-Target") // the golden files repeat the request's
	delete(m.headers, "X-Amzn-Query-Mode")
	m.body = bodyOf(m.headers["Content-Type"], body)
	return m
}

// readRequest reads "METHOD path?query", a blank line, headers, a blank line, the body.
func readRequest(file string) (*wire.Request, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	start, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	method, uri, _ := strings.Cut(strings.TrimSpace(start), " ")
	path, query, _ := strings.Cut(uri, "?")
	if _, err := r.ReadString('\n'); err != nil {
		return nil, err
	}
	req := &wire.Request{Method: method, RawPath: path, RawQuery: query}
	req.Header, req.Body, err = readRest(r)
	return req, err
}

// readResponse reads a status, headers, a blank line, the body.
func readResponse(file string) (*wire.Response, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	start, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	resp := &wire.Response{}
	if resp.Status, err = strconv.Atoi(strings.TrimSpace(start)); err != nil {
		return nil, err
	}
	resp.Header, resp.Body, err = readRest(r)
	return resp, err
}

func readRest(r *bufio.Reader) (http.Header, []byte, error) {
	h := http.Header{}
	for {
		line, err := r.ReadString('\n')
		if line = strings.TrimRight(line, "\r\n"); line == "" || err != nil {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		h.Add(name, strings.TrimSpace(value))
	}
	body, err := io.ReadAll(r)
	return h, body, err
}
