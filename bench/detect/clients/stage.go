package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	sumun "sumun.dev/aws"
	"sumun.dev/engine/dns"
	"sumun.dev/plane"
	"sumun.dev/plane/config"
)

const (
	account = "111122223333"
	region  = "eu-west-1"
	nodes   = 6 // instances
)

// A stage is a plane in this process, and the way of clients to it.
type stage struct {
	plane *plane.Plane
	api   http.Handler
	id    uint16 // of the last question
}

// open begins a plane that keeps nothing, with instances and zones.
func open(ctx context.Context, zones []config.Zone) (*stage, error) {
	cfg := config.Default()
	cfg.Data, cfg.AccountID, cfg.Region = config.Memory, account, region
	cfg.DNS.Zones = zones
	for i := range nodes {
		cfg.Hosts = append(cfg.Hosts, config.Host{Name: fmt.Sprint("node-", i), Instance: instance(i), Address: address(i), VPC: "vpc-0a1b2c3d4e5f60718", Profile: []string{"shop", "billing", "search"}[i%3]})
	}
	p, err := plane.New(ctx, cfg, plane.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), MemorySpine: true, NoUpstreams: true, NoNote: true})
	if err != nil {
		return nil, err
	}
	return &stage{plane: p, api: p.API()}, nil
}

func instance(i int) string { return fmt.Sprintf("i-0a1b2c3d4e5f6%04x", i*771+19) }

func address(i int) string { return fmt.Sprintf("10.0.1.%d", 20+i) }

// A road carries requests to a handler, as from an address.
type road struct {
	to   http.Handler
	from string
}

func (r road) RoundTrip(out *http.Request) (*http.Response, error) {
	in := out.Clone(out.Context())
	in.RequestURI, in.RemoteAddr = out.URL.RequestURI(), netip.AddrPortFrom(netip.MustParseAddr(r.from), 40112).String()
	if in.Host == "" {
		in.Host = out.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.ContentLength > 0 {
		in.Header.Set("Content-Length", strconv.FormatInt(in.ContentLength, 10))
	}
	in.URL.Scheme, in.URL.Host = "", ""
	w := httptest.NewRecorder()
	r.to.ServeHTTP(w, in)
	answer := w.Result()
	answer.Request = out
	return answer, nil
}

// client is a configuration of AWS's SDK for whoever has credentials, at an address.
func (s *stage) client(who aws.CredentialsProvider, from string) aws.Config {
	return aws.Config{
		Region: region, Credentials: aws.NewCredentialsCache(who), BaseEndpoint: aws.String("http://127.0.0.1:4566"),
		HTTPClient: &http.Client{Transport: road{s.api, from}}, RetryMaxAttempts: 1,
	}
}

func key(id, secret string) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(id, secret, "")
}

// node is the configuration of programs on an instance, which takes its role's
// credentials from the metadata service.
func (s *stage) node(i int) aws.Config {
	from := imds.New(imds.Options{Endpoint: "http://169.254.169.254", HTTPClient: &http.Client{Transport: road{s.plane.Metadata(), address(i)}}})
	return s.client(ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = from }), fmt.Sprintf("3.250.%d.17", 10+i))
}

// ask asks the resolver as a node.
func (s *stage) ask(ctx context.Context, i int, name, typ string) error {
	n, err := dns.ParseName(name)
	if err != nil {
		return err
	}
	s.id++
	types := map[string]uint16{"A": 1, "AAAA": 28, "TXT": 16, "MX": 15, "CNAME": 5, "PTR": 12, "SRV": 33, "NS": 2, "SOA": 6, "HTTPS": 65}
	q := append([]byte{byte(s.id >> 8), byte(s.id), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, n...)
	q = append(q, 0, byte(types[typ]), 0, 1)
	if len(s.plane.Resolver.Resolve(ctx, netip.AddrPortFrom(netip.MustParseAddr(address(i)), 53535), q)) == 0 {
		return fmt.Errorf("%s is not answered", name)
	}
	return nil
}

// log lays what the plane writes into files of a folder, as it comes: the trail and the
// query log. end is called when nothing more comes, and returns how many records there are.
func (s *stage) log(folder string) (end func() (trail, queries int, err error), err error) {
	var trail, queries int
	var stops []func()
	var files []*os.File
	var failed error
	for _, log := range []struct {
		stream, file string
		n            *int
	}{{sumun.TrailStream, "trail.jsonl", &trail}, {sumun.DNSStream, "queries.jsonl", &queries}} {
		f, err := os.Create(filepath.Join(folder, log.file))
		if err != nil {
			return nil, err
		}
		stop, err := s.plane.Watch(log.stream, "clients-"+strings.TrimSuffix(log.file, ".jsonl"), func(e sumun.Event) {
			*log.n++
			if _, err := io.WriteString(f, string(e.Data)+"\n"); err != nil {
				failed = err
			}
		})
		if err != nil {
			return nil, err
		}
		stops, files = append(stops, stop), append(files, f)
	}
	return func() (int, int, error) {
		for i := range stops {
			stops[i]()
			failed = errors.Join(failed, files[i].Close())
		}
		return trail, queries, failed
	}, nil
}
