package guardduty

import (
	"context"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// Calls of an account that is in no organization have the administrators looked after
// that it still has, in every region; calls that were refused have changed nothing.
func TestWhoLeftIsLookedAfter(t *testing.T) {
	inWorld(t, func(w *world) {
		regions := []aws.Region{"us-east-1", "eu-central-1", "ap-southeast-2"}
		err := w.store.Update(t.Context(), func(ctx context.Context) error {
			for _, region := range regions[:2] {
				if err := w.service.heads.In(store.Place{Account: other, Region: region}).Put(ctx, headKey, &head{Administrator: account, Organization: true}); err != nil {
					return err
				}
			}
			if err := w.service.heads.In(store.Place{Account: other, Region: regions[2]}).Put(ctx, headKey, &head{Administrator: account}); err != nil {
				return err
			}
			return w.service.heads.In(store.Place{Account: third, Region: regions[0]}).Put(ctx, headKey, &head{Administrator: account, Organization: true})
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			who   aws.Account
			attrs map[string]string
			want  int
		}{
			{other, map[string]string{"eventSource": "organizations.amazonaws.com", "readOnly": "false", "errorCode": "AccessDenied"}, 0},
			{other, map[string]string{"eventSource": "organizations.amazonaws.com", "readOnly": "true"}, 0},
			{account, map[string]string{"eventSource": "organizations.amazonaws.com", "readOnly": "false"}, 0},
			{other, map[string]string{"eventSource": "organizations.amazonaws.com", "readOnly": "false"}, 2},
		} {
			err := w.store.Update(in(t.Context(), c.who, "Take"), func(ctx context.Context) error {
				return w.service.organizationsChanged(ctx, []aws.Event{{Account: c.who, Region: "us-east-1", Attrs: c.attrs}})
			})
			if err != nil {
				t.Fatal(err)
			}
			due, err := w.store.ClaimDue(t.Context(), time.Now(), time.Minute, 100)
			if err != nil || len(due) != c.want {
				t.Errorf("%s, %v: %d are looked after, not %d: %v", c.who, c.attrs, len(due), c.want, err)
			}
		}
	})
}
