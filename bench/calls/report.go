package main

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// answers are what all clients saw.
type answers struct {
	lasted  time.Duration
	clients []result
}

func (a answers) calls() (n int) {
	for _, r := range a.clients {
		n += len(r.took)
	}
	return n
}

func report(c *call, clients int, a answers) error {
	var all []time.Duration
	failed := 0
	for _, r := range a.clients {
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
		c.op.About().Name, float64(len(all))/a.lasted.Seconds(), clients, len(all), failed, at(0.5), at(0.99), at(1))
	if failed > 0 {
		return fmt.Errorf("%d calls were refused", failed)
	}
	return nil
}
