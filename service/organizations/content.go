package organizations

import (
	"slices"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/engine/inherit"
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
		var d *inherit.Document
		if d, err = inherit.Parse([]byte(content)); err == nil && (len(d.Names()) == 0 || !headed(t, d.Names())) {
			err = malformed()
		}
	}
	if err != nil {
		return malformed()
	}
	return nil
}

// headed reports whether a management policy has no element on top but those of
// its type. Organizations User Guide, the "syntax" of each policy type.
func headed(t organizationsapi.PolicyType, names []string) bool {
	var may []string
	switch t {
	case organizationsapi.PolicyTypeTagPolicy:
		may = []string{"tags"}
	case organizationsapi.PolicyTypeBackupPolicy:
		may = []string{"plans"}
	case organizationsapi.PolicyTypeAiservicesOptOutPolicy:
		may = []string{"services"}
	case organizationsapi.PolicyTypeDeclarativePolicyEc2:
		may = []string{"ec2_attributes"}
	case organizationsapi.PolicyTypeChatbotPolicy:
		may = []string{"chatbot"}
	default:
		return true // newer types, whose syntax is not looked at closely
	}
	return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(may, name) })
}

// malformed is all that Organizations says of a document that breaks the rules of its type.
func malformed() error {
	return organizationsapi.MalformedPolicyDocumentException.New("The provided policy document does not meet the requirements of the specified policy type.")
}
