package gateway

import (
	"slices"

	"golang.org/x/time/rate"

	"sumun.dev/aws"
)

// same is a rate without bursts beyond a second's.
func same(n int) quota { return quota{rate: rate.Limit(n), burst: n} }

// Regions where symmetric cryptography has a higher rate.
var (
	fastestRegions = []aws.Region{"us-east-1", "us-west-2", "eu-west-1"}
	fasterRegions  = []aws.Region{"us-east-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "eu-central-1", "eu-west-2"}
)

// keyQuota returns the rate of an operation of KMS. Those that depend on the spec of
// a key, which nobody knows before the call is authorised, are not among them. KMS
// Developer Guide, "Request quotas".
func keyQuota(operation string, region aws.Region) (quota, bool) {
	switch operation {
	case "Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "GenerateRandom", "ReEncrypt", "VerifyMac":
		q := same(10_000)
		switch {
		case slices.Contains(fastestRegions, region):
			q = same(100_000)
		case slices.Contains(fasterRegions, region):
			q = same(20_000)
		}
		q.shared = "symmetric cryptography"
		return q, true
	case "GetParametersForImport":
		return same(1), true
	case "CancelKeyDeletion", "ConnectCustomKeyStore", "CreateAlias", "CreateCustomKeyStore", "CreateKey", "DeleteCustomKeyStore", "DescribeCustomKeyStores",
		"DisableKey", "DisconnectCustomKeyStore", "EnableKey", "GetKeyLastUsage", "ReplicateKey", "RotateKeyOnDemand", "UntagResource",
		"UpdateAlias", "UpdateCustomKeyStore", "UpdateKeyDescription", "UpdatePrimaryRegion":
		return same(5), true
	case "TagResource":
		return same(10), true
	case "DeleteAlias", "DeleteImportedKeyMaterial", "EnableKeyRotation", "ImportKeyMaterial", "PutKeyPolicy", "ScheduleKeyDeletion":
		return same(15), true
	case "CreateGrant", "RetireGrant", "RevokeGrant":
		return same(50), true
	case "ListGrants", "ListKeyPolicies", "ListKeyRotations", "ListRetirableGrants":
		return same(100), true
	case "ListAliases", "ListKeys":
		return same(500), true
	case "GetKeyPolicy", "GetKeyRotationStatus":
		return same(1000), true
	case "DescribeKey", "GetPublicKey", "ListResourceTags":
		return same(2000), true
	}
	return quota{}, false
}

// secretQuota returns the rate of an operation of Secrets Manager. AWS Secrets
// Manager User Guide, "Secrets Manager quotas".
func secretQuota(operation string) (quota, bool) {
	switch operation {
	case "GetSecretValue":
		return same(10_000), true
	case "DescribeSecret":
		return same(40_000), true
	case "BatchGetSecretValue", "ListSecrets":
		return same(100), true
	case "DeleteResourcePolicy", "GetResourcePolicy", "PutResourcePolicy", "ValidateResourcePolicy":
		return quota{rate: 50, burst: 50, shared: "policies"}, true
	case "CreateSecret", "UpdateSecret", "PutSecretValue", "DeleteSecret", "RestoreSecret", "TagResource", "UntagResource", "RotateSecret", "CancelRotateSecret",
		"UpdateSecretVersionStage", "ReplicateSecretToRegions", "RemoveRegionsFromReplication", "StopReplicationToReplica":
		return quota{rate: 50, burst: 50, shared: "changes"}, true
	}
	return same(50), true
}
