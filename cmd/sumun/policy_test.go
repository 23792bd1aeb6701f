package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sumun.dev/policy"
	"sumun.dev/policy/lint"
	"sumun.dev/service/iam/managed"
)

// command runs sumun in this process, in a folder with files, and returns its
// exit status and what it printed.
func command(t *testing.T, in string, args ...string) (status int, out, complaint string) {
	t.Helper()
	var o, e bytes.Buffer
	c := root()
	c.SetArgs(args)
	c.SetIn(strings.NewReader(in))
	c.SetOut(&o)
	c.SetErr(&e)
	err := c.ExecuteContext(t.Context())
	var quiet exit
	switch {
	case errors.As(err, &quiet):
		status = int(quiet)
	case err != nil:
		status = 1
		e.WriteString(err.Error() + "\n")
	}
	return status, o.String(), e.String()
}

// inFolder goes to a new folder that holds files.
func inFolder(t *testing.T, files map[string]string) {
	t.Helper()
	folder := t.TempDir()
	t.Chdir(folder)
	for name, text := range files {
		ok(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700))
		ok(t, os.WriteFile(name, []byte(text), 0o600))
	}
}

func TestPolicyEval(t *testing.T) {
	const line = `{"id":1,"principal":"arn:aws:iam::111122223333:root","action":"s3:ListAllMyBuckets"}`
	const answer = `{"id":1,"decision":"allowed","decidedBy":"default","statements":[]}` + "\n"
	inFolder(t, map[string]string{"cases.json": line + "\n"})
	for _, c := range []struct {
		name, in        string
		args            []string
		status          int
		out, complaints string
	}{
		{name: "standard_input", in: line, args: []string{"-"}, out: answer},
		{name: "file", args: []string{"cases.json"}, out: answer},
		{name: "others_are_still_answered", in: "x\n" + line + "\n", args: []string{"-"}, status: 1, out: answer, complaints: "1 lines could not be decided"},
		{name: "nothing", in: "", args: []string{"-"}},
		{name: "no_file", args: []string{"none.json"}, status: 2, complaints: "none.json"},
		{name: "no_argument", status: 2, complaints: "name one file"},
		{name: "schema", args: []string{"--schema"}, out: `"identityPolicies"`},
		{name: "schema_and_file", args: []string{"--schema", "cases.json"}, status: 2, complaints: "--schema alone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, complaint := command(t, c.in, append([]string{"policy", "eval"}, c.args...)...)
			if status != c.status || !strings.Contains(out, c.out) || !strings.Contains(complaint, c.complaints) || strings.Count(complaint, "\n") > 1 {
				t.Errorf("status %d, %q, %q; want %d, %q, %q", status, out, complaint, c.status, c.out, c.complaints)
			}
		})
	}
}

func TestPolicyCheck(t *testing.T) {
	const alice, bob = "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:user/ops/bob"
	dumps := map[string]string{
		"read.json":      `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`,
		"admin.json":     `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"regions.json":   `{"Version":"2012-10-17","Statement":[{"Sid":"Europe","Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotLike":{"aws:RequestedRegion":"eu-*"}}}]}`,
		"rcp.json":       `{"Version":"2012-10-17","Statement":[{"Sid":"Perimeter","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalAccount":"111122223333"}}}]}`,
		"bucket.json":    `{"Version":"2012-10-17","Statement":[{"Sid":"Bob","Effect":"Allow","Principal":{"AWS":"` + bob + `"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}]}`,
		"noec2.json":     `{"Version":"2012-10-17","Statement":[{"Sid":"NoEC2","Effect":"Deny","Action":"ec2:*","Resource":"*"}]}`,
		"federated.json": `{"Version":"2012-10-17","Statement":[{"Sid":"Userid","Effect":"Allow","Action":"sqs:*","Resource":"*","Condition":{"StringEquals":{"aws:userid":"111122223333:f"}}}]}`,
		"broken.json":    `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*"}]}`,
	}
	for _, name := range []string{"account.json", "organization.json"} {
		text, err := os.ReadFile("../../policy/inventory/testdata/" + name)
		ok(t, err)
		dumps[name] = string(text)
	}
	inFolder(t, dumps)
	for _, c := range []struct {
		name, args string
		status     int
		says       []string
		complaint  string
	}{
		{name: "allowed", args: "read.json --as " + alice + " --action s3:GetObject --resource arn:aws:s3:::b/k --context aws:SecureTransport=true",
			says: []string{"s3:GetObject on arn:aws:s3:::b/k: allowed by identity-based policy: Read of read.json", "wants true, got true: met"}},
		{name: "denied", args: "read.json --as " + alice + " --action s3:GetObject --resource arn:aws:s3:::b/k", status: 1,
			says: []string{"implicitDeny by identity-based policy", "(not in the request)", "needed: an Allow"}},
		{name: "denied_as_expected", args: "read.json --as " + alice + " --action s3:GetObject --resource arn:aws:s3:::b/k --expect denied"},
		{name: "allowed_against_expectation", args: "admin.json --as " + alice + " --action s3:GetObject --expect denied", status: 1},
		{name: "every_action_counts", args: "read.json --as " + alice + " --action s3:GetObject --action s3:PutObject --resource arn:aws:s3:::b/k --context aws:SecureTransport=true", status: 1,
			says: []string{"s3:GetObject on arn:aws:s3:::b/k: allowed", "s3:PutObject on arn:aws:s3:::b/k: implicitDeny"}},
		{name: "scp", args: "admin.json scp:FullAWSAccess scp:regions.json --as " + alice + " --action ec2:RunInstances --context aws:RequestedRegion=us-west-1", status: 1,
			says: []string{"explicitDeny by service control policy: Europe of regions.json"}},
		{name: "scp_levels", args: "admin.json scp.0:FullAWSAccess scp.1:regions.json --as " + alice + " --action ec2:RunInstances --context aws:RequestedRegion=eu-west-1", status: 1,
			says: []string{"implicitDeny by service control policy", "level 1"}},
		{name: "rcp", args: "admin.json rcp:rcp.json --as " + alice + " --action s3:GetObject --resource arn:aws:s3:::b/k", says: []string{"allowed"}},
		{name: "boundary", args: "admin.json boundary:read.json --as " + alice + " --action iam:CreateUser", status: 1, says: []string{"by permissions boundary"}},
		{name: "resource_policy", args: "--resource-policy bucket.json --as " + bob + " --action s3:PutObject --resource arn:aws:s3:::b/k", says: []string{"allowed by resource-based policy: Bob of bucket.json"}},
		{name: "dump", args: "account.json organization.json --as " + bob + " --action ec2:RunInstances --context aws:RequestedRegion=us-west-1", status: 1,
			says: []string{"explicitDeny by service control policy: EuropeOnly"}},
		{name: "dump_and_a_new_scp", args: "account.json organization.json scp.1:noec2.json --as " + bob + " --action ec2:RunInstances --context aws:RequestedRegion=eu-west-1", status: 1,
			says: []string{"explicitDeny by service control policy: NoEC2 of noec2.json", "level 1: noec2.json denies"}},
		{name: "dump_and_a_new_scp_on_other_actions", args: "account.json organization.json scp.1:noec2.json --as " + bob + " --action ssm:GetParameter --context aws:RequestedRegion=eu-west-1", says: []string{"allowed"}},
		{name: "dump_of_a_perimeter_and_a_new_rcp", args: "account.json organization.json rcp.0:rcp.json --as " + bob + " --action s3:GetObject --context aws:RequestedRegion=eu-west-1 --context aws:PrincipalOrgID=o-other", status: 1,
			says: []string{"explicitDeny by resource control policy: OrgOnly", "rcp.json does not apply"}},
		{name: "dump_federated_user", args: "account.json session:admin.json boundary:federated.json --as arn:aws:sts::111122223333:federated-user/f --issuer " + bob + " --action sqs:SendMessage",
			says: []string{"allowed by", "permissions boundary: federated.json allows", "wants 111122223333:f, got 111122223333:f: met"}},
		{name: "dump_token_of_a_provider", args: "account.json --as accounts.google.com --action sts:AssumeRoleWithWebIdentity --resource arn:aws:iam::111122223333:role/deploy", status: 1, says: []string{"implicitDeny by resource-based policy"}},
		{name: "dump_saml_provider", args: "account.json --as arn:aws:iam::111122223333:saml-provider/corp --action sts:AssumeRoleWithSAML --resource arn:aws:iam::111122223333:role/deploy", status: 1, says: []string{"implicitDeny by resource-based policy"}},
		{name: "dump_session_of_a_role", args: "account.json --as arn:aws:sts::111122223333:assumed-role/deploy/ci --action lambda:UpdateFunctionCode", says: []string{"Deploy of arn:aws:iam::111122223333:policy/deploy"}},
		{name: "dump_with_aws_managed_policy", args: "account.json --as " + bob + " --action ec2:RunInstances", says: []string{"of arn:aws:iam::aws:policy/AdministratorAccess"}},
		{name: "json", args: "admin.json --as " + alice + " --action s3:GetObject --json", says: []string{`"decision": "allowed"`, `"source": "admin.json"`}},
		{name: "not_in_the_dump", args: "account.json --as arn:aws:iam::111122223333:user/carol --action s3:GetObject", status: 2, complaint: "has no user/carol"},
		{name: "broken_policy", args: "broken.json --as " + alice + " --action s3:GetObject", status: 2, complaint: "broken.json: MalformedPolicyDocument: Policy statement must contain resources."},
		{name: "no_such_file", args: "none.json --as " + alice + " --action s3:GetObject", status: 2, complaint: "none.json"},
		{name: "nobody", args: "admin.json --action s3:GetObject", status: 2, complaint: "--as and --action are needed"},
		{name: "wildcard", args: "admin.json --as " + alice + " --action s3:*", status: 2, complaint: "is not a service and a name"},
		{name: "context", args: "admin.json --as " + alice + " --action s3:GetObject --context mfa", status: 2, complaint: "KEY=VALUE"},
		{name: "expectation", args: "admin.json --as " + alice + " --action s3:GetObject --expect maybe", status: 2, complaint: "neither allowed nor denied"},
		{name: "two_boundaries", args: "boundary:read.json boundary:admin.json --as " + alice + " --action s3:GetObject", status: 2, complaint: "another boundary policy"},
		{name: "level", args: "scp.9:admin.json --as " + alice + " --action s3:GetObject", status: 2, complaint: "scp.0 to scp.6"},
		{name: "account", args: "admin.json --as " + alice + " --action s3:GetObject --resource-account 1", status: 2, complaint: "twelve digits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, complaint := command(t, "", append([]string{"policy", "check"}, strings.Fields(c.args)...)...)
			if status != c.status || !strings.Contains(complaint, c.complaint) || c.complaint == "" && complaint != "" || strings.Count(complaint, "\n") > 1 {
				t.Errorf("status %d, %q; want %d, %q\n%s", status, complaint, c.status, c.complaint, out)
			}
			for _, says := range c.says {
				if !strings.Contains(out, says) {
					t.Errorf("does not say %q:\n%s", says, out)
				}
			}
		})
	}
}

func TestPolicyWhoCan(t *testing.T) {
	files := map[string]string{}
	for _, name := range []string{"account.json", "organization.json"} {
		text, err := os.ReadFile("../../policy/inventory/testdata/" + name)
		ok(t, err)
		files[name] = string(text)
	}
	inFolder(t, files)
	const root, bob, deploy = "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:user/ops/bob", "arn:aws:iam::111122223333:role/deploy"
	for _, c := range []struct {
		name, args string
		status     int
		who        []string
		complaint  string
	}{
		{name: "boundaries_count", args: "iam:CreateUser arn:aws:iam::111122223333:user/x account.json", who: []string{root, deploy, bob}},
		{name: "scps_count", args: "ec2:RunInstances * account.json organization.json --context aws:RequestedRegion=us-west-1", status: 1, complaint: "nobody can ec2:RunInstances"},
		{name: "trust_policies_count", args: "sts:AssumeRole arn:aws:iam::111122223333:role/deploy account.json --context aws:MultiFactorAuthPresent=true", who: []string{"arn:aws:iam::111122223333:user/alice"}},
		{name: "pattern", args: "iam:* * account.json", status: 2, complaint: "is not a service and a name"},
		{name: "no_resource", args: "iam:CreateUser", status: 2, complaint: "name an action and a resource"},
		{name: "no_plane", args: "iam:CreateUser * --data none", status: 2, complaint: "no dump is among the files, and no plane runs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, complaint := command(t, "", append([]string{"policy", "who-can"}, strings.Fields(c.args)...)...)
			var who []string
			for line := range strings.Lines(out) {
				who = append(who, strings.Fields(line)[0])
			}
			if status != c.status || !slices.Equal(who, c.who) || !strings.Contains(complaint, c.complaint) {
				t.Errorf("status %d, %v, %q; want %d, %v, %q", status, who, complaint, c.status, c.who, c.complaint)
			}
		})
	}
}

// AWS's own policies have no errors but those that AWS's lists of actions, resources
// and keys make them have: names that are not in the lists.
func TestAWSPoliciesHaveFewErrors(t *testing.T) {
	listed := []string{"INVALID_ACTION", "INVALID_ARN_RESOURCE", "INVALID_SERVICE_CONDITION_KEY", "UNSUPPORTED_ACTION_FOR_CONDITION_KEY"}
	ps := managed.New()
	wrong := map[string]bool{}
	for i := range ps.All() {
		p := &ps.All()[i]
		text, err := ps.Document(p)
		ok(t, err)
		for _, f := range lint.Check([]byte(text), policy.Identity) {
			if f.Type == lint.Error {
				wrong[p.ARN] = true
				if !slices.Contains(listed, f.Code) {
					t.Errorf("%s: %+v", p.ARN, f)
				}
			}
		}
	}
	if len(wrong) > 60 {
		t.Errorf("%d of %d policies have errors", len(wrong), len(ps.All()))
	}
}

func TestPolicyLint(t *testing.T) {
	inFolder(t, map[string]string{
		"good.json": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`,
		"warn.json": "{\"Version\":\"2012-10-17\",\n\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iam:PassRole\",\"Resource\":\"*\"}]}",
		"bad.json":  `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObjekt","Resource":"arn:aws:s3:::b/*"}]}`,
	})
	for _, c := range []struct {
		name, args, in  string
		status          int
		says, complaint string
	}{
		{name: "good", args: "good.json"},
		{name: "warning", args: "warn.json", says: "warn.json:2:41: SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE at Statement[0].Action: "},
		{name: "strict", args: "warn.json --strict", status: 1, says: "PASS_ROLE"},
		{name: "error", args: "good.json bad.json", status: 1, says: "bad.json:1:65: ERROR INVALID_ACTION"},
		{name: "json", args: "bad.json --json", status: 1, says: `"issueCode": "INVALID_ACTION"`},
		{name: "type", args: "good.json --type trust", status: 1, says: "MISSING_PRINCIPAL"},
		{name: "standard_input", args: "-", in: "{", status: 1, says: "JSON_SYNTAX_ERROR"},
		{name: "list", args: "--list", says: "PASS_ROLE_WITH_NOT_RESOURCE"},
		{name: "no_file", args: "none.json", status: 2, complaint: "none.json"},
		{name: "nothing", status: 2, complaint: "at least one policy file"},
		{name: "no_such_type", args: "good.json --type bucket", status: 2, complaint: "is none of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, complaint := command(t, c.in, append([]string{"policy", "lint"}, strings.Fields(c.args)...)...)
			if status != c.status || !strings.Contains(out, c.says) || !strings.Contains(complaint, c.complaint) || strings.Count(complaint, "\n") > 1 {
				t.Errorf("status %d, %q, %q; want %d, %q, %q", status, out, complaint, c.status, c.says, c.complaint)
			}
		})
	}
}
