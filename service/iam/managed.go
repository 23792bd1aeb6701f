package iam

// AdministratorAccess is the ARN of the AWS managed policy that allows all.
const AdministratorAccess = "arn:aws:iam::aws:policy/AdministratorAccess"

// managed holds the AWS managed policies that can be attached, by ARN.
var managed = map[string]string{
	AdministratorAccess: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
}
