package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53resolver/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"sumun.dev/bench/detect/questions"
	"sumun.dev/plane/config"
)

// start is a Monday.
var start = time.Date(2026, 2, 2, 8, 0, 0, 0, time.UTC)

// Where people and pipelines are.
const (
	office   = "198.51.100.20"
	pipeline = "18.203.4.9"
)

// A firm is who works in the account.
type firm struct {
	*stage
	r       *rand.Rand
	apps    []string
	admin   aws.Config
	people  map[string]aws.Config
	ci      aws.Config
	auditor aws.Config
	nodes   []aws.Config
	keyID   map[string]string // of KMS, by application
	hired   int
	later   []task
}

type task struct {
	at time.Time
	do func(context.Context) error
}

func newFirm(s *stage, seed uint64) *firm {
	f := &firm{stage: s, r: rand.New(rand.NewPCG(seed, 9)), apps: []string{"shop", "billing", "search"}, people: map[string]aws.Config{}, keyID: map[string]string{}}
	k := s.plane.Credentials()["administrator"]
	f.admin = s.client(key(k.AccessKeyID, k.SecretAccessKey), office)
	return f
}

// work does what is to be done on each day, in order of time.
func (f *firm) work(ctx context.Context, days int, asked []questions.Asked) error {
	if err := f.found(ctx); err != nil {
		return fmt.Errorf("foundation: %w", err)
	}
	for day := range days {
		f.plan(start.AddDate(0, 0, day), day)
	}
	for _, a := range asked {
		f.at(a.At, func(ctx context.Context) error { return f.ask(ctx, f.r.IntN(nodes), a.Name, a.Type) })
	}
	slices.SortStableFunc(f.later, func(a, b task) int { return a.at.Compare(b.at) })
	for _, t := range f.later {
		time.Sleep(time.Until(t.at))
		if err := t.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", t.at.Format(time.RFC3339), err)
		}
	}
	return nil
}

func (f *firm) at(at time.Time, do func(context.Context) error) {
	if at.After(start.Add(2 * time.Hour)) {
		f.later = append(f.later, task{at, do})
	}
}

func (f *firm) pause() { time.Sleep(time.Duration(1+f.r.IntN(8)) * time.Second) }

// plan lays down what happens on a day.
func (f *firm) plan(day time.Time, n int) {
	hour := func(h, spread int) time.Time {
		return day.Truncate(24 * time.Hour).Add(time.Duration(h)*time.Hour + time.Duration(f.r.IntN(spread*60))*time.Minute)
	}
	// Programs work day and night.
	for i := range nodes {
		for minute := f.r.IntN(10); minute < 24*60; minute += 8 + f.r.IntN(7) {
			f.at(day.Truncate(24*time.Hour).Add(time.Duration(minute)*time.Minute), func(ctx context.Context) error { return f.serve(ctx, i) })
		}
	}
	for range 2 {
		f.at(hour(2, 20), f.audit)
	}
	if n%7 >= 5 {
		return // the weekend
	}
	for range 1 + f.r.IntN(4) {
		f.at(hour(9, 8), f.deploy)
	}
	for name := range maps2(f.people) {
		for range 2 + f.r.IntN(4) {
			f.at(hour(9, 8), func(ctx context.Context) error { return f.develop(ctx, name) })
		}
	}
	f.at(hour(9, 8), f.watch)
	switch n % 7 {
	case 0:
		f.at(hour(10, 5), f.hire)
	case 1:
		f.at(hour(10, 5), f.rotate)
	case 2:
		f.at(hour(10, 5), f.organize)
	case 3:
		f.at(hour(10, 5), f.tidy)
	case 4:
		f.at(hour(10, 3), f.firewall)
	}
}

// maps2 yields keys in their order.
func maps2(m map[string]aws.Config) func(func(string) bool) {
	return func(yield func(string) bool) {
		var keys []string
		for k := range m {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if !yield(k) {
				return
			}
		}
	}
}

func text(format string, args ...any) *string { return aws.String(fmt.Sprintf(format, args...)) }

func document(statements ...map[string]any) *string {
	b, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err) // texts only
	}
	return aws.String(string(b))
}

func trust(who map[string]any) *string {
	return document(map[string]any{"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"})
}

func allow(resource string, actions ...string) map[string]any {
	return map[string]any{"Effect": "Allow", "Action": actions, "Resource": resource}
}

// newUser makes a user with a key, in a group.
func (f *firm) newUser(ctx context.Context, name, group, from string) (aws.Config, error) {
	c := iam.NewFromConfig(f.admin)
	if _, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name, Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: &group}}}); err != nil {
		return aws.Config{}, err
	}
	f.pause()
	if _, err := c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: &name, GroupName: &group}); err != nil {
		return aws.Config{}, err
	}
	f.pause()
	k, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		return aws.Config{}, err
	}
	return f.client(key(*k.AccessKey.AccessKeyId, *k.AccessKey.SecretAccessKey), from), nil
}

// found sets the account up, as the administrator does it with a program on the first
// morning.
func (f *firm) found(ctx context.Context) error {
	c := iam.NewFromConfig(f.admin)
	if _, err := sts.NewFromConfig(f.admin).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
		return err
	}
	if _, err := c.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(16), RequireSymbols: true, RequireNumbers: true, RequireUppercaseCharacters: true, RequireLowercaseCharacters: true}); err != nil {
		return err
	}
	groups := map[string][]map[string]any{
		"developers": {allow("*", "ssm:Get*", "ssm:Describe*", "ssm:PutParameter", "secretsmanager:List*", "secretsmanager:Describe*", "events:List*", "events:Describe*", "kms:List*", "kms:DescribeKey", "iam:Get*", "iam:List*", "cloudtrail:LookupEvents"), allow("arn:aws:iam::"+account+":role/developer", "sts:AssumeRole")},
		"pipelines":  {allow("arn:aws:iam::"+account+":role/deployer", "sts:AssumeRole")},
		"auditors":   {allow("arn:aws:iam::"+account+":role/auditor", "sts:AssumeRole")},
	}
	for _, name := range []string{"auditors", "developers", "pipelines"} {
		if _, err := c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &name}); err != nil {
			return err
		}
		if _, err := c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: &name, PolicyName: aws.String("work"), PolicyDocument: document(groups[name]...)}); err != nil {
			return err
		}
	}
	for _, name := range []string{"anna", "bilal", "chen"} {
		p, err := f.newUser(ctx, name, "developers", []string{office, "203.0.113.44", "203.0.113.91"}[len(f.people)])
		if err != nil {
			return err
		}
		f.people[name] = p
	}
	ci, err := f.newUser(ctx, "ci", "pipelines", pipeline)
	if err != nil {
		return err
	}
	watcher, err := f.newUser(ctx, "posture", "auditors", "52.31.7.80")
	if err != nil {
		return err
	}
	roles := []struct {
		name  string
		trust map[string]any
		may   []map[string]any
	}{
		{"developer", map[string]any{"AWS": "arn:aws:iam::" + account + ":root"}, []map[string]any{allow("*", "ssm:*", "secretsmanager:Describe*", "secretsmanager:List*", "kms:Describe*", "kms:List*", "events:*", "iam:Get*", "iam:List*")}},
		{"deployer", map[string]any{"AWS": "arn:aws:iam::" + account + ":user/ci"}, []map[string]any{allow("*", "ssm:*", "secretsmanager:*", "kms:*", "events:*", "iam:*", "route53resolver:*")}},
		{"auditor", map[string]any{"AWS": "arn:aws:iam::" + account + ":user/posture"}, []map[string]any{allow("*", "iam:Get*", "iam:List*", "iam:Generate*", "kms:List*", "kms:Describe*", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "ssm:Describe*", "ssm:List*", "secretsmanager:List*", "secretsmanager:Describe*", "events:List*", "organizations:List*", "organizations:Describe*", "cloudtrail:*", "route53resolver:List*", "guardduty:List*", "guardduty:Get*")}},
	}
	for _, r := range roles {
		if _, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &r.name, AssumeRolePolicyDocument: trust(r.trust)}); err != nil {
			return err
		}
		if _, err := c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &r.name, PolicyName: aws.String("work"), PolicyDocument: document(r.may...)}); err != nil {
			return err
		}
		f.pause()
	}
	f.ci, f.auditor = f.assumed(ci, "deployer", "pipeline", pipeline), f.assumed(watcher, "auditor", "posture", "52.31.7.80")
	for _, app := range f.apps {
		if err := f.foundApp(ctx, app); err != nil {
			return fmt.Errorf("%s: %w", app, err)
		}
	}
	for i := range nodes {
		f.nodes = append(f.nodes, f.node(i))
	}
	org := organizations.NewFromConfig(f.admin)
	if _, err := org.CreateOrganization(ctx, &organizations.CreateOrganizationInput{FeatureSet: orgtypes.OrganizationFeatureSetAll}); err != nil {
		return err
	}
	root, err := org.ListRoots(ctx, &organizations.ListRootsInput{})
	if err != nil {
		return err
	}
	if _, err := org.EnablePolicyType(ctx, &organizations.EnablePolicyTypeInput{PolicyType: orgtypes.PolicyTypeServiceControlPolicy, RootId: root.Roots[0].Id}); err != nil {
		return err
	}
	for _, name := range []string{"workloads", "sandboxes"} {
		if _, err := org.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{Name: &name, ParentId: root.Roots[0].Id}); err != nil {
			return err
		}
	}
	_, err = org.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String("staging"), Email: aws.String("staging@example.com")})
	return err
}

// assumed are the credentials of a role that somebody assumes for an hour, again and
// again.
func (f *firm) assumed(who aws.Config, role, session, from string) aws.Config {
	return f.client(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(who), "arn:aws:iam::"+account+":role/"+role, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = session }), from)
}

// foundApp makes the role, key, settings, secret and bus of an application.
func (f *firm) foundApp(ctx context.Context, app string) error {
	c := iam.NewFromConfig(f.admin)
	if _, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &app, AssumeRolePolicyDocument: trust(map[string]any{"Service": "ec2.amazonaws.com"})}); err != nil {
		return err
	}
	made, err := c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: text("%s-work", app), PolicyDocument: document(
		allow("arn:aws:ssm:*:*:parameter/"+app+"*", "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"),
		allow("arn:aws:secretsmanager:*:*:secret:"+app+"/*", "secretsmanager:GetSecretValue"),
		allow("*", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "events:PutEvents"))})
	if err != nil {
		return err
	}
	if _, err := c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &app, PolicyArn: made.Policy.Arn}); err != nil {
		return err
	}
	if _, err := c.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: &app}); err != nil {
		return err
	}
	if _, err := c.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &app, RoleName: &app}); err != nil {
		return err
	}
	f.pause()
	k := kms.NewFromConfig(f.admin)
	created, err := k.CreateKey(ctx, &kms.CreateKeyInput{Description: text("data of %s", app)})
	if err != nil {
		return err
	}
	f.keyID[app] = *created.KeyMetadata.KeyId
	if _, err := k.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: text("alias/%s", app), TargetKeyId: created.KeyMetadata.KeyId}); err != nil {
		return err
	}
	if _, err := k.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: created.KeyMetadata.KeyId}); err != nil {
		return err
	}
	parameters := ssm.NewFromConfig(f.admin)
	for _, name := range []string{"url", "level", "limit", "region", "feature", "token"} {
		in := &ssm.PutParameterInput{Name: text("/%s/%s", app, name), Value: text("value of %s", name), Type: ssmtypes.ParameterTypeString}
		if name == "token" {
			in.Type, in.KeyId = ssmtypes.ParameterTypeSecureString, created.KeyMetadata.KeyId
		}
		if _, err := parameters.PutParameter(ctx, in); err != nil {
			return err
		}
	}
	f.pause()
	for _, name := range []string{"database", "mail"} {
		if _, err := secretsmanager.NewFromConfig(f.admin).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: text("%s/%s", app, name), SecretString: text(`{"password":"%d"}`, f.r.Int64()), KmsKeyId: created.KeyMetadata.KeyId}); err != nil {
			return err
		}
	}
	_, err = eventbridge.NewFromConfig(f.admin).CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: &app})
	return err
}

// serve is what a program on an instance does now and then: settings, a secret, data
// that it encrypts and decrypts, an event.
func (f *firm) serve(ctx context.Context, i int) error {
	app, c := f.apps[i%len(f.apps)], f.nodes[i]
	k := kms.NewFromConfig(c)
	id := f.keyID[app]
	switch f.r.IntN(4) {
	case 0:
		if _, err := ssm.NewFromConfig(c).GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: text("/%s", app), WithDecryption: aws.Bool(true)}); err != nil {
			return err
		}
	case 1:
		if _, err := secretsmanager.NewFromConfig(c).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: text("%s/%s", app, []string{"database", "mail"}[f.r.IntN(2)])}); err != nil {
			return err
		}
	case 2:
		if _, err := eventbridge.NewFromConfig(c).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{EventBusName: &app, Source: &app, DetailType: aws.String("Order"), Detail: aws.String(`{"id":7}`)}}}); err != nil {
			return err
		}
	default:
		for range 1 + f.r.IntN(3) {
			data, err := k.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: &id, KeySpec: kmstypes.DataKeySpecAes256, EncryptionContext: map[string]string{"app": app}})
			if err != nil {
				return err
			}
			time.Sleep(time.Second)
			if _, err := k.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: data.CiphertextBlob, EncryptionContext: map[string]string{"app": app}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// deploy is a pipeline's run: settings of a version, sometimes a policy, a rule, a
// secret.
func (f *firm) deploy(ctx context.Context) error {
	app := f.apps[f.r.IntN(len(f.apps))]
	if _, err := sts.NewFromConfig(f.ci).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
		return err
	}
	parameters := ssm.NewFromConfig(f.ci)
	for _, name := range []string{"level", "limit", "feature", "version"} {
		if _, err := parameters.GetParameter(ctx, &ssm.GetParameterInput{Name: text("/%s/%s", app, name)}); err != nil && !strings.Contains(err.Error(), "ParameterNotFound") {
			return err
		}
		if f.r.IntN(2) == 0 {
			continue
		}
		if _, err := parameters.PutParameter(ctx, &ssm.PutParameterInput{Name: text("/%s/%s", app, name), Value: text("%d", f.r.IntN(1e6)), Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true)}); err != nil {
			return err
		}
		f.pause()
	}
	c, arn := iam.NewFromConfig(f.ci), "arn:aws:iam::"+account+":policy/"+app+"-work"
	switch f.r.IntN(5) {
	case 0: // a policy's next version
		list, err := c.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: &arn})
		if err != nil {
			return err
		}
		if len(list.Versions) >= 4 {
			if _, err := c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: list.Versions[len(list.Versions)-1].VersionId}); err != nil {
				return err
			}
		}
		now, err := c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: list.Versions[0].VersionId})
		if err != nil || now.PolicyVersion == nil {
			return err
		}
		_, err = c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: &arn, SetAsDefault: true, PolicyDocument: document(
			allow("arn:aws:ssm:*:*:parameter/"+app+"*", "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"),
			allow("arn:aws:secretsmanager:*:*:secret:"+app+"/*", "secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"),
			allow("*", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "events:PutEvents"))})
		return err
	case 1: // a rule
		_, err := eventbridge.NewFromConfig(f.ci).PutRule(ctx, &eventbridge.PutRuleInput{Name: text("%s-orders-%d", app, f.r.IntN(3)), EventBusName: &app, EventPattern: aws.String(`{"source":["` + app + `"]}`)})
		return err
	case 2: // a secret's next version
		_, err := secretsmanager.NewFromConfig(f.ci).PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: text("%s/mail", app), SecretString: text(`{"password":"%d"}`, f.r.Int64())})
		return err
	case 3: // the role's tags
		_, err := c.TagRole(ctx, &iam.TagRoleInput{RoleName: &app, Tags: []iamtypes.Tag{{Key: aws.String("version"), Value: text("%d", f.r.IntN(1e6))}}})
		return err
	}
	return nil
}

// develop is what somebody looks at in a while.
func (f *firm) develop(ctx context.Context, name string) error {
	c := f.people[name]
	if f.r.IntN(3) == 0 {
		c = f.assumed(c, "developer", name, []string{office, "203.0.113.44", "203.0.113.91"}[slices.Index([]string{"anna", "bilal", "chen"}, name)%3])
	}
	app := f.apps[f.r.IntN(len(f.apps))]
	for range 2 + f.r.IntN(6) {
		f.pause()
		var err error
		switch f.r.IntN(10) {
		case 0:
			_, err = sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		case 1, 2:
			_, err = ssm.NewFromConfig(c).GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: text("/%s", app)})
		case 3:
			_, err = ssm.NewFromConfig(c).DescribeParameters(ctx, &ssm.DescribeParametersInput{})
		case 4:
			_, err = secretsmanager.NewFromConfig(c).ListSecrets(ctx, &secretsmanager.ListSecretsInput{})
		case 5:
			_, err = eventbridge.NewFromConfig(c).ListRules(ctx, &eventbridge.ListRulesInput{EventBusName: &app})
		case 6:
			_, err = iam.NewFromConfig(c).GetRole(ctx, &iam.GetRoleInput{RoleName: &app})
		case 7:
			_, err = kms.NewFromConfig(c).ListAliases(ctx, &kms.ListAliasesInput{})
		case 8:
			_, err = ssm.NewFromConfig(c).PutParameter(ctx, &ssm.PutParameterInput{Name: text("/%s/level", app), Value: aws.String("debug"), Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true)})
		default: // what is not there, or not allowed
			if _, err := ssm.NewFromConfig(c).GetParameter(ctx, &ssm.GetParameterInput{Name: text("/%s/nothing", app)}); err == nil {
				return errors.New("what is not there was read")
			}
			if f.r.IntN(3) == 0 {
				if _, err := secretsmanager.NewFromConfig(c).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: text("%s/database", app)}); err == nil {
					return errors.New("a secret was read that may not be")
				}
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// audit reads how everything is set.
func (f *firm) audit(ctx context.Context) error {
	c := iam.NewFromConfig(f.auditor)
	if _, err := c.GetAccountSummary(ctx, &iam.GetAccountSummaryInput{}); err != nil {
		return err
	}
	if _, err := c.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{}); err != nil {
		return err
	}
	users, err := c.ListUsers(ctx, &iam.ListUsersInput{})
	if err != nil {
		return err
	}
	for _, u := range users.Users {
		if _, err := c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: u.UserName}); err != nil {
			return err
		}
		if _, err := c.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: u.UserName}); err != nil {
			return err
		}
		if _, err := c.ListMFADevices(ctx, &iam.ListMFADevicesInput{UserName: u.UserName}); err != nil {
			return err
		}
	}
	roles, err := c.ListRoles(ctx, &iam.ListRolesInput{})
	if err != nil {
		return err
	}
	for _, r := range roles.Roles {
		if _, err := c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: r.RoleName}); err != nil {
			return err
		}
	}
	k := kms.NewFromConfig(f.auditor)
	keys, err := k.ListKeys(ctx, &kms.ListKeysInput{})
	if err != nil {
		return err
	}
	for _, key := range keys.Keys {
		if _, err := k.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: key.KeyId}); err != nil {
			return err
		}
		if _, err := k.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: key.KeyId}); err != nil && !strings.Contains(err.Error(), "NotFound") {
			return err
		}
	}
	if _, err := secretsmanager.NewFromConfig(f.auditor).ListSecrets(ctx, &secretsmanager.ListSecretsInput{}); err != nil {
		return err
	}
	_, err = organizations.NewFromConfig(f.auditor).ListAccounts(ctx, &organizations.ListAccountsInput{})
	return err
}

// watch is the administrator's look at what was done.
func (f *firm) watch(ctx context.Context) error {
	for range 1 + f.r.IntN(3) {
		if _, err := cloudtrail.NewFromConfig(f.admin).LookupEvents(ctx, &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(20)}); err != nil {
			return err
		}
		f.pause()
	}
	_, err := iam.NewFromConfig(f.admin).ListUsers(ctx, &iam.ListUsersInput{})
	return err
}

// hire brings somebody in, and lets somebody go who came before.
func (f *firm) hire(ctx context.Context) error {
	f.hired++
	if _, err := f.newUser(ctx, fmt.Sprint("new-", f.hired), "developers", office); err != nil {
		return err
	}
	if f.hired == 1 {
		return nil
	}
	c, name := iam.NewFromConfig(f.admin), fmt.Sprint("new-", f.hired-1)
	keys, err := c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &name})
	if err != nil {
		return err
	}
	for _, k := range keys.AccessKeyMetadata {
		if _, err := c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: k.AccessKeyId}); err != nil {
			return err
		}
		f.pause()
	}
	if _, err := c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{UserName: &name, GroupName: aws.String("developers")}); err != nil {
		return err
	}
	_, err = c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name})
	return err
}

// rotate gives the pipeline a new key, in the order that AWS recommends.
func (f *firm) rotate(ctx context.Context) error {
	c, name := iam.NewFromConfig(f.admin), aws.String("ci")
	old, err := c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: name})
	if err != nil {
		return err
	}
	k, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		return err
	}
	f.pause()
	f.ci = f.assumed(f.client(key(*k.AccessKey.AccessKeyId, *k.AccessKey.SecretAccessKey), pipeline), "deployer", "pipeline", pipeline)
	if err := f.deploy(ctx); err != nil {
		return err
	}
	for _, o := range old.AccessKeyMetadata {
		if _, err := c.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: name, AccessKeyId: o.AccessKeyId, Status: iamtypes.StatusTypeInactive}); err != nil {
			return err
		}
		f.pause()
		if _, err := c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: o.AccessKeyId}); err != nil {
			return err
		}
	}
	return nil
}

// organize makes an account, moves it, and guards it by a policy.
func (f *firm) organize(ctx context.Context) error {
	org := organizations.NewFromConfig(f.admin)
	root, err := org.ListRoots(ctx, &organizations.ListRootsInput{})
	if err != nil {
		return err
	}
	units, err := org.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: root.Roots[0].Id})
	if err != nil {
		return err
	}
	name := fmt.Sprint("guardrail-", f.r.IntN(1e6))
	p, err := org.CreatePolicy(ctx, &organizations.CreatePolicyInput{Name: &name, Description: aws.String("no key is deleted"), Type: orgtypes.PolicyTypeServiceControlPolicy,
		Content: document(map[string]any{"Effect": "Deny", "Action": []string{"kms:ScheduleKeyDeletion", "cloudtrail:StopLogging"}, "Resource": "*"})})
	if err != nil {
		return err
	}
	f.pause()
	if _, err := org.AttachPolicy(ctx, &organizations.AttachPolicyInput{PolicyId: p.Policy.PolicySummary.Id, TargetId: units.OrganizationalUnits[f.r.IntN(2)].Id}); err != nil {
		return err
	}
	made, err := org.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: text("workload-%d", f.r.IntN(1e6)), Email: text("w%d@example.com", f.r.IntN(1e9))})
	if err != nil {
		return err
	}
	for range 60 {
		f.pause()
		status, err := org.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: made.CreateAccountStatus.Id})
		if err != nil {
			return err
		}
		if status.CreateAccountStatus.State == orgtypes.CreateAccountStateSucceeded {
			_, err := org.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: status.CreateAccountStatus.AccountId, SourceParentId: root.Roots[0].Id, DestinationParentId: units.OrganizationalUnits[0].Id})
			return err
		}
	}
	return errors.New("the account is not made")
}

// tidy is what administrators do seldom: a grant, a key that is no longer needed, a
// role for somebody, a secret that goes and comes back.
func (f *firm) tidy(ctx context.Context) error {
	c, k := iam.NewFromConfig(f.admin), kms.NewFromConfig(f.admin)
	app := f.apps[f.r.IntN(len(f.apps))]
	if _, err := k.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: aws.String(f.keyID[app]), GranteePrincipal: text("arn:aws:iam::%s:role/%s", account, app), Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt}}); err != nil {
		return err
	}
	f.pause()
	old, err := k.CreateKey(ctx, &kms.CreateKeyInput{Description: aws.String("tried out")})
	if err != nil {
		return err
	}
	f.pause()
	if _, err := k.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: old.KeyMetadata.KeyId, PendingWindowInDays: aws.Int32(30)}); err != nil {
		return err
	}
	role := text("report-%d", f.r.IntN(1e6))
	if _, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: role, AssumeRolePolicyDocument: trust(map[string]any{"Service": "lambda.amazonaws.com"})}); err != nil {
		return err
	}
	f.pause()
	if _, err := c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")}); err != nil {
		return err
	}
	if _, err := c.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: role, PolicyDocument: trust(map[string]any{"Service": []string{"lambda.amazonaws.com", "scheduler.amazonaws.com"}})}); err != nil {
		return err
	}
	s := secretsmanager.NewFromConfig(f.admin)
	name := text("tmp/%d", f.r.IntN(1e6))
	if _, err := s.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: name, SecretString: aws.String("x")}); err != nil {
		return err
	}
	f.pause()
	_, err = s.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: name, RecoveryWindowInDays: aws.Int64(7)})
	return err
}

// firewall adds a list of domains and a rule.
func (f *firm) firewall(ctx context.Context) error {
	c := route53resolver.NewFromConfig(f.ci)
	list, err := c.CreateFirewallDomainList(ctx, &route53resolver.CreateFirewallDomainListInput{Name: text("blocked-%d", f.r.IntN(1e6)), CreatorRequestId: text("%d", f.r.Int64())})
	if err != nil {
		return err
	}
	if _, err := c.UpdateFirewallDomains(ctx, &route53resolver.UpdateFirewallDomainsInput{FirewallDomainListId: list.FirewallDomainList.Id, Operation: r53types.FirewallDomainUpdateOperationAdd, Domains: []string{"bad.example.org", "*.worse.example.net"}}); err != nil {
		return err
	}
	_, err = c.ListFirewallDomainLists(ctx, &route53resolver.ListFirewallDomainListsInput{})
	return err
}

// questionsOf returns ordinary questions for each day, and zones that answer those of
// them that exist.
func questionsOf(seed uint64, days int) (zones []config.Zone, asked []questions.Asked) {
	records := map[string][]string{}
	for a := range questions.Ordinary(seed, 500*days) {
		labels := strings.Split(a.Name, ".")
		if len(labels) < 3 || len(records) >= 200 && records[strings.Join(labels[len(labels)-2:], ".")] == nil {
			continue
		}
		zone := strings.Join(labels[len(labels)-2:], ".")
		if a.Rcode == "NOERROR" && len(a.Answers) > 0 && a.Type == "A" {
			records[zone] = append(records[zone], fmt.Sprintf("%s 60 IN A %s", strings.TrimSuffix(a.Name, "."+zone), a.Answers[0]))
		} else if records[zone] == nil {
			records[zone] = []string{}
		}
		asked = append(asked, a)
	}
	for i := range asked { // they were a few hours'; now they are days'
		asked[i].At = start.Add(time.Duration(float64(asked[i].At.Sub(questions.Start)) / float64(asked[len(asked)-1].At.Sub(questions.Start)+1) * float64(time.Duration(days)*24*time.Hour)))
	}
	for name, lines := range records {
		zones = append(zones, config.Zone{Name: name, Records: lines})
	}
	slices.SortFunc(zones, func(a, b config.Zone) int { return cmp.Compare(a.Name, b.Name) })
	return zones, asked
}
