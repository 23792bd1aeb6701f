package kms

import (
	"context"
	"testing"
	"time"

	api "sumun.dev/api/kmsapi"
	"sumun.dev/aws"
)

func TestLastUsageComesFromTheTrail(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	if out := must(w, &api.GetKeyLastUsage, &api.GetKeyLastUsageRequest{KeyId: id}); out.KeyLastUsage != nil || out.TrackingStartDate == nil {
		t.Errorf("unused: %+v", out)
	}
	at := time.Now().UTC().Truncate(time.Second)
	event := func(name, failed string, after time.Duration) aws.Event {
		return aws.Event{ID: "e-" + name, Time: at.Add(after), Data: []byte(`{"requestID":"r-` + name + `"}`),
			Attrs: map[string]string{"eventSource": "kms.amazonaws.com", "eventName": name, "errorCode": failed, "resources": arnOf(id)}}
	}
	read := func(events ...aws.Event) {
		err := w.store.Update(w.ctx(""), func(ctx context.Context) error { return w.service.Consumers()[0].Handle(ctx, events) })
		if err != nil {
			t.Fatal(err)
		}
	}
	read(event("Encrypt", "", 0), event("Decrypt", "", time.Second), event("GenerateDataKey", "AccessDeniedException", 2*time.Second), event("DescribeKey", "", 3*time.Second))
	u := must(w, &api.GetKeyLastUsage, &api.GetKeyLastUsageRequest{KeyId: id}).KeyLastUsage
	if u == nil || *u.Operation != "Decrypt" || *u.CloudTrailEventId != "e-Decrypt" || *u.KmsRequestId != "r-Decrypt" || !u.Timestamp.Equal(at.Add(time.Second)) {
		t.Errorf("%+v", u)
	}
	read(event("Encrypt", "", 2*time.Second), event("Encrypt", "", -time.Hour))
	if u := must(w, &api.GetKeyLastUsage, &api.GetKeyLastUsageRequest{KeyId: id}).KeyLastUsage; *u.Operation != "Encrypt" {
		t.Errorf("%+v", u)
	}
}
