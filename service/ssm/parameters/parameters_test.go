package parameters

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
)

func TestAHundredVersionsAreKept(t *testing.T) {
	w := newWorld(t, false)
	w.must(w.put("/p", "1"))
	for range maxVersions {
		w.must(w.overwrite("/p", "more"))
	}
	history := func(token *string) *ssmapi.GetParameterHistoryResult {
		out, err := do(w, w.service.getParameterHistory, &ssmapi.GetParameterHistoryRequest{Name: "/p", NextToken: token})
		w.must(err)
		return out
	}
	first := history(nil)
	if n := *first.Parameters[0].Version; n != 2 || len(first.Parameters) != maxHistory {
		t.Errorf("the history begins with version %d and has %d on a page, want 2 and %d", n, len(first.Parameters), maxHistory)
	}
	second := history(first.NextToken)
	if last := second.Parameters[len(second.Parameters)-1]; *last.Version != 101 || second.NextToken != nil {
		t.Errorf("the history ends with version %d, want 101", *last.Version)
	}
	_, err := do(w, w.service.getParameter, &ssmapi.GetParameterRequest{Name: "/p:1"})
	if !ssmapi.ParameterVersionNotFound.Is(err) {
		t.Errorf("version 1 answers %v", err)
	}

	// The oldest version goes only when it has no label.
	_, err = do(w, w.service.labelParameterVersion, &ssmapi.LabelParameterVersionRequest{Name: "/p", ParameterVersion: new(int64(2)), Labels: []string{"keep"}})
	w.must(err)
	if err := w.overwrite("/p", "x"); !ssmapi.ParameterMaxVersionLimitExceeded.Is(err) {
		t.Errorf("a labelled oldest version: %v", err)
	}
	_, err = do(w, w.service.labelParameterVersion, &ssmapi.LabelParameterVersionRequest{Name: "/p", Labels: []string{"keep"}})
	w.must(err)
	w.must(w.overwrite("/p", "x"))

	_, err = do(w, w.service.deleteParameter, &ssmapi.DeleteParameterRequest{Name: "/p"})
	w.must(err)
	for row := range w.service.versions.All(w.ctx, "") {
		t.Errorf("%s is left", row.ID)
	}
}

// A process that ends before the commit leaves everything as it was.
func TestAnUnfinishedChangeChangesNothing(t *testing.T) {
	w := newWorld(t, false)
	w.must(w.put("/p", "one"))
	for name, change := range map[string]func(ctx context.Context) error{
		"put": func(ctx context.Context) error {
			_, err := w.service.putParameter(ctx, &ssmapi.PutParameterRequest{Name: "/p", Value: "two", Overwrite: new(true)})
			return err
		},
		"delete": func(ctx context.Context) error {
			_, err := w.service.deleteParameter(ctx, &ssmapi.DeleteParameterRequest{Name: "/p"})
			return err
		},
	} {
		err := w.store.Update(w.ctx, func(ctx context.Context) error { return errors.Join(change(ctx), errStop) })
		if !errors.Is(err, errStop) || err.Error() != errStop.Error() {
			t.Fatalf("%s: %v", name, err)
		}
		out, err := do(w, w.service.getParameter, &ssmapi.GetParameterRequest{Name: "/p"})
		w.must(err)
		if *out.Parameter.Value != "one" || *out.Parameter.Version != 1 {
			t.Errorf("after an unfinished %s: %+v", name, *out.Parameter.Value)
		}
	}
}

func TestEnvelopeOpensForItsParameterOnly(t *testing.T) {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	b, err := envelope(key, []byte("the data key, encrypted"), "arn:a", "the value")
	if err != nil {
		t.Fatal(err)
	}
	sealedKey, message, err := opened(b)
	if err != nil || string(sealedKey) != "the data key, encrypted" {
		t.Fatalf("%q, %v", sealedKey, err)
	}
	if value, err := unwrap(key, message, "arn:a"); err != nil || value != "the value" {
		t.Errorf("%q, %v", value, err)
	}
	if _, err := unwrap(key, message, "arn:b"); err == nil {
		t.Error("another parameter's name opens it")
	}
	message[len(message)-1] ^= 1
	if _, err := unwrap(key, message, "arn:a"); err == nil {
		t.Error("a changed bit is not seen")
	}
}

func TestQuotasHoldCounts(t *testing.T) {
	w := newWorld(t, true)
	w.fill(maxStandards)
	if err := w.put("/one-more", "v"); !ssmapi.ParameterLimitExceeded.Is(err) {
		t.Errorf("parameter 10,001: %v", err)
	}
	out, err := do(w, w.service.putParameter, &ssmapi.PutParameterRequest{Name: "/one-more", Value: "v", Type: new(ssmapi.ParameterTypeString), Tier: new(ssmapi.ParameterTierIntelligentTiering)})
	w.must(err)
	if *out.Tier != ssmapi.ParameterTierAdvanced {
		t.Errorf("with intelligent tiering it is %s", *out.Tier)
	}
	_, err = do(w, w.service.deleteParameter, &ssmapi.DeleteParameterRequest{Name: "/app/000000/value-0"})
	w.must(err)
	w.must(w.put("/now", "v"))
}

// In a bubble no time passes between the reads.
func TestQuotasHoldThroughput(t *testing.T) {
	synctest.Test(t, holdsThroughput)
}

func holdsThroughput(t *testing.T) {
	w := newWorld(t, true)
	w.must(w.put("/now", "v"))
	read := limited(w.service, w.service.getParameter)
	refused := 0
	for range 2 * defaultRate {
		if _, err := do(w, read, &ssmapi.GetParameterRequest{Name: "/now"}); aws.ThrottlingException.Is(err) {
			refused++
		}
	}
	if refused != defaultRate {
		t.Errorf("of 80 reads at once %d are refused", refused)
	}
	time.Sleep(time.Second)
	if _, err := do(w, read, &ssmapi.GetParameterRequest{Name: "/now"}); err != nil {
		t.Errorf("a second later: %v", err)
	}
	_, err := do(w, w.service.updateServiceSetting, &ssmapi.UpdateServiceSettingRequest{SettingId: highThroughput, SettingValue: "true"})
	w.must(err)
	for range 2 * defaultRate {
		_, err := do(w, read, &ssmapi.GetParameterRequest{Name: "/now"})
		w.must(err)
	}
}

// Filters look at a bounded number of parameters a call, and miss none over all pages.
func TestFilteredPagesMissNothing(t *testing.T) {
	w := newWorld(t, false)
	w.fill(3 * maxLooked)
	w.must(w.put("/zz/last", "v"))
	var token *string
	found, pages := 0, 0
	for {
		out, err := do(w, w.service.describeParameters, &ssmapi.DescribeParametersRequest{
			ParameterFilters: []ssmapi.ParameterStringFilter{{Key: "Name", Option: new("Contains"), Values: []string{"last"}}}, NextToken: token,
		})
		w.must(err)
		found += len(out.Parameters)
		pages++
		if token = out.NextToken; token == nil {
			break
		}
	}
	if found != 1 || pages < 3 {
		t.Errorf("%d found on %d pages", found, pages)
	}
}

func TestPublicParametersAreChecked(t *testing.T) {
	for _, text := range []string{
		"{", `[{"Name":"/app/x","Value":"v"}]`, `[{"Name":"/aws/service/x"}]`, `[{"Name":"/aws/service/x","Value":"v","Colour":"red"}]`,
		`[{"Name":"/aws/service/x","Value":"v"},{"Name":"/aws/service/x","Value":"w"}]`,
	} {
		if _, err := ReadPublic([]byte(text)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	p, err := ReadPublic([]byte(`[{"Name":"/aws/service/x","Values":{"eu-west-1":"v"}}]`))
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := p.find("/aws/service/x").in("eu-west-1"); !ok || v != "v" {
		t.Errorf("%q, %t", v, ok)
	}
	if _, ok := p.find("/aws/service/x").in("us-east-1"); ok {
		t.Error("it has a value in another region")
	}
}

func TestSecretsAreNamedWithSelectors(t *testing.T) {
	for _, c := range []struct{ id, name, version string }{
		{"db", "db", ""}, {"db:AWSPREVIOUS", "db", "AWSPREVIOUS"},
		{"arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf", "arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf", ""},
		{"arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf:AWSPREVIOUS", "arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf", "AWSPREVIOUS"},
	} {
		if name, version := divide(c.id); name != c.name || version != c.version {
			t.Errorf("%s is %s and %s", c.id, name, version)
		}
	}
	w := newWorld(t, false)
	for _, name := range []string{"/aws/reference/secretsmanager/db:AWSPREVIOUS", "arn:aws:ssm:us-east-1:111122223333:parameter/aws/reference/secretsmanager/db:AWSPREVIOUS"} {
		if id, ok := referenceOf(w.ctx, name).secret(); !ok || id != "db:AWSPREVIOUS" {
			t.Errorf("%s names the secret %s", name, id)
		}
	}
	_, err := do(w, w.service.getParameter, &ssmapi.GetParameterRequest{Name: "/aws/reference/secretsmanager/db"})
	if err == nil || !strings.Contains(err.Error(), "WithDecryption") {
		t.Errorf("without decryption: %v", err)
	}
}

// Times that lie further ahead than due records reach are taken all the same.
func TestPoliciesOfTheFarFuture(t *testing.T) {
	w := newWorld(t, false)
	for name, policies := range map[string]string{
		"/expires":   `[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2999-01-01T00:00:00Z"}}]`,
		"/unchanged": `[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"100000","Unit":"Days"}}]`,
	} {
		_, err := do(w, w.service.putParameter, &ssmapi.PutParameterRequest{
			Name: name, Value: "v", Type: new(ssmapi.ParameterTypeString), Tier: new(ssmapi.ParameterTierAdvanced), Policies: &policies,
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
