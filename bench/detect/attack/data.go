package attack

import (
	"fmt"
	"time"
)

var (
	takes = []string{"Exfiltration"}
	steal = []string{"CredentialAccess"}
)

// data is how attackers get at secrets and data, and hand them out.
var data = []Technique{
	{"secretsmanager: all secrets read", steal, CloudTrail, func(s *scene) {
		s.call("secretsmanager:ListSecrets", m{"maxResults": 100}, nil)
		for range 15 {
			s.call("secretsmanager:GetSecretValue", m{"secretId": s.arn("secretsmanager", "secret:"+s.word()+"-"+s.upper(6))}, nil)
		}
	}},
	{"secretsmanager: all secrets read in one call", steal, CloudTrail, func(s *scene) {
		for range 2 {
			s.call("secretsmanager:BatchGetSecretValue", m{"filters": []any{m{"key": "name", "values": []any{"!" + s.word()}}}, "maxResults": 20}, nil)
		}
	}},
	{"secretsmanager: secrets read in many regions", steal, CloudTrail, func(s *scene) {
		for _, r := range []string{"us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "ap-south-1", "ap-northeast-1", "ap-southeast-1", "ap-southeast-2", "sa-east-1", "ca-central-1"} {
			s.region = r
			s.call("secretsmanager:ListSecrets", m{"maxResults": 100}, nil)
			if s.IntN(2) == 0 {
				s.call("secretsmanager:GetSecretValue", m{"secretId": s.arn("secretsmanager", "secret:"+s.word()+"-"+s.upper(6))}, nil)
			}
		}
	}},
	{"ssm: secure parameters read in lots", steal, CloudTrail, func(s *scene) {
		s.call("ssm:DescribeParameters", m{"parameterFilters": []any{m{"key": "Type", "values": []any{"SecureString"}}}}, nil)
		for range 4 {
			var names []any
			for range 10 {
				names = append(names, "/"+s.word()+"/"+s.word())
			}
			s.call("ssm:GetParameters", m{"names": names, "withDecryption": true}, nil)
		}
	}},
	{"ssm: secure parameters read one by one", steal, CloudTrail, func(s *scene) {
		for range 25 {
			s.call("ssm:GetParameter", m{"name": "/" + s.word() + "/" + s.word(), "withDecryption": true}, nil)
		}
	}},
	{"ec2: passwords of Windows instances", steal, CloudTrail, func(s *scene) {
		for range 8 {
			s.call("ec2:GetPasswordData", m{"instanceId": "i-0" + s.hex(16)}, nil, denied("Client.UnauthorizedOperation"))
		}
	}},
	{"ec2: user data of many instances", append(steal, "Discovery"), CloudTrail, func(s *scene) {
		for range 12 {
			s.call("ec2:DescribeInstanceAttribute", m{"instanceId": "i-0" + s.hex(16), "attribute": "userData"}, nil)
		}
	}},
	{"ec2: user data of launch templates", append(steal, "Discovery"), CloudTrail, func(s *scene) {
		s.call("ec2:DescribeLaunchTemplates", m{"DescribeLaunchTemplatesRequest": ""}, nil)
		for range 10 {
			s.call("ec2:DescribeLaunchTemplateVersions", m{"DescribeLaunchTemplateVersionsRequest": m{"LaunchTemplateId": "lt-0" + s.hex(16), "LaunchTemplateVersion": m{"content": "$Latest", "tag": 1}}}, nil)
		}
	}},
	{"lambda: environment of all functions", append(steal, "Discovery"), CloudTrail, func(s *scene) {
		s.call("lambda:ListFunctions20150331", nil, nil)
		for range 15 {
			s.call("lambda:GetFunction20150331v2", m{"functionName": s.word()}, nil)
		}
	}},
	{"ec2: credentials of an instance used elsewhere", append(steal, "UnauthorizedAccess", "Discovery"), CloudTrail, func(s *scene) {
		id := "i-0" + s.hex(16)
		s.me = s.session(s.word(), id, "")
		out, agent := s.ip, s.agent
		// First the instance itself.
		s.ip, s.agent = fmt.Sprintf("52.%d.%d.%d", 20+s.IntN(60), s.IntN(250), s.IntN(250)), "Boto3/1.34.1 md/Botocore#1.34.1 ua/2.0 os/linux#6.1 lang/python#3.11"
		s.call("ec2:DescribeInstances", m{"instancesSet": m{"items": []any{m{"instanceId": id}}}}, nil)
		s.later(time.Hour)
		s.ip, s.agent = out, agent
		s.call("sts:GetCallerIdentity", nil, nil)
		s.call("ec2:DescribeInstances", m{}, nil)
		s.call("s3:ListBuckets", nil, nil)
	}},
	{"sagemaker: notebook opened", append(steal, "PrivilegeEscalation"), CloudTrail, func(s *scene) {
		s.call("sagemaker:ListNotebookInstances", m{}, nil)
		s.call("sagemaker:CreatePresignedNotebookInstanceUrl", m{"notebookInstanceName": s.word(), "sessionExpirationDurationInSeconds": 43200}, m{})
	}},
	{"ec2: image shared", takes, CloudTrail, func(s *scene) {
		add := pick(s, m{"userId": s.other}, m{"group": "all"})
		s.call("ec2:ModifyImageAttribute", m{"imageId": "ami-0" + s.hex(16), "attributeType": "launchPermission", "launchPermission": m{"add": m{"items": []any{add}}}}, m{"_return": true})
	}},
	{"ec2: snapshot shared", takes, CloudTrail, func(s *scene) {
		add := pick(s, m{"userId": s.other}, m{"group": "all"})
		s.call("ec2:ModifySnapshotAttribute", m{"snapshotId": "snap-0" + s.hex(16), "createVolumePermission": m{"add": m{"items": []any{add}}}, "attributeType": "CREATE_VOLUME_PERMISSION"}, m{"_return": true})
	}},
	{"ec2: blocks of a snapshot read", takes, CloudTrail, func(s *scene) {
		snap := "snap-0" + s.hex(16)
		s.call("ebs:ListSnapshotBlocks", m{"snapshotId": snap, "maxResults": 1000}, nil, dataEvent)
		for i := range 40 {
			s.call("ebs:GetSnapshotBlock", m{"snapshotId": snap, "blockIndex": i, "blockToken": s.hex(20)}, nil, dataEvent)
		}
	}},
	{"ec2: instance exported to a bucket", takes, CloudTrail, func(s *scene) {
		s.call("ec2:CreateInstanceExportTask", m{"instanceId": "i-0" + s.hex(16), "targetEnvironment": "vmware", "exportToS3": m{"diskImageFormat": "VMDK", "containerFormat": "ova", "s3Bucket": s.word()}}, m{})
	}},
	{"ec2: traffic mirrored", append(takes, "CredentialAccess"), CloudTrail, func(s *scene) {
		s.call("ec2:CreateTrafficMirrorTarget", m{"CreateTrafficMirrorTargetRequest": m{"NetworkInterfaceId": "eni-0" + s.hex(16)}}, m{})
		s.call("ec2:CreateTrafficMirrorFilter", m{"CreateTrafficMirrorFilterRequest": m{}}, m{})
		s.call("ec2:CreateTrafficMirrorSession", m{"CreateTrafficMirrorSessionRequest": m{"NetworkInterfaceId": "eni-0" + s.hex(16), "SessionNumber": 1}}, m{})
	}},
	{"rds: snapshot shared", takes, CloudTrail, func(s *scene) {
		id := s.word()
		s.call("rds:CreateDBSnapshot", m{"dBInstanceIdentifier": s.word(), "dBSnapshotIdentifier": id}, m{})
		s.call("rds:ModifyDBSnapshotAttribute", m{"dBSnapshotIdentifier": id, "attributeName": "restore", "valuesToAdd": []any{pick(s, s.other, "all")}}, m{})
	}},
	{"rds: copy restored open to the internet", append(takes, "InitialAccess"), CloudTrail, func(s *scene) {
		s.call("rds:RestoreDBInstanceFromDBSnapshot", m{"dBInstanceIdentifier": s.word(), "dBSnapshotIdentifier": s.word(), "publiclyAccessible": true}, m{})
		s.call("rds:ModifyDBInstance", m{"dBInstanceIdentifier": s.word(), "masterUserPassword": "****", "applyImmediately": true, "allowMajorVersionUpgrade": false}, m{})
	}},
	{"rds: password of the master reset", append(steal, "Persistence"), CloudTrail, func(s *scene) {
		s.call("rds:ModifyDBInstance", m{"dBInstanceIdentifier": s.word(), "masterUserPassword": "****", "applyImmediately": true, "allowMajorVersionUpgrade": false}, m{})
	}},
	{"redshift: snapshot shared", takes, CloudTrail, func(s *scene) {
		s.call("redshift:AuthorizeSnapshotAccess", m{"snapshotIdentifier": s.word(), "accountWithRestoreAccess": s.other}, m{})
	}},
	{"redshift: warehouse opened to the internet", append(takes, "InitialAccess", "Persistence"), CloudTrail, func(s *scene) {
		s.call("redshift:ModifyCluster", m{"clusterIdentifier": s.word(), "publiclyAccessible": true}, m{})
	}},
	{"s3: bucket policy for everybody or another account", append(takes, "Policy"), CloudTrail, func(s *scene) {
		b := s.word()
		s.call("s3:PutBucketPolicy", m{"bucketName": b, "bucketPolicy": s.letIn("s3:GetObject", "arn:aws:s3:::"+b+"/*")}, nil)
	}},
	{"s3: bucket list public", append(takes, "Policy"), CloudTrail, func(s *scene) {
		s.call("s3:PutBucketAcl", m{"bucketName": s.word(), "acl": "", "x-amz-acl": pick(s, "public-read", "public-read-write", "authenticated-read")}, nil)
	}},
	{"s3: replicated to another account", takes, CloudTrail, func(s *scene) {
		s.call("s3:PutBucketReplication", m{"bucketName": s.word(), "replication": "", "ReplicationConfiguration": m{"Role": "arn:aws:iam::" + s.account + ":role/" + s.word(), "Rule": m{"Status": "Enabled", "ID": s.word(), "Destination": m{"Bucket": "arn:aws:s3:::" + s.word(), "Account": s.other, "AccessControlTranslation": m{"Owner": "Destination"}}}}}, nil)
	}},
	{"s3: thousands of objects read", takes, CloudTrail, func(s *scene) {
		b := s.word()
		s.call("s3:ListObjects", m{"bucketName": b}, nil, dataEvent)
		for range 400 {
			s.call("s3:GetObject", m{"bucketName": b, "key": s.word() + "/" + s.hex(12), "Host": b + ".s3.amazonaws.com"}, nil, dataEvent, m{"additionalEventData": m{"bytesTransferredOut": 1e6 * float64(5+s.IntN(40)), "bytesTransferredIn": 0}})
		}
	}},
	{"lambda: function opened to all", append(takes, "Persistence"), CloudTrail, func(s *scene) {
		s.call("lambda:AddPermission20150331v2", m{"functionName": s.word(), "statementId": s.word(), "action": "lambda:InvokeFunction", "principal": pick(s, "*", s.other)}, m{})
	}},
	{"lambda: public URL", append(takes, "Persistence", "InitialAccess"), CloudTrail, func(s *scene) {
		f := s.word()
		s.call("lambda:CreateFunctionUrlConfig", m{"functionName": f, "authType": "NONE"}, m{})
		s.call("lambda:AddPermission20150331v2", m{"functionName": f, "statementId": s.word(), "action": "lambda:InvokeFunctionUrl", "principal": "*", "functionUrlAuthType": "NONE"}, m{})
	}},
	{"ecr: repository opened", append(takes, "Persistence"), CloudTrail, func(s *scene) {
		s.call("ecr:SetRepositoryPolicy", m{"repositoryName": s.word(), "policyText": text(policy(m{"Effect": "Allow", "Principal": m{"AWS": "arn:aws:iam::" + s.other + ":root"}, "Action": []any{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}})), "force": false}, m{})
	}},
	{"kms: key opened to another account", append(takes, "Persistence", "Impact"), CloudTrail, func(s *scene) {
		s.call("kms:PutKeyPolicy", m{"keyId": s.id(), "policyName": "default", "policy": text(s.letIn("kms:*", "*"))}, nil)
	}},
	{"secretsmanager: secret opened to another account", takes, CloudTrail, func(s *scene) {
		s.call("secretsmanager:PutResourcePolicy", m{"secretId": s.word(), "resourcePolicy": text(s.letIn("secretsmanager:GetSecretValue", "*")), "blockPublicPolicy": false}, m{})
	}},
	{"sqs, sns: attributes with a policy for all", append(takes, "Persistence"), CloudTrail, func(s *scene) {
		if s.IntN(2) == 0 {
			s.call("sqs:SetQueueAttributes", m{"queueUrl": "https://sqs." + s.region + ".amazonaws.com/" + s.account + "/" + s.word(), "attributes": m{"Policy": text(s.letIn("sqs:*", "*"))}}, nil)
			return
		}
		s.call("sns:SetTopicAttributes", m{"topicArn": s.arn("sns", s.word()), "attributeName": "Policy", "attributeValue": text(s.letIn("sns:*", "*"))}, nil)
	}},
	{"any service: resource policy for another account", append(takes, "Persistence"), CloudTrail, func(s *scene) {
		api := pick(s, "dynamodb:PutResourcePolicy", "kinesis:PutResourcePolicy", "logs:PutResourcePolicy", "codeartifact:PutRepositoryPermissionsPolicy", "elasticfilesystem:PutFileSystemPolicy", "events:PutPermission", "schemas:PutResourcePolicy", "mediastore:PutContainerPolicy", "glacier:SetVaultAccessPolicy", "codebuild:PutResourcePolicy")
		s.call(api, m{"resourceArn": s.arn(api[:3], s.word()), "policy": text(s.letIn("*", "*"))}, m{})
	}},
	{"ram: resources shared", takes, CloudTrail, func(s *scene) {
		s.call("ram:CreateResourceShare", m{"name": s.word(), "principals": []any{s.other}, "allowExternalPrincipals": true, "resourceArns": []any{s.arn("ec2", "subnet/subnet-0"+s.hex(16))}}, m{})
	}},
	{"backup: vault opened", takes, CloudTrail, func(s *scene) {
		s.call("backup:PutBackupVaultAccessPolicy", m{"backupVaultName": s.word(), "policy": text(s.letIn("backup:CopyFromBackupVault", "*"))}, nil)
	}},
	{"logs: stream sent to another account", takes, CloudTrail, func(s *scene) {
		s.call("logs:PutSubscriptionFilter", m{"logGroupName": "/" + s.word(), "filterName": s.word(), "filterPattern": "", "destinationArn": "arn:aws:logs:" + s.region + ":" + s.other + ":destination:" + s.word()}, nil)
	}},
	{"dynamodb: table exported to another account", takes, CloudTrail, func(s *scene) {
		s.call("dynamodb:ExportTableToPointInTime", m{"tableArn": s.arn("dynamodb", "table/"+s.word()), "s3Bucket": s.word(), "s3BucketOwner": s.other}, m{})
	}},
	{"route53domains: domain moved away", append(takes, "Impact"), CloudTrail, func(s *scene) {
		d := s.word() + ".example"
		s.call("route53domains:DisableDomainTransferLock", m{"domainName": d}, m{})
		if s.IntN(2) == 0 {
			s.call("route53domains:RetrieveDomainAuthCode", m{"domainName": d}, nil)
			return
		}
		s.call("route53domains:TransferDomainToAnotherAwsAccount", m{"domainName": d, "accountId": s.other}, m{})
	}},
	{"vpc: peering with another account", append(takes, "Persistence", "LateralMovement"), CloudTrail, func(s *scene) {
		s.call("ec2:CreateVpcPeeringConnection", m{"vpcId": "vpc-0" + s.hex(16), "peerVpcId": "vpc-0" + s.hex(16), "peerOwnerId": s.other}, m{})
	}},
}
