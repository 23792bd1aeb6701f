package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"sumun.dev/aws"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// refusal turns what went wrong into what the client sees. This is the one place
// where that happens for calls from outside.
func (g *Gateway) refusal(v *visit) *aws.Error {
	var unproven *sigv4.Error
	if errors.As(v.err, &unproven) {
		return unproven.For(familyOf(v.match))
	}
	return g.sayable(v.ctx, &deed{call: v.call, about: aboutOf(v.match)}, v.err)
}

// familyOf tells which of AWS's vocabularies for authentication the client knows.
func familyOf(m *wire.Match) sigv4.Family {
	switch m.Protocol {
	case wire.JSON, wire.CBOR:
		return sigv4.JSON
	case wire.RestJSON:
		return sigv4.RestJSON
	case wire.EC2:
		return sigv4.EC2
	case wire.RestXML:
		if m.Service == nil || m.Service.EndpointPrefix == "s3" {
			return sigv4.AmazonS3
		}
	}
	return sigv4.Query
}

func aboutOf(m *wire.Match) *wire.Meta {
	if m.Operation == nil {
		return nil
	}
	return m.Operation.About()
}

// sayable returns the part of err that may be said. What is ours to know goes to
// the log, with the request id that the client was given.
func (g *Gateway) sayable(ctx context.Context, d *deed, err error) *aws.Error {
	var e *aws.Error
	var unproven *sigv4.Error
	switch {
	case errors.As(err, &unproven):
		return unproven.For(sigv4.Query) // inside there is no protocol
	case errors.As(err, &e):
		if e.Cause == nil {
			return e
		}
	case errors.Is(err, store.ErrFull):
		e = unavailable("There is no space left to write to. Reading goes on.")
	case errors.Is(err, store.ErrTooLarge):
		e = &aws.Error{Code: "RequestTooLarge", Status: http.StatusRequestEntityTooLarge, Message: "The request changes more than can be changed at once."}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return unavailable("The call was given up before it was done.")
	default:
		e = &aws.Error{Code: aws.InternalFailure.Code, Status: aws.InternalFailure.Status, Message: "The request processing has failed because of an unknown error, exception or failure."}
	}
	attrs := []any{"error", err}
	if d.call != nil {
		attrs = append(attrs, "requestID", d.call.RequestID, "account", d.call.Account)
	}
	if d.about != nil {
		attrs = append(attrs, "operation", d.about.String())
	}
	if e.Status >= 400 && e.Status < 500 {
		g.Log.InfoContext(ctx, "call refused", attrs...) // the client's mistake, which nobody here can mend
		return e
	}
	g.Log.ErrorContext(ctx, "call failed", attrs...)
	return e
}

// recoverFrom makes a panic of a service an InternalFailure.
func (g *Gateway) recoverFrom(ctx context.Context, d *deed, err *error) {
	if r := recover(); r != nil {
		g.Log.ErrorContext(ctx, "service panicked", "panic", fmt.Sprint(r), "operation", d.about.String(), "requestID", d.call.RequestID, "stack", string(debug.Stack()))
		*err = fmt.Errorf("gateway: %s panicked", d.about)
	}
}

// guarded runs a step, and makes a panic in it an error: the visit has to be
// reported, answered and left all the same.
func (g *Gateway) guarded(v *visit, step func(*visit) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			g.Log.ErrorContext(v.ctx, "the gate panicked", "panic", fmt.Sprint(r), "requestID", v.id, "stack", string(debug.Stack()))
			err = errors.New("gateway: a step of the chain panicked")
		}
	}()
	return step(v)
}

func unavailable(message string) *aws.Error {
	return &aws.Error{Code: aws.ServiceUnavailable.Code, Status: aws.ServiceUnavailable.Status, Message: message}
}

func busy(err error) *aws.Error {
	e := unavailable("What the call works on is being changed by too many others. Please try again.")
	e.Cause = err
	return e
}

func tooLarge(bound int64) *aws.Error {
	return &aws.Error{Code: "RequestEntityTooLarge", Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("The request is larger than %d bytes.", bound)}
}
