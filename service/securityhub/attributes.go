package securityhub

import "sumun.dev/api/securityhubapi"

// An attribute is what findings are filtered and sorted by. The names are those of
// AwsSecurityFindingFilters.
type attribute struct {
	name string
	path string // where it stands in a finding; nothing: anywhere
	of   func(*securityhubapi.AwsSecurityFindingFilters) condition
}

var attributes = [...]attribute{
	{"ProductArn", "ProductArn", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ProductArn) }},
	{"AwsAccountId", "AwsAccountId", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.AwsAccountId) }},
	{"Id", "Id", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.Id) }},
	{"GeneratorId", "GeneratorId", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.GeneratorId) }},
	{"Region", "Region", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.Region) }},
	{"Type", "Types", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.Type) }},
	{"FirstObservedAt", "FirstObservedAt", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return dates(f.FirstObservedAt) }},
	{"LastObservedAt", "LastObservedAt", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return dates(f.LastObservedAt) }},
	{"CreatedAt", "CreatedAt", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return dates(f.CreatedAt) }},
	{"UpdatedAt", "UpdatedAt", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return dates(f.UpdatedAt) }},
	{"SeverityProduct", "Severity.Product", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return numbers(f.SeverityProduct) }},
	{"SeverityNormalized", "Severity.Normalized", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return numbers(f.SeverityNormalized) }},
	{"SeverityLabel", "Severity.Label", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.SeverityLabel) }},
	{"Confidence", "Confidence", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return numbers(f.Confidence) }},
	{"Criticality", "Criticality", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return numbers(f.Criticality) }},
	{"Title", "Title", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.Title) }},
	{"Description", "Description", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.Description) }},
	{"RecommendationText", "Remediation.Recommendation.Text", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.RecommendationText) }},
	{"SourceUrl", "SourceUrl", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.SourceUrl) }},
	{"ProductFields", "ProductFields", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return entries(f.ProductFields) }},
	{"ProductName", "ProductName", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ProductName) }},
	{"CompanyName", "CompanyName", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.CompanyName) }},
	{"UserDefinedFields", "UserDefinedFields", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return entries(f.UserDefinedFields) }},
	{"MalwareName", "Malware.Name", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.MalwareName) }},
	{"MalwareType", "Malware.Type", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.MalwareType) }},
	{"MalwarePath", "Malware.Path", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.MalwarePath) }},
	{"MalwareState", "Malware.State", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.MalwareState) }},
	{"NetworkDirection", "Network.Direction", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.NetworkDirection) }},
	{"NetworkProtocol", "Network.Protocol", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.NetworkProtocol) }},
	{"NetworkSourceIpV4", "Network.SourceIpV4", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return addresses(f.NetworkSourceIpV4) }},
	{"NetworkSourceIpV6", "Network.SourceIpV6", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return addresses(f.NetworkSourceIpV6) }},
	{"NetworkSourcePort", "Network.SourcePort", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return numbers(f.NetworkSourcePort) }},
	{"NetworkSourceDomain", "Network.SourceDomain", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.NetworkSourceDomain) }},
	{"NetworkSourceMac", "Network.SourceMac", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.NetworkSourceMac) }},
	{"NetworkDestinationIpV4", "Network.DestinationIpV4", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return addresses(f.NetworkDestinationIpV4)
	}},
	{"NetworkDestinationIpV6", "Network.DestinationIpV6", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return addresses(f.NetworkDestinationIpV6)
	}},
	{"NetworkDestinationPort", "Network.DestinationPort", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return numbers(f.NetworkDestinationPort) }},
	{"NetworkDestinationDomain", "Network.DestinationDomain", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.NetworkDestinationDomain) }},
	{"ProcessName", "Process.Name", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ProcessName) }},
	{"ProcessPath", "Process.Path", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ProcessPath) }},
	{"ProcessPid", "Process.Pid", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return numbers(f.ProcessPid) }},
	{"ProcessParentPid", "Process.ParentPid", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return numbers(f.ProcessParentPid) }},
	{"ProcessLaunchedAt", "Process.LaunchedAt", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return dates(f.ProcessLaunchedAt) }},
	{"ProcessTerminatedAt", "Process.TerminatedAt", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return dates(f.ProcessTerminatedAt) }},
	{"ThreatIntelIndicatorType", "ThreatIntelIndicators.Type", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ThreatIntelIndicatorType) }},
	{"ThreatIntelIndicatorValue", "ThreatIntelIndicators.Value", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ThreatIntelIndicatorValue) }},
	{"ThreatIntelIndicatorCategory", "ThreatIntelIndicators.Category", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ThreatIntelIndicatorCategory)
	}},
	{"ThreatIntelIndicatorLastObservedAt", "ThreatIntelIndicators.LastObservedAt", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return dates(f.ThreatIntelIndicatorLastObservedAt)
	}},
	{"ThreatIntelIndicatorSource", "ThreatIntelIndicators.Source", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ThreatIntelIndicatorSource)
	}},
	{"ThreatIntelIndicatorSourceUrl", "ThreatIntelIndicators.SourceUrl", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ThreatIntelIndicatorSourceUrl)
	}},
	{"ResourceType", "Resources.Type", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ResourceType) }},
	{"ResourceId", "Resources.Id", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ResourceId) }},
	{"ResourcePartition", "Resources.Partition", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ResourcePartition) }},
	{"ResourceRegion", "Resources.Region", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ResourceRegion) }},
	{"ResourceTags", "Resources.Tags", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return entries(f.ResourceTags) }},
	{"ResourceAwsEc2InstanceType", "Resources.Details.AwsEc2Instance.Type", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ResourceAwsEc2InstanceType)
	}},
	{"ResourceAwsEc2InstanceImageId", "Resources.Details.AwsEc2Instance.ImageId", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ResourceAwsEc2InstanceImageId)
	}},
	{"ResourceAwsEc2InstanceIpV4Addresses", "Resources.Details.AwsEc2Instance.IpV4Addresses", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return addresses(f.ResourceAwsEc2InstanceIpV4Addresses)
	}},
	{"ResourceAwsEc2InstanceIpV6Addresses", "Resources.Details.AwsEc2Instance.IpV6Addresses", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return addresses(f.ResourceAwsEc2InstanceIpV6Addresses)
	}},
	{"ResourceAwsEc2InstanceKeyName", "Resources.Details.AwsEc2Instance.KeyName", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ResourceAwsEc2InstanceKeyName)
	}},
	{"ResourceAwsEc2InstanceIamInstanceProfileArn", "Resources.Details.AwsEc2Instance.IamInstanceProfileArn", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ResourceAwsEc2InstanceIamInstanceProfileArn)
	}},
	{"ResourceAwsEc2InstanceVpcId", "Resources.Details.AwsEc2Instance.VpcId", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ResourceAwsEc2InstanceVpcId)
	}},
	{"ResourceAwsEc2InstanceSubnetId", "Resources.Details.AwsEc2Instance.SubnetId", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ResourceAwsEc2InstanceSubnetId)
	}},
	{"ResourceAwsEc2InstanceLaunchedAt", "Resources.Details.AwsEc2Instance.LaunchedAt", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return dates(f.ResourceAwsEc2InstanceLaunchedAt)
	}},
	{"ResourceAwsS3BucketOwnerId", "Resources.Details.AwsS3Bucket.OwnerId", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ResourceAwsS3BucketOwnerId)
	}},
	{"ResourceAwsS3BucketOwnerName", "Resources.Details.AwsS3Bucket.OwnerName", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ResourceAwsS3BucketOwnerName)
	}},
	{"ResourceAwsIamAccessKeyUserName", "Resources.Details.AwsIamAccessKey.UserName", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ResourceAwsIamAccessKeyUserName)
	}},
	{"ResourceAwsIamAccessKeyPrincipalName", "Resources.Details.AwsIamAccessKey.PrincipalName", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ResourceAwsIamAccessKeyPrincipalName)
	}},
	{"ResourceAwsIamAccessKeyStatus", "Resources.Details.AwsIamAccessKey.Status", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ResourceAwsIamAccessKeyStatus)
	}},
	{"ResourceAwsIamAccessKeyCreatedAt", "Resources.Details.AwsIamAccessKey.CreatedAt", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return dates(f.ResourceAwsIamAccessKeyCreatedAt)
	}},
	{"ResourceAwsIamUserUserName", "Resources.Details.AwsIamUser.UserName", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ResourceAwsIamUserUserName)
	}},
	{"ResourceContainerName", "Resources.Details.Container.Name", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ResourceContainerName) }},
	{"ResourceContainerImageId", "Resources.Details.Container.ImageId", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ResourceContainerImageId) }},
	{"ResourceContainerImageName", "Resources.Details.Container.ImageName", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ResourceContainerImageName)
	}},
	{"ResourceContainerLaunchedAt", "Resources.Details.Container.LaunchedAt", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return dates(f.ResourceContainerLaunchedAt)
	}},
	{"ResourceDetailsOther", "Resources.Details.Other", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return entries(f.ResourceDetailsOther) }},
	{"ComplianceStatus", "Compliance.Status", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ComplianceStatus) }},
	{"VerificationState", "VerificationState", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.VerificationState) }},
	{"WorkflowState", "WorkflowState", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.WorkflowState) }},
	{"WorkflowStatus", "Workflow.Status", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.WorkflowStatus) }},
	{"RecordState", "RecordState", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.RecordState) }},
	{"RelatedFindingsProductArn", "RelatedFindings.ProductArn", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.RelatedFindingsProductArn) }},
	{"RelatedFindingsId", "RelatedFindings.Id", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.RelatedFindingsId) }},
	{"NoteText", "Note.Text", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.NoteText) }},
	{"NoteUpdatedAt", "Note.UpdatedAt", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return dates(f.NoteUpdatedAt) }},
	{"NoteUpdatedBy", "Note.UpdatedBy", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.NoteUpdatedBy) }},
	{"Keyword", "", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return keywords(f.Keyword) }},
	{"FindingProviderFieldsConfidence", "FindingProviderFields.Confidence", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return numbers(f.FindingProviderFieldsConfidence)
	}},
	{"FindingProviderFieldsCriticality", "FindingProviderFields.Criticality", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return numbers(f.FindingProviderFieldsCriticality)
	}},
	{"FindingProviderFieldsRelatedFindingsId", "FindingProviderFields.RelatedFindings.Id", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.FindingProviderFieldsRelatedFindingsId)
	}},
	{"FindingProviderFieldsRelatedFindingsProductArn", "FindingProviderFields.RelatedFindings.ProductArn", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.FindingProviderFieldsRelatedFindingsProductArn)
	}},
	{"FindingProviderFieldsSeverityLabel", "FindingProviderFields.Severity.Label", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.FindingProviderFieldsSeverityLabel)
	}},
	{"FindingProviderFieldsSeverityOriginal", "FindingProviderFields.Severity.Original", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.FindingProviderFieldsSeverityOriginal)
	}},
	{"FindingProviderFieldsTypes", "FindingProviderFields.Types", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.FindingProviderFieldsTypes)
	}},
	{"Sample", "Sample", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return booleans(f.Sample) }},
	{"ComplianceSecurityControlId", "Compliance.SecurityControlId", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ComplianceSecurityControlId)
	}},
	{"ComplianceAssociatedStandardsId", "Compliance.AssociatedStandards.StandardsId", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ComplianceAssociatedStandardsId)
	}},
	{"VulnerabilitiesExploitAvailable", "Vulnerabilities.ExploitAvailable", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.VulnerabilitiesExploitAvailable)
	}},
	{"VulnerabilitiesFixAvailable", "Vulnerabilities.FixAvailable", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.VulnerabilitiesFixAvailable)
	}},
	{"ComplianceSecurityControlParametersName", "Compliance.SecurityControlParameters.Name", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ComplianceSecurityControlParametersName)
	}},
	{"ComplianceSecurityControlParametersValue", "Compliance.SecurityControlParameters.Value", func(f *securityhubapi.AwsSecurityFindingFilters) condition {
		return texts(f.ComplianceSecurityControlParametersValue)
	}},
	{"AwsAccountName", "AwsAccountName", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.AwsAccountName) }},
	{"ResourceApplicationName", "Resources.ApplicationName", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ResourceApplicationName) }},
	{"ResourceApplicationArn", "Resources.ApplicationArn", func(f *securityhubapi.AwsSecurityFindingFilters) condition { return texts(f.ResourceApplicationArn) }},
}
