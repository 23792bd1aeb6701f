package attack

// later are techniques that were written down after the rules had been bettered on
// the others, to see how far those carry; see the README of bench/detect.
var later = []Technique{
	{"later: codebuild, mining in builds", []string{"Impact", "Execution", "InitialAccess"}, CloudTrail, func(s *scene) {
		n := s.word()
		s.call("codebuild:CreateProject", m{"name": n, "serviceRole": "arn:aws:iam::" + s.account + ":role/" + s.word(), "environment": m{"type": "LINUX_CONTAINER", "computeType": "BUILD_GENERAL1_2XLARGE", "image": s.word() + "/" + s.word() + ":latest", "privilegedMode": true}, "source": m{"type": "NO_SOURCE", "buildspec": "version: 0.2\nphases:\n  build:\n    commands:\n      - ./" + s.word()}}, m{})
		for range 10 {
			s.call("codebuild:StartBuild", m{"projectName": n}, m{})
		}
	}},
	{"later: amplify, mining in an application", []string{"Impact", "Execution", "Persistence"}, CloudTrail, func(s *scene) {
		s.call("amplify:CreateApp", m{"name": s.word()}, m{})
		for range 5 {
			s.call("amplify:CreateBranch", m{"appId": s.hex(10), "branchName": s.word()}, m{})
			s.call("amplify:StartJob", m{"appId": s.hex(10), "jobType": "RELEASE"}, m{})
		}
	}},
	{"later: function that answers to every new user", []string{"Persistence", "Execution"}, CloudTrail, func(s *scene) {
		n := s.word()
		s.call("lambda:CreateFunction20150331", m{"functionName": n, "role": "arn:aws:iam::" + s.account + ":role/" + s.word(), "runtime": "python3.12"}, m{})
		s.call("events:PutRule", m{"name": n, "eventPattern": `{"source":["aws.iam"],"detail":{"eventName":["CreateUser"]}}`}, m{})
		s.call("events:PutTargets", m{"rule": n, "targets": []any{m{"arn": s.arn("lambda", "function:"+n), "id": "1"}}}, m{})
		s.call("lambda:AddPermission20150331v2", m{"functionName": n, "statementId": "x", "action": "lambda:InvokeFunction", "principal": "events.amazonaws.com"}, m{})
	}},
	{"later: volume made of a snapshot and looked into", []string{"Exfiltration", "CredentialAccess", "LateralMovement"}, CloudTrail, func(s *scene) {
		s.call("ec2:CreateSnapshot", m{"volumeId": "vol-0" + s.hex(16)}, m{"snapshotId": "snap-0" + s.hex(16)})
		s.call("ec2:CreateVolume", m{"snapshotId": "snap-0" + s.hex(16), "zone": s.region + "a"}, m{})
		s.call("ec2:AttachVolume", m{"volumeId": "vol-0" + s.hex(16), "instanceId": "i-0" + s.hex(16), "device": "/dev/sdf"}, m{})
	}},
	{"later: own policy that gives everything, attached", []string{"PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		s.becomeUser()
		p := "arn:aws:iam::" + s.account + ":policy/" + s.word()
		s.call("iam:CreatePolicy", m{"policyName": s.word(), "policyDocument": everything()}, m{"policy": m{"arn": p}})
		s.call("iam:AttachUserPolicy", m{"userName": s.word(), "policyArn": p}, nil)
	}},
	{"later: file server for the attacker", []string{"Exfiltration", "Persistence"}, CloudTrail, func(s *scene) {
		s.call("transfer:CreateServer", m{"endpointType": "PUBLIC", "protocols": []any{"SFTP"}}, m{})
		s.call("transfer:CreateUser", m{"userName": s.word(), "role": "arn:aws:iam::" + s.account + ":role/" + s.word(), "homeDirectory": "/" + s.word(), "sshPublicKeyBody": "ssh-rsa AAAA"}, m{})
	}},
	{"later: quotas raised", []string{"Impact", "Discovery"}, CloudTrail, func(s *scene) {
		for range 3 {
			s.call("servicequotas:RequestServiceQuotaIncrease", m{"serviceCode": "ec2", "quotaCode": "L-" + s.upper(8), "desiredValue": 2000}, m{})
		}
	}},
	{"later: users locked out", []string{"Impact", "Persistence"}, CloudTrail, func(s *scene) {
		for range 6 {
			u := s.word()
			s.call("iam:DeleteLoginProfile", m{"userName": u}, nil)
			s.call("iam:DeleteAccessKey", m{"userName": u, "accessKeyId": "AKIA" + s.upper(16)}, nil)
			s.call("iam:DetachUserPolicy", m{"userName": u, "policyArn": admin}, nil)
		}
	}},
	{"later: all machines stopped", []string{"Impact"}, CloudTrail, func(s *scene) {
		var items []any
		for range 20 {
			items = append(items, m{"instanceId": "i-0" + s.hex(16)})
		}
		s.call("ec2:StopInstances", m{"instancesSet": m{"items": items}, "force": true}, m{})
	}},
	{"later: queues emptied", []string{"Impact"}, CloudTrail, func(s *scene) {
		for range 12 {
			s.call("sqs:PurgeQueue", m{"queueUrl": "https://sqs." + s.region + ".amazonaws.com/" + s.account + "/" + s.word()}, nil)
		}
	}},
	{"later: search domain opened to everyone", []string{"Exfiltration", "Persistence", "InitialAccess"}, CloudTrail, func(s *scene) {
		s.call("es:UpdateDomainConfig", m{"domainName": s.word(), "accessPolicies": text(s.letIn("es:*", "*"))}, m{})
	}},
	{"later: database exported to a bucket", []string{"Exfiltration"}, CloudTrail, func(s *scene) {
		s.call("rds:StartExportTask", m{"exportTaskIdentifier": s.word(), "sourceArn": s.arn("rds", "snapshot:"+s.word()), "s3BucketName": s.word(), "iamRoleArn": "arn:aws:iam::" + s.account + ":role/" + s.word(), "kmsKeyId": s.id()}, m{})
	}},
	{"later: table scanned whole", []string{"Exfiltration"}, CloudTrail, func(s *scene) {
		for range 60 {
			s.call("dynamodb:Scan", m{"tableName": s.word()}, nil, dataEvent)
		}
	}},
	{"later: identity center user made and put into a group", []string{"Persistence", "PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		s.call("sso-directory:CreateUser", m{"userName": "HIDDEN_DUE_TO_SECURITY_REASONS", "identityStoreId": "d-" + s.hex(10)}, m{})
		s.call("sso-directory:AddMemberToGroup", m{"groupId": s.id(), "memberId": s.id()}, m{})
	}},
	{"later: text messages sent", []string{"Impact", "Discovery", "ResourceDevelopment"}, CloudTrail, func(s *scene) {
		s.call("sns:GetSMSAttributes", nil, nil)
		s.call("sns:GetSMSSandboxAccountStatus", nil, nil)
		s.call("sns:SetSMSAttributes", m{"attributes": m{"MonthlySpendLimit": "1000"}}, nil)
		for range 20 {
			s.call("sns:Publish", m{"phoneNumber": "HIDDEN_DUE_TO_SECURITY_REASONS", "message": "HIDDEN_DUE_TO_SECURITY_REASONS"}, m{})
		}
	}},
	{"later: contact of the account changed", []string{"Persistence", "Impact"}, CloudTrail, func(s *scene) {
		s.call("account:PutAlternateContact", m{"alternateContactType": "SECURITY", "emailAddress": s.word() + "@" + s.word() + ".example"}, nil)
		s.call("account:StartPrimaryEmailUpdate", m{"accountId": s.account, "primaryEmail": s.word() + "@" + s.word() + ".example"}, m{})
	}},
	{"later: route sent through a machine of the attacker", []string{"CredentialAccess", "Persistence", "Exfiltration", "DefenseEvasion"}, CloudTrail, func(s *scene) {
		s.call("ec2:ModifyNetworkInterfaceAttribute", m{"networkInterfaceId": "eni-0" + s.hex(16), "sourceDestCheck": m{"value": false}}, m{})
		s.call("ec2:ReplaceRoute", m{"routeTableId": "rtb-0" + s.hex(16), "destinationCidrBlock": "0.0.0.0/0", "instanceId": "i-0" + s.hex(16)}, m{})
	}},
	{"later: stack with rights from a template of the attacker", []string{"Execution", "Persistence", "Impact", "InitialAccess"}, CloudTrail, func(s *scene) {
		s.call("cloudformation:CreateStack", m{"stackName": s.word(), "templateURL": "https://" + s.word() + ".s3.amazonaws.com/t.yaml", "capabilities": []any{"CAPABILITY_NAMED_IAM"}}, m{})
	}},
	{"later: key with material from outside, then taken away", []string{"Impact"}, CloudTrail, func(s *scene) {
		k := s.id()
		s.call("kms:CreateKey", m{"origin": "EXTERNAL"}, m{"keyMetadata": m{"keyId": k}})
		s.call("kms:GetParametersForImport", m{"keyId": k, "wrappingAlgorithm": "RSAES_OAEP_SHA_256"}, nil)
		s.call("kms:ImportKeyMaterial", m{"keyId": k}, m{})
		s.call("s3:PutBucketEncryption", m{"bucketName": s.word(), "ServerSideEncryptionConfiguration": m{"Rule": m{"ApplyServerSideEncryptionByDefault": m{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": s.arn("kms", "key/"+k)}}}}, nil)
		s.call("kms:DeleteImportedKeyMaterial", m{"keyId": k}, nil)
	}},
	{"later: function of a queue that runs with rights", []string{"Execution", "Persistence", "PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		f := s.word()
		s.call("lambda:CreateFunction20150331", m{"functionName": f, "role": "arn:aws:iam::" + s.account + ":role/" + s.word()}, m{})
		s.call("lambda:CreateEventSourceMapping20150331", m{"functionName": f, "eventSourceArn": s.arn("dynamodb", "table/"+s.word()+"/stream/x")}, m{})
	}},
	{"later: work mail for phishing", []string{"Impact", "ResourceDevelopment"}, CloudTrail, func(s *scene) {
		s.call("workmail:CreateOrganization", m{"alias": s.word()}, m{})
		s.call("workmail:RegisterMailDomain", m{"domainName": s.word() + ".example"}, m{})
		s.call("workmail:CreateUser", m{"name": s.word()}, m{})
	}},
	{"later: account made in the organization", []string{"Persistence", "DefenseEvasion", "Impact"}, CloudTrail, func(s *scene) {
		s.call("organizations:CreateAccount", m{"accountName": s.word(), "email": "HIDDEN_DUE_TO_SECURITY_REASONS"}, m{})
		s.call("organizations:InviteAccountToOrganization", m{"target": m{"type": "ACCOUNT", "id": s.other}}, m{})
	}},
	{"later: machine learning endpoint with graphics processors", []string{"Impact"}, CloudTrail, func(s *scene) {
		s.call("sagemaker:CreateTrainingJob", m{"trainingJobName": s.word(), "resourceConfig": m{"instanceType": "ml.p4d.24xlarge", "instanceCount": 8, "volumeSizeInGB": 100}}, m{})
	}},
	{"later: group becomes administrator", []string{"PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		s.call("iam:AttachGroupPolicy", m{"groupName": s.word(), "policyArn": admin}, nil)
	}},
	{"later: records of a hosted zone point elsewhere", []string{"Impact"}, CloudTrail, func(s *scene) {
		s.call("route53:ListHostedZones", nil, nil)
		s.call("route53:ChangeResourceRecordSets", m{"hostedZoneId": s.upper(14), "changeBatch": m{"changes": []any{m{"action": "UPSERT", "resourceRecordSet": m{"name": s.word() + ".example.", "type": "A", "tTL": 60, "resourceRecords": []any{m{"value": s.ip}}}}}}}, m{})
	}},
}
