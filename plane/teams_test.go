package plane_test

import (
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"sumun.dev/api/eventsapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/api/identitystoreapi"
	"sumun.dev/api/organizationsapi"
	r53 "sumun.dev/api/route53resolverapi"
	"sumun.dev/api/ssoadminapi"
	"sumun.dev/api/ssoapi"
	"sumun.dev/api/ssooidcapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/ldap/ldaptest"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane"
	"sumun.dev/plane/client"
	"sumun.dev/plane/config"
	"sumun.dev/wire"
)

const teams = `
dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups

dn: uid=greta,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: greta
cn: Greta Green
sn: Green
departmentNumber: green
userPassword: gretas-password

dn: cn=engineers,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: engineers
member: uid=greta,ou=people,dc=example,dc=com
`

// A member is somebody who makes calls to the plane, over HTTP.
type member struct {
	t *testing.T
	*client.Client
}

func (m member) with(key sigv4.Credentials) member {
	c := *m.Client
	c.Key = key
	return member{m.t, &c}
}

// may makes a call that must succeed.
func may[In, Out any](m member, op *wire.Operation[In, Out], in In) Out {
	m.t.Helper()
	out, err := op.Call(m.t.Context(), m, in)
	if err != nil {
		m.t.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

// mayNot makes a call that must be refused in such words.
func mayNot[In, Out any](m member, op *wire.Operation[In, Out], in In, words string) {
	m.t.Helper()
	_, err := op.Call(m.t.Context(), m, in)
	var refused *aws.Error
	if !errors.As(err, &refused) || !regexp.MustCompile(words).MatchString(refused.Code+": "+refused.Message) {
		m.t.Errorf("%s: %v, want %s", op.Name, err, words)
	}
}

// eventually waits for what the plane does in the background.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s has not happened", what)
		}
	}
}

// signIn signs somebody in with a browser, and approves the client that waits at
// target. It returns the last page.
func signIn(t *testing.T, target, name, password string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	base, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	body := func(resp *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	page := body(browser.Get(target))
	for _, typed := range []url.Values{{"username": {name}, "password": {password}}, {"answer": {"allow"}}} {
		form := regexp.MustCompile(`<form method="post" action="([^"]+)">`).FindStringSubmatch(page)
		if form == nil {
			t.Fatalf("the page has no form:\n%s", page)
		}
		for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`).FindAllStringSubmatch(page, -1) {
			typed.Set(m[1], html.UnescapeString(m[2]))
		}
		page = body(browser.PostForm(base.Scheme+"://"+base.Host+form[1], typed))
		if strings.Contains(page, "is wrong") {
			break
		}
	}
	return page
}

// The third team of scenario/identity/abac-teams.txtar: its people are those of an
// LDAP directory, and sign in with its passwords, over TLS. The policy is the same.
func TestATeamOfADirectoryManagesItsOwnOnly(t *testing.T) {
	at := ldaptest.Start(t, teams)
	t.Setenv("SUMUN_LDAP_PASSWORD", at.Password)
	cfg := settings(config.Memory)
	cfg.IdentityCenter.Sources = []config.IdentitySource{{Name: "corp", LDAP: config.LDAPSource{
		URL: at.SecureURL, CA: at.CA, BindDN: at.AdminDN, UserBase: "ou=people,dc=example,dc=com", GroupBase: "ou=groups,dc=example,dc=com",
		Attributes: []string{"enterprise.department=departmentNumber"},
	}}}
	p, err := plane.New(t.Context(), cfg, options())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(p.API())
	t.Cleanup(func() {
		server.Close()
		if err := p.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	scenario, err := txtar.ParseFile("../scenario/identity/abac-teams.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range scenario.Files {
		files[f.Name] = string(f.Data)
	}
	nobody := member{t, &client.Client{HTTP: server.Client(), Endpoint: server.URL, Region: "us-east-1", UserAgent: "test"}}
	key := p.Credentials()["administrator"]
	admin := nobody.with(sigv4.Credentials{KeyID: key.AccessKeyID, Secret: key.SecretAccessKey})

	may(admin, &organizationsapi.CreateOrganization, &organizationsapi.CreateOrganizationRequest{})
	instance := may(admin, &ssoadminapi.CreateInstance, &ssoadminapi.CreateInstanceRequest{}).InstanceArn
	store := may(admin, &ssoadminapi.DescribeInstance, &ssoadminapi.DescribeInstanceRequest{InstanceArn: *instance}).IdentityStoreId
	may(admin, &ssoadminapi.CreateInstanceAccessControlAttributeConfiguration, &ssoadminapi.CreateInstanceAccessControlAttributeConfigurationRequest{
		InstanceArn: *instance, InstanceAccessControlAttributeConfiguration: &ssoadminapi.InstanceAccessControlAttributeConfiguration{
			AccessControlAttributes: []ssoadminapi.AccessControlAttribute{{Key: "team", Value: &ssoadminapi.AccessControlAttributeValue{Source: []string{"${path:enterprise.department}"}}}},
		},
	})
	set := may(admin, &ssoadminapi.CreatePermissionSet, &ssoadminapi.CreatePermissionSetRequest{InstanceArn: *instance, Name: "Team"}).PermissionSet.PermissionSetArn
	may(admin, &ssoadminapi.PutInlinePolicyToPermissionSet, &ssoadminapi.PutInlinePolicyToPermissionSetRequest{InstanceArn: *instance, PermissionSetArn: *set, InlinePolicy: files["team.json"]})

	// The directory's group is assigned, once it has come.
	var group string
	eventually(t, "reading the directory", func() bool {
		for _, g := range may(admin, &identitystoreapi.ListGroups, &identitystoreapi.ListGroupsRequest{IdentityStoreId: *store}).Groups {
			if *g.DisplayName == "engineers" {
				group = g.GroupId
			}
		}
		return group != ""
	})
	assigned := ssoadminapi.CreateAccountAssignmentRequest{
		InstanceArn: *instance, PermissionSetArn: *set, TargetId: string(p.Account()), TargetType: ssoadminapi.TargetTypeAwsAccount,
		PrincipalType: ssoadminapi.PrincipalTypeGroup, PrincipalId: group,
	}
	may(admin, &ssoadminapi.CreateAccountAssignment, &assigned)

	// Greta signs in with the directory's password, and no other.
	cli := may(nobody, &ssooidcapi.RegisterClient, &ssooidcapi.RegisterClientRequest{ClientName: "cli", ClientType: "public"})
	ask := func() *ssooidcapi.StartDeviceAuthorizationResponse {
		return may(nobody, &ssooidcapi.StartDeviceAuthorization, &ssooidcapi.StartDeviceAuthorizationRequest{ClientId: *cli.ClientId, ClientSecret: *cli.ClientSecret, StartUrl: "https://" + *store + ".awsapps.com/start"})
	}
	device := ask()
	if page := signIn(t, *device.VerificationUriComplete, "greta", "guessed"); !strings.Contains(page, "is wrong") {
		t.Errorf("a wrong password shows\n%s", page)
	}
	token := ssooidcapi.CreateTokenRequest{ClientId: *cli.ClientId, ClientSecret: *cli.ClientSecret, GrantType: "urn:ietf:params:oauth:grant-type:device_code", DeviceCode: device.DeviceCode}
	mayNot(nobody, &ssooidcapi.CreateToken, &token, "^AuthorizationPendingException")
	if page := signIn(t, *device.VerificationUriComplete, "greta", "gretas-password"); !strings.Contains(page, "was approved") {
		t.Fatalf("signing in ends with\n%s", page)
	}
	access := may(nobody, &ssooidcapi.CreateToken, &token).AccessToken
	get := ssoapi.GetRoleCredentialsRequest{AccessToken: *access, AccountId: string(p.Account()), RoleName: "Team"}
	made := may(nobody, &ssoapi.GetRoleCredentials, &get).RoleCredentials
	greta := nobody.with(sigv4.Credentials{KeyID: *made.AccessKeyId, Secret: *made.SecretAccessKey, Token: *made.SessionToken})
	if who := may(greta, &stsapi.GetCallerIdentity, &stsapi.GetCallerIdentityRequest{}); !strings.HasSuffix(*who.Arn, "/greta") || !strings.Contains(*who.Arn, "assumed-role/AWSReservedSSO_Team_") {
		t.Fatalf("she is %s", *who.Arn)
	}

	// She creates with her team's tag only.
	tags := func(of ...string) (all []r53.Tag) {
		for i := 0; i < len(of); i += 2 {
			all = append(all, r53.Tag{Key: of[i], Value: of[i+1]})
		}
		return all
	}
	create := func(name string, of ...string) *r53.CreateFirewallDomainListRequest {
		return &r53.CreateFirewallDomainListRequest{CreatorRequestId: name, Name: name, Tags: tags(of...)}
	}
	const refused, denied = "^AccessDenied", "^AccessDenied.*explicit deny"
	mayNot(greta, &r53.CreateFirewallDomainList, create("none"), refused)
	mayNot(greta, &r53.CreateFirewallDomainList, create("reds", "team", "red"), refused)
	mayNot(greta, &r53.CreateFirewallDomainList, create("more", "team", "green", "admin", "yes"), refused)
	own := may(greta, &r53.CreateFirewallDomainList, create("greens", "team", "green")).FirewallDomainList
	other := may(admin, &r53.CreateFirewallDomainList, create("reds", "team", "red")).FirewallDomainList
	rule := func(team string) *eventsapi.PutRuleRequest {
		return &eventsapi.PutRuleRequest{Name: team, EventPattern: new(`{"source":["x"]}`), Tags: []eventsapi.Tag{{Key: "team", Value: team}}}
	}
	mayNot(greta, &eventsapi.PutRule, rule("red"), refused)
	may(greta, &eventsapi.PutRule, rule("green"))
	may(admin, &eventsapi.PutRule, rule("red"))
	role := func(team string) *iamapi.CreateRoleRequest {
		return &iamapi.CreateRoleRequest{RoleName: team + "-app", AssumeRolePolicyDocument: files["trust.json"], Tags: []iamapi.Tag{{Key: "team", Value: team}}}
	}
	mayNot(greta, &iamapi.CreateRole, role("red"), refused)
	may(greta, &iamapi.CreateRole, role("green"))
	may(admin, &iamapi.CreateRole, role("red"))

	// She manages what is her team's.
	block := func(id string) *r53.UpdateFirewallDomainsRequest {
		return &r53.UpdateFirewallDomainsRequest{FirewallDomainListId: id, Operation: r53.FirewallDomainUpdateOperationAdd, Domains: []string{"bad.example"}}
	}
	may(greta, &r53.UpdateFirewallDomains, block(*own.Id))
	mayNot(greta, &r53.UpdateFirewallDomains, block(*other.Id), refused)
	mayNot(greta, &r53.DeleteFirewallDomainList, &r53.DeleteFirewallDomainListRequest{FirewallDomainListId: *other.Id}, refused)
	may(greta, &eventsapi.DisableRule, &eventsapi.DisableRuleRequest{Name: "green"})
	mayNot(greta, &eventsapi.DisableRule, &eventsapi.DisableRuleRequest{Name: "red"}, refused)
	mayNot(greta, &iamapi.DeleteRole, &iamapi.DeleteRoleRequest{RoleName: "red-app"}, refused)

	// She re-tags nothing, neither hers nor another team's.
	for _, arn := range []string{*own.Arn, *other.Arn} {
		mayNot(greta, &r53.TagResource, &r53.TagResourceRequest{ResourceArn: arn, Tags: tags("team", "green")}, denied)
		mayNot(greta, &r53.TagResource, &r53.TagResourceRequest{ResourceArn: arn, Tags: tags("team", "red")}, denied)
		mayNot(greta, &r53.UntagResource, &r53.UntagResourceRequest{ResourceArn: arn, TagKeys: []string{"team"}}, denied)
	}
	mayNot(greta, &iamapi.TagRole, &iamapi.TagRoleRequest{RoleName: "red-app", Tags: []iamapi.Tag{{Key: "team", Value: "green"}}}, denied)

	// The role is Identity Center's: neither she nor an administrator changes it.
	reserved := may(admin, &iamapi.ListRoles, &iamapi.ListRolesRequest{PathPrefix: new("/aws-reserved/sso.amazonaws.com/")}).Roles[0].RoleName
	unmodifiable := "^UnmodifiableEntity"
	mayNot(admin, &iamapi.PutRolePolicy, &iamapi.PutRolePolicyRequest{RoleName: reserved, PolicyName: "more", PolicyDocument: files["team.json"]}, unmodifiable)
	mayNot(admin, &iamapi.AttachRolePolicy, &iamapi.AttachRolePolicyRequest{RoleName: reserved, PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess"}, unmodifiable)
	mayNot(admin, &iamapi.UpdateAssumeRolePolicy, &iamapi.UpdateAssumeRolePolicyRequest{RoleName: reserved, PolicyDocument: files["trust.json"]}, unmodifiable)
	mayNot(admin, &iamapi.UpdateRole, &iamapi.UpdateRoleRequest{RoleName: reserved}, unmodifiable)
	mayNot(admin, &iamapi.UpdateRoleDescription, &iamapi.UpdateRoleDescriptionRequest{RoleName: reserved, Description: "mine"}, unmodifiable)
	mayNot(admin, &iamapi.TagRole, &iamapi.TagRoleRequest{RoleName: reserved, Tags: []iamapi.Tag{{Key: "a", Value: "b"}}}, unmodifiable)
	mayNot(admin, &iamapi.DeleteRole, &iamapi.DeleteRoleRequest{RoleName: reserved}, unmodifiable)
	mayNot(admin, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: "mine", Path: new("/aws-reserved/sso.amazonaws.com/"), AssumeRolePolicyDocument: files["trust.json"]}, "^InvalidInput.*reserved")

	// Without the assignment the token gets nothing, at once. The session that she
	// has ends with the role, as nobody else is assigned.
	gone := ssoadminapi.DeleteAccountAssignmentRequest(assigned)
	may(admin, &ssoadminapi.DeleteAccountAssignment, &gone)
	mayNot(nobody, &ssoapi.GetRoleCredentials, &get, "^ForbiddenException")
	mayNot(greta, &stsapi.GetCallerIdentity, &stsapi.GetCallerIdentityRequest{}, "InvalidClientTokenId|ExpiredToken")

	// Her token is still hers, gets no other token, and ends when she logs out.
	refresh := ssooidcapi.CreateTokenRequest{ClientId: *cli.ClientId, ClientSecret: *cli.ClientSecret, GrantType: "refresh_token", RefreshToken: access}
	mayNot(nobody, &ssooidcapi.CreateToken, &refresh, "^InvalidGrantException")
	may(nobody, &ssoapi.ListAccounts, &ssoapi.ListAccountsRequest{AccessToken: *access})
	may(nobody, &ssoapi.Logout, &ssoapi.LogoutRequest{AccessToken: *access})
	mayNot(nobody, &ssoapi.ListAccounts, &ssoapi.ListAccountsRequest{AccessToken: *access}, "^UnauthorizedException")
}
