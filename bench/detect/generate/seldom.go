package generate

import "encoding/json"

// seldom is what happens now and then, and how often in a month.
var seldom = []struct {
	monthly float64
	do      func(*world)
}{
	{1, func(w *world) { // a new colleague
		n := w.word() + "-person"
		p := w.admin()
		w.call(p, "iam:CreateUser", m{"userName": n}, m{"user": m{"userName": n}})
		w.call(p, "iam:AddUserToGroup", m{"userName": n, "groupName": "developers"}, nil)
		w.call(p, "iam:CreateLoginProfile", m{"userName": n, "passwordResetRequired": true}, m{})
	}},
	{1, func(w *world) { // a key for a machine elsewhere
		w.call(w.admin(), "iam:CreateAccessKey", m{"userName": w.word() + "-machine"}, m{"accessKey": m{"accessKeyId": "AKIA" + w.upper(16)}})
	}},
	{2, func(w *world) { // the developer's key is renewed
		w.call(w.dev, "iam:CreateAccessKey", nil, m{"accessKey": m{"userName": w.dev.name}})
		w.call(w.dev, "iam:UpdateAccessKey", m{"accessKeyId": "AKIA" + w.upper(16), "status": "Inactive"}, nil)
		w.call(w.dev, "iam:DeleteAccessKey", m{"accessKeyId": "AKIA" + w.upper(16)}, nil)
	}},
	{1, func(w *world) { // a new telephone
		w.call(w.dev, "iam:DeactivateMFADevice", m{"userName": w.dev.name, "serialNumber": "x"}, nil)
		w.call(w.dev, "iam:EnableMFADevice", m{"userName": w.dev.name, "serialNumber": "y"}, nil)
	}},
	{.4, func(w *world) { w.call(w.admin(), "iam:UpdateLoginProfile", m{"userName": "erik"}, nil) }},
	{.3, func(w *world) {
		w.call(w.tf, "iam:AttachRolePolicy", m{"roleName": w.word() + "-admin", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, nil)
	}},
	{3, func(w *world) {
		w.call(w.tf, "iam:AttachRolePolicy", m{"roleName": w.word(), "policyArn": pick(w, "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")}, nil)
	}},
	{2, func(w *world) {
		w.call(w.tf, "iam:CreatePolicyVersion", m{"policyArn": "arn:aws:iam::" + Account + ":policy/" + w.word(), "setAsDefault": true, "policyDocument": allow("sqs:*", "arn:aws:sqs:*:"+Account+":*")}, m{})
	}},
	{.3, func(w *world) { // a firm that watches the account
		w.call(w.tf, "iam:CreateRole", m{"roleName": "watch-two", "assumeRolePolicyDocument": mustJSON(m{"Version": "2012-10-17", "Statement": []any{m{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": m{"AWS": "arn:aws:iam::" + vendor + ":root"}, "Condition": m{"StringEquals": m{"sts:ExternalId": "4711"}}}}})}, m{})
	}},
	{.5, func(w *world) { // the sister account is let in
		w.call(w.tf, "iam:CreateRole", m{"roleName": "from-sister", "assumeRolePolicyDocument": trust(m{"AWS": "arn:aws:iam::" + Sister + ":root"})}, m{})
	}},
	{.3, func(w *world) { // SSH for everyone, for a moment
		w.call(w.admin(), "ec2:AuthorizeSecurityGroupIngress", m{"groupId": "sg-0" + w.hex(16), "ipPermissions": m{"items": []any{m{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": m{"items": []any{m{"cidrIp": "0.0.0.0/0"}}}}}}}, m{"_return": true})
	}},
	{2, func(w *world) {
		w.call(w.admin(), "ec2:AuthorizeSecurityGroupIngress", m{"groupId": "sg-0" + w.hex(16), "ipPermissions": m{"items": []any{m{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": m{"items": []any{m{"cidrIp": w.people[0].ip + "/32"}}}}}}}, m{"_return": true})
	}},
	{.5, func(w *world) { // a task that only root can do
		p := &who{kind: "Root", account: Account, ip: w.people[0].ip, agent: browser, key: "ASIA" + w.upper(16), console: true, pace: 9000}
		w.call(p, "signin:ConsoleLogin", nil, m{"ConsoleLogin": "Success"}, m{"eventType": "AwsConsoleSignIn", "additionalEventData": m{"MFAUsed": "Yes"}})
		w.call(p, "account:PutContactInformation", m{}, nil)
	}},
	{3, func(w *world) { // the developer at the console, a wrong password first
		p := w.dev.as(func(q *who) { q.agent = browser })
		login := m{"eventType": "AwsConsoleSignIn", "additionalEventData": m{"MFAUsed": "Yes"}}
		w.call(p, "signin:ConsoleLogin", nil, m{"ConsoleLogin": "Failure"}, login, fails("Failed authentication"))
		w.call(p, "signin:ConsoleLogin", nil, m{"ConsoleLogin": "Success"}, login)
	}},
	{.3, func(w *world) {
		w.call(w.tf, "cloudtrail:UpdateTrail", m{"name": "main", "kmsKeyId": w.hex(32), "isMultiRegionTrail": true, "includeGlobalServiceEvents": true, "enableLogFileValidation": true}, m{})
	}},
	{.3, func(w *world) {
		w.call(w.tf, "cloudtrail:PutEventSelectors", m{"trailName": "main", "eventSelectors": []any{m{"readWriteType": "All", "includeManagementEvents": true, "dataResources": []any{m{"type": "AWS::S3::Object", "values": []any{"arn:aws:s3"}}}}}}, m{})
	}},
	{.2, func(w *world) { // flow logs are made anew with other fields
		w.call(w.tf, "ec2:DeleteFlowLogs", m{"DeleteFlowLogsRequest": m{"FlowLogId": m{"tag": 1, "content": "fl-0" + w.hex(16)}}}, m{})
		w.call(w.tf, "ec2:CreateFlowLogs", m{"CreateFlowLogsRequest": m{"TrafficType": "ALL"}}, m{})
	}},
	{.3, func(w *world) {
		w.call(w.tf, "guardduty:UpdateDetector", m{"detectorId": w.hex(32), "enable": true, "findingPublishingFrequency": "FIFTEEN_MINUTES"}, nil)
	}},
	{2, func(w *world) {
		w.call(w.admin(), "monitoring:DisableAlarmActions", m{"alarmNames": []any{w.word()}}, nil)
	}},
	{.3, func(w *world) { // a web site
		w.call(w.tf, "s3:PutBucketPublicAccessBlock", m{"bucketName": "www-" + w.word(), "PublicAccessBlockConfiguration": m{"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": false, "RestrictPublicBuckets": false}}, nil)
	}},
	{2, func(w *world) {
		w.call(w.tf, "s3:PutBucketAcl", m{"bucketName": w.word() + "-data", "x-amz-acl": []any{"private"}}, nil)
	}},
	{.5, func(w *world) {
		w.call(w.tf, "s3:PutBucketLifecycle", m{"bucketName": "scratch-" + Account, "LifecycleConfiguration": m{"Rule": m{"ID": "tmp", "Status": "Enabled", "Filter": m{"Prefix": "tmp/"}, "Expiration": m{"Days": 1}}}}, nil)
	}},
	{.5, func(w *world) {
		w.call(w.tf, "s3:PutBucketReplication", m{"bucketName": w.word() + "-data", "ReplicationConfiguration": m{"Role": "arn:aws:iam::" + Account + ":role/replication", "Rule": m{"Status": "Enabled", "Destination": m{"Bucket": "arn:aws:s3:::copy"}}}}, nil)
	}},
	{.3, func(w *world) {
		w.call(w.tf, "s3:PutBucketPolicy", m{"bucketName": "artifacts-" + Account, "bucketPolicy": m{"Version": "2012-10-17", "Statement": []any{m{"Effect": "Allow", "Principal": m{"AWS": "arn:aws:iam::" + Sister + ":root"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::artifacts/*"}}}}, nil)
	}},
	{.3, func(w *world) {
		w.call(w.tf, "lambda:CreateFunctionUrlConfig", m{"functionName": w.word(), "authType": "NONE"}, m{})
	}},
	{1, func(w *world) {
		w.call(w.tf, "lambda:CreateFunctionUrlConfig", m{"functionName": w.word(), "authType": "AWS_IAM"}, m{})
	}},
	{1, func(w *world) { // a Windows machine
		w.call(w.admin(), "ec2:GetPasswordData", m{"instanceId": "i-0" + w.hex(16)}, nil)
	}},
	{1, func(w *world) { // other user data, for which the machine stands still
		id, p := "i-0"+w.hex(16), w.tf
		w.call(p, "ec2:StopInstances", m{"instancesSet": m{"items": []any{m{"instanceId": id}}}}, m{})
		w.call(p, "ec2:ModifyInstanceAttribute", m{"instanceId": id, "userData": "<sensitiveDataRemoved>"}, m{"_return": true})
		w.call(p, "ec2:StartInstances", m{"instancesSet": m{"items": []any{m{"instanceId": id}}}}, m{})
	}},
	{1, func(w *world) {
		w.call(w.tf, "ec2:ModifyInstanceAttribute", m{"instanceId": "i-0" + w.hex(16), "disableApiTermination": m{"value": true}}, m{"_return": true})
	}},
	{1, func(w *world) {
		w.call(w.admin(), "ec2:DescribeInstanceAttribute", m{"instanceId": "i-0" + w.hex(16), "attribute": "userData"}, nil)
	}},
	{.3, func(w *world) {
		w.call(w.admin(), "rds:ModifyDBInstance", m{"dBInstanceIdentifier": w.word(), "masterUserPassword": "****"}, m{})
	}},
	{1, func(w *world) {
		w.call(w.admin(), "kms:ScheduleKeyDeletion", m{"keyId": w.hex(32), "pendingWindowInDays": 30}, m{})
	}},
	{1, func(w *world) {
		w.call(w.tf, "kms:PutKeyPolicy", m{"keyId": w.hex(32), "policyName": "default", "policy": mustJSON(m{"Version": "2012-10-17", "Statement": []any{m{"Effect": "Allow", "Principal": m{"AWS": "arn:aws:iam::" + Account + ":root"}, "Action": "kms:*", "Resource": "*"}}})}, nil)
	}},
	{.5, func(w *world) {
		w.call(w.tf, "ram:CreateResourceShare", m{"name": "subnets", "principals": []any{Sister}, "resourceArns": []any{"arn:aws:ec2:" + region + ":" + Account + ":subnet/subnet-1"}}, m{})
	}},
	{.5, func(w *world) {
		w.call(w.tf, "sns:AddPermission", m{"topicArn": "arn:aws:sns:" + region + ":" + Account + ":x", "aWSAccountIds": []any{Account}, "actionNames": []any{"Publish"}}, nil)
	}},
	{.2, func(w *world) {
		w.call(w.admin(), "bedrock:PutFoundationModelEntitlement", m{"modelId": "anthropic.claude-3-haiku-20240307-v1:0"}, m{})
	}},
	{.3, func(w *world) { w.call(w.tf, "ses:VerifyDomainIdentity", m{"domain": w.word() + ".example.com"}, m{}) }},
	{.2, func(w *world) {
		w.call(w.tf, "sagemaker:UpdateNotebookInstanceLifecycleConfig", m{"notebookInstanceLifecycleConfigName": "idle"}, m{})
	}},
	{.2, func(w *world) {
		w.call(w.tf, "iam:CreateOpenIDConnectProvider", m{"url": "https://token.actions.githubusercontent.com", "clientIDList": []any{"sts.amazonaws.com"}}, m{})
	}},
	{.1, func(w *world) {
		w.call(w.tf, "rolesanywhere:CreateTrustAnchor", m{"name": "machines", "source": m{"sourceType": "AWS_ACM_PCA"}, "enabled": true}, m{})
	}},
	{.1, func(w *world) {
		w.call(w.tf, "iam:CreateServiceSpecificCredential", m{"userName": "erik", "serviceName": "codecommit.amazonaws.com"}, m{})
	}},
	{.1, func(w *world) {
		w.call(w.tf, "iam:UpdateAccountPasswordPolicy", m{"minimumPasswordLength": 16, "requireSymbols": true, "requireNumbers": true}, nil)
	}},
	{.3, func(w *world) {
		w.call(w.tf, "organizations:AttachPolicy", m{"policyId": "p-1", "targetId": "ou-1"}, nil)
	}},
	{.3, func(w *world) { // a load test
		w.call(w.admin(), "ec2:RunInstances", m{"instanceType": "c7i.large", "instancesSet": m{"items": []any{m{"imageId": "ami-0" + w.hex(16), "minCount": 4, "maxCount": 4}}}}, m{})
	}},
	{1, func(w *world) {
		w.call(w.tf, "secretsmanager:PutResourcePolicy", m{"secretId": w.word(), "resourcePolicy": mustJSON(m{"Version": "2012-10-17", "Statement": []any{m{"Effect": "Allow", "Principal": m{"AWS": "arn:aws:iam::" + Account + ":role/x"}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}}})}, m{})
	}},
}

// admin is one of those who may do everything, where they sit today.
func (w *world) admin() *who { return w.sits(w.people[w.IntN(2)]) }

func trust(principal m) string {
	return mustJSON(m{"Version": "2012-10-17", "Statement": []any{m{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}}})
}

func allow(action, resource string) string {
	return mustJSON(m{"Version": "2012-10-17", "Statement": []any{m{"Effect": "Allow", "Action": action, "Resource": resource}}})
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it is of plain values
	}
	return string(b)
}
