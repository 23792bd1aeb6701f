package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/gzip"

	"sumun.dev/detect"
	"sumun.dev/detect/triage"
)

const (
	flows   = 2_000_000
	queries = 1_000_000
)

// flowHeader begins each file that VPC delivers to S3.
const flowHeader = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"

// flowRows measures what `sumun detect` does with VPC flow logs.
func flowRows(b *bench) error {
	return lines(b, "VPC flow log, default format, .gz → findings", flowHeader, flows, flowLines(1, flows))
}

// dnsRows measures the same of query logs.
func dnsRows(b *bench) error {
	return lines(b, "Route 53 Resolver query log .json.gz → findings", "", queries, queryLines(2, queries))
}

// lines measures a log with a record a line, in files of 100,000.
func lines(b *bench, what, header string, n int, next func([]byte) []byte) error {
	folder, err := os.MkdirTemp("", "sumun-speed-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	size, err := writeLines(folder, header, n, next)
	if err != nil {
		return err
	}
	_, err = b.measure(row{what, len(detect.Rules()), func() (int, int64, error) {
		r, err := triage.Run(context.Background(), triage.Options{Paths: []string{folder}})
		if err == nil && (r.Judged != n || r.Read.Unread() > 0) {
			err = fmt.Errorf("%d records of %d judged, %d pieces unread", r.Judged, n, r.Read.Unread())
		}
		return n, size, err
	}})
	return err
}

// writeLines lays n lines down, and returns their size unpacked.
func writeLines(folder, header string, n int, next func([]byte) []byte) (size int64, err error) {
	const perFile = 100_000
	var line []byte
	for i := 0; i < n; i += perFile {
		f, err := os.Create(filepath.Join(folder, fmt.Sprintf("%06d.gz", i/perFile)))
		if err != nil {
			return 0, err
		}
		z := gzip.NewWriter(f)
		w := bufio.NewWriter(z)
		if _, err := w.WriteString(header); err != nil {
			return 0, err
		}
		size += int64(len(header))
		for range min(perFile, n-i) {
			line = next(line[:0])
			size += int64(len(line))
			if _, err := w.Write(line); err != nil {
				return 0, err
			}
		}
		for _, end := range []func() error{w.Flush, z.Close, f.Close} {
			if err := end(); err != nil {
				return 0, err
			}
		}
	}
	return size, nil
}

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// flowLines makes ordinary flows, spread over a day: 800 hosts that ask services of
// the internet and each other, are asked by clients, and are now and then refused.
func flowLines(seed uint64, n int) func([]byte) []byte {
	r := rand.New(rand.NewPCG(seed, 0xf10))
	i := 0
	return func(to []byte) []byte {
		host := r.IntN(800)
		at := start.Unix() + int64(i)*86400/int64(n)
		i++
		eni, local := fmt.Sprintf("eni-0a1b2c3d4e5f6%04x", host), fmt.Sprintf("10.0.%d.%d", host/200, host%200+10)
		high, packets := 32768+r.IntN(28000), 6+r.IntN(40)
		size := packets * (60 + r.IntN(900))
		far := fmt.Sprintf("%d.%d.%d.%d", 52+host%3, 30+r.IntN(4), host%250, 1+r.IntN(20))
		row := func(src, dst string, from, to_, protocol int, action string) []byte {
			return fmt.Appendf(to, "2 111122223333 %s %s %s %d %d %d %d %d %d %d %s OK\n", eni, src, dst, from, to_, protocol, packets, size, at, at+60, action)
		}
		switch k := r.IntN(20); {
		case k < 7:
			return row(local, far, high, 443, 6, "ACCEPT")
		case k < 14:
			return row(far, local, 443, high, 6, "ACCEPT")
		case k < 16:
			return row(local, fmt.Sprintf("10.0.%d.%d", r.IntN(4), 10+host%7), high, 5432, 6, "ACCEPT")
		case k < 18:
			packets, size = 1, 40+r.IntN(80)
			return row(local, "10.0.0.2", high, 53, 17, "ACCEPT")
		case k < 19:
			packets, size = 1, 76
			return row(local, "169.254.169.123", high, 123, 17, "ACCEPT")
		}
		packets, size = 1, 40
		return row(fmt.Sprintf("198.51.%d.%d", r.IntN(250), 1+r.IntN(250)), local, high, 23, 6, "REJECT")
	}
}

// queryLines makes ordinary queries, spread over a day: of 200 hosts for 5,000
// domains, most often the same ones; one in fifty does not exist.
func queryLines(seed uint64, n int) func([]byte) []byte {
	r := rand.New(rand.NewPCG(seed, 0xd25))
	zipf := rand.NewZipf(r, 1.2, 4, 4999)
	i := 0
	return func(to []byte) []byte {
		d, host := zipf.Uint64(), r.IntN(200)
		at := start.Add(time.Duration(int64(i)*86_400_000/int64(n)) * time.Millisecond)
		i++
		name := fmt.Sprintf("%s.service-%d-of-many.%s.", [...]string{"www", "api", "cdn-images", "login", "static", "a", "mail", "a1b2c3d4e5f6a7b8"}[d%8], d, [...]string{"com", "net", "co.uk", "io"}[d/4%4])
		rcode, answers := "NOERROR", fmt.Sprintf(`[{"Rdata":"52.30.%d.%d","Type":"A","Class":"IN"},{"Rdata":"52.31.%d.%d","Type":"A","Class":"IN"}]`, d%250, d%200, d%200, d%250)
		if r.IntN(50) == 0 {
			rcode, answers = "NXDOMAIN", "[]"
		}
		return fmt.Appendf(to, `{"version":"1.100000","account_id":"111122223333","region":"eu-west-1","vpc_id":"vpc-0a1b2c3d4e5f60718","query_timestamp":"%s","query_name":"%s","query_type":"A","query_class":"IN","rcode":"%s","answers":%s,"srcaddr":"10.0.%d.%d","srcport":"%d","transport":"UDP","srcids":{"instance":"i-0a1b2c3d4e5f6%04x"}}`+"\n",
			at.Format(time.RFC3339), name, rcode, answers, host/100, host%100+10, 32768+r.IntN(28000), host)
	}
}
