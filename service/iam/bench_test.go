package iam

import (
	"fmt"
	"testing"

	"sumun.dev/api/iamapi"
)

func BenchmarkCreateUser(b *testing.B) {
	w := newWorld(b)
	route := w.route(&iamapi.CreateUser)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n++; n%4000 == 0 { // a new account, before its quota is full
			w = newWorld(b)
			route = w.route(&iamapi.CreateUser)
		}
		err := w.store.Update(w.ctx(), func(ctx ctx) error {
			_, err := route.Serve(ctx, &iamapi.CreateUserRequest{UserName: fmt.Sprint("u", n)})
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// The longest list there is: every policy of AWS is looked at for who has it.
func BenchmarkListAttachedPolicies(b *testing.B) {
	w := newWorld(b)
	furnish(w)
	b.ReportAllocs()
	for b.Loop() {
		must(w, &iamapi.ListPolicies, &iamapi.ListPoliciesRequest{OnlyAttached: new(true), MaxItems: new(int32(1000))})
	}
}
