package identitycenter

import (
	"encoding/json"
	"strings"
	"testing"
)

// The events of signing in say who, from where and how it went, belong together,
// and hold no password. Of who is nobody there are none.
func TestSignInEvents(t *testing.T) {
	w := newWorld(t)
	w.person("alice")
	b := w.tab().signIn("alice")
	w.told() // those of the first sign-in
	for _, try := range []struct{ name, password, want string }{
		{"alice", "Guessed-Password-1", "CredentialChallenge Success, CredentialVerification Failure"},
		{"nobody", "Guessed-Password-1", ""},
		{"alice", "Correct-Horse-1", "CredentialChallenge Success, CredentialVerification Success, UserAuthentication Success"},
	} {
		b.send("GET", b.path("signin"), nil)
		b.send("POST", b.path("signin"), b.form("username", try.name, "password", try.password))
		var got []string
		attempts := map[string]bool{}
		for _, text := range w.told() {
			var e struct {
				Name         string            `json:"eventName"`
				From         string            `json:"sourceIPAddress"`
				Details      map[string]string `json:"serviceEventDetails"`
				More         map[string]string `json:"additionalEventData"`
				UserIdentity struct {
					OnBehalfOf struct {
						ID string `json:"userId"`
					} `json:"onBehalfOf"`
				} `json:"userIdentity"`
			}
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				t.Fatal(err)
			}
			if e.From != "192.0.2.7" || e.UserIdentity.OnBehalfOf.ID != w.named("alice").ID || e.More["CredentialType"] != "PASSWORD" || strings.Contains(text, try.password) {
				t.Error(text)
			}
			attempts[e.More["AuthWorkflowID"]] = true
			got = append(got, e.Name+" "+e.Details[e.Name])
		}
		if strings.Join(got, ", ") != try.want || len(attempts) > 1 {
			t.Errorf("%s: %v, of %d attempts, want %s", try.name, got, len(attempts), try.want)
		}
	}
}

// told takes the sign-in events that were written since it was last asked.
func (w *world) told() (texts []string) {
	w.t.Helper()
	out, err := w.store.ClaimOutbox(w.t.Context(), 100)
	if err == nil {
		err = w.store.DoneOutbox(w.t.Context(), out)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range out {
		if o.Event.Attrs["eventSource"] == "signin.amazonaws.com" {
			texts = append(texts, string(o.Event.Data))
		}
	}
	return texts
}
