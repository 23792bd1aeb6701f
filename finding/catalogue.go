package finding

import "strings"

// A Kind is what is the same for all findings of a type: GuardDuty User Guide,
// "GuardDuty finding types".
type Kind struct {
	Type     string
	Severity float64 // 1 to 10; a suspicion may say another where the type's varies
	Resource string  // of GuardDuty's resource.resourceType

	// Title and Description hold {instance}, {domain}, {list}, {principal}, {api},
	// {bucket}, {cluster}, {remote} and {port}.
	Title, Description string
	Custom             bool // the threat is on the customer's own list
}

// The values of Kind.Resource.
const (
	onInstance  = "Instance"
	onAccessKey = "AccessKey"
	onBucket    = "S3Bucket"
	onCluster   = "EKSCluster"
	onDatabase  = "RDSDBInstance"
	onFunction  = "Lambda"
	onSequence  = "AttackSequence"
)

// The types that code names.
const (
	CommandAndControlDNS = "Backdoor:EC2/C&CActivity.B!DNS"
	BitcoinToolDNS       = "CryptoCurrency:EC2/BitcoinTool.B!DNS"
	MaliciousDomain      = "Impact:EC2/MaliciousDomainRequest.Custom"
	BlackholeTrafficDNS  = "Trojan:EC2/BlackholeTraffic!DNS"
	AbusedDomain         = "Impact:EC2/AbusedDomainRequest.Reputation"
	BitcoinDomain        = "Impact:EC2/BitcoinDomainRequest.Reputation"
	DGADomain            = "Trojan:EC2/DGADomainRequest.B"
	DGADomainDNS         = "Trojan:EC2/DGADomainRequest.C!DNS"
	DNSDataExfiltration  = "Trojan:EC2/DNSDataExfiltration"
	DriveByDNS           = "Trojan:EC2/DriveBySourceTraffic!DNS"
	DropPointDNS         = "Trojan:EC2/DropPoint!DNS"
	MaliciousReputation  = "Impact:EC2/MaliciousDomainRequest.Reputation"
	MetadataRebind       = "UnauthorizedAccess:EC2/MetadataDNSRebind"
	PhishingDNS          = "Trojan:EC2/PhishingDomainRequest!DNS"
	SuspiciousDomain     = "Impact:EC2/SuspiciousDomainRequest.Reputation"
)

// low, medium, high and critical are the numbers that GuardDuty gives where the
// documentation names only the word.
const (
	low, medium, high, critical = 2, 5, 8, 9
)

// Kinds lists all types, those of one purpose together.
func Kinds() []Kind { return kinds[:] }

// KindOf returns what is known of a type.
func KindOf(typ string) (Kind, bool) {
	for i := range kinds {
		if kinds[i].Type == typ {
			return kinds[i], true
		}
	}
	return Kind{}, false
}

// purposes are the namespace and category that Security Hub gives each threat
// purpose. Security Hub User Guide, "Types taxonomy for ASFF".
var purposes = map[string]string{
	"AttackSequence": "TTPs", "Backdoor": "TTPs/Command and Control", "Behavior": "Unusual Behaviors/VM",
	"CredentialAccess": "TTPs/Credential Access", "CryptoCurrency": "TTPs/Command and Control",
	"DefenseEvasion": "TTPs/Defense Evasion", "DefenseImpairment": "TTPs/Defense Evasion", "Discovery": "TTPs/Discovery",
	"Execution": "TTPs/Execution", "Exfiltration": "TTPs/Exfiltration", "Impact": "TTPs/Impact",
	"InitialAccess": "TTPs/Initial Access", "LateralMovement": "TTPs/Lateral Movement", "PenTest": "TTPs/Discovery",
	"Persistence": "TTPs/Persistence", "Policy": "TTPs/Defense Evasion", "PrivilegeEscalation": "TTPs/Privilege Escalation",
	"Recon": "TTPs/Discovery", "ResourceDevelopment": "TTPs/Initial Access", "Stealth": "TTPs/Defense Evasion",
	"Trojan": "TTPs/Command and Control", "UnauthorizedAccess": "TTPs/Initial Access",
}

// asffType names a finding type within ASFF's taxonomy, where a hyphen stands
// for the slash.
func asffType(typ string) string {
	purpose, _, _ := strings.Cut(typ, ":")
	at, ok := purposes[purpose]
	if !ok {
		at = "TTPs"
	}
	if strings.Contains(typ, "DNSDataExfiltration") {
		at = "Effects/Data Exfiltration"
	}
	return at + "/" + strings.ReplaceAll(typ, "/", "-")
}
