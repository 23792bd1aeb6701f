package iam

// linked is what is known of the service-linked role of a service.
type linked struct {
	name   string // behind "AWSServiceRoleFor"
	policy string // below /aws-service-role/
	suffix bool   // an account may have several
}

func (l linked) roleName(suffix *string) string {
	name := "AWSServiceRoleFor" + l.name
	if suffix != nil {
		name += "_" + *suffix
	}
	return name
}

// linkedServices returns the services whose service-linked role is known, by the
// name that CreateServiceLinkedRole wants. IAM User Guide, "AWS services that work
// with IAM", and the services' own guides.
func linkedServices() map[string]linked {
	return map[string]linked{
		"access-analyzer.amazonaws.com":                     {name: "AccessAnalyzer", policy: "AccessAnalyzerServiceRolePolicy"},
		"acm.amazonaws.com":                                 {name: "CertificateManager", policy: "CertificateManagerServiceRolePolicy"},
		"agentless.inspector2.amazonaws.com":                {name: "AmazonInspector2Agentless", policy: "AmazonInspector2AgentlessServiceRolePolicy"},
		"apidestinations.events.amazonaws.com":              {name: "AmazonEventBridgeApiDestinations", policy: "AmazonEventBridgeApiDestinationsServiceRolePolicy"},
		"auditmanager.amazonaws.com":                        {name: "AuditManager", policy: "AWSAuditManagerServiceRolePolicy"},
		"autoscaling.amazonaws.com":                         {name: "AutoScaling", policy: "AutoScalingServiceRolePolicy", suffix: true},
		"backup.amazonaws.com":                              {name: "Backup", policy: "AWSBackupServiceLinkedRolePolicyForBackup"},
		"batch.amazonaws.com":                               {name: "Batch", policy: "BatchServiceRolePolicy"},
		"cks.kms.amazonaws.com":                             {name: "KeyManagementServiceCustomKeyStores", policy: "AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy"},
		"cloudhsm.amazonaws.com":                            {name: "CloudHSM", policy: "CloudHSMServiceRolePolicy"},
		"cloudtrail.amazonaws.com":                          {name: "CloudTrail", policy: "CloudTrailServiceRolePolicy"},
		"config.amazonaws.com":                              {name: "Config", policy: "AWSConfigServiceRolePolicy"},
		"config-conforms.amazonaws.com":                     {name: "ConfigConforms", policy: "ConfigConformsServiceRolePolicy"},
		"config-multiaccountsetup.amazonaws.com":            {name: "ConfigMultiAccountSetup", policy: "AWSConfigMultiAccountSetupPolicy"},
		"detective.amazonaws.com":                           {name: "Detective", policy: "AmazonDetectiveServiceLinkedRolePolicy"},
		"dynamodb.application-autoscaling.amazonaws.com":    {name: "ApplicationAutoScaling_DynamoDBTable", policy: "AWSApplicationAutoscalingDynamoDBTablePolicy"},
		"ecs.amazonaws.com":                                 {name: "ECS", policy: "AmazonECSServiceRolePolicy"},
		"ecs.application-autoscaling.amazonaws.com":         {name: "ApplicationAutoScaling_ECSService", policy: "AWSApplicationAutoscalingECSServicePolicy"},
		"eks.amazonaws.com":                                 {name: "AmazonEKS", policy: "AmazonEKSServiceRolePolicy"},
		"eks-fargate.amazonaws.com":                         {name: "AmazonEKSForFargate", policy: "AmazonEKSForFargateServiceRolePolicy"},
		"eks-nodegroup.amazonaws.com":                       {name: "AmazonEKSNodegroup", policy: "AWSServiceRoleForAmazonEKSNodegroup"},
		"elasticache.amazonaws.com":                         {name: "ElastiCache", policy: "ElastiCacheServiceRolePolicy"},
		"elasticbeanstalk.amazonaws.com":                    {name: "ElasticBeanstalk", policy: "AWSElasticBeanstalkServiceRolePolicy"},
		"elasticfilesystem.amazonaws.com":                   {name: "AmazonElasticFileSystem", policy: "AmazonElasticFileSystemServiceRolePolicy"},
		"elasticloadbalancing.amazonaws.com":                {name: "ElasticLoadBalancing", policy: "AWSElasticLoadBalancingServiceRolePolicy"},
		"email.cognito-idp.amazonaws.com":                   {name: "AmazonCognitoIdpEmailService", policy: "AmazonCognitoIdpEmailServiceRolePolicy"},
		"es.amazonaws.com":                                  {name: "AmazonElasticsearchService", policy: "AmazonElasticsearchServiceRolePolicy"},
		"events.amazonaws.com":                              {name: "CloudWatchEvents", policy: "CloudWatchEventsServiceRolePolicy"},
		"fms.amazonaws.com":                                 {name: "FMS", policy: "FMSServiceRolePolicy"},
		"globalaccelerator.amazonaws.com":                   {name: "GlobalAccelerator", policy: "AWSGlobalAcceleratorSLRPolicy"},
		"guardduty.amazonaws.com":                           {name: "AmazonGuardDuty", policy: "AmazonGuardDutyServiceRolePolicy"},
		"inspector.amazonaws.com":                           {name: "AmazonInspector", policy: "AmazonInspectorServiceRolePolicy"},
		"inspector2.amazonaws.com":                          {name: "AmazonInspector2", policy: "AmazonInspector2ServiceRolePolicy"},
		"lakeformation.amazonaws.com":                       {name: "LakeFormationDataAccess", policy: "LakeFormationDataAccessServiceRolePolicy"},
		"lexv2.amazonaws.com":                               {name: "LexV2Bots", policy: "AmazonLexV2BotPolicy", suffix: true},
		"logger.cloudfront.amazonaws.com":                   {name: "CloudFrontLogger", policy: "AWSCloudFrontLogger"},
		"macie.amazonaws.com":                               {name: "AmazonMacie", policy: "AmazonMacieServiceRolePolicy"},
		"malware-protection.guardduty.amazonaws.com":        {name: "AmazonGuardDutyMalwareProtection", policy: "AmazonGuardDutyMalwareProtectionServiceRolePolicy"},
		"member.org.stacksets.cloudformation.amazonaws.com": {name: "CloudFormationStackSetsOrgMember", policy: "CloudFormationStackSetsOrgMemberServiceRolePolicy"},
		"mrk.kms.amazonaws.com":                             {name: "KeyManagementServiceMultiRegionKeys", policy: "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy"},
		"network-firewall.amazonaws.com":                    {name: "NetworkFirewall", policy: "AWSNetworkFirewallServiceRolePolicy"},
		"opensearchservice.amazonaws.com":                   {name: "AmazonOpenSearchService", policy: "AmazonOpenSearchServiceRolePolicy"},
		"ops.apigateway.amazonaws.com":                      {name: "APIGateway", policy: "APIGatewayServiceRolePolicy"},
		"organizations.amazonaws.com":                       {name: "Organizations", policy: "AWSOrganizationsServiceTrustPolicy"},
		"ram.amazonaws.com":                                 {name: "ResourceAccessManager", policy: "AWSResourceAccessManagerServiceRolePolicy"},
		"rds.amazonaws.com":                                 {name: "RDS", policy: "AmazonRDSServiceRolePolicy"},
		"redshift.amazonaws.com":                            {name: "Redshift", policy: "AmazonRedshiftServiceLinkedRolePolicy"},
		"replication.dynamodb.amazonaws.com":                {name: "DynamoDBReplication", policy: "DynamoDBReplicationServiceRolePolicy"},
		"replicator.lambda.amazonaws.com":                   {name: "LambdaReplicator", policy: "AWSLambdaReplicator"},
		"resource-explorer-2.amazonaws.com":                 {name: "ResourceExplorer", policy: "AWSResourceExplorerServiceRolePolicy"},
		"rolesanywhere.amazonaws.com":                       {name: "RolesAnywhere", policy: "AWSRolesAnywhereServicePolicy"},
		"route53resolver.amazonaws.com":                     {name: "Route53Resolver", policy: "Route53ResolverServiceRolePolicy"},
		"securityhub.amazonaws.com":                         {name: "SecurityHub", policy: "AWSSecurityHubServiceRolePolicy"},
		"securitylake.amazonaws.com":                        {name: "SecurityLake", policy: "SecurityLakeServiceLinkedRole"},
		"servicequotas.amazonaws.com":                       {name: "ServiceQuotas", policy: "ServiceQuotasServiceRolePolicy"},
		"shield.amazonaws.com":                              {name: "AWSShield", policy: "AWSShieldServiceRolePolicy"},
		"spot.amazonaws.com":                                {name: "EC2Spot", policy: "AWSEC2SpotServiceRolePolicy"},
		"spotfleet.amazonaws.com":                           {name: "EC2SpotFleet", policy: "AWSEC2SpotFleetServiceRolePolicy"},
		"ssm.amazonaws.com":                                 {name: "AmazonSSM", policy: "AmazonSSMServiceRolePolicy"},
		"sso.amazonaws.com":                                 {name: "SSO", policy: "AWSSSOServiceRolePolicy"},
		"support.amazonaws.com":                             {name: "Support", policy: "AWSSupportServiceRolePolicy"},
		"transitgateway.amazonaws.com":                      {name: "VPCTransitGateway", policy: "AWSVPCTransitGatewayServiceRolePolicy"},
		"trustedadvisor.amazonaws.com":                      {name: "TrustedAdvisor", policy: "AWSTrustedAdvisorServiceRolePolicy"},
		"vpc-lattice.amazonaws.com":                         {name: "VpcLattice", policy: "AWSVpcLatticeServiceRolePolicy"},
		"waf.amazonaws.com":                                 {name: "WAFLogging", policy: "WAFLoggingServiceRolePolicy"},
		"waf-regional.amazonaws.com":                        {name: "WAFRegionalLogging", policy: "WAFRegionalLoggingServiceRolePolicy"},
		"wafv2.amazonaws.com":                               {name: "WAFV2Logging", policy: "WAFV2LoggingServiceRolePolicy"},
	}
}
