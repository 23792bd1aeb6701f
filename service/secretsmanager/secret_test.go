package secretsmanager

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

func token(n int) *string { return new(fmt.Sprintf("%032d", n)) }

func TestARequestAgainChangesNothing(t *testing.T) {
	w := newWorld(t)
	first := must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", SecretString: new("one"), ClientRequestToken: token(1)})
	again := must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", SecretString: new("one"), ClientRequestToken: token(1)})
	if *first.ARN != *again.ARN || *first.VersionId != *again.VersionId {
		t.Errorf("made %s, then %s", *first.ARN, *again.ARN)
	}
	if _, err := do(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", SecretString: new("two"), ClientRequestToken: token(1)}); !api.ResourceExistsException.Is(err) {
		t.Errorf("other data: %v", err)
	}
	must(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "a", SecretString: new("two"), ClientRequestToken: token(2)})
	must(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "a", SecretString: new("one"), ClientRequestToken: token(1)})
	if got := w.read("a"); got != "two" {
		t.Errorf("an old request made %q current", got)
	}
	if _, err := do(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "a", SecretBinary: []byte("two"), ClientRequestToken: token(2)}); !api.ResourceExistsException.Is(err) {
		t.Errorf("bytes for text: %v", err)
	}
}

// Versions without labels go when there are too many, but none younger than a day.
func TestOldVersionsArePruned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", SecretString: new("0"), ClientRequestToken: token(0)})
		for n := 1; n < maxVersions; n++ {
			must(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "a", SecretString: new(fmt.Sprint(n)), ClientRequestToken: token(n)})
			time.Sleep(time.Minute)
		}
		more := &api.PutSecretValueRequest{SecretId: "a", SecretString: new("more"), ClientRequestToken: token(1000)}
		if _, err := do(w, &api.PutSecretValue, more); !api.LimitExceededException.Is(err) {
			t.Errorf("the 101st within a day: %v", err)
		}
		time.Sleep(25 * time.Hour)
		w.told() // what came before
		must(w, &api.PutSecretValue, more)
		if got := w.told(); fmt.Sprint(got) != "[SecretVersionDeletion of "+*token(0)+"]" {
			t.Errorf("the trail has %q", got)
		}
		if _, err := do(w, &api.GetSecretValue, &api.GetSecretValueRequest{SecretId: "a", VersionId: token(0)}); !api.ResourceNotFoundException.Is(err) {
			t.Errorf("the oldest is still there: %v", err)
		}
		must(w, &api.GetSecretValue, &api.GetSecretValueRequest{SecretId: "a", VersionId: token(1)})
		kept, err := w.service.versions.Page(w.ctx, store.Range{})
		if err != nil || len(kept) != maxVersions {
			t.Errorf("%d versions are kept, %v", len(kept), err)
		}
	})
}

func TestASecretHasAtMostTwentyLabels(t *testing.T) {
	w := newWorld(t)
	must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", SecretString: new("one")})
	var stages []string
	for n := range 19 {
		stages = append(stages, fmt.Sprint("stage", n))
	}
	must(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "a", SecretString: new("two"), VersionStages: stages})
	if _, err := do(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "a", SecretString: new("three"), VersionStages: []string{"one-more"}}); !api.LimitExceededException.Is(err) {
		t.Error(err)
	}
}

// What KMS refuses leaves everything as it was.
func TestNothingChangesWithoutTheKey(t *testing.T) {
	w := newWorld(t)
	must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", SecretString: new("one")})
	before := w.calls
	w.read("a")
	w.read("a")
	if got := w.calls[len(before):]; fmt.Sprint(got) != "[Decrypt Decrypt]" {
		t.Errorf("two reads asked KMS for %v", got)
	}
	w.refuse = aws.AccessDenied.New("no")
	for _, err := range []error{
		second(do(w, &api.GetSecretValue, &api.GetSecretValueRequest{SecretId: "a"})),
		second(do(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "a", SecretString: new("two")})),
		second(do(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "b", SecretString: new("two")})),
	} {
		if !aws.AccessDenied.Is(err) || !strings.Contains(err.Error(), "Access to KMS is not allowed") {
			t.Error(err)
		}
	}
	w.refuse = nil
	if got := w.read("a"); got != "one" {
		t.Errorf("it is %q", got)
	}
	if _, err := do(w, &api.DescribeSecret, &api.DescribeSecretRequest{SecretId: "b"}); !api.ResourceNotFoundException.Is(err) {
		t.Errorf("half a secret: %v", err)
	}
}

func second[A, B any](_ A, b B) B { return b }

// A value moved to another secret's row does not open.
func TestValuesAreBoundToTheirSecret(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a", "b"} {
		must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: name, SecretString: new(name), ClientRequestToken: token(1)})
	}
	err := w.store.Update(w.ctx, func(ctx context.Context) error {
		a, err := w.service.secret(ctx, "a")
		if err != nil {
			return err
		}
		b, err := w.service.secret(ctx, "b")
		if err != nil {
			return err
		}
		v, err := w.service.version(ctx, a, *token(1))
		if err != nil {
			return err
		}
		return w.service.versions.Put(ctx, b.versionID(*token(1)), v)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := do(w, &api.GetSecretValue, &api.GetSecretValueRequest{SecretId: "b"}); err == nil {
		t.Error("the value of a opens as b's")
	}
}

var errStop = errors.New("the process ends here")

// A process that ends within a call leaves the secret as before, in every region.
func TestAKilledCallChangesNothing(t *testing.T) {
	w := newWorld(t)
	must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", SecretString: new("one"), AddReplicaRegions: []api.ReplicaRegionType{{Region: new("eu-west-1")}}})
	for _, serve := range []func(context.Context) error{
		func(ctx context.Context) error {
			return second(w.service.putValue(ctx, &api.PutSecretValueRequest{SecretId: "a", SecretString: new("two")}))
		},
		func(ctx context.Context) error {
			return second(w.service.removeRegions(ctx, &api.RemoveRegionsFromReplicationRequest{SecretId: "a", RemoveReplicaRegions: []string{"eu-west-1"}}))
		},
	} {
		err := w.store.Update(w.ctx, func(ctx context.Context) error {
			if err := serve(ctx); err != nil {
				return err
			}
			return errStop
		})
		if !errors.Is(err, errStop) {
			t.Fatal(err)
		}
		w.begin()
		if got := w.read("a"); got != "one" {
			t.Errorf("it is %q", got)
		}
		out := must(w, &api.DescribeSecret, &api.DescribeSecretRequest{SecretId: "a"})
		if len(out.ReplicationStatus) != 1 || *out.ReplicationStatus[0].Status != api.StatusTypeInSync {
			t.Errorf("replicas are %+v", out.ReplicationStatus)
		}
	}
}

func TestSecretsAreListedInEachOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, name := range []string{"c", "a", "b"} {
			must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: name, SecretString: new("x")})
			time.Sleep(time.Hour)
		}
		must(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "a", SecretString: new("y")})
		time.Sleep(48 * time.Hour)
		w.read("c")
		for _, test := range []struct {
			by   api.SortByType
			desc bool
			want string
		}{
			{api.SortByTypeName, false, "a b c"}, {api.SortByTypeName, true, "c b a"},
			{api.SortByTypeCreatedDate, false, "c a b"}, {api.SortByTypeCreatedDate, true, "b a c"},
			{api.SortByTypeLastChangedDate, false, "c b a"}, {api.SortByTypeLastAccessedDate, true, "c"},
		} {
			order := api.SortOrderTypeAsc
			if test.desc {
				order = api.SortOrderTypeDesc
			}
			var names []string
			in := &api.ListSecretsRequest{SortBy: &test.by, SortOrder: &order, MaxResults: new(int32(1))}
			for {
				out := must(w, &api.ListSecrets, in)
				for _, e := range out.SecretList {
					names = append(names, *e.Name)
				}
				if in.NextToken = out.NextToken; out.NextToken == nil {
					break
				}
			}
			if got := strings.Join(names, " "); !strings.HasPrefix(got, test.want) || len(names) != 3 {
				t.Errorf("by %s, %s: %s, want %s", test.by, order, got, test.want)
			}
		}
	})
}

func TestPasswordsHoldWhatIsAskedFor(t *testing.T) {
	types := []string{lower, upper, digits, punctuation, " "}
	for range 200 {
		made, err := password(5, types, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range types {
			if !strings.ContainsAny(made, one) {
				t.Errorf("%q has none of %q", made, one)
			}
		}
	}
	// Every character is as likely as any other: 62,000 draws of 62 fall within
	// six standard deviations of 1,000.
	made, err := password(62_000, []string{lower, upper, digits}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range lower + upper + digits {
		if n := strings.Count(made, string(c)); n < 810 || n > 1190 {
			t.Errorf("%c came %d times", c, n)
		}
	}
}

// What is kept shows no value, and prints show none.
func TestValuesShowNowhere(t *testing.T) {
	w := newWorld(t)
	must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", SecretString: new("extremely-quiet")})
	var out bytes.Buffer
	if err := store.Dump(t.Context(), w.backend, &out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "extremely-quiet") {
		t.Error("the dump holds it")
	}
	if got := fmt.Sprintf("%v %+v %#v", content{Bytes: []byte("quiet")}, content{Bytes: []byte("quiet")}, content{Bytes: []byte("quiet")}); strings.Contains(got, "quiet") || strings.Contains(got, "113") {
		t.Errorf("printed: %s", got)
	}
}

// What is known of a name is worth nothing when another secret has it, or none.
func TestANameCanBeAnothersSecret(t *testing.T) {
	w := newWorld(t)
	gone := &api.DeleteSecretRequest{SecretId: "a", ForceDeleteWithoutRecovery: new(true)}
	for _, value := range []string{"one", "two"} {
		must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", SecretString: &value})
		if got := w.read("a"); got != value {
			t.Errorf("%q is read as %q", value, got)
		}
		must(w, &api.DeleteSecret, gone)
		if _, err := do(w, &api.GetSecretValue, &api.GetSecretValueRequest{SecretId: "a"}); !api.ResourceNotFoundException.Is(err) {
			t.Errorf("after the deletion: %v", err)
		}
	}
	undone := errors.New("undone")
	err := w.store.Update(w.ctx, func(ctx context.Context) error {
		if _, err := w.service.createSecret(ctx, &api.CreateSecretRequest{Name: "b", SecretString: new("never")}); err != nil {
			return err
		}
		if _, sec, err := w.service.find(ctx, "b"); err != nil || sec == nil {
			t.Errorf("within the call: %v, %v", sec, err)
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "b", SecretString: new("three")})
	if got := w.read("b"); got != "three" {
		t.Errorf("got %q", got)
	}
}

// The random characters that end an ARN have no say in the order of names.
func TestANameStandsBeforeThoseItBegins(t *testing.T) {
	w := newWorld(t)
	want := []string{"db", "db!", "db-replica", "db/admin", "db2"}
	for range 3 {
		for _, name := range want {
			must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: name, SecretString: new("x")})
		}
		for _, prefix := range []string{"", "db"} {
			var got []string
			in := &api.ListSecretsRequest{SortBy: new(api.SortByTypeName), MaxResults: new(int32(2))}
			if prefix != "" {
				in.Filters = []api.Filter{{Key: new(api.FilterNameStringTypeName), Values: []string{prefix}}}
			}
			for {
				out := must(w, &api.ListSecrets, in)
				for _, sec := range out.SecretList {
					got = append(got, *sec.Name)
				}
				if in.NextToken = out.NextToken; in.NextToken == nil {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("names that begin with %q: %q", prefix, got)
			}
		}
		for _, name := range want {
			must(w, &api.DeleteSecret, &api.DeleteSecretRequest{SecretId: name, ForceDeleteWithoutRecovery: new(true)})
		}
	}
	if left, err := w.service.order.Page(w.ctx, store.Range{}); err != nil || len(left) != 0 {
		t.Errorf("%d places of secrets that are gone, %v", len(left), err)
	}
}
