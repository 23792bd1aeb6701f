// Command calls measures calls per second of a running plane, with requests that were signed beforehand.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"sumun.dev/gateway/sigv4"
)

func main() {
	clients := flag.Int("clients", 32, "connections, each with one request under way")
	lasts := flag.Duration("for", 5*time.Second, "how long to measure")
	call := flag.String("call", "GetCallerIdentity", "GetCallerIdentity or CreateUser")
	flag.Parse()
	if err := run(*clients, *lasts, *call); err != nil {
		fmt.Fprintln(os.Stderr, "calls:", err)
		os.Exit(1)
	}
}

func run(clients int, lasts time.Duration, call string) error {
	at, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil || at.Host == "" {
		return errors.New(`AWS_ENDPOINT_URL names no plane: eval "$(sumun env)"`)
	}
	if ip := net.ParseIP(at.Hostname()); ip == nil || !ip.IsLoopback() {
		return errors.New("only planes on this machine are measured")
	}
	// What is created must have new names; what is asked can be asked again.
	perClient := 1
	if call == "CreateUser" {
		perClient = 2000
	}
	results := make([]result, clients)
	requests := make([][][]byte, clients)
	for i := range requests {
		for n := range perClient {
			r, err := signed(at, call, i*perClient+n)
			if err != nil {
				return err
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
	return report(call, clients, time.Since(begin), results)
}

// signed returns the bytes of a request.
func signed(at *url.URL, call string, n int) ([]byte, error) {
	service, version := "sts", "2011-06-15"
	form := url.Values{}
	if call == "CreateUser" {
		service, version = "iam", "2010-05-08"
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
	sigv4.Sign(r, body, sigv4.Credentials{KeyID: os.Getenv("AWS_ACCESS_KEY_ID"), Secret: os.Getenv("AWS_SECRET_ACCESS_KEY")},
		sigv4.Scope{Region: "us-east-1", Service: service}, 0, time.Now())
	var out bytes.Buffer
	err = r.Write(&out)
	return out.Bytes(), err
}

type result struct {
	took   []time.Duration
	failed int
	err    error
}

// client sends requests one after another until the time is over.
func client(host string, requests [][]byte, again bool, until time.Time) (r result) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return result{err: err}
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 16<<10)
	for i := 0; time.Now().Before(until); i++ {
		if i == len(requests) {
			if !again {
				return r
			}
			i = 0
		}
		begin := time.Now()
		if _, err := conn.Write(requests[i]); err != nil {
			r.err = err
			return r
		}
		ok, err := answer(in)
		if err != nil {
			r.err = err
			return r
		}
		r.took = append(r.took, time.Since(begin))
		if !ok {
			r.failed++
		}
	}
	return r
}

// answer reads one response with as little work as possible.
func answer(in *bufio.Reader) (ok bool, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return false, err
	}
	ok = bytes.HasPrefix(line, []byte("HTTP/1.1 200"))
	length := -1
	for {
		line, err = in.ReadSlice('\n')
		if err != nil {
			return false, err
		}
		if len(line) == 2 {
			break
		}
		if v, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return false, err
			}
		}
	}
	if length < 0 {
		return false, errors.New("an answer without Content-Length")
	}
	_, err = io.CopyN(io.Discard, in, int64(length))
	return ok, err
}

func report(call string, clients int, lasted time.Duration, results []result) error {
	var all []time.Duration
	failed := 0
	for _, r := range results {
		if r.err != nil {
			return r.err
		}
		all = append(all, r.took...)
		failed += r.failed
	}
	if len(all) == 0 {
		return errors.New("nothing was answered")
	}
	slices.Sort(all)
	at := func(q float64) time.Duration { return all[int(q*float64(len(all)-1))].Round(time.Microsecond) }
	fmt.Printf("%s: %.0f calls/s, %d clients, %d calls, %d refused, p50 %s, p99 %s, slowest %s\n",
		call, float64(len(all))/lasted.Seconds(), clients, len(all), failed, at(0.5), at(0.99), at(1))
	if failed > 0 {
		return fmt.Errorf("%d calls were refused", failed)
	}
	return nil
}
