package finding

// The types of network traffic, and of where calls come from, that code names.
const (
	CommandAndControl = "Backdoor:EC2/C&CActivity.B"
	FloodDNS          = "Backdoor:EC2/DenialOfService.Dns"
	FloodTCP          = "Backdoor:EC2/DenialOfService.Tcp"
	FloodUDP          = "Backdoor:EC2/DenialOfService.Udp"
	FloodUDPOnTCP     = "Backdoor:EC2/DenialOfService.UdpOnTcpPorts"
	FloodOther        = "Backdoor:EC2/DenialOfService.UnusualProtocol"
	Spambot           = "Backdoor:EC2/Spambot"
	PortUnusual       = "Behavior:EC2/NetworkPortUnusual"
	VolumeUnusual     = "Behavior:EC2/TrafficVolumeUnusual"
	BitcoinTool       = "CryptoCurrency:EC2/BitcoinTool.B"
	UnusualResolver   = "DefenseEvasion:EC2/UnusualDNSResolver"
	UnusualDoH        = "DefenseEvasion:EC2/UnusualDoHActivity"
	UnusualDoT        = "DefenseEvasion:EC2/UnusualDoTActivity"
	PortSweep         = "Impact:EC2/PortSweep"
	WinRMBruteForce   = "Impact:EC2/WinRMBruteForce"
	PortProbed        = "Recon:EC2/PortProbeUnprotectedPort"
	Portscan          = "Recon:EC2/Portscan"
	BlackholeTraffic  = "Trojan:EC2/BlackholeTraffic"
	DropPoint         = "Trojan:EC2/DropPoint"
	MaliciousAddress  = "UnauthorizedAccess:EC2/MaliciousIPCaller.Custom"
	RDPBruteForce     = "UnauthorizedAccess:EC2/RDPBruteForce"
	SSHBruteForce     = "UnauthorizedAccess:EC2/SSHBruteForce"
	TorClient         = "UnauthorizedAccess:EC2/TorClient"
	TorRelay          = "UnauthorizedAccess:EC2/TorRelay"
)
