package example

import (
	"time"

	"sumun.dev/aws"
	"sumun.dev/wire"
)

// What stands in this file is what tool/awsgen writes for a service with a model,
// into a package of its own below api/.

// API is what the model says of the service as a whole.
var API = wire.Service{
	ID: "Example", Name: "example", Prefix: "example", EndpointPrefix: "example", SigningName: "example",
	EventSource: "example.amazonaws.com", Protocols: []wire.Protocol{wire.JSON}, JSONVersion: "1.1", TargetPrefix: "Example",
}

// The operations.
var (
	CreateNote = wire.Operation[*CreateNoteRequest, *CreateNoteResponse]{Meta: wire.Meta{Service: &API, Name: "CreateNote", Errors: []aws.ErrorKind{ConflictException, LimitExceededException}}}
	GetNote    = wire.Operation[*GetNoteRequest, *GetNoteResponse]{Meta: wire.Meta{Service: &API, Name: "GetNote", Errors: []aws.ErrorKind{NotFoundException}}}
	DeleteNote = wire.Operation[*DeleteNoteRequest, *DeleteNoteResponse]{Meta: wire.Meta{Service: &API, Name: "DeleteNote", Errors: []aws.ErrorKind{NotFoundException}}}
	ListNotes  = wire.Operation[*ListNotesRequest, *ListNotesResponse]{Meta: wire.Meta{
		Service: &API, Name: "ListNotes", Errors: []aws.ErrorKind{InvalidNextTokenException},
		Pages: &wire.Pages{In: "NextToken", Out: "NextToken", Limit: "MaxResults", Result: "Notes"},
	}}
)

// The errors that the operations declare.
var (
	ConflictException         = aws.ErrorKind{Code: "ConflictException", Status: 400}
	InvalidNextTokenException = aws.ErrorKind{Code: "InvalidNextTokenException", Status: 400}
	LimitExceededException    = aws.ErrorKind{Code: "LimitExceededException", Status: 400}
	NotFoundException         = aws.ErrorKind{Code: "NotFoundException", Status: 400}
)

// CreateNoteRequest is the input of CreateNote.
type CreateNoteRequest struct {
	Name      string     `aws:"Name,required" len:"1:64" pattern:"[a-z0-9-]+"`
	Text      string     `aws:"Text,required" len:"0:4096"`
	ExpiresAt *time.Time `aws:"ExpiresAt"`
}

// CreateNoteResponse is the output of CreateNote.
type CreateNoteResponse struct {
	Arn *string `aws:"Arn"`
}

// GetNoteRequest is the input of GetNote.
type GetNoteRequest struct {
	Name string `aws:"Name,required" len:"1:64" pattern:"[a-z0-9-]+"`
}

// GetNoteResponse is the output of GetNote.
type GetNoteResponse struct {
	Note *Note   `aws:"Note"`
	Text *string `aws:"Text"`
}

// DeleteNoteRequest is the input of DeleteNote.
type DeleteNoteRequest struct {
	Name string `aws:"Name,required" len:"1:64" pattern:"[a-z0-9-]+"`
}

// DeleteNoteResponse is the output of DeleteNote.
type DeleteNoteResponse struct{}

// ListNotesRequest is the input of ListNotes.
type ListNotesRequest struct {
	MaxResults *int32  `aws:"MaxResults" range:"1:100"`
	NextToken  *string `aws:"NextToken"`
}

// ListNotesResponse is the output of ListNotes.
type ListNotesResponse struct {
	Notes     []Note  `aws:"Notes"`
	NextToken *string `aws:"NextToken"`
}

// Note is what lists show of a note.
type Note struct {
	Arn       *string    `aws:"Arn"`
	Name      *string    `aws:"Name"`
	CreatedAt *time.Time `aws:"CreatedAt"`
}
