package aws

import (
	"strings"
	"testing"
)

func TestDataEvents(t *testing.T) {
	for op, want := range map[string]bool{
		"s3:GetObject": true, "s3:PutObject": true, "s3:GetObjectTagging": true, "s3:UploadPart": true, "s3:CreateBucket": false, "s3:ListObjectsV2": true,
		"s3:PutObjectLockConfiguration": false, "lambda:Invoke": true, "lambda:CreateFunction": false, "sns:Publish": true, "sns:CreateTopic": false,
		"sqs:SendMessage": true, "sqs:ReceiveMessage": true, "sqs:DeleteMessageBatch": true, "sqs:CreateQueue": false, "kms:Decrypt": false,
	} {
		service, name, _ := strings.Cut(op, ":")
		if got := IsDataEvent(service, name); got != want {
			t.Errorf("%s: data event %v, want %v", op, got, want)
		}
	}
}
