package iam

import (
	"testing"

	"sumun.dev/policy"
	"sumun.dev/service"
)

// Whatever trust policy is accepted is kept and shown as one that means the same
// people, and is kept the same when what is shown is put again.
func FuzzTrustKeepsItsPrincipals(f *testing.F) {
	for _, principal := range []string{
		`"*"`, `{"AWS":"*"}`, `{"AWS":["111122223333","arn:aws:iam::111122223333:root"]}`, `{"AWS":"arn:aws:iam::111122223333:user/alice"}`,
		`{"AWS":["arn:aws:iam::111122223333:role/deploy","arn:aws:iam::111122223333:user/\u0061lice"],"Service":"ec2.amazonaws.com"}`,
		`{"AWS":"arn:aws:sts::111122223333:assumed-role/deploy/s"}`, `{"AWS":"AIDAAAAAAAAAAAAAAAAAA"}`, `{"Federated":"accounts.google.com"}`,
	} {
		f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}]}`)
	}
	w := newWorld(f)
	w.user("alice")
	w.role("deploy")
	f.Fuzz(func(t *testing.T, document string) {
		mine := *w
		mine.t = t
		ctx := mine.ctx()
		kept, err := w.service.keptTrust(ctx, document)
		if err != nil {
			return
		}
		if _, err := policy.Parse([]byte(kept), policy.Trust); err != nil {
			t.Fatalf("what is kept of %q does not parse: %q: %v", document, kept, err)
		}
		shown, err := service.WithARNs(ctx, w.service, kept)
		if err != nil {
			t.Fatalf("what is kept of %q is not shown: %v", document, err)
		}
		again, err := w.service.keptTrust(ctx, shown)
		if err != nil || again != kept {
			t.Errorf("%q is kept as %q, shown as %q, and kept again as %q, %v", document, kept, shown, again, err)
		}
	})
}
