package guardduty

import "strings"

// searchable reports whether findings can be filtered and sorted by a field. The
// fields are those of the API Reference, "CreateFilter", findingCriteria; several
// have a finding only once its detector is there.
func searchable(field string) bool {
	if strings.HasPrefix(field, "service.additionalInfo.") {
		return true
	}
	for _, group := range fields {
		for _, name := range group.names {
			if field == group.under+name {
				return true
			}
		}
	}
	return false
}

const (
	api     = "service.action.awsApiCallAction."
	network = "service.action.networkConnectionAction."
	kubeAPI = "service.action.kubernetesApiCallAction."
	eni     = "resource.instanceDetails.networkInterfaces."
	kube    = "resource.kubernetesDetails."
	process = "service.runtimeDetails.process."
	scan    = "service.ebsVolumeScanDetails."
)

var fields = [...]struct {
	under string
	names []string
}{
	{"", []string{"accountId", "id", "region", "severity", "type", "updatedAt", "createdAt", "confidence", "arn", "associatedAttackSequenceArn", "title", "description", "partition", "schemaVersion"}},
	{"resource.", []string{"resourceType", "eksClusterDetails.name", "ecsClusterDetails.name", "lambdaDetails.functionName"}},
	{"resource.accessKeyDetails.", []string{"accessKeyId", "principalId", "userName", "userType"}},
	{"resource.instanceDetails.", []string{"iamInstanceProfile.id", "imageId", "instanceId", "outpostArn", "tags.key", "tags.value"}},
	{eni, []string{"ipv6Addresses", "privateIpAddress", "privateIpAddresses.privateIpAddress", "publicDnsName", "publicIp", "securityGroups.groupId", "securityGroups.groupName", "subnetId", "vpcId"}},
	{"resource.s3BucketDetails.", []string{"name", "tags.key", "tags.value", "type", "publicAccess.effectivePermission"}},
	{"resource.rdsDbInstanceDetails.", []string{"dbInstanceIdentifier", "dbClusterIdentifier", "engine", "engineVersion", "dbInstanceArn", "tags.key", "tags.value"}},
	{kube, []string{"kubernetesWorkloadDetails.name", "kubernetesWorkloadDetails.namespace", "kubernetesWorkloadDetails.containers.image", "kubernetesWorkloadDetails.containers.imagePrefix", "kubernetesUserDetails.username"}},
	{"service.", []string{"action.actionType", "resourceRole", "archived", "count", "eventFirstSeen", "eventLastSeen", "detectorId", "userFeedback", "featureName", "malwareScanDetails.threats.name", "evidence.threatIntelligenceDetails.threatListName", "evidence.threatIntelligenceDetails.threatNames"}},
	{"service.action.dnsRequestAction.", []string{"domain", "domainWithSuffix", "protocol", "blocked", "vpcOwnerAccountId"}},
	{api, []string{"api", "callerType", "errorCode", "serviceName", "remoteAccountDetails.accountId", "remoteAccountDetails.affiliated"}},
	{api + remote, remoteDetails},
	{network, []string{"blocked", "connectionDirection", "localPortDetails.port", "protocol", "localIpDetails.ipAddressV4", "localIpDetails.ipAddressV6", "remotePortDetails.port"}},
	{network + remote, remoteDetails},
	{kubeAPI, []string{"namespace", "requestUri", "statusCode", "organization.asn"}},
	{kubeAPI + remote, remoteDetails},
	{"service.action.rdsLoginAttemptAction." + remote, remoteDetails},
	{scan, []string{"scanId", "scanDetections.threatDetectedByName.threatNames.name", "scanDetections.threatDetectedByName.threatNames.severity", "scanDetections.threatDetectedByName.threatNames.filePaths.hash"}},
	{process, []string{"executablePath", "executableSha256", "name"}},
}

const remote = "remoteIpDetails."

var remoteDetails = []string{"city.cityName", "country.countryName", "ipAddressV4", "ipAddressV6", "organization.asn", "organization.asnOrg"}
