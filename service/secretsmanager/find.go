package secretsmanager

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"regexp"
	"strings"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

const suffixLength = 6 // of the random characters that end an ARN

// find returns the secret that a SecretId names: by its name, its ARN, or its ARN
// without the six random characters. Where there is none it returns nil and the
// ARN that was meant, so that a refusal does not tell.
func (s *Service) find(ctx context.Context, id string) (aws.ARN, *secret, error) {
	call := aws.CallOf(ctx)
	arn, name := call.ARN("secretsmanager", "secret:"+id), id
	if strings.HasPrefix(id, "arn:") {
		named, err := aws.ParseARN(id)
		of, ok := strings.CutPrefix(named.Resource, "secret:")
		if err != nil || !ok || of == "" || named.Service != "secretsmanager" {
			return arn, nil, aws.ValidationException.New("Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
		}
		arn, name = named, of
		if named.Region != call.Region || named.Partition != call.Partition {
			return arn, nil, nil // secrets are found in their region only
		}
		sec, err := s.secrets.At(arn).Get(ctx, name)
		if err == nil {
			return arn, sec.at(arn), nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return arn, nil, err
		}
	}
	sec, err := s.named(ctx, arn, name)
	if err != nil || sec == nil {
		return arn, nil, err
	}
	return sec.arn, sec, nil
}

// named returns the secret with this name in the account and region of an ARN;
// nil when there is none.
func (s *Service) named(ctx context.Context, where aws.ARN, name string) (*secret, error) {
	table, c := s.secrets.At(where), calledIn(where, name)
	if id := s.known.id(c); id != "" {
		sec, err := table.Get(ctx, id)
		if err == nil {
			where.Resource = "secret:" + id
			return sec.at(where), nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	found, err := table.PageBy(ctx, byName, name, store.Range{Limit: 1})
	if errors.Is(err, store.ErrBadID) || err == nil && len(found) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s.known.note(c, found[0].ID)
	where.Resource = "secret:" + found[0].ID
	return found[0].Value.at(where), nil
}

// at notes where a secret was found.
func (s *secret) at(arn aws.ARN) *secret {
	s.arn, s.kept = arn, s.dates()
	return s
}

// secret returns the secret that a call names, which must be there.
func (s *Service) secret(ctx context.Context, id string) (*secret, error) {
	_, sec, err := s.find(ctx, id)
	if err == nil && sec == nil {
		err = notFound()
	}
	return sec, err
}

func notFound() error {
	return api.ResourceNotFoundException.New("Secrets Manager can't find the specified secret.")
}

// living returns the secret that a call names, unless it waits for its deletion.
func (s *Service) living(ctx context.Context, id string) (*secret, error) {
	sec, err := s.secret(ctx, id)
	if err == nil && sec.Deletion != nil {
		return nil, api.InvalidRequestException.New("You can't perform this operation on the secret because it was marked for deletion.")
	}
	return sec, err
}

// primary returns the secret that a call changes: no replica, which only follows.
func (s *Service) primary(ctx context.Context, id string) (*secret, error) {
	sec, err := s.living(ctx, id)
	if err == nil && sec.isReplica() {
		return nil, readOnly()
	}
	return sec, err
}

func readOnly() error {
	return api.InvalidRequestException.New("Operation not permitted on a replica secret. Call must be made in primary secret's region.")
}

// isReplica reports whether a secret follows one in another region.
func (s *secret) isReplica() bool { return s.Primary != "" && s.Primary != string(s.arn.Region) }

// save keeps a secret, where it is.
func (s *Service) save(ctx context.Context, sec *secret) error {
	if err := s.reorder(ctx, sec); err != nil {
		return err
	}
	return s.secrets.At(sec.arn).Put(ctx, sec.ID, sec)
}

// change keeps a secret that a caller has changed, and takes its replicas along.
func (s *Service) change(ctx context.Context, sec *secret, fresh map[string]content) error {
	sec.Changed = time.Now().UTC()
	if err := s.follow(ctx, sec, fresh); err != nil {
		return err
	}
	return s.save(ctx, sec)
}

// shape of names. API Reference, "CreateSecret".
var shape = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]{1,512}$`)

// newID returns a name with six random characters: a secret that is made anew under
// a name does not inherit what was allowed for the old one.
func newID(name string) (string, error) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	id := []byte(name + "-")
	for range suffixLength {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			return "", err
		}
		id = append(id, letters[n.Int64()])
	}
	return string(id), nil
}

// text is what a pointer points to; empty of none.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func isTrue(b *bool) bool { return b != nil && *b }
