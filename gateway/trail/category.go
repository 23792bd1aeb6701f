package trail

import (
	"strings"

	"sumun.dev/aws"
)

// isData reports whether the record is of a data event.
func (r *record) isData() bool { return aws.IsDataEvent(r.meta.Service.Prefix, r.meta.Name) }

// answers reports whether the record shows what was answered: not when
// something was read, except that a session's issue is shown although STS calls
// it reading. IAM User Guide, "Logging IAM and AWS STS API calls".
func (r *record) answers() bool {
	if !r.reads {
		return true
	}
	name := r.meta.Name
	return r.meta.Service.Prefix == "sts" &&
		(strings.HasPrefix(name, "AssumeRole") || name == "GetSessionToken" || name == "GetFederationToken")
}
