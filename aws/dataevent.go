package aws

import "strings"

// IsDataEvent reports whether an operation, or action, of the service with this
// prefix is a data event: what happens to a resource's content. LookupEvents and
// Access Advisor are about management events only.
// CloudTrail User Guide, "Logging data events".
func IsDataEvent(service, operation string) bool {
	switch service {
	case "s3":
		return strings.Contains(operation, "Object") && !strings.Contains(operation, "ObjectLockConfiguration") ||
			strings.Contains(operation, "MultipartUpload") && operation != "ListMultipartUploads" ||
			strings.HasPrefix(operation, "UploadPart") || operation == "ListParts"
	case "lambda":
		return strings.HasPrefix(operation, "Invoke")
	case "sns":
		return strings.HasPrefix(operation, "Publish")
	case "sqs":
		return strings.HasSuffix(operation, "Message") || strings.HasSuffix(operation, "MessageBatch") ||
			strings.HasPrefix(operation, "ChangeMessageVisibility")
	}
	return false
}
