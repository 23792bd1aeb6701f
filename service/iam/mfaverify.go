package iam

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"sumun.dev/aws"
	"sumun.dev/engine/totp"
	"sumun.dev/store"
)

var accessDenied = aws.ErrorKind{Code: "AccessDenied", Status: 403}

// VerifyMFA checks the code that p's MFA device shows, for STS: "GetSessionToken
// and AssumeRole with MFA" (IAM User Guide, "Secure API access with MFA"). A code
// is taken once; that it was taken is committed with the unit of work that ctx
// carries. Its errors are in AWS's words.
func (s *Service) VerifyMFA(ctx context.Context, p *aws.Principal, serial, code string) error {
	unknown := accessDenied.New("MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
	wrong := accessDenied.New("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
	id := p.ID
	switch p.Kind {
	case aws.User:
	case aws.Root:
		id = rootID
	default:
		return unknown
	}
	arn, err := aws.ParseARN(serial)
	if err != nil || arn.Service != "iam" || arn.Account != p.Account || arn.Partition != p.ARN.Partition || !strings.HasPrefix(arn.Resource, "mfa/") {
		return unknown
	}
	devices := s.devices.In(store.Place{Account: p.Account})
	d, err := devices.Get(ctx, arn.Resource[len("mfa"):])
	if errors.Is(err, store.ErrNotFound) || err == nil && d.User != id {
		return unknown
	}
	if err != nil {
		return err
	}
	at := time.Now()
	if !s.guesses.may(serial, totp.Step(at)) || !d.take(code, at) {
		return wrong
	}
	s.guesses.right(serial, totp.Step(at))
	return devices.Put(ctx, d.id(), d)
}

// guesses bounds how often codes of a device can be guessed: with six digits and
// three steps in force, five guesses in thirty seconds find one in half a year on
// average. Each node counts for itself. RFC 4226, 7.3.
type guesses struct {
	mu   sync.Mutex
	step int64
	by   map[string]int // codes in this step that were not right, by serial number
}

const (
	guessesMost = 5
	guessedMost = 100_000 // devices in one step; then the count begins anew
)

// may reports whether one more guess is allowed in this step, and counts it before
// it is looked at: calls that come together get no more guesses than those that
// come one after another.
func (g *guesses) may(serial string, step int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if step > g.step || g.by == nil || len(g.by) >= guessedMost {
		g.step, g.by = step, map[string]int{}
	}
	if g.by[serial] >= guessesMost {
		return false
	}
	g.by[serial]++
	return true
}

// right takes back a guess that was one no longer.
func (g *guesses) right(serial string, step int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.step == step && g.by[serial] > 0 {
		g.by[serial]--
	}
}
