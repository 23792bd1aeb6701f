// Package service is what every AWS service is given by the plane and gives back to it.
package service

import (
	"context"
	"log/slog"
	"time"

	"sumun.dev/aws"
	"sumun.dev/spine"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Env is what the plane hands to a service. It holds as little as the services
// need: none of them sees the gate, the spine or another service.
type Env struct {
	Store      *store.Store
	AWS        wire.Caller // calls to the operations that the service's Needs declare
	Log        *slog.Logger
	Principals Principals // the users and roles of all accounts

	Quotas bool   // AWS's total limits and request rates are applied too (quotas: aws)
	Lists  string // folder whose files the plane's user offers as lists; empty: none

	// Operation finds a served operation by the names that aws:executeAwsApi
	// uses ("route53resolver", "UpdateFirewallDomains").
	Operation func(service, operation string) (wire.AnyOperation, bool)
}

// Principals knows the unique ids of users and roles. A policy of a resource that
// names one keeps its unique id, so that a namesake made later is somebody else.
// IAM User Guide, "AWS JSON policy elements: Principal".
type Principals interface {
	// UniqueID returns the unique id of the user or role with this ARN; store.ErrNotFound when there is none.
	UniqueID(ctx context.Context, arn aws.ARN) (string, error)
	// Named returns the ARN of the user or role with this unique id, in this
	// account or any other; store.ErrNotFound when there is none any more.
	Named(ctx context.Context, id string) (aws.ARN, error)
}

// A Service serves one AWS API.
type Service interface {
	// Routes lists what it serves: its table of contents.
	Routes() []wire.Route
}

// A Needer calls other services.
type Needer interface {
	// Needs lists the operations of other services that it calls. The graph of
	// all needs has no cycle.
	Needs() []wire.AnyOperation
}

// A Starter has something to do before the first call, such as building a
// snapshot for an enforcement point.
type Starter interface {
	Start(ctx context.Context) error
}

// A Consumer reads a stream of the spine. Handle gets events of one account and
// region, within a call made as the service and a unit of work that also commits
// how far the consumer has read: what Handle writes happens exactly once.
type Consumer struct {
	Name   string // durable and unique: "guardduty-dns"
	Stream string
	Handle func(ctx context.Context, events []aws.Event) error

	MaxBatch int           // events read at once, of all places; 0 means 256
	Linger   time.Duration // how long events may wait for more when they come thick and fast; 0: not
}

// A Consuming service reads streams.
type Consuming interface {
	Consumers() []Consumer
}

// A Follower is a consumer that remembers: what it makes of an event depends on
// those that came before. Nodes share its work by account, and what one node
// remembers of an account goes over to the next.
type Follower struct {
	Name   string // durable and unique: "guardduty-trail"
	Stream string
	New    func() Memory // an empty one for each share of the accounts

	MaxBatch int           // events read at once, of all places; 0 means 256
	Linger   time.Duration // how long events may wait for more when they come thick and fast; 0: not
}

// A Memory is what a Follower remembers of the accounts of one share, and takes up
// anew from what it saved when it is lost. It is used by one goroutine.
type Memory interface {
	// Take takes in events in the order of the stream, within a unit of work that
	// also commits how far it is. After a failure the same events come again.
	// saved is the position up to which all is saved that it must remember; 0 when
	// that is no further than before.
	Take(ctx context.Context, b Batch) (saved uint64, err error)
	// Empty reports whether it remembers nothing, so that nothing would be lost with it.
	Empty() bool
}

// A Batch is some events of a share.
type Batch struct {
	Events []spine.Delivery // may be none
	Last   uint64           // position up to which this share has no other events
	// Done is the position up to which events have had their effects: they come
	// again to be remembered, and nothing else.
	Done uint64
	// In returns a context of the unit of work, within a call made as the service in
	// a place.
	In func(store.Place) context.Context
}

// A Following service has followers.
type Following interface {
	Followers() []Follower
}

// A Job does what a due record says. Run is called within a call made as the
// service in the record's account and region, and a unit of work that removes the
// record: what Run writes happens exactly once. An error is retried with growing
// delays; a Job that gives up returns nil.
type Job struct {
	Kind string // unique: "events.deliver"
	Run  func(ctx context.Context, due store.Due) error
}

// A Scheduling service has work that falls due.
type Scheduling interface {
	Jobs() []Job
}
