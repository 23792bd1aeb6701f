// Package example is a service to copy: notes that people keep.
//
// Routes is its table of contents; docs/add-a-service.md goes through the files.
package example

import (
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Service serves notes.
type Service struct {
	env   service.Env
	notes *store.Table[note]
}

// New returns a service of notes.
func New(env service.Env) *Service {
	return &Service{env: env, notes: store.NewTable[note](env.Store, "example.notes")}
}

// Routes lists what is served.
func (s *Service) Routes() []wire.Route {
	return []wire.Route{
		CreateNote.To(s.createNote, touchNote("example:CreateNote", func(in *CreateNoteRequest) string { return in.Name })),
		GetNote.To(s.getNote, touchNote("example:GetNote", func(in *GetNoteRequest) string { return in.Name })),
		ListNotes.To(s.listNotes, touchAll),
		DeleteNote.To(s.deleteNote, touchNote("example:DeleteNote", func(in *DeleteNoteRequest) string { return in.Name })),
	}
}

// Jobs lists what the service does when it falls due.
func (s *Service) Jobs() []service.Job {
	return []service.Job{{Kind: expiry, Run: s.expire}}
}
