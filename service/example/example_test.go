package example

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/wire"
)

const account, other = aws.Account("111122223333"), aws.Account("444455556666")

// A world is the service over a real store.
type world struct {
	t       *testing.T
	store   *store.Store
	service *Service
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, store: store.Open(memory.New(), seal.NewRoot(seal.GenerateKey()))}
	t.Cleanup(func() { w.store.Close() })
	w.service = New(service.Env{Store: w.store, Log: slog.New(slog.DiscardHandler)})
	return w
}

func in(t *testing.T, a aws.Account) context.Context {
	return aws.WithCall(t.Context(), &aws.Call{Partition: "aws", Account: a, Region: "us-east-1", Service: "example", Principal: &aws.Principal{Kind: aws.Root, Account: a}})
}

// call serves an operation in a unit of work, as the gate does.
func call[In, Out any](w *world, who aws.Account, op *wire.Operation[In, Out], request In) (out Out, err error) {
	w.t.Helper()
	routes := w.service.Routes()
	at := slices.IndexFunc(routes, func(r wire.Route) bool { return r.Operation == wire.AnyOperation(op) })
	err = w.store.Update(in(w.t, who), func(ctx context.Context) error {
		touches, err := routes[at].Touches(ctx, request)
		if err != nil {
			return err
		}
		if len(touches) == 0 {
			return errors.New("nothing is touched")
		}
		answer, err := routes[at].Serve(ctx, request)
		if err == nil {
			out = answer.(Out)
		}
		return err
	})
	return out, err
}

func must[In, Out any](w *world, op *wire.Operation[In, Out], request In) Out {
	w.t.Helper()
	out, err := call(w, account, op, request)
	if err != nil {
		w.t.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

func TestNoteFromCreationToDeletion(t *testing.T) {
	w := newWorld(t)
	made := must(w, &CreateNote, &CreateNoteRequest{Name: "a", Text: "hello"})
	if *made.Arn != "arn:aws:example:us-east-1:111122223333:note/a" {
		t.Errorf("made %s", *made.Arn)
	}
	if _, err := call(w, account, &CreateNote, &CreateNoteRequest{Name: "a"}); !ConflictException.Is(err) {
		t.Errorf("a second one: %v", err)
	}
	if got := must(w, &GetNote, &GetNoteRequest{Name: "a"}); *got.Text != "hello" || *got.Note.Name != "a" {
		t.Errorf("got %+v", got)
	}
	must(w, &DeleteNote, &DeleteNoteRequest{Name: "a"})
	if _, err := call(w, account, &DeleteNote, &DeleteNoteRequest{Name: "a"}); !NotFoundException.Is(err) {
		t.Errorf("a second time: %v", err)
	}
}

func TestNotesArePaged(t *testing.T) {
	w := newWorld(t)
	for n := range 7 {
		must(w, &CreateNote, &CreateNoteRequest{Name: fmt.Sprint("n", n)})
	}
	var seen []string
	request := &ListNotesRequest{MaxResults: new(int32(3))}
	for pages := 1; ; pages++ {
		out := must(w, &ListNotes, request)
		for _, n := range out.Notes {
			seen = append(seen, *n.Name)
		}
		if request.NextToken = out.NextToken; out.NextToken == nil {
			if pages != 3 || fmt.Sprint(seen) != "[n0 n1 n2 n3 n4 n5 n6]" {
				t.Errorf("%d pages show %v", pages, seen)
			}
			break
		}
		if _, err := call(w, other, &ListNotes, request); !InvalidNextTokenException.Is(err) {
			t.Errorf("another account's token: %v", err)
		}
	}
}

func TestNotesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		must(w, &CreateNote, &CreateNoteRequest{Name: "a", ExpiresAt: new(time.Now().Add(time.Hour))})
		must(w, &CreateNote, &CreateNoteRequest{Name: "b", ExpiresAt: new(time.Now().Add(time.Hour))})
		must(w, &DeleteNote, &DeleteNoteRequest{Name: "b"})
		time.Sleep(time.Hour)
		dues, err := w.store.ClaimDue(t.Context(), time.Now(), time.Minute, 10)
		if err != nil || len(dues) != 1 {
			t.Fatalf("due are %+v, %v", dues, err)
		}
		err = w.store.Update(in(t, dues[0].Place.Account), func(ctx context.Context) error {
			store.Complete(ctx, dues[0])
			return w.service.Jobs()[0].Run(ctx, dues[0])
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := call(w, account, &GetNote, &GetNoteRequest{Name: "a"}); !NotFoundException.Is(err) {
			t.Errorf("after its time: %v", err)
		}
	})
}

// Whoever asks from another account gets the answer for what does not exist, and
// touches only what is named in their own.
func TestOtherAccountsFindNothing(t *testing.T) {
	w := newWorld(t)
	must(w, &CreateNote, &CreateNoteRequest{Name: "a"})
	if _, err := call(w, other, &GetNote, &GetNoteRequest{Name: "a"}); !NotFoundException.Is(err) {
		t.Error(err)
	}
	if _, err := call(w, other, &DeleteNote, &DeleteNoteRequest{Name: "a"}); !NotFoundException.Is(err) {
		t.Error(err)
	}
	if out, err := call(w, other, &ListNotes, &ListNotesRequest{}); err != nil || len(out.Notes) != 0 {
		t.Error(out, err)
	}
}

// What is declared by hand is what wire makes of requests.
func TestRequestsAreRead(t *testing.T) {
	in, err := wire.DecodeJSONDocument(&CreateNote, map[string]any{"Name": "a", "Text": "hello"})
	if err != nil || in.(*CreateNoteRequest).Text != "hello" {
		t.Errorf("%+v, %v", in, err)
	}
	for _, wrong := range []map[string]any{{"Text": "no name"}, {"Name": "A b", "Text": ""}, {"Name": "a"}} {
		if in, err := wire.DecodeJSONDocument(&CreateNote, wrong); err == nil {
			t.Errorf("%v is read as %+v", wrong, in)
		}
	}
}
