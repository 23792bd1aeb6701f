// Command serve runs the resolver alone, for measuring it.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"iter"
	"log"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"sync/atomic"
	"syscall"
	"time"

	"sumun.dev/enforce/resolver"
	"sumun.dev/engine/dns"
	"sumun.dev/engine/dns/zone"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:5354", "address to serve")
	upstream := flag.String("upstream", "", "address to forward to")
	blocked := flag.String("block", "", "file of domains to block, one a line")
	zoneFile := flag.String("zone", "", "file of names to answer 192.0.2.1 for, one a line, all under good.example.")
	logged := flag.Bool("log", false, "make query log records, as JSON, and count them")
	profile := flag.String("cpuprofile", "", "write a CPU profile here")
	flag.Parse()
	if err := run(*listen, *upstream, *blocked, *zoneFile, *profile, *logged); err != nil {
		log.Fatal(err)
	}
}

func run(listen, upstream, blocked, zoneFile, profile string, logged bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var config resolver.Config
	if upstream != "" {
		addr, err := netip.ParseAddrPort(upstream)
		if err != nil {
			return err
		}
		config.Upstreams = []netip.AddrPort{addr}
	}
	var sink counter
	if logged {
		config.Log = &sink
	}
	snapshot := resolver.Snapshot{
		VPCs:  []resolver.VPC{{ID: "vpc-0bench", Account: "111122223333", Region: "us-east-1"}},
		Local: &resolver.Host{Instance: "i-0bench", VPC: "vpc-0bench"},
	}
	if blocked != "" {
		before := heap()
		start := time.Now()
		list, err := dns.NewList(lines(blocked))
		if err != nil {
			return err
		}
		took := time.Since(start)
		fmt.Printf("list: %d domains in %.1f MiB, built in %v\n", list.Len(), float64(heap()-before)/(1<<20), took.Round(time.Millisecond))
		snapshot.VPCs[0].RuleGroups = []resolver.RuleGroup{{ID: "rslvr-frg-0bench", Rules: []resolver.Rule{{
			Action: resolver.Block, BlockResponse: "NXDOMAIN", ListID: "rslvr-fdl-0bench", List: list,
		}}}}
	}
	if zoneFile != "" {
		var records []zone.Record
		for name := range lines(zoneFile) {
			records = append(records, zone.Record{Name: name, Type: "A", TTL: 3600, Values: []string{"192.0.2.1"}})
		}
		z, err := zone.New("good.example.", records)
		if err != nil {
			return err
		}
		snapshot.Zones = []resolver.Zone{{Zone: z}}
	}
	server := resolver.New(config)
	if err := server.SetSnapshot(snapshot); err != nil {
		return err
	}
	address, err := netip.ParseAddrPort(listen)
	if err != nil {
		return err
	}
	l, err := resolver.Listen(address)
	if err != nil {
		return err
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Println("ready on", l.Addr())
	err = server.Serve(ctx, l)
	fmt.Printf("%+v; %d bytes of records\n", server.Stats(), sink.octets.Load())
	return err
}

// counter makes each record's JSON, as a sink would, and counts it.
type counter struct{ octets atomic.Int64 }

func (c *counter) Log(_ context.Context, batch []resolver.QueryRecord) error {
	for _, r := range batch {
		b, err := r.MarshalJSON()
		if err != nil {
			return err
		}
		c.octets.Add(int64(len(b)))
	}
	return nil
}

func lines(file string) iter.Seq[string] {
	return func(yield func(string) bool) {
		f, err := os.Open(file)
		if err != nil {
			log.Fatal(err)
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			if !yield(s.Text()) {
				return
			}
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
