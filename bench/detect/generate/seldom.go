package generate

import (
	"encoding/json"
	"fmt"
)

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
	{1, func(w *world) { // a queue and a topic that only the account and its services may use
		w.call(w.tf, "sqs:SetQueueAttributes", m{"queueUrl": w.word(), "attributes": m{"Policy": mustJSON(m{"Version": "2012-10-17", "Statement": []any{m{"Effect": "Allow", "Principal": m{"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*", "Condition": m{"ArnEquals": m{"aws:SourceArn": "arn:aws:sns:" + region + ":" + Account + ":x"}}}}})}}, nil)
		w.call(w.tf, "sns:SetTopicAttributes", m{"topicArn": "arn:aws:sns:" + region + ":" + Account + ":x", "attributeName": "Policy", "attributeValue": mustJSON(m{"Version": "2012-10-17", "Statement": []any{m{"Effect": "Allow", "Principal": m{"AWS": "*"}, "Action": "sns:Publish", "Resource": "*", "Condition": m{"StringEquals": m{"AWS:SourceOwner": Account}}}}})}, nil)
	}},
	{.5, func(w *world) {
		w.call(w.tf, "logs:PutSubscriptionFilter", m{"logGroupName": "/aws/lambda/" + w.word(), "filterName": "ship", "filterPattern": "", "destinationArn": "arn:aws:lambda:" + region + ":" + Account + ":function:ship"}, nil)
	}},
	{.2, func(w *world) {
		w.call(w.tf, "ec2:CreateVpcPeeringConnection", m{"vpcId": "vpc-0" + w.hex(16), "peerVpcId": "vpc-0" + w.hex(16), "peerOwnerId": Sister}, m{})
	}},
	{.5, func(w *world) { // an environment for tests is taken down
		p, n := w.tf, w.word()+"-test"
		w.call(p, "rds:DeleteDBInstance", m{"dBInstanceIdentifier": n, "skipFinalSnapshot": true, "deleteAutomatedBackups": true}, m{})
		for i := range 3 {
			w.call(p, "s3:DeleteBucket", m{"bucketName": fmt.Sprint(n, i)}, nil)
			w.call(p, "secretsmanager:DeleteSecret", m{"secretId": fmt.Sprint(n, i), "forceDeleteWithoutRecovery": i == 0}, m{})
			w.call(p, "logs:DeleteLogGroup", m{"logGroupName": fmt.Sprint("/aws/lambda/", n, i)}, nil)
		}
		w.call(p, "dynamodb:DeleteTable", m{"tableName": n}, m{})
		w.call(p, "events:RemoveTargets", m{"rule": n, "ids": []any{"1"}}, m{})
		w.call(p, "events:DeleteRule", m{"name": n}, nil)
		w.call(p, "monitoring:DeleteAlarms", m{"alarmNames": []any{n + "-errors"}}, nil)
		w.call(p, "ecr:DeleteRepository", m{"repositoryName": n, "force": true}, m{})
		w.call(p, "ec2:DeleteVolume", m{"volumeId": "vol-0" + w.hex(16)}, m{})
	}},
	{1, func(w *world) { w.call(w.admin(), "events:DisableRule", m{"name": w.word()}, nil) }},
	{1, func(w *world) {
		w.call(w.admin(), "monitoring:DeleteAlarms", m{"alarmNames": []any{w.word()}}, nil)
	}},
	{2, func(w *world) { // a notebook, from the console
		p := w.admin().as(func(q *who) { q.agent, q.console = browser, true })
		w.call(p, "sagemaker:CreatePresignedNotebookInstanceUrl", m{"notebookInstanceName": w.word()}, m{})
	}},
	{.3, func(w *world) {
		w.call(w.tf, "ec2:AssociateIamInstanceProfile", m{"AssociateIamInstanceProfileRequest": m{"InstanceId": "i-0" + w.hex(16), "IamInstanceProfile": m{"Name": w.word()}}}, m{})
	}},
	{.5, func(w *world) {
		w.call(w.admin(), "iam:UpdateAccessKey", m{"userName": w.word() + "-machine", "accessKeyId": "AKIA" + w.upper(16), "status": "Inactive"}, nil)
	}},
	{.1, func(w *world) {
		w.call(w.admin(), "iam:EnableMFADevice", m{"userName": "erik", "serialNumber": "z"}, nil)
	}},
	{.1, func(w *world) {
		w.call(w.tf, "iam:SetDefaultPolicyVersion", m{"policyArn": "arn:aws:iam::" + Account + ":policy/" + w.word(), "versionId": "v3"}, nil)
	}},
	{.2, func(w *world) { // what is known for harmless is archived
		w.call(w.tf, "guardduty:CreateFilter", m{"detectorId": w.hex(32), "name": "scanner", "action": "ARCHIVE", "findingCriteria": m{"criterion": m{"type": m{"eq": []any{"Recon:EC2/Portscan"}}}}}, m{})
	}},
	{1, func(w *world) {
		w.call(w.tf, "ec2:ModifyInstanceMetadataOptions", m{"ModifyInstanceMetadataOptionsRequest": m{"InstanceId": "i-0" + w.hex(16), "HttpTokens": "required", "HttpPutResponseHopLimit": 1}}, m{})
	}},
	{.5, func(w *world) { // nodes and readers of a cluster
		p := "arn:aws:iam::" + Account + ":role/" + w.word()
		w.call(w.tf, "eks:CreateAccessEntry", m{"name": "prod", "principalArn": p, "type": "EC2_LINUX"}, m{})
		w.call(w.tf, "eks:AssociateAccessPolicy", m{"name": "prod", "principalArn": p, "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy", "accessScope": m{"type": "cluster"}}, m{})
	}},
	{.1, func(w *world) {
		w.call(w.tf, "eks:AssociateAccessPolicy", m{"name": "prod", "principalArn": "arn:aws:iam::" + Account + ":role/" + w.word(), "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", "accessScope": m{"type": "cluster"}}, m{})
	}},
	{1, func(w *world) { // machines and containers as services need them
		n := w.word()
		w.call(w.tf, "ec2:CreateLaunchTemplate", m{"CreateLaunchTemplateRequest": m{"LaunchTemplateName": n, "LaunchTemplateData": m{"InstanceType": "m6i.large"}}}, m{})
		w.call(w.tf, "autoscaling:CreateAutoScalingGroup", m{"autoScalingGroupName": n, "minSize": 2, "maxSize": 20, "desiredCapacity": 2, "launchTemplate": m{"launchTemplateName": n}}, nil)
		w.call(w.tf, "ecs:CreateService", m{"serviceName": n, "cluster": "prod", "desiredCount": 3}, m{})
	}},
	{.3, func(w *world) {
		w.call(w.tf, "batch:CreateComputeEnvironment", m{"computeEnvironmentName": w.word(), "computeResources": m{"type": "EC2", "minvCpus": 0, "maxvCpus": 256, "instanceTypes": []any{"optimal"}}}, m{})
		w.call(w.admin(), "sagemaker:CreateNotebookInstance", m{"notebookInstanceName": w.word(), "instanceType": "ml.t3.medium", "roleArn": "arn:aws:iam::" + Account + ":role/x"}, m{})
	}},
	{2, func(w *world) { // a look into a container
		w.call(w.admin(), "ecs:ExecuteCommand", m{"cluster": "prod", "task": w.hex(32), "container": "app", "command": "sh", "interactive": true}, m{})
	}},
	{.3, func(w *world) {
		w.call(w.tf, "ssm:CreateDocument", m{"name": w.word(), "documentType": "Automation", "content": "HIDDEN_DUE_TO_SECURITY_REASONS"}, m{})
	}},
	{2, func(w *world) { // a web site is published
		b := m{"bucketName": "www-" + Account}
		w.call(w.ci, "s3:ListObjects", b, nil, data)
		for range 6 {
			w.call(w.ci, "s3:PutObject", m{"bucketName": "www-" + Account, "key": "assets/" + w.hex(8) + ".js"}, nil, data)
		}
		w.call(w.ci, "s3:PutObject", m{"bucketName": "www-" + Account, "key": "index.html"}, nil, data)
		w.call(w.ci, "s3:DeleteObject", m{"bucketName": "www-" + Account, "key": "assets/" + w.hex(8) + ".js"}, nil, data)
	}},
	{4, func(w *world) { // a job writes its results anew
		b := m{"bucketName": "warehouse-" + Account}
		w.call(w.ml, "s3:ListObjects", b, nil, data)
		w.call(w.ml, "s3:DeleteObjects", b, nil, data)
		w.call(w.ml, "s3:PutObject", m{"bucketName": "warehouse-" + Account, "key": "daily/part-" + w.hex(6)}, nil, data)
		w.call(w.ml, "s3:PutObject", m{"bucketName": "warehouse-" + Account, "key": "daily/_SUCCESS"}, nil, data)
	}},
	{1, func(w *world) { // copies for the sister account, under its key
		for range 3 {
			w.call(w.backup, "s3:CopyObject", m{"bucketName": "copies-" + Sister, "key": w.hex(8), "x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:" + region + ":" + Sister + ":key/" + w.hex(32)}, m{}, data)
		}
	}},
	{.5, func(w *world) { // a pipeline that lacks rights
		for range 3 {
			w.call(w.ci, "sts:AssumeRole", nil, nil, m{"errorCode": "AccessDenied", "errorMessage": "User is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::" + Account + ":role/deploy-two"})
		}
		w.call(w.ci, "lambda:UpdateFunctionCode20150331v2", m{"functionName": w.word()}, nil, fails("AccessDeniedException"))
		w.call(w.ci, "ecs:UpdateService", m{"service": w.word()}, nil, fails("AccessDeniedException"))
	}},
	{.3, func(w *world) { // rights that Terraform lacks after a change of its role
		for _, api := range []string{"iam:GetRole", "kms:DescribeKey", "logs:DescribeLogGroups", "ec2:DescribeFlowLogs"} {
			w.call(w.tf, api, m{"name": w.word()}, nil, fails("AccessDenied"))
		}
	}},
	{.3, func(w *world) {
		w.call(w.tf, "cognito-identity:SetIdentityPoolRoles", m{"identityPoolId": region + ":" + w.hex(12), "roles": m{"authenticated": "arn:aws:iam::" + Account + ":role/x"}}, nil)
	}},
	{.3, func(w *world) { w.call(w.tf, "config:DeleteConfigRule", m{"configRuleName": w.word()}, nil) }},
	{.2, func(w *world) { // a copy of a database, to look for an error in
		w.call(w.admin(), "rds:RestoreDBInstanceFromDBSnapshot", m{"dBInstanceIdentifier": w.word() + "-copy", "dBSnapshotIdentifier": w.word(), "publiclyAccessible": false}, m{})
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
