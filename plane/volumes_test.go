package plane

import (
	"context"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/iamapi"
	api "sumun.dev/api/kmsapi"
	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/plane/config"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// TestVolumesOnBehalf makes the calls by which EC2 copies an encrypted snapshot to
// another region: for a user who may use keys through EC2 alone, and then as EC2
// itself under the grants that it was given. The same is refused to other services.
func TestVolumesOnBehalf(t *testing.T) {
	p := begun(t, config.Memory)
	defer end(t, p)
	gate := p.current.Load().gate
	source, target := newKey(t, p, p.Account(), "us-east-1"), newKey(t, p, p.Account(), "eu-central-1")
	copier := newUser(t, p, p.Account(), "copier", `{"Effect":"Allow","Action":["kms:DescribeKey","kms:GenerateDataKeyWithoutPlaintext"],"Resource":"*",
			"Condition":{"StringEquals":{"kms:ViaService":["ec2.us-east-1.amazonaws.com","ec2.eu-central-1.amazonaws.com"]}}},
		{"Effect":"Allow","Action":"kms:CreateGrant","Resource":"*","Condition":{"Bool":{"kms:GrantIsForAWSResource":"true"}}}`)
	made, err := byRoot(t, p, &api.GenerateDataKeyWithoutPlaintext, &api.GenerateDataKeyWithoutPlaintextRequest{KeyId: source,
		KeySpec: new(api.DataKeySpecAes256), EncryptionContext: map[string]string{"aws:ebs:id": "snap-1"}})
	if err != nil {
		t.Fatal(err)
	}
	snapshot := made.CiphertextBlob

	// What the copier asks for: describe, make a data key, grant. Called directly none is
	// allowed; through another service none but the grant, which is for AWS then too.
	uses := func(ctx context.Context, through wire.Caller, key, id string) (blob []byte, refused []string) {
		if _, err := api.DescribeKey.Call(ctx, through, &api.DescribeKeyRequest{KeyId: key}); err != nil {
			refused = append(refused, denied(t, err))
		}
		out, err := api.GenerateDataKeyWithoutPlaintext.Call(ctx, through, &api.GenerateDataKeyWithoutPlaintextRequest{KeyId: key,
			KeySpec: new(api.DataKeySpecAes256), EncryptionContext: map[string]string{"aws:ebs:id": id}})
		if err != nil {
			refused = append(refused, denied(t, err))
		} else {
			blob = out.CiphertextBlob
		}
		return blob, refused
	}
	grants := func(ctx context.Context, through wire.Caller, key, id string, operations ...api.GrantOperation) error {
		_, err := api.CreateGrant.Call(ctx, through, &api.CreateGrantRequest{KeyId: key, GranteePrincipal: "ec2.amazonaws.com", Operations: operations,
			Constraints: &api.GrantConstraints{EncryptionContextSubset: map[string]string{"aws:ebs:id": id}}})
		return err
	}
	call := *aws.CallOf(copier)
	call.Service = "kms" // KMS passes its own calls on as they are
	direct := aws.WithCall(copier, &call)
	if _, refused := uses(direct, gate.InsideAny("kms"), source, "snap-2"); len(refused) != 2 {
		t.Errorf("called directly %q are refused", refused)
	}
	if err := grants(direct, gate.InsideAny("kms"), source, "snap-1", api.GrantOperationDecrypt); denied(t, err) != "kms:CreateGrant" {
		t.Errorf("granted directly: %v", err)
	}
	if _, refused := uses(copier, gate.InsideAny("rds"), source, "snap-2"); len(refused) != 2 {
		t.Errorf("through RDS %q are refused", refused)
	}

	ec2 := gate.Inside("ec2", &api.DescribeKey, &api.GenerateDataKeyWithoutPlaintext, &api.CreateGrant, &api.Decrypt, &api.ReEncrypt)
	away := wire.InRegion(copier, "eu-central-1")
	copied, refused := uses(away, ec2, target, "snap-2")
	if len(refused) != 0 {
		t.Fatalf("through EC2 %q are refused", refused)
	}
	if _, refused := uses(wire.InRegion(copier, "eu-west-1"), ec2, newKey(t, p, p.Account(), "eu-west-1"), "snap-2"); len(refused) != 2 {
		t.Errorf("through EC2 of a region that the policy does not name %q are refused", refused)
	}

	// EC2 has no permissions of its own: only what the copier grants it, for one snapshot each.
	itself := asService(t.Context(), "ec2.amazonaws.com", store.Place{Account: p.Account(), Region: "us-east-1"})
	opens := func(ctx context.Context, through wire.Caller, blob []byte, id string) error {
		_, err := api.Decrypt.Call(ctx, through, &api.DecryptRequest{CiphertextBlob: blob, EncryptionContext: map[string]string{"aws:ebs:id": id}})
		return err
	}
	if err := opens(itself, ec2, snapshot, "snap-1"); denied(t, err) != "kms:Decrypt" {
		t.Errorf("without a grant EC2 opens the snapshot: %v", err)
	}
	if err := grants(copier, ec2, source, "snap-1", api.GrantOperationDecrypt, api.GrantOperationReEncryptFrom); err != nil {
		t.Fatal(err)
	}
	if err := grants(away, ec2, target, "snap-2", api.GrantOperationDecrypt); err != nil {
		t.Fatal(err)
	}
	if err := opens(itself, ec2, snapshot, "snap-1"); err != nil {
		t.Errorf("the snapshot: %v", err)
	}
	if err := opens(wire.InRegion(itself, "eu-central-1"), ec2, copied, "snap-2"); err != nil {
		t.Errorf("the copy: %v", err)
	}
	if err := opens(itself, ec2, snapshot, "snap-2"); denied(t, err) != "kms:Decrypt" {
		t.Errorf("the snapshot as another: %v", err)
	}
	if err := opens(copier, ec2, snapshot, "snap-1"); denied(t, err) != "kms:Decrypt" {
		t.Errorf("the copier through EC2: %v", err)
	}
	rds := asService(t.Context(), "rds.amazonaws.com", store.Place{Account: p.Account(), Region: "us-east-1"})
	if err := opens(rds, gate.InsideAny("rds"), snapshot, "snap-1"); denied(t, err) != "kms:Decrypt" {
		t.Errorf("RDS itself: %v", err)
	}

	// One half of ReEncrypt is not the other.
	moves := func() error {
		_, err := api.ReEncrypt.Call(itself, ec2, &api.ReEncryptRequest{CiphertextBlob: snapshot, SourceEncryptionContext: map[string]string{"aws:ebs:id": "snap-1"},
			DestinationKeyId: source, DestinationEncryptionContext: map[string]string{"aws:ebs:id": "snap-3"}})
		return err
	}
	if err := moves(); denied(t, err) != "kms:ReEncryptTo" {
		t.Errorf("ReEncrypt with the grant of its first half: %v", err)
	}
	if err := grants(copier, ec2, source, "snap-3", api.GrantOperationReEncryptTo); err != nil {
		t.Fatal(err)
	}
	if err := moves(); err != nil {
		t.Errorf("ReEncrypt with both: %v", err)
	}
}

// TestVolumesAcrossAccounts lets EC2 copy a snapshot of one account into another: the
// owner's key policy admits the account, the account its user, and the user grants
// EC2, which has nothing else, one half of ReEncrypt on each key.
func TestVolumesAcrossAccounts(t *testing.T) {
	p := begun(t, config.Memory)
	defer end(t, p)
	if _, err := byRoot(t, p, &organizationsapi.CreateOrganization, &organizationsapi.CreateOrganizationRequest{}); err != nil {
		t.Fatal(err)
	}
	member := aws.Account(memberOf(t, p, p.Account(), "copies"))
	source := "arn:aws:kms:us-east-1:" + string(p.Account()) + ":key/" + newKey(t, p, p.Account(), "us-east-1")
	target := newKey(t, p, member, "us-east-1")
	made, err := byRoot(t, p, &api.GenerateDataKeyWithoutPlaintext, &api.GenerateDataKeyWithoutPlaintextRequest{KeyId: source,
		KeySpec: new(api.DataKeySpecAes256), EncryptionContext: map[string]string{"aws:ebs:id": "snap-1"}})
	if err != nil {
		t.Fatal(err)
	}
	copier := newUser(t, p, member, "copier", `{"Effect":"Allow","Action":"kms:CreateGrant","Resource":"*","Condition":{"Bool":{"kms:GrantIsForAWSResource":"true"}}}`)
	ec2 := p.current.Load().gate.Inside("ec2", &api.CreateGrant, &api.ReEncrypt, &api.Decrypt)
	itself := asService(t.Context(), "ec2.amazonaws.com", store.Place{Account: member, Region: "us-east-1"})
	grants := func(key, id string, operations ...api.GrantOperation) error {
		_, err := api.CreateGrant.Call(copier, ec2, &api.CreateGrantRequest{KeyId: key, GranteePrincipal: "ec2.amazonaws.com", Operations: operations,
			Constraints: &api.GrantConstraints{EncryptionContextEquals: map[string]string{"aws:ebs:id": id}}})
		return err
	}
	moves := func() ([]byte, error) {
		out, err := api.ReEncrypt.Call(itself, ec2, &api.ReEncryptRequest{CiphertextBlob: made.CiphertextBlob, SourceEncryptionContext: map[string]string{"aws:ebs:id": "snap-1"},
			DestinationKeyId: target, DestinationEncryptionContext: map[string]string{"aws:ebs:id": "snap-2"}})
		if err != nil {
			return nil, err
		}
		return out.CiphertextBlob, nil
	}

	if err := grants(source, "snap-1", api.GrantOperationReEncryptFrom); denied(t, err) != "kms:CreateGrant" {
		t.Errorf("before the owner admits the account: %v", err)
	}
	policy := func(account aws.Account, action string) string {
		return `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + string(account) + `:root"},"Action":"` + action + `","Resource":"*"}`
	}
	if _, err := byRoot(t, p, &api.PutKeyPolicy, &api.PutKeyPolicyRequest{KeyId: source,
		Policy: `{"Version":"2012-10-17","Statement":[` + policy(p.Account(), "kms:*") + `,` + policy(member, "kms:CreateGrant") + `]}`}); err != nil {
		t.Fatal(err)
	}
	if _, err := moves(); denied(t, err) != "kms:ReEncryptFrom" {
		t.Errorf("without grants: %v", err)
	}
	if err := grants(source, "snap-1", api.GrantOperationReEncryptFrom); err != nil {
		t.Fatal(err)
	}
	if _, err := moves(); denied(t, err) != "kms:ReEncryptTo" {
		t.Errorf("with the grant on the owner's key: %v", err)
	}
	if err := grants(target, "snap-2", api.GrantOperationReEncryptTo, api.GrantOperationDecrypt); err != nil {
		t.Fatal(err)
	}
	copied, err := moves()
	if err != nil {
		t.Fatalf("with both grants: %v", err)
	}
	opens := func(blob []byte, id string) error {
		_, err := api.Decrypt.Call(itself, ec2, &api.DecryptRequest{CiphertextBlob: blob, EncryptionContext: map[string]string{"aws:ebs:id": id}})
		return err
	}
	if err := opens(copied, "snap-2"); err != nil {
		t.Errorf("the copy: %v", err)
	}
	if err := opens(made.CiphertextBlob, "snap-1"); denied(t, err) != "kms:Decrypt" {
		t.Errorf("the owner's snapshot: %v", err)
	}
}

// denied returns the action that was refused, "" for no error.
func denied(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	if !aws.AccessDenied.Is(err) {
		t.Fatalf("%v", err)
	}
	_, rest, _ := strings.Cut(err.Error(), "perform: ")
	action, _, _ := strings.Cut(rest, " ")
	return action
}

// newKey makes a key with the default key policy and returns its id.
func newKey(t *testing.T, p *Plane, account aws.Account, region aws.Region) string {
	t.Helper()
	ctx := aws.WithCall(t.Context(), &aws.Call{Partition: "aws", Account: account, Region: region, Principal: &aws.Principal{
		Kind: aws.Root, Account: account, ARN: aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "root"}}})
	out, err := api.CreateKey.Call(ctx, p.current.Load().gate.InsideAny("test"), &api.CreateKeyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return out.KeyMetadata.KeyId
}

// newUser makes an IAM user who may do what the statements say, and returns a
// context of theirs.
func newUser(t *testing.T, p *Plane, account aws.Account, name, statements string) context.Context {
	t.Helper()
	made, err := byRootOf(t, p, account, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: name})
	if err != nil {
		t.Fatal(err)
	}
	in := &iamapi.PutUserPolicyRequest{UserName: name, PolicyName: "own", PolicyDocument: `{"Version":"2012-10-17","Statement":[` + statements + `]}`}
	if _, err := byRootOf(t, p, account, &iamapi.PutUserPolicy, in); err != nil {
		t.Fatal(err)
	}
	arn, err := aws.ParseARN(made.User.Arn)
	if err != nil {
		t.Fatal(err)
	}
	return aws.WithCall(t.Context(), &aws.Call{Partition: "aws", Account: account, Region: "us-east-1", Time: time.Now(),
		Principal: &aws.Principal{Kind: aws.User, Account: account, ARN: arn, ID: made.User.UserId, Name: name}})
}
