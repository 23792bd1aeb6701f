package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"sumun.dev/policy"
	"sumun.dev/policy/batch"
	"sumun.dev/policy/inventory"
	"sumun.dev/service/iam/managed"
)

// asked is what the files and flags of a policy command come to: dumps, and
// policies that are given by themselves.
type asked struct {
	inventory inventory.Inventory
	dumps     int

	identity, session  []*policy.Attached
	boundary, endpoint *policy.Attached
	resource           *policy.Attached
	scps, rcps         [][]*policy.Attached
}

// newAsked knows AWS's managed policies, which dumps may only name.
func newAsked() *asked {
	theirs := managed.New()
	a := &asked{}
	a.inventory.Managed = func(arn string) (string, bool) {
		p := theirs.Find(arn)
		if p == nil {
			return "", false
		}
		text, err := theirs.Document(p)
		return text, err == nil
	}
	return a
}

const filesHelp = `FILES are policy documents and dumps, told apart by what is in them. A policy is
one of the principal's own unless a word before it says otherwise:
  boundary:FILE  session:FILE  resource:FILE  endpoint:FILE
  scp:FILE  rcp:FILE           of one level; scp.0:FILE the root's, scp.1:FILE the next …
  scp:FullAWSAccess            what AWS attaches first; RCPFullAWSAccess is always there
A dump is the output of 'aws iam get-account-authorization-details', or an
organisation as docs/policy-check.md describes it.`

// read reads one of FILES. action says what kind a resource's policy is.
func (a *asked) read(arg, action string) error {
	use, name := "identity", arg
	if before, after, found := strings.Cut(arg, ":"); found && slices.Contains(uses, strings.TrimRight(before, ".0123456789")) {
		use, name = before, after
	}
	use, level, err := levelOf(use)
	if err != nil {
		return err
	}
	if use == "scp" && name == "FullAWSAccess" {
		full, err := inventory.FullSCP()
		a.scps = atLevel(a.scps, level, full)
		return err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if name == arg && inventory.IsDump(text) {
		a.dumps++
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		return in(name, a.inventory.Add(f))
	}
	doc, err := policy.Parse(text, kindOfUse(use, action, text))
	if err != nil {
		return in(name, err)
	}
	return in(name, a.take(use, level, &policy.Attached{Document: doc, Source: name}))
}

var uses = []string{"identity", "boundary", "session", "resource", "endpoint", "scp", "rcp"}

func levelOf(use string) (string, int, error) {
	use, number, found := strings.Cut(use, ".")
	if !found {
		return use, 0, nil
	}
	level, err := strconv.Atoi(number)
	if err != nil || level > 6 || use != "scp" && use != "rcp" {
		return "", 0, fmt.Errorf("%s.%s: scp.0 to scp.6 and rcp.0 to rcp.6 are levels", use, number)
	}
	return use, level, nil
}

func kindOfUse(use, action string, text []byte) policy.Kind {
	switch use {
	case "resource":
		return batch.KindOf(action)
	case "endpoint":
		return policy.Endpoint
	case "scp":
		return policy.SCP
	case "rcp":
		if batch.FullAccess(text) {
			return policy.Resource
		}
		return policy.RCP
	}
	return policy.Identity
}

func (a *asked) take(use string, level int, p *policy.Attached) error {
	one := func(at **policy.Attached) error {
		if *at != nil {
			return fmt.Errorf("there is another %s policy: %s", use, (*at).Source)
		}
		*at = p
		return nil
	}
	switch use {
	case "identity":
		a.identity = append(a.identity, p)
	case "session":
		a.session = append(a.session, p)
	case "boundary":
		return one(&a.boundary)
	case "endpoint":
		return one(&a.endpoint)
	case "resource":
		return one(&a.resource)
	case "scp":
		a.scps = atLevel(a.scps, level, p)
	case "rcp":
		full, err := inventory.FullRCP()
		if err != nil {
			return err
		}
		for len(a.rcps) <= level {
			a.rcps = append(a.rcps, []*policy.Attached{full})
		}
		a.rcps = atLevel(a.rcps, level, p)
	}
	return nil
}

func atLevel(levels [][]*policy.Attached, level int, p *policy.Attached) [][]*policy.Attached {
	for len(levels) <= level {
		levels = append(levels, nil)
	}
	levels[level] = append(levels[level], p)
	return levels
}

// in says which file an error is about.
func in(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// contextOf reads KEY=VALUE settings; a key that is given again gets more values.
func contextOf(settings []string) (map[string][]string, error) {
	context := map[string][]string{}
	for _, s := range settings {
		key, value, found := strings.Cut(s, "=")
		if !found || !strings.Contains(key, ":") {
			return nil, fmt.Errorf("--context %q is not KEY=VALUE, such as aws:SourceIp=203.0.113.7", s)
		}
		context[key] = append(context[key], value)
	}
	return context, nil
}
