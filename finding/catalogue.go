package finding

// A Kind is what is the same for all findings of a type: GuardDuty User Guide,
// "GuardDuty EC2 finding types", and Security Hub's name for it.
type Kind struct {
	Type     string
	Severity float64 // 1 to 10
	Types    []string

	// Title and Description hold {instance}, {domain} and {list}.
	Title, Description string
	Custom             bool // the threat is on the customer's own list
}

// The types that are found.
const (
	CommandAndControlDNS = "Backdoor:EC2/C&CActivity.B!DNS"
	BitcoinToolDNS       = "CryptoCurrency:EC2/BitcoinTool.B!DNS"
	MaliciousDomain      = "Impact:EC2/MaliciousDomainRequest.Custom"
	BlackholeTrafficDNS  = "Trojan:EC2/BlackholeTraffic!DNS"

	TransferDataEC2 = "Exfiltration:EC2/TransferDataToCloudAccount"
)

// Kinds lists all types, in alphabetical order.
func Kinds() []Kind {
	return []Kind{
		{
			Type: CommandAndControlDNS, Severity: 8, Types: []string{"TTPs/Command and Control/Backdoor:EC2-C&CActivity.B!DNS"},
			Title:       "Command and Control server domain name queried by EC2 instance {instance}.",
			Description: "EC2 instance {instance} is querying a domain name associated with a known Command & Control server.",
		},
		{
			Type: BitcoinToolDNS, Severity: 8, Types: []string{"TTPs/Command and Control/CryptoCurrency:EC2-BitcoinTool.B!DNS"},
			Title:       "Bitcoin-related domain name queried by EC2 instance {instance}.",
			Description: "EC2 instance {instance} is querying a domain name that is associated with Bitcoin-related activity.",
		},
		{
			Type: TransferDataEC2, Severity: 8, Types: []string{"TTPs/Exfiltration/Exfiltration:EC2-TransferDataToCloudAccount"},
			Title:       "{principal} gave another account access to the data of an image or a snapshot.",
			Description: "{principal} called {api} so that another account can use an image or a snapshot, and read what is on it.",
		},
		{
			Type: MaliciousDomain, Severity: 5, Types: []string{"TTPs/Impact/Impact:EC2-MaliciousDomainRequest.Custom"}, Custom: true,
			Title:       "A domain name on a custom threat list was queried by EC2 instance {instance}.",
			Description: "EC2 instance {instance} is querying a domain name that is on the custom threat list {list}.",
		},
		{
			Type: BlackholeTrafficDNS, Severity: 5, Types: []string{"TTPs/Command and Control/Trojan:EC2-BlackholeTraffic!DNS"},
			Title:       "Blackholed domain name queried by EC2 instance {instance}.",
			Description: "EC2 instance {instance} is querying a domain name that is being redirected to a black hole IP address.",
		},
	}
}

// KindOf returns what is known of a type.
func KindOf(typ string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Type == typ {
			return k, true
		}
	}
	return Kind{}, false
}
