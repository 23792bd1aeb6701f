package main

import (
	"context"

	"sumun.dev/api/iamapi"
	"sumun.dev/bench/program"
	"sumun.dev/gateway/sigv4"
)

// typical is a policy as people have them: some services, a condition, a denial.
const typical = `{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::app","arn:aws:s3:::app/*"]},
	{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}},
	{"Effect":"Allow","Action":"ssm:GetParametersByPath","Resource":"arn:aws:ssm:*:*:parameter/bench/*"},
	{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:*:*:secret:bench/*"},
	{"Effect":"Allow","Action":["iam:GetUser","iam:CreateUser","iam:List*"],"Resource":"arn:aws:iam::*:user/*"},
	{"Effect":"Deny","Action":"iam:Delete*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}]}`

// caller makes the user who calls.
func caller(ctx context.Context, p *program.Program) (sigv4.Credentials, error) {
	if _, err := program.Call(ctx, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "caller"}); err != nil {
		return sigv4.Credentials{}, err
	}
	if _, err := program.Call(ctx, p, &iamapi.PutUserPolicy, &iamapi.PutUserPolicyRequest{UserName: "caller", PolicyName: "typical", PolicyDocument: typical}); err != nil {
		return sigv4.Credentials{}, err
	}
	out, err := program.Call(ctx, p, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: new("caller")})
	if err != nil {
		return sigv4.Credentials{}, err
	}
	return sigv4.Credentials{KeyID: out.AccessKey.AccessKeyId, Secret: out.AccessKey.SecretAccessKey}, nil
}
