package declared

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/expr-lang/expr"

	"sumun.dev/detect/enrich"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/source/cloudtrail"
)

// parts of conditions: those that are made into functions, and some that are not.
var parts = []string{
	`api.failed`, `api.denied`, `api.read_only`, `api.management`, `actor.by_service`, `actor.session.is_mfa`, `src_endpoint.private`, `true`,
	`api.operation == "ListUsers"`, `api.operation != "ListUsers"`, `api.operation in ["ListUsers", "CreateUser"]`, `api.operation not in ["A"]`, `api.service.name == "iam.amazonaws.com"`, `api.service.name in ["iam.amazonaws.com"]`,
	`api.operation startsWith "List"`, `actor.user.arn endsWith "ann"`, `http_request.user_agent contains "cli"`, `lower(http_request.user_agent) contains "boto"`, `actor.user.name matches "^a"`, `actor.principal == actor.user.arn`,
	`first(request("userName")) == "ann"`, `first(request("userName", "x")) != actor.user.name`, `first(request("none")) == "ann"`, `first(request("none")) in ["a"]`, `first(request("none")) startsWith "a"`, `request("userName")[0] startsWith "a"`, `request("none")[0] == "a"`,
	`any(request("list"), # == "b")`, `any(request("list"), # in ["c", "d"] or # startsWith "a")`, `none(request("list"), # contains "b")`, `none(request("none"), true)`, `all(request("list"), # != "b")`, `any(request("list"), external(#))`, `any(request("list"), int(#) > 3)`, `any(request("list"), any(request("userName"), # == "ann"))`,
	`any(request("list"), {let l = #; l == "b"})`, `len(request("list")) > 1`, `len(request("none")) == 0`, `len(filter(request("list"), # == "b")) >= 1`, `len(guests(first(request("policy")) ?? "")) > 0`, `any(request("policy"), len(guests(#)) > 0)`, `any(request("policy"), admin(#))`,
	`api.read_only == false`, `api.failed == true`, `src_endpoint.ip == "198.51.100.7"`, `cidr(src_endpoint.ip, "198.51.0.0/16")`, `cidr(src_endpoint.ip, "x")`, `src_endpoint.svc_name == "AWS Internal"`, `cloud.region in ["eu-west-1"]`, `any(api.resources, # endsWith "b")`, `"b" in request("list")`, `cloud.account.uid startsWith "1111"`,
	`(first(request("none")) ?? "a") == "a"`, `(first(request("userName")) ?? "") startsWith "a"`, `(first(request("none")) ?? first(request("userName"))) != "b"`, `api.operation + "x" == "ListUsersx"`,
	`first(additional("MFAUsed")) == "No"`, `first(response("x.y")) == "1"`, `actor.user.type in ["IAMUser", "Root"]`, `api.error == ""`, `actor.session.name == ""`, `metadata.uid != ""`,
}

// expression joins some parts at random.
func expression(r *rand.Rand, depth int) string {
	switch k := r.IntN(8); {
	case depth == 0 || k < 2:
		return parts[r.IntN(len(parts))]
	case k < 4:
		return "(" + expression(r, depth-1) + " and " + expression(r, depth-1) + ")"
	case k < 6:
		return "(" + expression(r, depth-1) + " or " + expression(r, depth-1) + ")"
	case k < 7:
		return "not (" + expression(r, depth-1) + ")"
	}
	return fmt.Sprintf("(let v%d = 1; %s)", r.IntN(1e9), expression(r, depth-1))
}

func records(t testing.TB) (all []*record.Record) {
	t.Helper()
	for _, body := range []string{
		`"eventSource":"iam.amazonaws.com","eventName":"ListUsers","readOnly":true,"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann","userName":"ann"},"sourceIPAddress":"198.51.100.7","userAgent":"aws-cli/2"`,
		`"eventSource":"iam.amazonaws.com","eventName":"CreateUser","errorCode":"AccessDenied","requestParameters":{"userName":"ann","list":["a","b","12"]},"userIdentity":{"type":"Root","userName":"bert"},"sourceIPAddress":"10.0.0.1","userAgent":"Boto3"`,
		`"eventSource":"s3.amazonaws.com","eventName":"PutBucketPolicy","requestParameters":{"userName":7,"list":["111122223333","444455556666"],"policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}"},"additionalEventData":{"MFAUsed":"No"},"responseElements":{"x":{"y":1}},"resources":[{"ARN":"arn:aws:s3:::b"}],"awsRegion":"eu-west-1","sourceIPAddress":"AWS Internal","eventID":"e"`,
		`"eventSource":"x.amazonaws.com","eventName":"Y","requestParameters":null,"userIdentity":null`,
	} {
		r, err := cloudtrail.Read([]byte(`{"eventTime":"2026-01-01T10:00:00Z","recipientAccountId":"111122223333",` + body + `}`))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// What is tried before an expression is run says what the expression says, and the
// calls that a condition asks for are those that it can hold for.
func TestTestsSayWhatExpressionsSay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	exact, near, held := 0, 0, 0
	for i := range 4000 {
		source := parts[i%len(parts)]
		if i >= len(parts) {
			source = expression(r, 3)
		}
		p, err := compile(source, expr.AsBool())
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		c := newCondition(p, record.APIActivity)
		for _, rec := range records(t) {
			s := &rule.Scene{Net: &enrich.Net{}}
			v, err := envOf(s, rec).run(p)
			want := err == nil && v.(bool)
			s.Shared = nil
			e := envOf(s, rec)
			if got := e.holds(c); got != want {
				t.Fatalf("%s of %s holds %t, not %t, %v", source, rec.API.Operation, got, want, err)
			}
			if c.exact && c.quick(e) != want {
				t.Fatalf("%s of %s is not exact", source, rec.API.Operation)
			}
			if named := calls(c); want && named != nil && !matches(named, rec.API) {
				t.Fatalf("%s holds for %s, not named by %v", source, rec.API.Operation, named)
			}
			if want {
				held++
			}
		}
		switch {
		case c.exact:
			exact++
		case c.quick != nil:
			near++
		}
	}
	if exact < 1000 || near < 500 || held < 1000 {
		t.Errorf("%d exact, %d nearly, %d held", exact, near, held)
	}
}

func TestTextsSayWhatExpressionsSay(t *testing.T) {
	for _, source := range []string{`actor.principal`, `src_endpoint.ip`, `first(request("userName"))`, `first(request("list", "userName"))`, `first(request("none"))`, `api.operation`, `"x"`, `lower(api.operation)`, `actor.principal + " " + first(request("userName"))`, `api.operation + "/" + api.error + "x"`, `first(request("none")) ?? metadata.uid`, `first(request("userName")) ?? "root"`, `first(request("none")) ?? first(request("none"))`, `request("list")`, `first(request("none")) ?? "y"`} {
		p, err := compile(source, expr.AsAny())
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range records(t) {
			e := envOf(&rule.Scene{Net: &enrich.Net{}}, rec)
			if got, want := e.text(newValue(p, record.APIActivity)), e.text(&value{program: p}); got != want {
				t.Errorf("%s of %s: %q, not %q", source, rec.API.Operation, got, want)
			}
		}
	}
}

// Rules without calls are put under those that their conditions ask for.
func TestACallThatAConditionAsksFor(t *testing.T) {
	for when, want := range map[string]string{
		`api.operation == "A" and api.failed`: "*:A", `api.service.name == "s3.amazonaws.com" and api.operation in ["A", "B"]`: "s3.amazonaws.com:A s3.amazonaws.com:B",
		`api.operation == "A" or api.operation == "B"`: "*:A *:B", `api.operation == "A" or api.failed`: "", `not (api.operation == "A")`: "", `api.failed`: "", `api.service.name == "s3.amazonaws.com"`: "s3.amazonaws.com:*",
		`api.operation == "A-B"`: "", `api.operation == "*"`: "", `let x = 1; api.operation == "A"`: "*:A",
	} {
		r, err := Parse([]byte("name: own\ntype: Impact:IAMUser/AnomalousBehavior\nclass: api\nwhen: '" + when + "'\n"))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(r.Calls)
		if got := strings.Join(r.Calls, " "); got != want {
			t.Errorf("%s: %q, not %q", when, got, want)
		}
	}
	for steps, want := range map[string]int{
		"[{calls: ['iam.amazonaws.com:A']}, {when: api.failed}]": 0, "[{calls: ['iam.amazonaws.com:A']}, {when: 'api.operation == \"B\"'}]": 2,
	} {
		r, err := Parse([]byte("name: own\ntype: Impact:IAMUser/AnomalousBehavior\nclass: api\nwithin: 1h\nby: actor.principal\nsequence: " + steps + "\n"))
		if err != nil || len(r.Calls) != want {
			t.Errorf("%s: %+v, %v", steps, r, err)
		}
	}
}
