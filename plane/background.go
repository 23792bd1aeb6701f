package plane

import (
	"context"
	"crypto/rand"
	"net/netip"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// asService returns a context in which a service acts of its own accord: what
// nobody asked for runs as the service's principal.
func asService(ctx context.Context, principal string, at store.Place) context.Context {
	return aws.WithCall(ctx, &aws.Call{
		Principal: &aws.Principal{Kind: aws.Service, Account: at.Account, Name: principal, ID: principal},
		Partition: "aws", Account: at.Account, Region: at.Region, RequestID: rand.Text(), Time: time.Now(),
		SourceIP: netip.Addr{}, UserAgent: principal,
	})
}
