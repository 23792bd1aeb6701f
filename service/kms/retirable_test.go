package kms

import (
	"testing"

	api "sumun.dev/api/kmsapi"
	"sumun.dev/aws"
)

// retirable lists what a principal may retire, a grant a page.
func retirableBy(w *crypt, principal string) []api.GrantListEntry {
	w.t.Helper()
	in := &api.ListRetirableGrantsRequest{RetiringPrincipal: principal, Limit: new(int32(1))}
	var all []api.GrantListEntry
	for {
		out := must(w, &api.ListRetirableGrants, in)
		all = append(all, out.Grants...)
		if in.Marker = out.NextMarker; in.Marker == nil {
			return all
		}
	}
}

// A retiring principal finds its grants in its own account, whoever owns the keys.
func TestGrantsAreFoundByThoseWhoRetireThem(t *testing.T) {
	w := newCrypt(t)
	theirs := w.as(root(other))
	const carol = "arn:aws:iam::444455556666:user/carol"
	one, two := w.key(symmetric, encrypting), w.key(symmetric, encrypting)
	grantOn := func(id, retiring string) *api.CreateGrantResponse {
		return must(w, &api.CreateGrant, &api.CreateGrantRequest{KeyId: id, GranteePrincipal: "arn:aws:iam::111122223333:user/alice", RetiringPrincipal: &retiring, Operations: []api.GrantOperation{"Encrypt"}})
	}
	first, second := grantOn(one, carol), grantOn(two, carol)
	grantOn(one, "arn:aws:iam::111122223333:user/dave")
	found := retirableBy(theirs, carol)
	if len(found) != 2 || *found[0].KeyId == *found[1].KeyId || *found[0].RetiringPrincipal != carol || *found[0].IssuingAccount != "arn:aws:iam::111122223333:root" {
		t.Fatalf("found %+v", found)
	}
	if own := retirableBy(w, "arn:aws:iam::111122223333:user/dave"); len(own) != 1 || *own[0].KeyId != arnOf(one) {
		t.Errorf("of the key's own account: %+v", own)
	}
	// Only principals of one's own account may be asked about.
	refused(w, aws.AccessDenied, &api.ListRetirableGrants, &api.ListRetirableGrantsRequest{RetiringPrincipal: carol})
	must(w.as(user(other, "carol")), &api.RetireGrant, &api.RetireGrantRequest{GrantToken: first.GrantToken})
	must(w, &api.RevokeGrant, &api.RevokeGrantRequest{KeyId: two, GrantId: *second.GrantId})
	if found := retirableBy(theirs, carol); len(found) != 0 {
		t.Errorf("after their end: %+v", found)
	}
}

func TestGrantsAreListedByIDAndGrantee(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	alice, bob := "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:user/bob"
	made := grantTo(w, id, alice, nil, "Encrypt")
	grantTo(w, id, bob, nil, "Encrypt")
	for _, c := range []struct {
		in   api.ListGrantsRequest
		want int
	}{
		{api.ListGrantsRequest{}, 2},
		{api.ListGrantsRequest{GranteePrincipal: &alice}, 1},
		{api.ListGrantsRequest{GrantId: made.GrantId}, 1},
		{api.ListGrantsRequest{GrantId: made.GrantId, GranteePrincipal: &alice}, 1},
		{api.ListGrantsRequest{GrantId: made.GrantId, GranteePrincipal: &bob}, 0},
	} {
		c.in.KeyId = id
		if out := must(w, &api.ListGrants, &c.in); len(out.Grants) != c.want {
			t.Errorf("%v and %v: %d grants, want %d", value(c.in.GrantId), value(c.in.GranteePrincipal), len(out.Grants), c.want)
		}
	}
}
