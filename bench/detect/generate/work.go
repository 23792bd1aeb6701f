package generate

import (
	"fmt"
	"time"
)

// application is a few calls of a program.
func (w *world) application(a *who) {
	name := a.name
	switch w.IntN(6) {
	case 0:
		// It was started: it reads how it is to work.
		w.call(a, "ssm:GetParametersByPath", m{"path": "/" + name + "/", "withDecryption": true, "recursive": true}, nil)
		w.call(a, "secretsmanager:GetSecretValue", m{"secretId": name + "/database"}, nil)
		w.call(a.as(func(q *who) {
			q.invoked, q.ip, q.agent = "secretsmanager.amazonaws.com", "secretsmanager.amazonaws.com", "secretsmanager.amazonaws.com"
		}),
			"kms:Decrypt", m{"encryptionContext": m{"SecretARN": "arn:aws:secretsmanager:" + region + ":" + Account + ":secret:" + name}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil)
	case 1, 2:
		w.call(a, "s3:GetObject", m{"bucketName": name + "-data", "key": w.hex(8), "Host": name + "-data.s3." + region + ".amazonaws.com"}, nil, data, w.sends(1e3, 5e6))
		w.call(a, "s3:PutObject", m{"bucketName": name + "-data", "key": w.hex(8), "x-amz-server-side-encryption": "aws:kms"}, m{"x-amz-server-side-encryption": "aws:kms"}, data)
	case 3:
		w.call(a, "dynamodb:GetItem", m{"tableName": name, "key": m{"id": w.hex(6)}}, nil, data)
		w.call(a, "sqs:SendMessage", m{"queueUrl": "https://sqs." + region + ".amazonaws.com/" + Account + "/" + name}, m{}, data)
	case 4:
		w.call(a, "s3:HeadObject", m{"bucketName": name + "-data", "key": w.hex(8)}, nil, data, pick(w, m{}, fails("NoSuchKey")))
		if name == w.apps[1].name {
			w.call(a, "bedrock:InvokeModel", m{"modelId": "anthropic.claude-3-haiku-20240307-v1:0"}, nil)
		}
	case 5:
		service := &who{kind: "AWSService", account: Account}
		w.service(service, "lambda.amazonaws.com", a)
	}
}

// sends says how much a call returned.
func (w *world) sends(from, to float64) m {
	return m{"additionalEventData": m{"bytesTransferredOut": float64(int(from + w.Float64()*w.Float64()*(to-from))), "bytesTransferredIn": 0.0}}
}

// training reads what there is to learn from, more of it on some days.
func (w *world) training() {
	for range 20 + w.IntN(60) {
		w.call(w.ml, "s3:GetObject", m{"bucketName": "warehouse-" + Account, "key": "daily/part-" + w.hex(6)}, nil, data, w.sends(1e6, 3e8))
	}
}

// service is a service that takes on a role for a program.
func (w *world) service(_ *who, from string, a *who) {
	w.call(&who{kind: "AWSService", account: Account, invoked: from, ip: from, agent: from, pace: 300, session: called("")}, "sts:AssumeRole",
		m{"roleArn": "arn:aws:iam::" + Account + ":role/" + a.name, "roleSessionName": a.session(w)}, m{"credentials": m{"accessKeyId": a.key}},
		m{"userIdentity": m{"type": "AWSService", "invokedBy": from}})
}

// lists are what consoles, scanners and people ask for.
var lists = []string{
	"ec2:DescribeInstances", "ec2:DescribeVolumes", "ec2:DescribeSecurityGroups", "ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeSnapshots", "ec2:DescribeImages",
	"ec2:DescribeAddresses", "ec2:DescribeFlowLogs", "s3:ListBuckets", "iam:ListUsers", "iam:ListRoles", "iam:ListPolicies", "iam:GetAccountSummary", "iam:GetAccountPasswordPolicy", "iam:GetAccountAuthorizationDetails",
	"lambda:ListFunctions20150331", "rds:DescribeDBInstances", "rds:DescribeDBSnapshots", "kms:ListKeys", "kms:ListAliases", "secretsmanager:ListSecrets", "ssm:DescribeParameters", "ssm:DescribeInstanceInformation",
	"cloudtrail:DescribeTrails", "guardduty:ListDetectors", "config:DescribeConfigurationRecorders", "securityhub:GetFindings", "elasticloadbalancing:DescribeLoadBalancers", "autoscaling:DescribeAutoScalingGroups",
	"ecs:ListClusters", "eks:ListClusters", "ecr:DescribeRepositories", "sns:ListTopics", "sqs:ListQueues", "dynamodb:ListTables", "logs:DescribeLogGroups", "monitoring:DescribeAlarms", "monitoring:GetMetricData",
	"cloudformation:ListStacks", "route53:ListHostedZones", "acm:ListCertificates", "organizations:DescribeOrganization", "ses:GetSendQuota", "ses:ListIdentities", "es:ListDomainNames", "redshift:DescribeClusters", "elasticache:DescribeCacheClusters", "backup:ListBackupVaults",
}

func (w *world) monitoring() {
	p := w.monitor
	w.call(&who{kind: "AWSAccount", account: Account, ip: p.ip, agent: p.agent, pace: 300, session: called("")}, "sts:AssumeRole",
		m{"roleArn": "arn:aws:iam::" + Account + ":role/" + p.name, "roleSessionName": "watch", "externalId": "4711"}, m{"credentials": m{"accessKeyId": p.key}},
		m{"userIdentity": m{"type": "AWSAccount", "principalId": "AROAVENDOR:collector", "accountId": vendor}})
	for _, api := range []string{"monitoring:GetMetricData", "ec2:DescribeInstances", "rds:DescribeDBInstances", "elasticloadbalancing:DescribeLoadBalancers", "ecs:ListClusters", "lambda:ListFunctions20150331", "tagging:GetResources"} {
		w.call(p, api, nil, nil)
	}
}

// scan looks at all there is, once in a night.
func (w *world) scan() {
	p := w.scanner
	for _, api := range lists {
		w.call(p, api, pick(w, nil, m{"maxResults": 100}), nil)
	}
	for range 20 {
		b := w.word() + "-data"
		for _, api := range []string{"s3:GetBucketPolicy", "s3:GetBucketAcl", "s3:GetBucketEncryption", "s3:GetBucketPublicAccessBlock", "s3:GetBucketLogging"} {
			w.call(p, api, m{"bucketName": b}, nil, pick(w, m{}, m{}, fails("NoSuchBucketPolicy")))
		}
	}
	for range 10 {
		w.call(p, "ec2:DescribeInstanceAttribute", m{"instanceId": "i-0" + w.hex(16), "attribute": "userData"}, nil)
		w.call(p, "iam:GetRolePolicy", m{"roleName": w.word(), "policyName": "inline"}, nil)
	}
	for _, r := range []string{"us-east-1", "us-west-2", "eu-central-1", "eu-north-1", "ap-south-1", "sa-east-1"} {
		w.call(p, "secretsmanager:ListSecrets", m{"maxResults": 100}, nil, m{"awsRegion": r})
		w.call(p, "ec2:DescribeInstances", m{"maxResults": 100}, nil, m{"awsRegion": r})
	}
	w.call(p, "organizations:ListAccounts", nil, nil, fails("AccessDenied"))
	w.call(p, "macie2:GetMacieSession", nil, nil, fails("AccessDeniedException"))
}

// cleaning deletes what has become old.
func (w *world) cleaning() {
	for range 120 {
		w.call(w.cleaner, "s3:DeleteObject", m{"bucketName": "scratch-" + Account, "key": "tmp/" + w.hex(12)}, nil, data)
	}
	for range 4 {
		w.call(w.cleaner, "ec2:DeleteSnapshot", m{"snapshotId": "snap-0" + w.hex(16)}, m{"_return": true})
	}
}

// backups copies snapshots and, once a week, hands them to the sister account.
func (w *world) backups(day int) {
	for range 5 {
		snap := "snap-0" + w.hex(16)
		w.call(w.backup, "ec2:CreateSnapshot", m{"volumeId": "vol-0" + w.hex(16), "description": "nightly"}, m{"snapshotId": snap})
		if day%7 == 3 {
			w.call(w.backup, "ec2:ModifySnapshotAttribute", m{"snapshotId": snap, "createVolumePermission": m{"add": m{"items": []any{m{"userId": Sister}}}}, "attributeType": "CREATE_VOLUME_PERMISSION"}, m{"_return": true})
		}
	}
	w.call(w.backup, "rds:CreateDBSnapshot", m{"dBInstanceIdentifier": "orders", "dBSnapshotIdentifier": "orders-" + w.hex(6)}, m{})
	if day%7 == 3 {
		w.call(w.backup, "rds:ModifyDBSnapshotAttribute", m{"dBSnapshotIdentifier": "orders-" + w.hex(6), "attributeName": "restore", "valuesToAdd": []any{Sister}}, m{})
	}
	for range 12 {
		w.call(w.sister, pick(w, lists...), nil, nil)
	}
}

// terraform reads the state of everything and changes a little.
func (w *world) terraform() {
	if w.tf.ip = w.runner(); w.IntN(4) == 0 {
		w.tf.ip = w.people[0].ip
	}
	p := w.tf
	w.tf.key = "ASIA" + w.upper(16)
	w.call(p, "sts:GetCallerIdentity", nil, nil)
	w.call(p, "s3:GetObject", m{"bucketName": "terraform-state-" + Account, "key": "prod.tfstate"}, nil, data)
	w.call(p, "dynamodb:PutItem", m{"tableName": "terraform-lock", "key": m{"LockID": "prod"}}, nil, data)
	for range 12 + w.IntN(15) {
		n := w.word()
		switch w.IntN(9) {
		case 0:
			w.call(p, "iam:GetRole", m{"roleName": n}, nil)
			w.call(p, "iam:ListRolePolicies", m{"roleName": n}, nil)
			w.call(p, "iam:ListAttachedRolePolicies", m{"roleName": n}, nil)
		case 1:
			for _, api := range []string{"s3:HeadBucket", "s3:GetBucketPolicy", "s3:GetBucketAcl", "s3:GetBucketVersioning", "s3:GetBucketLifecycle", "s3:GetBucketLogging"} {
				w.call(p, api, m{"bucketName": n + "-data"}, nil, pick(w, m{}, m{}, fails("NoSuchLifecycleConfiguration")))
			}
		case 2:
			w.call(p, "ec2:DescribeSecurityGroups", m{"securityGroupIdSet": m{"items": []any{m{"groupId": "sg-0" + w.hex(16)}}}}, nil)
			w.call(p, "ec2:DescribeVpcs", m{"vpcSet": m{"items": []any{m{"vpcId": "vpc-0" + w.hex(16)}}}}, nil)
		case 3:
			w.call(p, "lambda:GetFunction20150331v2", m{"functionName": n}, nil)
			w.call(p, "lambda:ListVersionsByFunction20150331", m{"functionName": n}, nil)
		case 4:
			w.call(p, "ssm:GetParameter", m{"name": "/" + n + "/url", "withDecryption": true}, nil)
		case 5:
			w.call(p, "secretsmanager:DescribeSecret", m{"secretId": n}, nil)
			w.call(p, "secretsmanager:GetSecretValue", m{"secretId": n + "-" + fmt.Sprint(w.IntN(3))}, nil)
		case 6:
			w.call(p, "ec2:DescribeInstances", m{"instancesSet": m{"items": []any{m{"instanceId": "i-0" + w.hex(16)}}}}, nil)
			w.call(p, "ec2:DescribeInstanceAttribute", m{"instanceId": "i-0" + w.hex(16), "attribute": pick(w, "userData", "disableApiTermination", "instanceInitiatedShutdownBehavior")}, nil)
		case 7:
			w.call(p, "kms:DescribeKey", m{"keyId": w.hex(32)}, nil)
			w.call(p, "kms:GetKeyPolicy", m{"keyId": w.hex(32), "policyName": "default"}, nil)
		case 8:
			w.call(p, "logs:DescribeLogGroups", m{"logGroupNamePrefix": "/aws/lambda/" + n}, nil)
			w.call(p, "route53:GetHostedZone", m{"id": w.upper(12)}, nil)
		}
	}
	for range w.IntN(5) {
		w.change(p)
	}
}

// change is what infrastructure as code changes every day.
func (w *world) change(p *who) {
	n := w.word()
	switch w.IntN(12) {
	case 0:
		w.call(p, "iam:CreateRole", m{"roleName": n, "assumeRolePolicyDocument": trust(m{"Service": "lambda.amazonaws.com"})}, m{})
		w.call(p, "iam:PutRolePolicy", m{"roleName": n, "policyName": "inline", "policyDocument": allow("s3:GetObject", "arn:aws:s3:::"+n+"-data/*")}, nil)
		w.call(p, "iam:AttachRolePolicy", m{"roleName": n, "policyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}, nil)
	case 1:
		w.call(p, "ec2:AuthorizeSecurityGroupIngress", m{"groupId": "sg-0" + w.hex(16), "ipPermissions": m{"items": []any{m{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "groups": m{}, "ipRanges": m{"items": []any{m{"cidrIp": pick(w, "0.0.0.0/0", "10.0.0.0/8")}}}, "ipv6Ranges": m{}, "prefixListIds": m{}}}}}, m{"_return": true})
	case 2:
		b := n + "-data"
		w.call(p, "s3:CreateBucket", m{"bucketName": b, "CreateBucketConfiguration": m{"LocationConstraint": region}}, nil)
		w.call(p, "s3:PutBucketPublicAccessBlock", m{"bucketName": b, "PublicAccessBlockConfiguration": m{"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}}, nil)
		w.call(p, "s3:PutBucketLifecycle", m{"bucketName": b, "LifecycleConfiguration": m{"Rule": m{"ID": "old", "Status": "Enabled", "Expiration": m{"Days": 30 + w.IntN(300)}}}}, nil)
		w.call(p, "s3:PutBucketLogging", m{"bucketName": b, "BucketLoggingStatus": m{"LoggingEnabled": m{"TargetBucket": "logs-" + Account, "TargetPrefix": b}}}, nil)
	case 3:
		w.call(p, "s3:PutBucketPolicy", m{"bucketName": n + "-data", "bucketPolicy": m{"Version": "2012-10-17", "Statement": []any{
			m{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::" + n + "-data/*", "Condition": m{"Bool": m{"aws:SecureTransport": "false"}}},
			m{"Effect": "Allow", "Principal": m{"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::" + n + "-data/*", "Condition": m{"StringEquals": m{"AWS:SourceArn": "arn:aws:cloudfront::" + Account + ":distribution/E1"}}}}}}, nil)
	case 4:
		w.call(p, "lambda:AddPermission20150331v2", m{"functionName": n, "statementId": w.hex(6), "action": "lambda:InvokeFunction", "principal": pick(w, "apigateway.amazonaws.com", "s3.amazonaws.com", "events.amazonaws.com"), "sourceArn": "arn:aws:s3:::" + n}, m{})
	case 5:
		w.call(p, "rds:ModifyDBInstance", m{"dBInstanceIdentifier": n, "allocatedStorage": 100 + w.IntN(400), "applyImmediately": true, "allowMajorVersionUpgrade": false}, m{})
	case 6:
		w.call(p, "logs:DeleteLogGroup", m{"logGroupName": "/aws/lambda/" + n + "-old"}, nil)
	case 7:
		w.call(p, "ec2:RunInstances", m{"instancesSet": m{"items": []any{m{"imageId": "ami-0" + w.hex(16), "minCount": 1, "maxCount": 1}}}, "instanceType": pick(w, "t3.medium", "m6i.large", "c7g.xlarge", "m5.4xlarge"), "userData": "<sensitiveDataRemoved>"}, m{})
	case 8:
		w.call(p, "iam:UpdateAssumeRolePolicy", m{"roleName": n, "policyDocument": trust(m{"AWS": "arn:aws:iam::" + Account + ":root"})}, nil)
	case 9:
		w.call(p, "kms:CreateKey", m{"policy": trust(m{"AWS": "arn:aws:iam::" + Account + ":root"})}, m{})
		w.call(p, "kms:CreateGrant", m{"keyId": w.hex(32), "granteePrincipal": "arn:aws:iam::" + Account + ":role/" + n, "operations": []any{"Decrypt"}}, m{})
	case 10:
		w.call(p, "sqs:SetQueueAttributes", m{"queueUrl": n, "attributes": m{"VisibilityTimeout": "60"}}, nil)
	case 11:
		w.call(p, "ec2:DeleteSecurityGroup", m{"groupId": "sg-0" + w.hex(16)}, m{"_return": true})
		w.call(p, "ec2:TerminateInstances", m{"instancesSet": m{"items": []any{m{"instanceId": "i-0" + w.hex(16)}}}}, m{})
	}
}

// release puts a new version of a program to work.
func (w *world) release() {
	w.ci.ip = w.runner()
	w.ci.key = "ASIA" + w.upper(16)
	p, n := w.ci, w.word()
	w.call(p, "sts:GetCallerIdentity", nil, nil)
	if w.IntN(2) == 0 {
		w.call(p, "lambda:UpdateFunctionCode20150331v2", m{"functionName": n, "s3Bucket": "artifacts-" + Account, "s3Key": w.hex(8) + ".zip", "dryRun": false, "publish": true}, m{"functionName": n})
		w.call(p, "lambda:GetFunction20150331v2", m{"functionName": n}, nil)
		w.call(p, "lambda:UpdateFunctionConfiguration20150331v2", m{"functionName": n, "layers": []any{"arn:aws:lambda:" + region + ":" + Account + ":layer:common:7"}, "environment": m{}}, m{})
		return
	}
	w.call(p, "ecr:GetAuthorizationToken", nil, nil)
	w.call(p, "ecr:PutImage", m{"repositoryName": n, "imageTag": w.hex(7)}, m{})
	w.call(p, "ecs:RegisterTaskDefinition", m{"family": n}, m{})
	w.call(p, "ecs:UpdateService", m{"service": n, "cluster": "prod"}, m{})
	w.call(p, "ecs:DescribeServices", m{"cluster": "prod", "services": []any{n}}, nil)
}

// stack is a deployment by CDK: CloudFormation does the work.
func (w *world) stack() {
	p, n := w.cdk, w.word()
	p.key = "ASIA" + w.upper(16)
	w.call(p, "ssm:GetParameter", m{"name": "/cdk-bootstrap/hnb659fds/version"}, nil)
	w.call(p, "cloudformation:DescribeStacks", m{"stackName": n}, nil)
	w.call(p, "cloudformation:CreateChangeSet", m{"stackName": n, "changeSetName": "cdk-deploy", "capabilities": []any{"CAPABILITY_IAM"}}, m{})
	w.call(p, "cloudformation:ExecuteChangeSet", m{"stackName": n, "changeSetName": "cdk-deploy"}, nil)
	by := p.as(func(q *who) {
		q.name, q.session = "cdk-hnb659fds-cfn-exec-role-"+Account, called("AWSCloudFormation")
		q.invoked, q.ip, q.agent = "cloudformation.amazonaws.com", "cloudformation.amazonaws.com", "cloudformation.amazonaws.com"
	})
	for range 2 + w.IntN(6) {
		w.change(by)
	}
	if w.IntN(4) == 0 {
		w.call(by, "iam:CreateAccessKey", m{"userName": n + "-smtp"}, m{})
		w.call(by, "iam:AttachRolePolicy", m{"roleName": n + "-build", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, nil)
	}
}

// console is somebody who clicks through the console.
func (w *world) console(p *who) {
	p = w.sits(p).as(func(q *who) { q.agent, q.console = browser, true })
	w.call(p, "signin:ConsoleLogin", nil, m{"ConsoleLogin": "Success"}, m{"eventType": "AwsConsoleSignIn", "additionalEventData": m{"MobileVersion": "No", "MFAUsed": "No", "LoginTo": "https://console.aws.amazon.com"}})
	for range 8 + w.IntN(25) {
		w.call(p, pick(w, lists...), pick(w, nil, m{"maxResults": 50}), nil)
		if w.IntN(25) == 0 {
			w.call(p, pick(w, "organizations:ListAccounts", "ce:GetCostAndUsage", "health:DescribeEvents", "macie2:GetMacieSession"), nil, nil, fails("AccessDenied"))
		}
	}
	if w.IntN(3) == 0 {
		w.change(p)
	}
	if w.IntN(6) == 0 {
		w.call(p, "ssm:StartSession", m{"target": "i-0" + w.hex(16)}, m{})
	}
}

// shell is somebody with a command line.
func (w *world) shell(p *who) {
	p = w.sits(p)
	w.call(p, "sts:GetCallerIdentity", nil, nil)
	for range 4 + w.IntN(12) {
		switch w.IntN(5) {
		case 0:
			w.call(p, pick(w, lists...), nil, nil)
		case 1:
			w.call(p, "ec2:DescribeInstances", m{"filterSet": m{"items": []any{m{"name": "tag:Name", "valueSet": m{"items": []any{m{"value": w.word()}}}}}}}, nil)
		case 2:
			w.call(p, "logs:FilterLogEvents", m{"logGroupName": "/aws/lambda/" + w.word(), "limit": 100}, nil)
		case 3:
			w.call(p, "secretsmanager:GetSecretValue", m{"secretId": w.word()}, nil)
		case 4:
			w.call(p, "ssm:GetParameter", m{"name": "/" + w.word() + "/url", "withDecryption": true}, nil)
		}
	}
	switch w.IntN(8) {
	case 0:
		w.call(p, "ssm:StartSession", m{"target": "i-0" + w.hex(16), "documentName": "SSM-SessionManagerRunShell"}, m{})
	case 1:
		w.call(p, "ec2-instance-connect:SendSSHPublicKey", m{"instanceId": "i-0" + w.hex(16), "instanceOSUser": "ec2-user", "sSHPublicKey": "ssh-ed25519 AAAA"}, m{"success": true})
	case 2:
		w.call(p, "ssm:SendCommand", m{"documentName": pick(w, "AWS-RunShellScript", "AWS-RunPatchBaseline", "AmazonCloudWatch-ManageAgent"), "instanceIds": []any{"i-0" + w.hex(16)}, "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS"}, m{})
	}
}

// developer is the last one who still has an IAM user.
func (w *world) developer() {
	p := w.dev
	w.call(p, "sts:GetCallerIdentity", nil, nil)
	for range 3 + w.IntN(8) {
		w.call(p, pick(w, "s3:ListBuckets", "lambda:ListFunctions20150331", "ec2:DescribeInstances", "logs:DescribeLogGroups"), nil, nil)
	}
	n := w.word()
	switch w.IntN(4) {
	case 0:
		w.call(p, "lambda:UpdateFunctionCode20150331v2", m{"functionName": n + "-dev", "dryRun": false, "publish": false}, m{"functionName": n + "-dev"})
	case 1:
		w.call(p, "bedrock:InvokeModel", m{"modelId": "anthropic.claude-3-haiku-20240307-v1:0"}, nil)
	case 2:
		w.call(p, "iam:ListUsers", nil, nil, fails("AccessDenied"))
	}
}

// imagePipeline makes the week's machine image and hands it to the sister account.
func (w *world) imagePipeline() {
	p, ami := w.images, "ami-0"+w.hex(16)
	w.call(p, "ec2:RunInstances", m{"instanceType": "t3.medium", "instancesSet": m{"items": []any{m{"imageId": "ami-0" + w.hex(16), "minCount": 1, "maxCount": 1}}}}, m{})
	w.now = w.now.Add(20 * time.Minute)
	w.call(p, "ec2:CreateImage", m{"instanceId": "i-0" + w.hex(16), "name": "golden"}, m{"imageId": ami})
	w.call(p, "ec2:ModifyImageAttribute", m{"imageId": ami, "launchPermission": m{"add": m{"items": []any{m{"userId": Sister}}}}, "attributeType": "launchPermission"}, m{"_return": true})
	w.call(p, "ec2:TerminateInstances", m{"instancesSet": m{"items": []any{m{"instanceId": "i-0" + w.hex(16)}}}}, m{})
	for range 3 {
		w.call(w.ml, "ec2:RunInstances", m{"instanceType": "g5.2xlarge", "instancesSet": m{"items": []any{m{"imageId": ami, "minCount": 1, "maxCount": 1}}}}, m{})
	}
}
