// Command live measures the time from a call to its finding.
//
// Root gives a user all rights, again and again; each time GetFindings is asked until
// the finding counts the call. The real binary, with the durable store and spine;
// what is measured holds the call itself, its record's way over the spine, the rules
// and the commit of the finding.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/bench/program"
)

func main() {
	binary := flag.String("binary", "", "the program; built when empty")
	calls := flag.Int("calls", 50, "how many calls")
	flag.Parse()
	if err := run(context.Background(), *binary, *calls); err != nil {
		fmt.Fprintln(os.Stderr, "live:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary string, calls int) error {
	work, err := os.MkdirTemp("", "sumun-live-")
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
	found, err := measure(ctx, p, calls)
	if err := errors.Join(err, p.Stop()); err != nil {
		return err
	}
	fmt.Println("first call to finding, with all rules still to be made:", found[0].Round(time.Millisecond))
	fmt.Println("call to finding:", found[1:])
	return nil
}

func measure(ctx context.Context, p *program.Program, calls int) (program.Figures, error) {
	made, err := program.Call(ctx, p, &guarddutyapi.CreateDetector, &guarddutyapi.CreateDetectorRequest{Enable: true})
	if err != nil {
		return nil, err
	}
	if _, err := program.Call(ctx, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "x"}); err != nil {
		return nil, err
	}
	var figures program.Figures
	for n := range calls + 1 {
		began := time.Now()
		if _, err := program.Call(ctx, p, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "x", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess"}); err != nil {
			return nil, err
		}
		for {
			count, err := counted(ctx, p, *made.DetectorId)
			if err != nil {
				return nil, err
			}
			if count > n {
				break
			}
			if time.Since(began) > 30*time.Second {
				return nil, errors.New("the call is not found")
			}
			time.Sleep(2 * time.Millisecond)
		}
		figures = append(figures, time.Since(began))
		time.Sleep(300 * time.Millisecond)
	}
	return figures, nil
}

// counted returns how many of the calls are found.
func counted(ctx context.Context, p *program.Program, detector string) (int, error) {
	list, err := program.Call(ctx, p, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: detector, FindingCriteria: &guarddutyapi.FindingCriteria{
		Criterion: map[string]guarddutyapi.Condition{"service.action.awsApiCallAction.api": {Equals: []string{"AttachUserPolicy"}}, "type": {Equals: []string{"PrivilegeEscalation:IAM/AccountManipulation"}}},
	}})
	if err != nil || len(list.FindingIds) == 0 {
		return 0, err
	}
	out, err := program.Call(ctx, p, &guarddutyapi.GetFindings, &guarddutyapi.GetFindingsRequest{DetectorId: detector, FindingIds: list.FindingIds})
	if err != nil || len(out.Findings) == 0 {
		return 0, err
	}
	return int(*out.Findings[0].Service.Count), nil
}
