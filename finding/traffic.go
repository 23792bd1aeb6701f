package finding

import (
	"net/netip"

	"sumun.dev/api/guarddutyapi"
)

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

// action shows a connection as GuardDuty does.
func (c *Connection) action() *guarddutyapi.NetworkConnectionAction {
	a := &guarddutyapi.NetworkConnectionAction{
		Blocked: &c.Blocked, ConnectionDirection: new("OUTBOUND"), Protocol: optional(c.Protocol),
		LocalPortDetails: &guarddutyapi.LocalPortDetails{Port: new(int32(c.LocalPort)), PortName: new(portName(c.LocalPort))},
		LocalIpDetails:   local(c.Local), LocalNetworkInterface: optional(c.Interface), RemoteIpDetails: c.Remote.details(),
		RemotePortDetails: &guarddutyapi.RemotePortDetails{Port: new(int32(c.Remote.Port)), PortName: new(portName(c.Remote.Port))},
	}
	switch {
	case c.Unknown:
		a.ConnectionDirection = new("UNKNOWN")
	case c.Inbound:
		a.ConnectionDirection = new("INBOUND")
	}
	return a
}

func (p *PortProbe) action() *guarddutyapi.PortProbeAction {
	a := &guarddutyapi.PortProbeAction{Blocked: &p.Blocked}
	for i := range p.Ports {
		c := &p.Ports[i]
		a.PortProbeDetails = append(a.PortProbeDetails, guarddutyapi.PortProbeDetail{
			LocalPortDetails: &guarddutyapi.LocalPortDetails{Port: new(int32(c.LocalPort)), PortName: new(portName(c.LocalPort))},
			LocalIpDetails:   local(c.Local), RemoteIpDetails: c.Remote.details(),
		})
	}
	return a
}

func local(a netip.Addr) *guarddutyapi.LocalIpDetails {
	if a.Is4() {
		return &guarddutyapi.LocalIpDetails{IpAddressV4: new(a.String())}
	}
	return &guarddutyapi.LocalIpDetails{IpAddressV6: new(a.String())}
}

// portName names the service that a port is for; GuardDuty says Unknown of most.
func portName(port uint16) string {
	switch port {
	case 20, 21:
		return "FTP"
	case 22:
		return "SSH"
	case 23:
		return "Telnet"
	case 25:
		return "SMTP"
	case 53:
		return "DNS"
	case 80:
		return "HTTP"
	case 123:
		return "NTP"
	case 389:
		return "LDAP"
	case 443:
		return "HTTPS"
	case 445:
		return "SMB"
	case 3306:
		return "MySQL"
	case 3389:
		return "RDP"
	case 5432:
		return "PostgreSQL"
	case 5985, 5986:
		return "WinRM"
	case 6379:
		return "Redis"
	case 9200, 9300:
		return "Elasticsearch"
	}
	return "Unknown"
}
