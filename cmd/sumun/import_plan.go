package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/plane/client"
	"sumun.dev/policy/inventory"
	"sumun.dev/wire"
)

// An importPlan is the calls that make an account as a dump has it, in an order
// in which each finds what it needs: policies, groups, users, roles, and the trust
// between them last.
type importPlan struct {
	ctx     context.Context
	api     *client.Client
	account aws.Account
	have    *inventory.Inventory // what is there
	replace bool

	steps   []importStep
	same    int      // things that are there already
	differs []string // things that are there and differ
}

type importStep struct {
	what string
	op   wire.AnyOperation
	in   any
	may  bool // may fail: the rest goes on
	once bool // may have been made by an import that was interrupted
}

func (p *importPlan) add(what string, op wire.AnyOperation, in any) {
	p.steps = append(p.steps, importStep{what: what, op: op, in: in})
}

// carryOut makes the calls, or says what they would be.
func (p *importPlan) carryOut(c *cobra.Command, dryRun bool) error {
	if len(p.differs) > 0 && !p.replace {
		return misuse(c, "nothing was changed: %s; --replace makes what differs as in the dump", strings.Join(p.differs, "; "))
	}
	failed := 0
	for i, s := range p.steps {
		if dryRun {
			fmt.Fprintln(c.OutOrStdout(), s.what)
			continue
		}
		_, err := p.api.Invoke(p.ctx, s.op, s.in)
		switch {
		case err == nil, s.once && iamapi.EntityAlreadyExistsException.Is(err):
		case s.may:
			failed++
			fmt.Fprintf(c.ErrOrStderr(), "left out: %s: %v\n", s.what, err)
		default:
			return fmt.Errorf("%s: %w (%d of %d steps are done; the same command goes on from here)", s.what, err, i, len(p.steps))
		}
	}
	if dryRun {
		return nil
	}
	fmt.Fprintf(c.OutOrStdout(), "account %s: %d steps done, %d things were there already\n", p.account, len(p.steps)-failed, p.same)
	if failed > 0 {
		return exit(1)
	}
	return nil
}

// continues returns what need not be made again of something that is there: what
// it has, when that is a part of what is wanted, as after an import that was
// interrupted; else nothing, and then the caller clears it first, if clear says
// so. Without --replace carryOut refuses what differs.
func (p *importPlan) continues(what string, there, want *inventory.Entity, alike bool) (has *inventory.Entity, clear bool) {
	if alike && partOf(there, want) {
		if len(there.Inline) == len(want.Inline) && len(there.Attached) == len(want.Attached) {
			p.same++
		}
		return there, false
	}
	if there.Path != want.Path {
		// Its ARN would change under those who name it.
		p.replace = false
		what += " (its path is " + there.Path + ", not " + want.Path + ", which --replace does not change)"
	}
	p.differs = append(p.differs, what+" is there and differs")
	return &inventory.Entity{}, true
}

// same reports whether two documents are the same JSON.
func same(a, b string) bool {
	x, y := jsontext.Value(a), jsontext.Value(b)
	return x.Canonicalize() == nil && y.Canonicalize() == nil && string(x) == string(y)
}

// partOf reports whether an entity has nothing that is not wanted.
func partOf(there, want *inventory.Entity) bool {
	for _, d := range there.Inline {
		if !hasInline(want, d) {
			return false
		}
	}
	for _, arn := range there.Attached {
		if !slices.Contains(want.Attached, arn) {
			return false
		}
	}
	return there.Path == want.Path && there.Boundary == want.Boundary && maps.Equal(there.Tags, want.Tags)
}

func hasInline(e *inventory.Entity, d inventory.Document) bool {
	return slices.ContainsFunc(e.Inline, func(o inventory.Document) bool { return o.Name == d.Name && same(o.Text, d.Text) })
}
