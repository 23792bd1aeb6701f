package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sumun.dev/bench/program"
)

// A terminal runs the AWS CLI against the built program.
type terminal struct {
	aws    string
	env    []string
	folder string
	answer string // of the last command
	calls  int
}

// run runs a command line. Words are divided by spaces, those in single quotes kept
// together; $NAME is a value that was kept.
func (t *terminal) run(ctx context.Context, line string, kept map[string]string) error {
	for name, value := range kept {
		line = strings.ReplaceAll(line, "$"+name, value)
	}
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	c := exec.CommandContext(ctx, t.aws, words...)
	c.Env, c.Dir = t.env, t.folder
	out, err := c.CombinedOutput()
	t.calls++
	t.answer = strings.TrimSpace(string(out))
	if err != nil {
		return fmt.Errorf("aws %s: %w: %s", line, err, t.answer)
	}
	return nil
}

// shell plays what somebody types in an hour of administration, and lays down what
// `aws cloudtrail lookup-events` answers.
func shell(ctx context.Context, aws, folder string) error {
	dir, err := os.MkdirTemp("", "sumun-clients-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "sumun")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/sumun")
	build.Dir, build.Stderr = filepath.Join("..", "..", ".."), os.Stderr // of the product's module
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the program, from bench/detect/clients: %w", err)
	}
	data := filepath.Join(dir, "data")
	p, err := program.Start(binary, data, "")
	if err != nil {
		return err
	}
	defer p.Stop()
	text, err := exec.CommandContext(ctx, binary, "env", "--data", data, "--format", "json").Output()
	if err != nil {
		return fmt.Errorf("sumun env: %w", err)
	}
	vars := map[string]string{}
	if err := json.Unmarshal(text, &vars); err != nil {
		return err
	}
	t := &terminal{aws: aws, folder: dir}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "AWS_") {
			t.env = append(t.env, e)
		}
	}
	for k, v := range vars {
		t.env = append(t.env, k+"="+v)
	}
	t.env = append(t.env, "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true", "HOME="+dir)
	kept := map[string]string{"ACCOUNT": program.Account}
	for i, step := range session {
		line, query, name := step.line, step.query, step.keep
		if name != "" {
			line += " --output text --query " + query
		}
		if err := t.run(ctx, line, kept); err != nil {
			return err
		}
		if name != "" {
			kept[name] = t.answer
		}
		if i%25 == 24 {
			fmt.Printf("%d of %d commands\n", i+1, len(session))
		}
	}
	if err := t.run(ctx, "cloudtrail lookup-events --output json", nil); err != nil {
		return err
	}
	fmt.Printf("%d commands of %s\n", t.calls, aws)
	return os.WriteFile(filepath.Join(folder, "events.json"), []byte(t.answer), 0o600)
}

// A typed is a command, and what of its answer is kept under which name.
type typed struct{ line, query, keep string }

// session is a morning: looking around, three new colleagues, roles of two
// applications with their keys, parameters and secrets, events, a second look.
var session = func() (out []typed) {
	add := func(lines ...string) {
		for _, l := range lines {
			out = append(out, typed{line: l})
		}
	}
	keep := func(line, query, name string) { out = append(out, typed{line, query, name}) }
	look := []string{
		"sts get-caller-identity", "iam list-users", "iam list-roles", "iam list-groups", "iam get-account-summary", "kms list-keys", "kms list-aliases", "ssm describe-parameters",
		"secretsmanager list-secrets", "events list-rules", "events list-event-buses", "iam list-policies --scope Local", "cloudtrail lookup-events --max-results 5",
	}
	add(look...)
	add("iam update-account-password-policy --minimum-password-length 16 --require-symbols --require-numbers", "iam create-group --group-name developers",
		`iam put-group-policy --group-name developers --policy-name read --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ssm:Get*","ssm:Describe*","kms:List*"],"Resource":"*"}]}'`)
	for _, who := range []string{"anna", "bilal", "chen"} {
		add("iam create-user --user-name "+who, "iam add-user-to-group --group-name developers --user-name "+who, "iam create-access-key --user-name "+who, "iam list-groups-for-user --user-name "+who, "iam tag-user --user-name "+who+" --tags Key=team,Value=shop", "iam list-access-keys --user-name "+who)
	}
	for _, app := range []string{"shop", "billing"} {
		add(`iam create-role --role-name `+app+` --assume-role-policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'`,
			`iam put-role-policy --role-name `+app+` --policy-name work --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ssm:GetParameter*","secretsmanager:GetSecretValue"],"Resource":"*"}]}'`,
			"iam attach-role-policy --role-name "+app+" --policy-arn arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy", "iam create-instance-profile --instance-profile-name "+app, "iam add-role-to-instance-profile --instance-profile-name "+app+" --role-name "+app,
			"iam get-role --role-name "+app, "iam list-attached-role-policies --role-name "+app, "iam list-role-policies --role-name "+app, "iam get-role-policy --role-name "+app+" --policy-name work")
		keep("kms create-key --description "+app, "KeyMetadata.KeyId", app+"key")
		add("kms create-alias --alias-name alias/"+app+" --target-key-id $"+app+"key", "kms enable-key-rotation --key-id $"+app+"key", "kms describe-key --key-id $"+app+"key", "kms get-key-policy --key-id $"+app+"key --policy-name default", "kms get-key-rotation-status --key-id $"+app+"key")
		keep("kms encrypt --key-id alias/"+app+" --plaintext aGVsbG8=", "CiphertextBlob", app+"blob")
		for _, name := range []string{"url", "level", "limit", "feature"} {
			add("ssm put-parameter --name /"+app+"/"+name+" --type String --value x"+name, "ssm get-parameter --name /"+app+"/"+name)
		}
		add("ssm put-parameter --name /"+app+"/token --type SecureString --value geheim --key-id alias/"+app, "ssm get-parameters-by-path --path /"+app, "ssm put-parameter --name /"+app+"/level --type String --value debug --overwrite", "ssm get-parameter-history --name /"+app+"/level",
			`secretsmanager create-secret --name `+app+`/database --secret-string {"password":"x7"}`, "secretsmanager describe-secret --secret-id "+app+"/database", `secretsmanager put-secret-value --secret-id `+app+`/database --secret-string {"password":"y8"}`, "secretsmanager get-secret-value --secret-id "+app+"/database",
			"events create-event-bus --name "+app, `events put-rule --name `+app+`-orders --event-bus-name `+app+` --event-pattern {"source":["`+app+`"]}`, "events list-rules --event-bus-name "+app, "events describe-rule --name "+app+"-orders --event-bus-name "+app)
	}
	add("organizations create-organization --feature-set ALL", "organizations describe-organization", "organizations list-accounts")
	keep("organizations list-roots", "Roots[0].Id", "ROOT")
	add("organizations enable-policy-type --root-id $ROOT --policy-type SERVICE_CONTROL_POLICY")
	keep("organizations create-organizational-unit --parent-id $ROOT --name workloads", "OrganizationalUnit.Id", "UNIT")
	keep(`organizations create-policy --type SERVICE_CONTROL_POLICY --name guard --description guard --content '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"kms:ScheduleKeyDeletion","Resource":"*"}]}'`, "Policy.PolicySummary.Id", "POLICY")
	add("organizations attach-policy --policy-id $POLICY --target-id $UNIT", "organizations list-policies --filter SERVICE_CONTROL_POLICY", "organizations list-organizational-units-for-parent --parent-id $ROOT")
	add("iam generate-credential-report", "iam remove-user-from-group --group-name developers --user-name chen")
	keep("iam list-access-keys --user-name chen", "AccessKeyMetadata[0].AccessKeyId", "OLD")
	add("iam update-access-key --user-name chen --access-key-id $OLD --status Inactive", "iam delete-access-key --user-name chen --access-key-id $OLD", "iam delete-user --user-name chen")
	add(look...)
	return out
}()
