package parameters

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
)

// readSecret reads a secret for the caller, whose rights to it and to its key
// decide. What follows the last colon of a name is a version's id when it looks
// like one, and a staging label else. User Guide, "Referencing AWS Secrets Manager
// secrets from Parameter Store parameters".
func (s *Service) readSecret(ctx context.Context, r reference, id string, decrypt bool) (*ssmapi.Parameter, error) {
	if !decrypt {
		return nil, aws.ValidationException.New("WithDecryption flag must be True for retrieving a Secret Manager secret.")
	}
	in := &secretsmanagerapi.GetSecretValueRequest{SecretId: id}
	var selector *string
	if name, version := divide(id); version != "" {
		in.SecretId, selector = name, new(":"+version)
		if isVersion(version) {
			in.VersionId = &version
		} else {
			in.VersionStage = &version
		}
	}
	out, err := secretsmanagerapi.GetSecretValue.Call(ctx, s.env.AWS, in)
	if err != nil {
		return nil, fromSecrets(ctx, r, err)
	}
	result, err := sourceResult(out)
	if err != nil {
		return nil, err
	}
	value := text(out.SecretString)
	if out.SecretString == nil { // a parameter's value is text
		value = base64.StdEncoding.EncodeToString(out.SecretBinary)
	}
	return &ssmapi.Parameter{
		Name: new(secretPath + in.SecretId), Type: new(ssmapi.ParameterTypeSecureString), Value: new(value), Version: new(int64(0)),
		Selector: selector, SourceResult: new(result), LastModifiedDate: out.CreatedDate, ARN: out.ARN, DataType: new("text"),
	}, nil
}

// divide separates a secret's id from a selector. An ARN has six colons of its own.
func divide(id string) (name, version string) {
	if strings.HasPrefix(id, "arn:") {
		parts := strings.SplitN(id, ":", 8)
		if len(parts) < 8 {
			return id, ""
		}
		return strings.Join(parts[:7], ":"), parts[7]
	}
	name, version, _ = strings.Cut(id, ":")
	return name, version
}

// isVersion reports whether a selector is the id of a version, which is a client's
// token of 32 characters or more.
func isVersion(selector string) bool { return len(selector) >= 32 }

// sourceResult is what Secrets Manager answered, the value too. User Guide,
// "Referencing AWS Secrets Manager secrets from Parameter Store parameters".
func sourceResult(out *secretsmanagerapi.GetSecretValueResponse) (string, error) {
	said := struct {
		ARN, Name, VersionId *string
		SecretString         *string `json:",omitempty"`
		SecretBinary         []byte  `json:",omitempty"`
		VersionStages        []string
		CreatedDate          float64
	}{out.ARN, out.Name, out.VersionId, out.SecretString, out.SecretBinary, out.VersionStages, 0}
	if out.CreatedDate != nil {
		said.CreatedDate = float64(out.CreatedDate.UnixMilli()) / 1000
	}
	text, err := json.Marshal(said)
	return string(text), err
}

// fromSecrets puts Secrets Manager's answer into Parameter Store's words.
func fromSecrets(ctx context.Context, r reference, err error) error {
	var e *aws.Error
	if !errors.As(err, &e) || e.Status >= 500 {
		return err
	}
	said := " (Service: AWSSecretsManager; Status Code: 400; Error Code: " + e.Code + "; Request ID: " + aws.CallOf(ctx).RequestID + "; Proxy: null)"
	var kind aws.ErrorKind
	switch e.Code {
	case "ResourceNotFoundException":
		kind = ssmapi.ParameterNotFound
	case aws.AccessDenied.Code:
		kind = aws.AccessDenied
	case "DecryptionFailure":
		kind = ssmapi.InvalidKeyId
	default:
		kind = aws.ValidationException
	}
	refused := kind.New("An error occurred (%s) when referencing Secrets Manager: %s%s", e.Code, e.Message, said)
	refused.Cause = err
	return refused
}
