package kms

import (
	"context"
	"slices"
	"testing"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

// What a service calls for itself comes from no account: a condition on
// kms:CallerAccount is not met, and IfExists and Null see that there is none.
func TestServicesCallFromNoAccount(t *testing.T) {
	w := newCrypt(t)
	id := w.key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
	service := w.as(&aws.Principal{Kind: aws.Service, Name: "backup.amazonaws.com"})
	for _, test := range []struct {
		op wire.AnyOperation
		in any
	}{
		{&kmsapi.CreateKey, &kmsapi.CreateKeyRequest{}},
		{&kmsapi.CreateAlias, &kmsapi.CreateAliasRequest{AliasName: "alias/a", TargetKeyId: id}},
		{&kmsapi.ReplicateKey, &kmsapi.ReplicateKeyRequest{KeyId: id, ReplicaRegion: "eu-west-1"}},
		{&kmsapi.DescribeCustomKeyStores, &kmsapi.DescribeCustomKeyStoresRequest{}},
		{&kmsapi.Encrypt, &kmsapi.EncryptRequest{KeyId: id, Plaintext: []byte("x")}},
	} {
		for caller, want := range map[*crypt]bool{service: false, w: true} {
			for _, touch := range caller.touches(test.op, test.in) {
				if values, there := touch.Conditions["kms:CallerAccount"]; there != want || there && values[0] != string(account) {
					t.Errorf("%s by %s: kms:CallerAccount is %q", test.op, caller.caller.Name, values)
				}
			}
		}
	}
}

// touches is what a call would be authorised for.
func (w *crypt) touches(op wire.AnyOperation, in any) (touches []wire.Touch) {
	w.t.Helper()
	all := w.service.Routes()
	r := all[slices.IndexFunc(all, func(r wire.Route) bool { return r.Operation == op })]
	err := w.store.Update(w.ctx(op.About().Name), func(ctx context.Context) (err error) {
		touches, err = r.Touches(ctx, in)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return touches
}
