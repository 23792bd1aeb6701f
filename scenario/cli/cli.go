// Package cli reads commands of the AWS CLI, version 2, and answers in its words.
//
// It knows services, operations and options from the types in api. Reading order:
// here, parse.go (what was asked), value.go and shorthand.go (what options hold),
// run.go (the call and its pages), output.go and text.go (what is printed).
package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sumun.dev/wire"
)

// Exit statuses, as in the AWS CLI User Guide, "Command line return codes".
const (
	Success     = 0
	UsageError  = 252 // the command was wrong, no request was sent
	ServerError = 254 // the service answered with an error
	OtherError  = 255
)

// A Sender makes one call. Its error is an *aws.Error when the service refused.
type Sender interface {
	Send(ctx context.Context, region string, signed bool, op wire.AnyOperation, in any) (any, error)
}

// Files reads what file:// and fileb:// name, and takes what an operation streams.
type Files interface {
	ReadFile(name string) ([]byte, error)
	WriteFile(name string, data []byte) error
}

// A CLI understands the commands of a set of services.
type CLI struct {
	services map[string]map[string]wire.AnyOperation // service command → operation command
}

// New returns a CLI for the operations.
func New(operations []wire.AnyOperation) *CLI {
	c := &CLI{services: map[string]map[string]wire.AnyOperation{}}
	for _, op := range operations {
		about := op.About()
		service := serviceCommand(about.Service)
		if c.services[service] == nil {
			c.services[service] = map[string]wire.AnyOperation{}
		}
		c.services[service][kebab(about.Name)] = op
	}
	return c
}

// serviceCommand names a service as the CLI does: "s3" is its file transfer, the
// API is "s3api".
func serviceCommand(s *wire.Service) string {
	if s.Name == "s3" {
		return "s3api"
	}
	return s.Name
}

// operation finds what a command calls.
func (c *CLI) operation(service, name string) (wire.AnyOperation, error) {
	ops, ok := c.services[service]
	if !ok {
		return nil, usage("argument command: Invalid choice: '%s'; the services are: %s", service, sorted(c.services))
	}
	op, ok := ops[name]
	if !ok {
		return nil, usage("argument operation: Invalid choice: '%s' is no operation of %s%s", name, service, nearest(name, ops))
	}
	return op, nil
}

// nearest offers the operations that share the most words with a misspelled one.
func nearest(name string, ops map[string]wire.AnyOperation) string {
	var best []string
	most := 0
	for candidate := range ops {
		n := 0
		for word := range strings.SplitSeq(name, "-") {
			if slices.Contains(strings.Split(candidate, "-"), word) {
				n++
			}
		}
		if n > most {
			most, best = n, nil
		}
		if n == most && n > 0 {
			best = append(best, candidate)
		}
	}
	if len(best) == 0 {
		return ""
	}
	slices.Sort(best)
	return "; maybe you meant: " + strings.Join(best[:min(len(best), 5)], ", ")
}

func sorted[T any](m map[string]T) string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// A Usage is a command that cannot be understood; nothing was sent.
type Usage struct{ Sentence string }

func (u *Usage) Error() string { return "aws: error: " + u.Sentence }

func usage(format string, args ...any) error { return &Usage{fmt.Sprintf(format, args...)} }
