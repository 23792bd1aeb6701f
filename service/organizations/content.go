package organizations

import (
	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
)

// checkDocument holds a policy to the language of its type.
func checkDocument(t organizationsapi.PolicyType, content string) error {
	var err error
	switch t {
	case organizationsapi.PolicyTypeServiceControlPolicy:
		_, err = policy.Parse([]byte(content), policy.SCP)
	case organizationsapi.PolicyTypeResourceControlPolicy:
		_, err = policy.Parse([]byte(content), policy.RCP)
	default:
		return aws.UnsupportedOperation.New("Sumun does not serve policies of the type %s yet.", t)
	}
	if err != nil {
		return malformed()
	}
	return nil
}

// malformed is all that Organizations says of a document that breaks the rules of its type.
func malformed() error {
	return organizationsapi.MalformedPolicyDocumentException.New("The provided policy document does not meet the requirements of the specified policy type.")
}
