// Command speed measures how fast detection is, and how much memory it takes.
//
//	go run ./bench/detect/speed [-only cloudtrail,flow,dns,rules,naive] [-runs N]
//	go run ./bench/detect/speed -only memory [-records N]
//
// It works on one processor and counts the time that this has worked for it, by the
// operating system's account, collecting garbage included: what others do on the
// machine counts less so. All built-in rules are on in every row but those that
// compare numbers of rules; each row says how many that are.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"

	"sumun.dev/detect/triage"
)

func main() {
	only := flag.String("only", "cloudtrail,flow,dns,rules,naive", "what is measured, of cloudtrail, flow, dns, rules, naive, memory")
	records := flag.Int("records", 10_000_000, "of the mix whose memory is measured")
	runs := flag.Int("runs", 5, "how often each row is measured")
	profile := flag.String("profile", "", "`file` for a profile of what the processor did; go tool pprof -tagfocus picks a row")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	triage.Tune() // as sumun detect
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			fmt.Fprintln(os.Stderr, "speed:", err)
			os.Exit(1)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			fmt.Fprintln(os.Stderr, "speed:", err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	b := &bench{runs: max(*runs, 1)}
	all := map[string]func(*bench) error{
		"cloudtrail": cloudtrailRows, "flow": flowRows, "dns": dnsRows, "rules": rulesRows, "naive": naiveRows,
		"memory": func(*bench) error { return memory(*records) },
	}
	for name := range strings.SplitSeq(*only, ",") {
		f, ok := all[name]
		if !ok {
			fmt.Fprintf(os.Stderr, "speed: -only %q is none of cloudtrail, flow, dns, rules, naive, memory\n", name)
			os.Exit(2)
		}
		if err := f(b); err != nil {
			fmt.Fprintf(os.Stderr, "speed: %s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

// A bench measures rows of a table.
type bench struct {
	runs   int
	headed bool
	off    time.Duration // of the run under way: what is not to be counted
}

// A row is what is measured: do works through records, and says how many of how
// many bytes.
type row struct {
	what  string
	rules int
	do    func() (records int, bytes int64, err error)
}

// A cost is what one row took: the medians of all runs.
type cost struct{ record time.Duration }

// measure runs a row and prints it.
func (b *bench) measure(r row) (cost, error) {
	if !b.headed {
		b.headed = true
		fmt.Printf("%-64s %5s %12s %12s %8s %8s %10s %8s\n", "by processor time; median of runs and best", "rules", "records/s", "best", "MiB/s", "best", "µs/record", "allocs")
	}
	var each, rate []float64
	var allocs float64
	for range b.runs {
		runtime.GC()
		debug.FreeOSMemory()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b.off = 0
		began := spent()
		var n int
		var bytes int64
		var err error
		pprof.Do(context.Background(), pprof.Labels("row", r.what), func(context.Context) { n, bytes, err = r.do() })
		took := spent() - began - b.off
		if err != nil {
			return cost{}, err
		}
		if n == 0 {
			return cost{}, fmt.Errorf("%s: nothing was read", r.what)
		}
		runtime.ReadMemStats(&after)
		each = append(each, took.Seconds()/float64(n))
		rate = append(rate, float64(bytes)/(1<<20)/took.Seconds())
		allocs = float64(after.Mallocs-before.Mallocs) / float64(n)
	}
	slices.Sort(each)
	slices.Sort(rate)
	middle := each[len(each)/2]
	fmt.Printf("%-64s %5d %12.0f %12.0f %8.0f %8.0f %10.2f %8.1f\n", r.what, r.rules, 1/middle, 1/each[0], rate[len(rate)/2], rate[len(rate)-1], middle*1e6, allocs)
	return cost{record: time.Duration(middle * float64(time.Second))}, nil
}

// spent is the time that processors have worked for this process.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it cannot fail for oneself
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
