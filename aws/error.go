package aws

import (
	"errors"
	"fmt"
	"net/http"
)

// An Error is what a client sees when a call fails. Cause stays in our logs.
type Error struct {
	Code    string // "NotFoundException"
	Message string
	Status  int            // HTTP status; 0 means 400
	Fields  map[string]any // further members of the modelled error shape, by their AWS names
	Cause   error
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap returns the cause, for our logs.
func (e *Error) Unwrap() error { return e.Cause }

// With adds a member of the modelled error shape.
func (e *Error) With(field string, value any) *Error {
	if e.Fields == nil {
		e.Fields = map[string]any{}
	}
	e.Fields[field] = value
	return e
}

// An ErrorKind is an error that a model declares; New fills in the sentence.
type ErrorKind struct {
	Code   string // the code on the wire, "NotFoundException"
	Status int    // HTTP status
	Query  string // the code that query-compatible JSON services add; empty means the same
	Fault  bool   // the server's fault

	Sentence string // the member that carries the message, when the model does not call it "message"
	Headers  string // members of the error that stand in headers: "RetryAfterSeconds=Retry-After,…"
}

// New returns an error of this kind.
func (k ErrorKind) New(format string, args ...any) *Error {
	m := format
	if len(args) > 0 {
		m = fmt.Sprintf(format, args...)
	}
	return &Error{Code: k.Code, Status: k.Status, Message: m}
}

// Is reports whether err is an *Error of this kind.
func (k ErrorKind) Is(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == k.Code
}

// The errors that every AWS service may answer.
// AWS General Reference, "Common errors".
var (
	ValidationException  = ErrorKind{Code: "ValidationException", Status: http.StatusBadRequest}
	AccessDenied         = ErrorKind{Code: "AccessDeniedException", Status: http.StatusBadRequest}
	InternalFailure      = ErrorKind{Code: "InternalFailure", Status: http.StatusInternalServerError, Fault: true}
	ServiceUnavailable   = ErrorKind{Code: "ServiceUnavailable", Status: http.StatusServiceUnavailable, Fault: true}
	ThrottlingException  = ErrorKind{Code: "ThrottlingException", Status: http.StatusBadRequest}
	UnsupportedOperation = ErrorKind{Code: "UnsupportedOperation", Status: http.StatusNotImplemented}
)
