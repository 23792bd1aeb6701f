package trail

import (
	"strings"

	"sumun.dev/wire"
)

// isData reports whether the operation is a data event: what happens to a
// resource's content. LookupEvents shows management events only.
// CloudTrail User Guide, "Logging data events".
func isData(meta *wire.Meta) bool {
	switch meta.Service.Prefix {
	case "s3":
		return strings.Contains(meta.Name, "Object") && !strings.Contains(meta.Name, "ObjectLockConfiguration") ||
			strings.Contains(meta.Name, "MultipartUpload") && meta.Name != "ListMultipartUploads" ||
			strings.HasPrefix(meta.Name, "UploadPart") || meta.Name == "ListParts"
	case "lambda":
		return strings.HasPrefix(meta.Name, "Invoke")
	case "sns":
		return strings.HasPrefix(meta.Name, "Publish")
	case "sqs":
		return strings.HasSuffix(meta.Name, "Message") || strings.HasSuffix(meta.Name, "MessageBatch") ||
			strings.HasPrefix(meta.Name, "ChangeMessageVisibility")
	}
	return false
}

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
