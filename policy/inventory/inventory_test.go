package inventory

import (
	"os"
	"strings"
	"testing"

	"sumun.dev/aws"
	"sumun.dev/policy"
)

const account = "arn:aws:iam::111122223333:"

// dumped reads dumps; AWS's managed policies are those of the test.
func dumped(t testing.TB, files ...string) *Inventory {
	t.Helper()
	inv := &Inventory{Managed: func(arn string) (string, bool) {
		switch arn {
		case "arn:aws:iam::aws:policy/AdministratorAccess":
			return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, true
		case "arn:aws:iam::aws:policy/aws-service-role/AmazonGuardDutyServiceRolePolicy":
			return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]}`, true
		}
		return "", false
	}}
	for _, file := range files {
		f, err := os.Open("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := inv.Add(f); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return inv
}

func TestDecide(t *testing.T) {
	inv := dumped(t, "account.json", "organization.json")
	alone := dumped(t, "account.json")
	eu := map[string][]string{"aws:RequestedRegion": {"eu-central-1"}}
	for _, c := range []struct {
		name, as string
		q        Question
		alone    bool // without the organisation
		want     string
	}{
		{name: "inline_with_variable", as: "user/alice", q: Question{Action: "iam:CreateAccessKey", Resource: account + "user/alice"}, want: "allowed identity inline:alice/own-keys OwnKeys"},
		{name: "of_another", as: "user/alice", q: Question{Action: "iam:CreateAccessKey", Resource: account + "user/ops/bob"}, want: "implicitDeny identity"},
		{name: "group_inline_and_tag", as: "user/alice", q: Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::payments/x", Context: eu}, want: "allowed identity inline:developers/team-buckets Team"},
		{name: "group_attached", as: "user/alice", q: Question{Action: "lambda:UpdateFunctionCode", Resource: "arn:aws:lambda:eu-central-1:111122223333:function:f", Context: eu}, want: "allowed identity " + account + "policy/deploy Deploy"},
		{name: "default_version_only", as: "role/deploy", q: Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: eu}, want: "implicitDeny identity"},
		{name: "boundary", as: "user/alice", q: Question{Action: "iam:CreateUser", Resource: account + "user/x"}, want: "implicitDeny boundary"},
		{name: "role_without_boundary", as: "role/deploy", q: Question{Action: "iam:CreateUser", Resource: account + "user/x"}, want: "allowed identity " + account + "policy/deploy Deploy"},
		{name: "aws_managed", as: "user/ops/bob", q: Question{Action: "ec2:RunInstances", Resource: "*", Context: eu}, want: "allowed identity arn:aws:iam::aws:policy/AdministratorAccess #0"},
		{name: "scp_of_the_unit", as: "user/ops/bob", q: Question{Action: "ec2:RunInstances", Resource: "*", Context: map[string][]string{"AWS:requestedregion": {"us-west-1"}}},
			want: "explicitDeny scp arn:aws:organizations::999988887777:policy/o-exampleorgid/service_control_policy/p-region01 EuropeOnly"},
		{name: "no_organisation", as: "user/ops/bob", alone: true, q: Question{Action: "ec2:RunInstances", Resource: "*"}, want: "allowed identity arn:aws:iam::aws:policy/AdministratorAccess #0"},
		{name: "service_linked_role_under_no_scp", as: "role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty", q: Question{Action: "ec2:DescribeInstances", Resource: "*"},
			want: "allowed identity arn:aws:iam::aws:policy/aws-service-role/AmazonGuardDutyServiceRolePolicy #0"},
		{name: "rcp_lets_the_organisation_in", as: "user/ops/bob", q: Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: eu}, want: "allowed identity arn:aws:iam::aws:policy/AdministratorAccess #0"},
		{name: "rcp_counts_what_is_given", as: "user/ops/bob", q: Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: map[string][]string{"aws:RequestedRegion": {"eu-central-1"}, "aws:principalorgid": {"o-other"}}},
			want: "explicitDeny rcp arn:aws:organizations::999988887777:policy/o-exampleorgid/resource_control_policy/p-perim001 OrgOnly"},
		{name: "trust_from_the_dump", as: "user/alice", q: Question{Action: "sts:AssumeRole", Resource: account + "role/deploy", Context: map[string][]string{"aws:MultiFactorAuthPresent": {"true"}}},
			want: "allowed resource trust policy of " + account + "role/deploy #0"},
		{name: "trust_without_mfa", as: "user/alice", q: Question{Action: "sts:AssumeRole", Resource: account + "role/deploy"}, want: "implicitDeny resource"},
		{name: "trust_of_a_role_that_is_not_there", as: "user/ops/bob", q: Question{Action: "sts:AssumeRole", Resource: account + "role/none"}, want: "implicitDeny resource"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inv := inv
			if c.alone {
				inv = alone
			}
			arn, err := aws.ParseARN(account + c.as)
			if err != nil {
				t.Fatal(err)
			}
			e := inv.Find(arn)
			if e == nil {
				t.Fatalf("%s is not there", arn)
			}
			who, err := inv.As(e)
			if err != nil {
				t.Fatal(err)
			}
			req, policies, err := inv.Request(who, &c.q)
			if err != nil {
				t.Fatal(err)
			}
			d, why := policy.Explain(req, policies)
			got := strings.TrimSpace(d.Outcome.String() + " " + d.By.String() + " " + strings.TrimSpace(d.Source()+" "+d.Label()))
			if got != c.want {
				t.Errorf("got %s\nwant %s\n%+v", got, c.want, why)
			}
		})
	}
}

func TestMembership(t *testing.T) {
	inv := dumped(t, "organization.json")
	m, err := inv.Membership("111122223333")
	if err != nil || m.Path != "o-exampleorgid/r-ab12/ou-ab12-11111111/" || m.Management || len(m.SCPs) != 3 || len(m.RCPs) != 3 || len(m.SCPs[1]) != 2 || len(m.RCPs[0]) != 2 {
		t.Errorf("%+v, %v", m, err)
	}
	m, err = inv.Membership("999988887777")
	if err != nil || !m.Management || m.SCPs != nil || m.RCPs != nil || m.Path != "o-exampleorgid/r-ab12/" {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err = inv.Membership("444455556666"); m != nil || err != nil {
		t.Errorf("a stranger is a member: %+v, %v", m, err)
	}
}

func TestPrincipals(t *testing.T) {
	var all []string
	inv := dumped(t, "account.json")
	for e := range inv.Principals() {
		all = append(all, strings.TrimPrefix(e.ARN.String(), account))
	}
	want := "role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty role/deploy user/alice user/ops/bob"
	if got := strings.Join(all, " "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if len(inv.Accounts()) != 1 || len(inv.Accounts()[0].Policies) != 2 || inv.Organization() != nil {
		t.Errorf("%+v", inv.Accounts())
	}
}

func TestPagesAreJoined(t *testing.T) {
	user := func(name string) string {
		return `{"UserDetailList":[{"Path":"/","UserName":"` + name + `","UserId":"AIDA","Arn":"arn:aws:iam::111122223333:user/` + name + `"}],"IsTruncated":true,"Marker":"m"}`
	}
	for _, text := range []string{user("a") + user("b"), user("a") + "\n" + user("b"), "[" + user("a") + "," + user("b") + "]"} {
		inv := &Inventory{}
		if err := inv.Add(strings.NewReader(text)); err != nil || len(inv.Accounts()) != 1 || len(inv.Accounts()[0].Users) != 2 {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	const user = `{"UserDetailList":[{"UserName":"a","Arn":"arn:aws:iam::111122223333:user/a"}]}`
	for text, want := range map[string]string{
		"":  "empty",
		"x": "cannot be read",
		`{"Version":"2012-10-17","Statement":[]}`: "neither",
		`[[` + user + `]]`:                        "neither",
		`7`:                                       "neither",
		user + user:                               "twice",
		`{"UserDetailList":[{"UserName":"a","Arn":"a"}]}`:                                `ARN is "a"`,
		`{"UserDetailList":[{"UserName":"a","Arn":"arn:aws:iam::111122223333:role/a"}]}`: "its ARN",
		`{"UserDetailList":[{"UserName":"a","Arn":"arn:aws:iam::1:user/a"}]}`:            "twelve digits",
		`{"UserDetailList":7}`: "not what get-account-authorization-details prints",
		`{"UserDetailList":[],"Policies":[{"PolicyName":"p","Arn":"arn:aws:iam::111122223333:policy/p","DefaultVersionId":"v1"}]}`: "default version",
		`{"UserDetailList":[],"Policies":[{"PolicyName":"p","Arn":"p"}]}`:                                                          `ARN is "p"`,
		`{"RoleDetailList":[{"RoleName":"a","Arn":"arn:aws:iam::111122223333:role/a","AssumeRolePolicyDocument":7}]}`:              "a policy document is an object",
		`{"RoleDetailList":[{"RoleName":"a","Arn":"arn:aws:iam::111122223333:role/a","AssumeRolePolicyDocument":"%zz"}]}`:          "invalid URL escape",
		`{"Organization":{}}`: "has an Organization",
		`{"Organization":{"Id":"o","MasterAccountId":"1"},"Roots":[{"Id":"r"}],"Accounts":[{"Id":"1","ParentId":"ou-x"}]}`:                                                                                                                                                                                           "no way leads",
		`{"Organization":{"Id":"o","MasterAccountId":"1"},"Roots":[{"Id":"r"}],"Accounts":[{"Id":"1"}]}`:                                                                                                                                                                                                             "ParentId",
		`{"Organization":{"Id":"o","MasterAccountId":"1"},"Roots":[{"Id":"r"}],"Accounts":[{"Id":"1","ParentId":"r"},{"Id":"1","ParentId":"r"}]}`:                                                                                                                                                                    "twice",
		`{"Organization":{"Id":"o","MasterAccountId":"1"},"Roots":[{"Id":"r"}],"OrganizationalUnits":[{"Id":"a","ParentId":"b"},{"Id":"b","ParentId":"a"}]}`:                                                                                                                                                         "no way leads",
		`{"Organization":{"Id":"o","MasterAccountId":"1"},"Roots":[{"Id":"r","PolicyTypes":[{"Type":"SERVICE_CONTROL_POLICY","Status":"ENABLED"}]}],"Accounts":[{"Id":"2","ParentId":"r"}],"Policies":[{"PolicySummary":{"Id":"p-1","Type":"SERVICE_CONTROL_POLICY"},"Content":"{}","Targets":[{"TargetId":"r"}]}]}`: "p-1: Malformed",
	} {
		if err := new(Inventory).Add(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// What a dump names but does not hold is an error, not a missing permission.
func TestWhatIsMissingIsSaid(t *testing.T) {
	for text, want := range map[string]string{
		`{"UserDetailList":[{"UserName":"a","Arn":"arn:aws:iam::111122223333:user/a","GroupList":["g"]}]}`:                                                            `group "g"`,
		`{"UserDetailList":[{"UserName":"a","Arn":"arn:aws:iam::111122223333:user/a","AttachedManagedPolicies":[{"PolicyArn":"arn:aws:iam::aws:policy/P"}]}]}`:        "policy/P",
		`{"UserDetailList":[{"UserName":"a","Arn":"arn:aws:iam::111122223333:user/a","PermissionsBoundary":{"PermissionsBoundaryArn":"arn:aws:iam::aws:policy/B"}}]}`: "policy/B",
		`{"UserDetailList":[{"UserName":"a","Arn":"arn:aws:iam::111122223333:user/a","UserPolicyList":[{"PolicyName":"p","PolicyDocument":{"Statement":[]}}]}]}`:      "inline:a/p: Malformed",
	} {
		inv := &Inventory{}
		if err := inv.Add(strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		for e := range inv.Principals() {
			if _, err := inv.As(e); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", text, err, want)
			}
		}
	}
}

func TestIsDump(t *testing.T) {
	for text, want := range map[string]bool{
		`{"UserDetailList":[]}`: true, `[{"x":1}]`: true, `{"Policies":[],"Organization":{}}`: true,
		`{"Version":"2012-10-17","Statement":[]}`: false, ``: false, `x`: false, `{"a":`: false,
	} {
		if IsDump([]byte(text)) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}

func FuzzAdd(f *testing.F) {
	for _, seed := range []string{
		`{"UserDetailList":[{"UserName":"a","Arn":"arn:aws:iam::111122223333:user/a","GroupList":["g"],"UserPolicyList":[{"PolicyName":"p","PolicyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}}]}]}`,
		`{"GroupDetailList":[{"GroupName":"g","Arn":"arn:aws:iam::111122223333:group/g"}]}`,
		`[{"RoleDetailList":[{"RoleName":"r","Arn":"arn:aws:iam::111122223333:role/r","AssumeRolePolicyDocument":"%7B%7D"}]}]`,
		`{"Organization":{"Id":"o","MasterAccountId":"1"},"Roots":[{"Id":"r","PolicyTypes":[{"Type":"SERVICE_CONTROL_POLICY","Status":"ENABLED"}]}],"Accounts":[{"Id":"2","ParentId":"r"}]}`,
	} { // small, since what is found is made smaller still
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		inv := &Inventory{}
		if inv.Add(strings.NewReader(string(text))) != nil {
			return
		}
		for e := range inv.Principals() {
			who, err := inv.As(e)
			if err != nil {
				continue
			}
			req, policies, err := inv.Request(who, &Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"})
			if err == nil && policy.Authorize(req, policies).Allowed() && len(who.Policies.Identity) == 0 {
				t.Errorf("%s is allowed by nothing", e.ARN)
			}
		}
	})
}
