package plane

import (
	"strings"
	"testing"

	"sumun.dev/api/iamapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/plane/config"
)

// TestSecureStringsNeedTheKey reads SecureStrings through the gate and KMS: a
// reader who may read the parameter and not use its key gets no value, and one
// whose right to the key is bound to a parameter gets that one's.
func TestSecureStringsNeedTheKey(t *testing.T) {
	p := begun(t, config.Memory)
	defer end(t, p)
	key := newKey(t, p, p.Account(), "us-east-1")
	for name, tier := range map[string]ssmapi.ParameterTier{"/standard": ssmapi.ParameterTierStandard, "/advanced": ssmapi.ParameterTierAdvanced} {
		in := &ssmapi.PutParameterRequest{Name: name, Value: "hunter2", Type: new(ssmapi.ParameterTypeSecureString), KeyId: &key, Tier: &tier}
		if _, err := byRoot(t, p, &ssmapi.PutParameter, in); err != nil {
			t.Fatal(err)
		}
	}
	out, err := byRoot(t, p, &ssmapi.GetParametersByPath, &ssmapi.GetParametersByPathRequest{Path: "/", WithDecryption: new(true)})
	if err != nil || len(out.Parameters) != 2 || *out.Parameters[0].Value != "hunter2" || *out.Parameters[1].Value != "hunter2" {
		t.Fatalf("%+v, %v", out, err)
	}

	const parameters = `{"Effect":"Allow","Action":"ssm:GetParameter","Resource":"*"}`
	reader := newUser(t, p, p.Account(), "reader", parameters)
	read := func(name string) (string, error) {
		out, err := ssmapi.GetParameter.Call(reader, p.current.Load().gate.InsideAny("test"), &ssmapi.GetParameterRequest{Name: name, WithDecryption: new(true)})
		if err != nil {
			return "", err
		}
		return *out.Parameter.Value, nil
	}
	allow := func(statement string) {
		t.Helper()
		in := &iamapi.PutUserPolicyRequest{UserName: "reader", PolicyName: "own", PolicyDocument: `{"Version":"2012-10-17","Statement":[` + statement + `]}`}
		if _, err := byRoot(t, p, &iamapi.PutUserPolicy, in); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"/standard", "/advanced"} {
		if got, err := read(name); !aws.AccessDenied.Is(err) || strings.Contains(err.Error(), "ssm:GetParameter") {
			t.Errorf("without the key %s is %q: %v", name, got, err)
		}
	}
	allow(parameters + `,{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"ssm.us-east-1.amazonaws.com",
		"kms:EncryptionContext:PARAMETER_ARN":"arn:aws:ssm:us-east-1:` + string(p.Account()) + `:parameter/standard"}}}`)
	if got, err := read("/standard"); err != nil || got != "hunter2" {
		t.Errorf("with the key for it /standard is %q: %v", got, err)
	}
	if got, err := read("/advanced"); !aws.AccessDenied.Is(err) {
		t.Errorf("with the key for another /advanced is %q: %v", got, err)
	}
}
