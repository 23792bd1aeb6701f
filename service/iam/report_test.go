package iam

import (
	"context"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/service"
)

func TestCredentialReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		refused(w, &iamapi.GetCredentialReport, &iamapi.GetCredentialReportRequest{}, "ReportNotPresent", "No report exists. You must generate one with GenerateCredentialReport.")
		w.user("bare")
		w.user("alice")
		w.key("alice")
		must(w, &iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileRequest{UserName: new("alice"), Password: new("Passw0rd1")})
		must(w, &iamapi.UpdateAccountPasswordPolicy, &iamapi.UpdateAccountPasswordPolicyRequest{MaxPasswordAge: new(int32(1))})
		w.enrol("alice", "phone")
		generate := func() iamapi.ReportStateType {
			return *must(w, &iamapi.GenerateCredentialReport, &iamapi.GenerateCredentialReportRequest{}).State
		}
		if a, b := generate(), generate(); a != iamapi.ReportStateTypeStarted || b != iamapi.ReportStateTypeComplete {
			t.Errorf("states are %s and %s", a, b)
		}
		content := must(w, &iamapi.GetCredentialReport, &iamapi.GetCredentialReportRequest{}).Content
		lines, err := csv.NewReader(strings.NewReader(string(content))).ReadAll()
		if err != nil || len(lines) != 4 || strings.Join(lines[0], ",") != reportColumns {
			t.Fatalf("%v: %s", err, content)
		}
		at := stamp(time.Now())
		for i, want := range []string{
			"<root_account> arn:aws:iam::111122223333:root 0001-01-01T00:00:00+00:00 not_supported no_information not_supported not_supported FALSE FALSE N/A N/A N/A N/A FALSE N/A N/A N/A N/A FALSE N/A FALSE N/A",
			"alice arn:aws:iam::111122223333:user/alice " + at + " TRUE no_information " + at + " " + stamp(time.Now().AddDate(0, 0, 1)) + " TRUE TRUE " + at + " N/A N/A N/A FALSE N/A N/A N/A N/A FALSE N/A FALSE N/A",
			"bare arn:aws:iam::111122223333:user/bare " + at + " FALSE N/A N/A N/A FALSE FALSE N/A N/A N/A N/A FALSE N/A N/A N/A N/A FALSE N/A FALSE N/A",
		} {
			if got := strings.Join(lines[i+1], " "); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
		refused(w.as(rootOf(other)), &iamapi.GetCredentialReport, &iamapi.GetCredentialReportRequest{}, "ReportNotPresent", "No report exists. You must generate one with GenerateCredentialReport.")
		time.Sleep(reportFresh)
		refused(w, &iamapi.GetCredentialReport, &iamapi.GetCredentialReportRequest{}, "ReportExpired", "The report has expired. You must generate a new one with GenerateCredentialReport.")
		if s := generate(); s != iamapi.ReportStateTypeStarted {
			t.Errorf("after four hours the state is %s", s)
		}
	})
}

// record is a call as the trail tells of it.
func record(key, source, name, identity string) aws.Event {
	return aws.Event{Time: time.Now(), Region: "eu-central-1", Data: []byte(`{"userIdentity":` + identity + `}`), Attrs: map[string]string{"accessKeyId": key, "eventSource": source, "eventName": name}}
}

func (w *world) notes(events ...aws.Event) {
	w.t.Helper()
	if err := w.store.Update(w.ctx(), func(ctx context.Context) error { return w.service.noteUse(ctx, events) }); err != nil {
		w.t.Fatal(err)
	}
}

// last says of each service of a new report when it was used last, and by whom.
func (w *world) last(arn string) map[string]string {
	w.t.Helper()
	id := must(w, &iamapi.GenerateServiceLastAccessedDetails, &iamapi.GenerateServiceLastAccessedDetailsRequest{Arn: arn, Granularity: new(iamapi.AccessAdvisorUsageGranularityTypeActionLevel)}).JobId
	said := map[string]string{}
	for _, s := range must(w, &iamapi.GetServiceLastAccessedDetails, &iamapi.GetServiceLastAccessedDetailsRequest{JobId: *id, MaxItems: new(int32(1000))}).ServicesLastAccessed {
		text := fmt.Sprint(*s.TotalAuthenticatedEntities)
		if s.LastAuthenticated != nil {
			text += " " + stamp(*s.LastAuthenticated) + " " + *s.LastAuthenticatedEntity + " " + *s.LastAuthenticatedRegion
		}
		for _, a := range s.TrackedActionsLastAccessed {
			if a.LastAccessedTime != nil {
				text += " " + *a.ActionName
			}
		}
		said[s.ServiceNamespace] = text
	}
	return said
}

func TestAccessAdvisorFollowsTheTrail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice := w.user("alice")
		w.put("alice", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:List*","s3:GetObject"],"Resource":"*"},{"Effect":"Deny","Action":"kms:*","Resource":"*"}]}`)
		if got := fmt.Sprint(w.last(alice.Arn)); got != "map[iam:0 s3:0]" {
			t.Errorf("before a call: %s", got)
		}
		who := `{"type":"IAMUser","principalId":"` + alice.UserId + `"}`
		at := stamp(time.Now())
		w.notes(record("AKIA1", "iam.amazonaws.com", "ListUsers", who), record("AKIA1", "sqs.amazonaws.com", "SendMessage", who), record("AKIA2", "iam.amazonaws.com", "ListRoles", `{"type":"Root","principalId":"111122223333"}`))
		want := "map[iam:1 " + at + " arn:aws:iam::111122223333:user/alice eu-central-1 ListUsers s3:0]"
		if got := fmt.Sprint(w.last(alice.Arn)); got != want {
			t.Errorf("after a call:\n%s\nwant\n%s", got, want)
		}
		// Management actions are listed whether they were used or not, data events are not.
		id := *must(w, &iamapi.GenerateServiceLastAccessedDetails, &iamapi.GenerateServiceLastAccessedDetailsRequest{Arn: alice.Arn, Granularity: new(iamapi.AccessAdvisorUsageGranularityTypeActionLevel)}).JobId
		for _, s := range must(w, &iamapi.GetServiceLastAccessedDetails, &iamapi.GetServiceLastAccessedDetailsRequest{JobId: id}).ServicesLastAccessed {
			when := map[string]bool{} // by action, whether it was used
			for _, a := range s.TrackedActionsLastAccessed {
				when[*a.ActionName] = a.LastAccessedTime != nil
			}
			for action, want := range map[string]string{"iam:ListUsers": "used", "iam:CreateUser": "unused", "s3:CreateBucket": "unused", "s3:GetObject": "absent"} {
				prefix, name, _ := strings.Cut(action, ":")
				used, listed := when[name]
				got := map[bool]string{true: "used", false: "unused"}[used]
				if !listed {
					got = "absent"
				}
				if prefix == s.ServiceNamespace && got != want {
					t.Errorf("%s is %s, want %s", action, got, want)
				}
			}
		}
		// A stranger who names her unique id leaves no mark on her.
		w.as(rootOf(other)).notes(record("AKIA3", "s3.amazonaws.com", "ListBuckets", who))
		if got := fmt.Sprint(w.last(alice.Arn)); got != want {
			t.Errorf("after a stranger's call: %s", got)
		}
		time.Sleep(time.Hour)
		later := stamp(time.Now())
		w.notes(record("AKIA1", "iam.amazonaws.com", "ListUsers", who))
		if got := w.last(alice.Arn)["iam"]; !strings.HasPrefix(got, "1 "+later) {
			t.Errorf("an hour later: %s", got)
		}
		time.Sleep(tracked)
		time.Sleep(time.Minute)
		if got := w.last(alice.Arn)["iam"]; got != "0" {
			t.Errorf("after 400 days: %s", got)
		}
		must(w, &iamapi.DeleteUserPolicy, &iamapi.DeleteUserPolicyRequest{UserName: "alice", PolicyName: "p"})
		must(w, &iamapi.DeleteUser, &iamapi.DeleteUserRequest{UserName: "alice"})
		w.notes(record("AKIA1", "iam.amazonaws.com", "GetUser", who))
		if _, err := w.service.usages.Get(w.ctx(), alice.UserId); err == nil {
			t.Error("what she used outlives her")
		}
	})
}

func TestAccessAdvisorOfSessionsGroupsAndPolicies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice, role := w.user("alice"), w.role("deploy")
		must(w, &iamapi.CreateGroup, &iamapi.CreateGroupRequest{GroupName: "team"})
		must(w, &iamapi.AddUserToGroup, &iamapi.AddUserToGroupRequest{GroupName: "team", UserName: "alice"})
		must(w, &iamapi.PutGroupPolicy, &iamapi.PutGroupPolicyRequest{GroupName: "team", PolicyName: "g", PolicyDocument: allowed})
		must(w, &iamapi.AttachRolePolicy, &iamapi.AttachRolePolicyRequest{RoleName: "deploy", PolicyArn: AdministratorAccess})
		w.notes(record("AKIA1", "iam.amazonaws.com", "ListUsers", `{"type":"IAMUser","principalId":"`+alice.UserId+`"}`),
			record("ASIA1", "kms.amazonaws.com", "ListKeys", `{"type":"AssumedRole","principalId":"`+role.RoleId+`:s","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"`+role.RoleId+`","userName":"deploy"}}}`))
		if got := w.last("arn:aws:iam::111122223333:group/team")["iam"]; !strings.Contains(got, "user/alice") {
			t.Errorf("of the group: %s", got)
		}
		got := w.last(AdministratorAccess)
		if !strings.Contains(got["kms"], "role/deploy") || got["s3"] != "0" || len(got) < 300 {
			t.Errorf("of the policy: %s and %d services", got["kms"], len(got))
		}
		id := *must(w, &iamapi.GenerateServiceLastAccessedDetails, &iamapi.GenerateServiceLastAccessedDetailsRequest{Arn: role.Arn}).JobId
		with := must(w, &iamapi.GetServiceLastAccessedDetailsWithEntities, &iamapi.GetServiceLastAccessedDetailsWithEntitiesRequest{JobId: id, ServiceNamespace: "kms"}).EntityDetailsList
		if len(with) != 1 || with[0].EntityInfo.Id != role.RoleId {
			t.Errorf("with entities: %+v", with)
		}
		refused(w.as(rootOf(other)), &iamapi.GetServiceLastAccessedDetails, &iamapi.GetServiceLastAccessedDetailsRequest{JobId: id}, "NoSuchEntity", "The job with id "+id+" cannot be found.")
		granting := must(w, &iamapi.ListPoliciesGrantingServiceAccess, &iamapi.ListPoliciesGrantingServiceAccessRequest{Arn: alice.Arn, ServiceNamespaces: []string{"iam", "s3"}}).PoliciesGrantingServiceAccess
		if len(granting) != 2 || len(granting[0].Policies) != 1 || *granting[0].Policies[0].EntityName != "team" || len(granting[1].Policies) != 0 {
			t.Errorf("granting are %+v", granting)
		}
		time.Sleep(reportKept)
		refused(w, &iamapi.GetServiceLastAccessedDetails, &iamapi.GetServiceLastAccessedDetailsRequest{JobId: id}, "NoSuchEntity", "The job with id "+id+" cannot be found.")
	})
}

func TestOrganizationsAccessReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const path = "o-a1b2c3d4e5/r-ab12"
		ask := &iamapi.GenerateOrganizationsAccessReportRequest{EntityPath: path}
		refused(w, &iamapi.GenerateOrganizationsAccessReport, ask, "InvalidInput", "The account is not the management account of an organization.")
		parse := func(text string) *policy.Attached {
			d, err := policy.Parse([]byte(text), policy.SCP)
			if err != nil {
				t.Fatal(err)
			}
			return &policy.Attached{Document: d}
		}
		everything := parse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
		guard := parse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ec2:*","Resource":"*"},{"Effect":"Deny","Action":"sqs:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-west-1"}}},{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}]}`)
		few := parse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["ec2:*","iam:*","kms:*","sqs:*","s3:*"],"Resource":"*"}}`)
		w.service.UseEntities(func(_ context.Context, a aws.Account, p, scp string) (*service.OrganizationEntity, error) {
			if a != account || p != path || scp == "p-12345678" {
				return nil, NoEntity("no")
			}
			return &service.OrganizationEntity{SCPs: [][]*policy.Attached{{everything, guard}, {few}}, Accounts: map[aws.Account]string{account: path + "/1", other: path + "/2"}}, nil
		})
		refused(w.as(rootOf(other)), &iamapi.GenerateOrganizationsAccessReport, ask, "InvalidInput", "no")
		touch := w.touched(&iamapi.GenerateOrganizationsAccessReport, &iamapi.GenerateOrganizationsAccessReportRequest{EntityPath: path, OrganizationsPolicyId: new("p-12345678")})[0]
		if touch.Resource.String() != "arn:aws:iam::111122223333:access-report/"+path || fmt.Sprint(touch.Conditions) != "map[iam:OrganizationsPolicyId:[p-12345678]]" {
			t.Errorf("touches %v", touch)
		}
		by := func(a aws.Account) string {
			return `{"type":"Root","principalId":"` + string(a) + `","accountId":"` + string(a) + `"}`
		}
		w.notes(record("AKIA1", "iam.amazonaws.com", "ListUsers", by(account)), record("AKIA1", "ec2.amazonaws.com", "DescribeVpcs", by(account)), record("AKIA3", "s3.amazonaws.com", "ListBuckets", by(other)))
		time.Sleep(time.Hour)
		w.as(rootOf(other)).notes(record("AKIA2", "iam.amazonaws.com", "ListRoles", by(other)), record("AKIA2", "kms.amazonaws.com", "ListKeys", by(other)))
		id := *must(w, &iamapi.GenerateOrganizationsAccessReport, ask).JobId
		said := func(key *iamapi.SortKeyType) (lines []string, last *iamapi.GetOrganizationsAccessReportResponse) {
			for marker := (*string)(nil); ; {
				last = must(w, &iamapi.GetOrganizationsAccessReport, &iamapi.GetOrganizationsAccessReportRequest{JobId: id, SortKey: key, MaxItems: new(int32(2)), Marker: marker})
				for _, d := range last.AccessDetails {
					line := fmt.Sprint(d.ServiceNamespace, " ", *d.TotalAuthenticatedEntities)
					if d.LastAuthenticatedTime != nil {
						line += " " + *d.EntityPath + " " + *d.Region
					}
					lines = append(lines, line)
				}
				if marker = last.Marker; marker == nil {
					return lines, last
				}
			}
		}
		for key, want := range map[iamapi.SortKeyType]string{
			iamapi.SortKeyTypeServiceNamespaceAscending:       "[iam 2 " + path + "/2 eu-central-1 kms 1 " + path + "/2 eu-central-1 s3 0 sqs 0]",
			iamapi.SortKeyTypeServiceNamespaceDescending:      "[sqs 0 s3 0 kms 1 " + path + "/2 eu-central-1 iam 2 " + path + "/2 eu-central-1]",
			iamapi.SortKeyTypeLastAuthenticatedTimeAscending:  "[s3 0 sqs 0 iam 2 " + path + "/2 eu-central-1 kms 1 " + path + "/2 eu-central-1]",
			iamapi.SortKeyTypeLastAuthenticatedTimeDescending: "[iam 2 " + path + "/2 eu-central-1 kms 1 " + path + "/2 eu-central-1 s3 0 sqs 0]",
		} {
			lines, last := said(&key)
			if fmt.Sprint(lines) != want || *last.NumberOfServicesAccessible != 4 || *last.NumberOfServicesNotAccessed != 2 || last.JobStatus != iamapi.JobStatusTypeCompleted {
				t.Errorf("%s: got  %v of %d, %d\nwant %s", key, lines, *last.NumberOfServicesAccessible, *last.NumberOfServicesNotAccessed, want)
			}
		}
		get := &iamapi.GetOrganizationsAccessReportRequest{JobId: id}
		refused(w.as(rootOf(other)), &iamapi.GetOrganizationsAccessReport, get, "NoSuchEntity", "The job with id "+id+" cannot be found.")
		time.Sleep(reportKept)
		refused(w, &iamapi.GetOrganizationsAccessReport, get, "NoSuchEntity", "The job with id "+id+" cannot be found.")
	})
}

func TestAccountSummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user("alice")
		w.enrol("alice", "phone")
		w.device("spare")
		must(w, &iamapi.CreateOpenIDConnectProvider, &iamapi.CreateOpenIDConnectProviderRequest{Url: "https://a.example.com"})
		must(w, &iamapi.SetSecurityTokenServicePreferences, &iamapi.SetSecurityTokenServicePreferencesRequest{GlobalEndpointTokenVersion: iamapi.GlobalEndpointTokenVersionV2Token})
		m := must(w, &iamapi.GetAccountSummary, &iamapi.GetAccountSummaryRequest{}).SummaryMap
		for key, want := range map[string]int32{"Users": 1, "MFADevices": 2, "MFADevicesInUse": 1, "AccountMFAEnabled": 0, "Providers": 1, "GlobalEndpointTokenVersion": 2, "ServerCertificatesQuota": 20, "SigningCertificatesPerUserQuota": 2, "ServerCertificates": 0} {
			if got, there := m[key]; got != want || !there {
				t.Errorf("%s is %d, want %d", key, got, want)
			}
		}
	})
}
