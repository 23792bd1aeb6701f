package identitycenter

import (
	"context"
	"testing"

	"sumun.dev/aws"
	"sumun.dev/policy"
)

// An account that leaves the organisation is no longer entered, although its roles
// and the assignments are still there.
func TestAnAccountThatHasLeftIsNotEntered(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice")
	ctx := in(t.Context(), owner)
	i, err := w.service.instances.Get(ctx, w.instance[len("arn:aws:sso:::instance/"):])
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.service.at(ctx, w.id)
	if err != nil {
		t.Fatal(err)
	}
	err = w.store.Update(ctx, func(ctx context.Context) error {
		a := &assignment{Instance: i.ID, Set: "ps-1", Account: other, Type: "USER", Principal: alice}
		if err := w.service.assignments.Put(ctx, a.id(), a); err != nil {
			return err
		}
		return w.service.sets.Put(ctx, i.ID+"/ps-1", &permissionSet{Instance: i.ID, ID: "ps-1", Name: "Reader"})
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		theirs *policy.Membership
		want   int
	}{
		"member":         {&policy.Membership{Organization: "o-exampleorgid"}, 1},
		"left":           {nil, 0},
		"joined_another": {&policy.Membership{Organization: "o-anotherorgid"}, 0},
	} {
		w.service.options.Membership = func(_ context.Context, a aws.Account) (*policy.Membership, error) {
			if a == owner {
				return &policy.Membership{Organization: "o-exampleorgid", Management: true}, nil
			}
			return c.theirs, nil
		}
		got, err := w.service.usable(ctx, &visitor{place: p, instance: i, user: &user{Store: w.id, ID: alice}})
		if err != nil || len(got) != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
