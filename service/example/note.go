package example

import (
	"context"
	"errors"
	"time"

	"sumun.dev/store"
)

// Limits. A real service names the AWS document that they are from.
const (
	maxNotes    = 1000
	defaultPage = 50
)

func (s *Service) createNote(ctx context.Context, in *CreateNoteRequest) (*CreateNoteResponse, error) {
	have, err := s.notes.Page(ctx, store.Range{Limit: maxNotes})
	if err != nil {
		return nil, err
	}
	if len(have) == maxNotes {
		return nil, LimitExceededException.New("You can have at most %d notes.", maxNotes)
	}
	err = s.notes.Insert(ctx, in.Name, &note{Text: in.Text, Created: time.Now().UTC(), Expires: in.ExpiresAt})
	if errors.Is(err, store.ErrExists) {
		return nil, ConflictException.New("There is a note called %s already.", in.Name)
	}
	if err != nil {
		return nil, err
	}
	if in.ExpiresAt != nil {
		store.Schedule(ctx, store.Due{Kind: expiry, ID: in.Name, At: *in.ExpiresAt})
	}
	return &CreateNoteResponse{Arn: new(arn(ctx, in.Name).String())}, nil
}

func (s *Service) getNote(ctx context.Context, in *GetNoteRequest) (*GetNoteResponse, error) {
	n, err := s.note(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return &GetNoteResponse{Note: n.shown(ctx, in.Name), Text: &n.Text}, nil
}

func (s *Service) listNotes(ctx context.Context, in *ListNotesRequest) (*ListNotesResponse, error) {
	limit, after, bind := defaultPage, "", []string{"example:ListNotes", arn(ctx, "").String()}
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	if in.NextToken != nil {
		var err error
		if after, err = s.env.Store.OpenToken(bind, *in.NextToken); err != nil {
			return nil, InvalidNextTokenException.New("The value of NextToken is not valid.")
		}
	}
	rows, err := s.notes.Page(ctx, store.Range{After: after, Limit: limit + 1}) // one more tells whether a page follows
	if err != nil {
		return nil, err
	}
	out := &ListNotesResponse{Notes: []Note{}}
	for i, row := range rows {
		if i == limit {
			out.NextToken = new(s.env.Store.NextToken(bind, rows[i-1].ID))
			break
		}
		out.Notes = append(out.Notes, *row.Value.shown(ctx, row.ID))
	}
	return out, nil
}

func (s *Service) deleteNote(ctx context.Context, in *DeleteNoteRequest) (*DeleteNoteResponse, error) {
	if _, err := s.note(ctx, in.Name); err != nil {
		return nil, err
	}
	store.Unschedule(ctx, expiry, in.Name)
	return &DeleteNoteResponse{}, s.notes.Delete(ctx, in.Name)
}
