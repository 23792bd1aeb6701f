package plane

import (
	"log/slog"
	"path/filepath"
	"testing"
)

// Who reads the note may be in another folder than who started the plane.
func TestNoteNamesFilesFromTheRoot(t *testing.T) {
	t.Chdir(t.TempDir())
	p, err := New(t.Context(), listening("data"), Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true})
	if err != nil {
		t.Fatal(err)
	}
	defer end(t, p)
	if _, err := p.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	if data := p.Note().Data; !filepath.IsAbs(data) {
		t.Errorf("the note says %q", data)
	}
}
