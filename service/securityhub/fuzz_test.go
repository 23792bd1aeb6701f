package securityhub

import (
	"net/http"
	"testing"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/wire"
)

// Whatever strangers send: each finding is imported or refused, and what was
// imported can be read again.
func FuzzImport(f *testing.F) {
	good, err := encode(own("one"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"Findings":[` + string(good) + `]}`)
	f.Add(`{"Findings":[{"Id":"x","Severity":{"Normalized":101},"Resources":[{}],"UpdatedAt":"9999-12-31T23:59:59-23:59"},{}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		w := newWorld(t)
		must(w, &securityhubapi.EnableSecurityHub, &securityhubapi.EnableSecurityHubRequest{})
		r := &wire.Request{Method: "POST", RawPath: "/findings/import", Header: http.Header{"Content-Type": {"application/json"}}, Scope: "securityhub", Body: []byte(body)}
		m, err := wire.Recognise(r, wire.NewIndex(w.service.Routes()))
		if err != nil {
			t.Fatal(err)
		}
		in, err := m.Decode(r, wire.Limits{})
		if err != nil {
			return
		}
		request := in.(*securityhubapi.BatchImportFindingsRequest)
		out := must(w, &securityhubapi.BatchImportFindings, request)
		if int(out.SuccessCount+out.FailedCount) != len(request.Findings) || int(out.FailedCount) != len(out.FailedFindings) {
			t.Fatalf("%d findings: %d imported, %d refused", len(request.Findings), out.SuccessCount, out.FailedCount)
		}
		if all := w.all(nil); len(all) > int(out.SuccessCount) || out.SuccessCount > 0 && len(all) == 0 {
			t.Fatalf("%d imported, %d there", out.SuccessCount, len(all))
		}
	})
}
