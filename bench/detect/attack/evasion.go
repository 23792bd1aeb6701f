package attack

// evasion is what blinds those who watch, and takes away what protects.
var evasion = []Technique{
	{"cloudtrail: logging stopped", evades, CloudTrail, func(s *scene) {
		s.call("cloudtrail:DescribeTrails", nil, nil)
		s.call("cloudtrail:StopLogging", m{"name": s.arn("cloudtrail", "trail/"+s.word())}, nil)
	}},
	{"cloudtrail: trail deleted", evades, CloudTrail, func(s *scene) { s.call("cloudtrail:DeleteTrail", m{"name": s.word()}, nil) }},
	{"cloudtrail: selectors narrowed", evades, CloudTrail, func(s *scene) {
		if s.IntN(2) == 0 {
			s.call("cloudtrail:PutEventSelectors", m{"trailName": s.word(), "eventSelectors": []any{m{"readWriteType": "ReadOnly", "includeManagementEvents": false, "dataResources": []any{}}}}, m{})
			return
		}
		s.call("cloudtrail:PutEventSelectors", m{"trailName": s.word(), "advancedEventSelectors": []any{m{"name": s.word(), "fieldSelectors": []any{m{"field": "eventCategory", "equals": []any{"Data"}}, m{"field": "resources.type", "equals": []any{"AWS::S3::Object"}}}}}}, m{})
	}},
	{"cloudtrail: trail writes elsewhere", evades, CloudTrail, func(s *scene) {
		s.call("cloudtrail:UpdateTrail", m{"name": s.word(), "s3BucketName": s.word() + "-" + s.word()}, m{})
	}},
	{"cloudtrail: trail in one region only", evades, CloudTrail, func(s *scene) {
		s.call("cloudtrail:UpdateTrail", m{"name": s.word(), "isMultiRegionTrail": false, "includeGlobalServiceEvents": false}, m{})
	}},
	{"cloudtrail: bucket of the trail forgets in a day", append(evades, "Impact"), CloudTrail, func(s *scene) {
		s.call("s3:PutBucketLifecycle", m{"bucketName": s.word(), "lifecycle": "", "LifecycleConfiguration": m{"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/", "Rule": m{"Status": "Enabled", "ID": s.word(), "Prefix": "", "Expiration": m{"Days": 1}}}}, nil)
	}},
	{"cloudtrail: encrypted so that nobody can read it", append(evades, "Impact"), CloudTrail, func(s *scene) {
		s.call("cloudtrail:UpdateTrail", m{"name": s.word(), "kmsKeyId": "arn:aws:kms:" + s.region + ":" + s.other + ":key/" + s.id()}, m{})
	}},
	{"cloudtrail: event data store deleted", evades, CloudTrail, func(s *scene) {
		s.call("cloudtrail:UpdateEventDataStore", m{"eventDataStore": s.arn("cloudtrail", "eventdatastore/"+s.id()), "terminationProtectionEnabled": false}, m{})
		s.call("cloudtrail:DeleteEventDataStore", m{"eventDataStore": s.arn("cloudtrail", "eventdatastore/"+s.id())}, nil)
	}},
	{"ec2: flow logs deleted", evades, CloudTrail, func(s *scene) {
		s.call("ec2:DeleteFlowLogs", m{"DeleteFlowLogsRequest": m{"FlowLogId": m{"tag": 1, "content": "fl-0" + s.hex(16)}}}, m{})
	}},
	{"route53resolver: query log switched off", evades, CloudTrail, func(s *scene) {
		id := "rqlc-" + s.hex(17)
		s.call("route53resolver:DisassociateResolverQueryLogConfig", m{"resolverQueryLogConfigId": id, "resourceId": "vpc-0" + s.hex(16)}, m{})
		s.call("route53resolver:DeleteResolverQueryLogConfig", m{"resolverQueryLogConfigId": id}, m{})
	}},
	{"guardduty: detector deleted or suspended", evades, CloudTrail, func(s *scene) {
		if s.IntN(2) == 0 {
			s.call("guardduty:DeleteDetector", m{"detectorId": s.hex(32)}, nil)
			return
		}
		s.call("guardduty:UpdateDetector", m{"detectorId": s.hex(32), "enable": false}, nil)
	}},
	{"guardduty: findings archived by a filter", evades, CloudTrail, func(s *scene) {
		s.call("guardduty:CreateFilter", m{"detectorId": s.hex(32), "name": s.word(), "action": "ARCHIVE", "findingCriteria": m{"criterion": m{"severity": m{"gte": 1}}}}, m{})
	}},
	{"guardduty: own address trusted", evades, CloudTrail, func(s *scene) {
		s.call("guardduty:CreateIPSet", m{"detectorId": s.hex(32), "name": s.word(), "format": "TXT", "location": "https://s3.amazonaws.com/" + s.word() + "/" + s.word(), "activate": true}, m{})
	}},
	{"guardduty: members left alone", evades, CloudTrail, func(s *scene) {
		s.call(pick(s, "guardduty:StopMonitoringMembers", "guardduty:DisassociateMembers", "guardduty:DeleteMembers"), m{"detectorId": s.hex(32), "accountIds": []any{s.account}}, m{})
	}},
	{"securityhub: switched off", evades, CloudTrail, func(s *scene) { s.call("securityhub:DisableSecurityHub", nil, nil) }},
	{"securityhub: standards and products off", evades, CloudTrail, func(s *scene) {
		if s.IntN(2) == 0 {
			s.call("securityhub:BatchDisableStandards", m{"StandardsSubscriptionArns": []any{s.arn("securityhub", "subscription/"+s.word())}}, m{})
			return
		}
		s.call("securityhub:DisableImportFindingsForProduct", m{"ProductSubscriptionArn": s.arn("securityhub", "product-subscription/aws/guardduty")}, nil)
	}},
	{"config: recorder stopped", evades, CloudTrail, func(s *scene) {
		s.call("config:StopConfigurationRecorder", m{"configurationRecorderName": "default"}, nil)
		s.call("config:DeleteDeliveryChannel", m{"deliveryChannelName": "default"}, nil)
	}},
	{"macie or inspector or detective switched off", evades, CloudTrail, func(s *scene) {
		switch s.IntN(3) {
		case 0:
			s.call("macie2:DisableMacie", nil, nil)
		case 1:
			s.call("inspector2:Disable", m{"accountIds": []any{s.account}, "resourceTypes": []any{"EC2", "ECR", "LAMBDA"}}, m{})
		default:
			s.call("detective:DeleteGraph", m{"GraphArn": s.arn("detective", "graph:"+s.hex(32))}, nil)
		}
	}},
	{"access-analyzer: analyzer deleted", evades, CloudTrail, func(s *scene) {
		s.call("access-analyzer:DeleteAnalyzer", m{"analyzerName": s.word()}, nil)
	}},
	{"events: rules that alert are switched off", evades, CloudTrail, func(s *scene) {
		for range 4 {
			n := s.word()
			s.call("events:RemoveTargets", m{"rule": n, "ids": []any{"1"}}, m{})
			s.call(pick(s, "events:DisableRule", "events:DeleteRule"), m{"name": n}, nil)
		}
	}},
	{"monitoring: alarms deleted", evades, CloudTrail, func(s *scene) {
		s.call("monitoring:DescribeAlarms", nil, nil)
		s.call("monitoring:DeleteAlarms", m{"alarmNames": []any{s.word(), s.word(), s.word(), s.word(), s.word(), s.word()}}, nil)
	}},
	{"logs: many groups deleted", append(evades, "Impact"), CloudTrail, func(s *scene) {
		s.call("logs:DescribeLogGroups", nil, nil)
		for range 15 {
			s.call("logs:DeleteLogGroup", m{"logGroupName": "/" + s.word() + "/" + s.word()}, nil)
		}
	}},
	{"waf: rules taken off the front door", evades, CloudTrail, func(s *scene) {
		s.call("wafv2:DisassociateWebACL", m{"resourceArn": s.arn("elasticloadbalancing", "loadbalancer/app/"+s.word()+"/"+s.hex(16))}, m{})
		s.call("wafv2:DeleteWebACL", m{"name": s.word(), "scope": "REGIONAL", "id": s.id()}, m{})
	}},
	{"s3: access log switched off", evades, CloudTrail, func(s *scene) {
		s.call("s3:PutBucketLogging", m{"bucketName": s.word(), "logging": "", "BucketLoggingStatus": m{"xmlns": "http://doc.s3.amazonaws.com/2006-03-01"}}, nil)
	}},
	{"s3: public access block off", append(evades, "Policy"), CloudTrail, func(s *scene) {
		s.call("s3:DeleteBucketPublicAccessBlock", m{"bucketName": s.word(), "publicAccessBlock": ""}, nil)
	}},
	{"organizations: account leaves", evades, CloudTrail, func(s *scene) {
		s.call("organizations:LeaveOrganization", nil, nil, denied("AccessDeniedException"))
	}},
	{"organizations: service control policy detached", evades, CloudTrail, func(s *scene) {
		s.call("organizations:DetachPolicy", m{"policyId": "p-" + s.hex(8), "targetId": pick(s, "r-"+s.hex(4), s.account, "ou-"+s.hex(4)+"-"+s.hex(8))}, nil)
	}},
	{"iam: password policy weakened", append(evades, "CredentialAccess"), CloudTrail, func(s *scene) {
		s.call("iam:UpdateAccountPasswordPolicy", m{"minimumPasswordLength": 6, "requireSymbols": false, "requireNumbers": false, "requireUppercaseCharacters": false, "requireLowercaseCharacters": false, "allowUsersToChangePassword": true}, nil)
	}},
	{"bedrock: logging of models off", evades, CloudTrail, func(s *scene) {
		s.call("bedrock:DeleteModelInvocationLoggingConfiguration", nil, m{})
	}},
	{"bedrock: guardrail deleted", append(evades, "Impact"), CloudTrail, func(s *scene) {
		s.call("bedrock:ListGuardrails", m{}, nil)
		s.call("bedrock:DeleteGuardrail", m{"guardrailIdentifier": s.hex(12)}, m{})
	}},
	{"ec2: encryption by default off", evades, CloudTrail, func(s *scene) {
		s.call("ec2:DisableEbsEncryptionByDefault", m{"DisableEbsEncryptionByDefaultRequest": ""}, m{"DisableEbsEncryptionByDefaultResponse": m{"ebsEncryptionByDefault": false}})
	}},
	{"ec2: old metadata service allowed", evades, CloudTrail, func(s *scene) {
		s.call("ec2:ModifyInstanceMetadataOptions", m{"ModifyInstanceMetadataOptionsRequest": m{"InstanceId": "i-0" + s.hex(16), "HttpTokens": "optional", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 64}}, m{})
	}},
	{"eks: control plane log switched off", evades, CloudTrail, func(s *scene) {
		s.call("eks:UpdateClusterConfig", m{"name": s.word(), "logging": m{"clusterLogging": []any{m{"types": []any{"api", "audit", "authenticator", "controllerManager", "scheduler"}, "enabled": false}}}}, m{})
	}},
}

var evades = []string{"DefenseEvasion", "DefenseImpairment", "Stealth"}
