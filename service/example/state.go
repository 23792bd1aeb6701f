package example

import (
	"context"
	"errors"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// note is what is kept; its id in the table is its name. The table knows the
// account and the region from the call, so no code here can mix them up.
type note struct {
	Text    string
	Created time.Time
	Expires *time.Time `json:",omitempty"`
}

// note returns the note with this name.
func (s *Service) note(ctx context.Context, name string) (*note, error) {
	n, err := s.notes.Get(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, NotFoundException.New("There is no note called %s.", name)
	}
	return n, err
}

func arn(ctx context.Context, name string) aws.ARN {
	return aws.CallOf(ctx).ARN("example", "note/"+name)
}

func (n *note) shown(ctx context.Context, name string) *Note {
	return &Note{Arn: new(arn(ctx, name).String()), Name: &name, CreatedAt: &n.Created}
}
