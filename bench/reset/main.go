// Command reset measures how long a throw-away plane takes to go back to its first state.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/bench/program"
)

func main() {
	binary := flag.String("binary", "", "the program; built when empty")
	runs := flag.Int("runs", 20, "how often")
	users := flag.Int("users", 50, "users that are created before each")
	flag.Parse()
	if err := run(context.Background(), *binary, *runs, *users); err != nil {
		fmt.Fprintln(os.Stderr, "reset:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary string, runs, users int) (err error) {
	work, err := os.MkdirTemp("", "sumun-reset-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if binary == "" {
		if binary, err = program.Build(ctx, work); err != nil {
			return err
		}
	}
	p, err := program.Start(binary, ":memory:", "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	var took program.Figures
	for range runs {
		for n := range users {
			if _, err := program.Call(ctx, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: fmt.Sprint("user-", n)}); err != nil {
				return err
			}
		}
		began := time.Now()
		if err := reset(ctx, p); err != nil {
			return err
		}
		took = append(took, time.Since(began))
		out, err := program.Call(ctx, p, &iamapi.ListUsers, &iamapi.ListUsersRequest{})
		if err != nil {
			return err
		}
		if len(out.Users) > 1 { // the administrator is there from the start
			return fmt.Errorf("%d users are left", len(out.Users))
		}
	}
	fmt.Println("POST /reset:", took)
	return nil
}

func reset(ctx context.Context, p *program.Program) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Admin+"/reset", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return errors.New("reset: " + resp.Status)
	}
	return nil
}
