// Command coldstart measures the time from the start of the program to its first signed answer, and its memory when idle.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/bench/program"
)

func main() {
	binary := flag.String("binary", "", "the program; built when empty")
	runs := flag.Int("runs", 10, "how often")
	idle := flag.Duration("idle", 5*time.Second, "how long to leave a plane alone before its memory is read")
	flag.Parse()
	if err := run(context.Background(), *binary, *runs, *idle); err != nil {
		fmt.Fprintln(os.Stderr, "coldstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary string, runs int, idle time.Duration) error {
	work, err := os.MkdirTemp("", "sumun-coldstart-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if binary == "" {
		if binary, err = program.Build(ctx, work); err != nil {
			return err
		}
	}
	var first, again program.Figures
	for i := range runs {
		data := filepath.Join(work, fmt.Sprint("data", i))
		p, took, err := start(ctx, binary, data)
		if err != nil {
			return err
		}
		first = append(first, took)
		if err := p.Stop(); err != nil {
			return err
		}
		if p, took, err = restart(ctx, binary, data, p); err != nil {
			return err
		}
		again = append(again, took)
		if i == runs-1 {
			time.Sleep(idle)
			resident, err := p.Resident()
			if err != nil {
				return err
			}
			defer fmt.Printf("resident after %s idle: %.1f MiB\n", idle, resident)
		}
		if err := p.Stop(); err != nil {
			return err
		}
	}
	fmt.Println("first start to first signed answer:", first)
	fmt.Println("later start to first signed answer:", again)
	return nil
}

// start runs a plane until it has answered a signed call.
func start(ctx context.Context, binary, data string) (*program.Program, time.Duration, error) {
	p, err := program.Start(binary, data, "")
	if err != nil {
		return nil, 0, err
	}
	return answered(ctx, p)
}

// restart is start with the key that the plane knows from before.
func restart(ctx context.Context, binary, data string, before *program.Program) (*program.Program, time.Duration, error) {
	p, err := program.Again(binary, data, "", before)
	if err != nil {
		return nil, 0, err
	}
	return answered(ctx, p)
}

func answered(ctx context.Context, p *program.Program) (*program.Program, time.Duration, error) {
	_, err := program.Call(ctx, p, &stsapi.GetCallerIdentity, &stsapi.GetCallerIdentityRequest{})
	return p, time.Since(p.Began), err
}
