// Command calls measures calls per second of a plane, with requests that were signed beforehand.
//
// It starts the real binary with the durable store and calls it as a user with a
// policy of some statements, or measures the plane that the environment names.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"sumun.dev/bench/program"
	"sumun.dev/gateway/sigv4"
)

func main() {
	clients := flag.Int("clients", 32, "connections, each with one request under way")
	lasts := flag.Duration("for", 5*time.Second, "how long to measure")
	call := flag.String("call", "GetCallerIdentity", "GetCallerIdentity, GetUser, CreateUser, GetParametersByPath or GetSecretValue")
	binary := flag.String("binary", "", "the program; built when empty")
	running := flag.Bool("running", false, `measure the plane that AWS_ENDPOINT_URL names: eval "$(sumun env)"`)
	flag.Parse()
	err := errors.New("-call: GetCallerIdentity, GetUser, CreateUser, GetParametersByPath or GetSecretValue")
	switch {
	case !slices.Contains([]string{"GetCallerIdentity", "GetUser", "CreateUser", byPath, secretValue}, *call):
	case *running:
		as := sigv4.Credentials{KeyID: os.Getenv("AWS_ACCESS_KEY_ID"), Secret: os.Getenv("AWS_SECRET_ACCESS_KEY")}
		err = measure(os.Getenv("AWS_ENDPOINT_URL"), as, *clients, *lasts, *call)
	default:
		err = own(context.Background(), *binary, *clients, *lasts, *call)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "calls:", err)
		os.Exit(1)
	}
}

// own measures a plane of its own, and what it takes of the machine.
func own(ctx context.Context, binary string, clients int, lasts time.Duration, call string) (err error) {
	work, err := os.MkdirTemp("", "sumun-calls-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if binary == "" {
		if binary, err = program.Build(ctx, work); err != nil {
			return err
		}
	}
	p, err := program.Start(binary, filepath.Join(work, "data"), "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	as, err := caller(ctx, p)
	if err != nil {
		return err
	}
	if call == byPath {
		if err := parameters(ctx, p); err != nil {
			return err
		}
	}
	if call == secretValue {
		if err := secret(ctx, p); err != nil {
			return err
		}
	}
	if err := quietly(p.API, as, clients); err != nil {
		return err
	}
	before, err := p.Used()
	if err != nil {
		return err
	}
	answered, err := load(p.API, as, clients, lasts, call)
	if err != nil {
		return err
	}
	after, err := p.Used()
	if err != nil {
		return err
	}
	resident, err := p.Resident()
	if err != nil {
		return err
	}
	err = report(call, clients, answered)
	fmt.Printf("CPU time of the plane: %.1f µs a call; resident: %.1f MiB\n", float64((after-before).Microseconds())/float64(answered.calls()), resident)
	return err
}

// quietly warms a plane up.
func quietly(api string, as sigv4.Credentials, clients int) error {
	_, err := load(api, as, clients, time.Second, "GetCallerIdentity")
	return err
}

func measure(api string, as sigv4.Credentials, clients int, lasts time.Duration, call string) error {
	answered, err := load(api, as, clients, lasts, call)
	if err != nil {
		return err
	}
	return report(call, clients, answered)
}

// mostUsers stays below an account's quota of 5,000.
const mostUsers = 4900

// load calls a plane of this machine for some time.
func load(api string, as sigv4.Credentials, clients int, lasts time.Duration, call string) (answers, error) {
	at, err := url.Parse(api)
	if err != nil || at.Host == "" {
		return answers{}, errors.New(`AWS_ENDPOINT_URL names no plane: eval "$(sumun env)"`)
	}
	if ip := net.ParseIP(at.Hostname()); ip == nil || !ip.IsLoopback() {
		return answers{}, errors.New("only planes on this machine are measured")
	}
	// What is created must have new names; what is asked can be asked again.
	perClient := 1
	if call == "CreateUser" {
		perClient = mostUsers / clients
	}
	results := make([]result, clients)
	requests := make([][][]byte, clients)
	for i := range requests {
		for n := range perClient {
			r, err := signed(at, as, call, i*perClient+n)
			if err != nil {
				return answers{}, err
			}
			requests[i] = append(requests[i], r)
		}
	}
	begin := time.Now()
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() { results[i] = client(at.Host, requests[i], call != "CreateUser", begin.Add(lasts)) })
	}
	wait.Wait()
	return answers{time.Since(begin), results}, nil
}

// signed returns the bytes of a request.
func signed(at *url.URL, as sigv4.Credentials, call string, n int) ([]byte, error) {
	if call == byPath {
		return signedByPath(at, as)
	}
	if call == secretValue {
		return signedJSON(at, as, "secretsmanager", "secretsmanager.GetSecretValue", `{"SecretId":"`+secretName+`"}`)
	}
	service, version := "iam", "2010-05-08"
	form := url.Values{}
	switch call {
	case "GetCallerIdentity":
		service, version = "sts", "2011-06-15"
	case "CreateUser":
		form.Set("UserName", fmt.Sprintf("bench-%d-%d", time.Now().UnixNano(), n))
	}
	form.Set("Action", call)
	form.Set("Version", version)
	body := []byte(form.Encode())
	r, err := http.NewRequest(http.MethodPost, at.String()+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sigv4.Sign(r, body, as, sigv4.Scope{Region: "us-east-1", Service: service}, 0, time.Now())
	var out bytes.Buffer
	err = r.Write(&out)
	return out.Bytes(), err
}
