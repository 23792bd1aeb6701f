package guardduty

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/finding"
)

// createSampleFindings makes findings with invented values, of the types asked
// for or of all that are found here. User Guide, "Sample findings".
func (s *Service) createSampleFindings(ctx context.Context, in *guarddutyapi.CreateSampleFindingsRequest) (*guarddutyapi.CreateSampleFindingsResponse, error) {
	d, err := s.own(ctx, in.DetectorId)
	if err != nil {
		return nil, err
	}
	home, now := s.home(ctx, d), time.Now()
	types := distinct(in.FindingTypes)
	if len(types) == 0 {
		for _, k := range finding.Kinds() {
			types = append(types, k.Type)
		}
	}
	var made []finding.Suspicion
	for _, t := range types {
		if _, ok := finding.KindOf(t); !ok {
			return nil, invalid("findingTypes")
		}
		made = append(made, sample(home, t, now))
	}
	return &guarddutyapi.CreateSampleFindingsResponse{}, s.keep(ctx, d, made, true)
}

// The values that AWS's samples hold are plainly nobody's: addresses are those of
// RFC 5737, numbers those of RFC 5398.
var (
	sampleRemote = finding.Remote{Address: netip.AddrFrom4([4]byte{198, 51, 100, 0}), Port: 80, Country: "ZZ", City: "GeneratedFindingCityName", ASN: 64496, ASOrg: "GeneratedFindingASNOrg"}
	sampleHost   = finding.Instance{
		ID: "i-99999999", VPC: "GeneratedFindingVPCId", Address: netip.AddrFrom4([4]byte{10, 0, 0, 1}), Public: netip.AddrFrom4([4]byte{198, 51, 100, 1}),
		Image: "ami-99999999", Type: "m3.xlarge", Zone: "GeneratedFindingAvailabilityZone", Subnet: "GeneratedFindingSubnetId", Interface: "eni-bfcffe88",
	}
	sampleThreat = finding.Threat{List: "GeneratedFindingThreatListName", Names: []string{"GeneratedFindingThreatName"}}
)

// sample invents a finding of a type, with the sections that its resource has.
func sample(home finding.Home, typ string, at time.Time) finding.Suspicion {
	kind, _ := finding.KindOf(typ)
	out := finding.Suspicion{Type: typ, At: at}
	call := func() {
		out.Caller = &finding.Caller{AccessKey: "GeneratedFindingAccessKeyId", ID: "GeneratedFindingPrincipalId", Name: "GeneratedFindingUserName", Type: "IAMUser", Account: string(home.Account)}
		out.API = &finding.APICall{Service: "GeneratedFindingAPIServiceName", Operation: "GeneratedFindingAPIName", Remote: sampleRemote}
	}
	switch kind.Resource {
	case "AccessKey":
		out.Actor = true
		call()
	case "S3Bucket":
		call()
		out.Buckets = []finding.Bucket{{Name: "bucketName", Account: string(home.Account)}}
	case "EKSCluster":
		out.Kubernetes = &finding.KubernetesDetails{
			Cluster: "GeneratedFindingEKSClusterName", User: "GeneratedFindingUserName", Groups: []string{"GeneratedFindingUserGroup"}, Namespace: "GeneratedFindingKubernetesNamespace",
			Workload: "GeneratedFindingKubernetesWorkloadName", Kind: "pods", ContainerName: "GeneratedFindingContainerName", Images: []string{"GeneratedFindingContainerImage"},
		}
		out.KubeCall = &finding.KubernetesCall{Verb: "GeneratedFindingVerb", URI: "GeneratedFindingRequestURI", Agent: "GeneratedFindingUserAgent", Status: 200, Sources: []finding.Remote{sampleRemote}}
	case "RDSDBInstance":
		out.Database = sampleDatabase(home, typ)
	case "Lambda":
		name := home.ARN()
		name.Service, name.Resource = "lambda", "function:GeneratedFindingLambdaFunctionName"
		out.Function = &finding.Function{Name: "GeneratedFindingLambdaFunctionName", ARN: name.String(), Version: "$LATEST", Role: "GeneratedFindingLambdaFunctionRole", VPC: "GeneratedFindingVPCId"}
		out.Connection, out.Actor = sampleConnection(false), true
	case "AttackSequence":
		sampleSequence(&out, typ, at, call)
	default:
		out.Instance = sampleHost
		sampleTraffic(&out, typ)
	}
	if strings.Contains(typ, "IPCaller") || strings.Contains(typ, "C&C") || strings.Contains(typ, "BitcoinTool") {
		out.Threat = sampleThreat
	}
	return out
}

func sampleConnection(inbound bool) *finding.Connection {
	c := &finding.Connection{Protocol: "TCP", LocalPort: 39677, Local: sampleHost.Address, Interface: sampleHost.Interface, Remote: sampleRemote, Inbound: inbound}
	if inbound {
		c.LocalPort, c.Remote.Port = c.Remote.Port, c.LocalPort
	}
	return c
}

// sampleTraffic fills in what an instance did, or what was done to it.
func sampleTraffic(out *finding.Suspicion, typ string) {
	_, what, _ := strings.Cut(typ, "/")
	switch {
	case strings.HasSuffix(typ, "!DNS") || strings.Contains(what, "Domain") || what == "DNSDataExfiltration" || what == "MetadataDNSRebind":
		out.DNS = &finding.DNSRequest{Domain: "GeneratedFindingDomainName", Protocol: "UDP", Blocked: true}
		out.Threat, out.Threat.Entry = sampleThreat, "GeneratedFindingDomainName"
	case strings.HasPrefix(what, "PortProbe"):
		out.Probe = &finding.PortProbe{Ports: []finding.Connection{*sampleConnection(true)}}
	case strings.HasSuffix(what, "BruteForce") || what == "MaliciousIPCaller.Custom":
		out.Connection = sampleConnection(true)
	default:
		out.Connection, out.Actor = sampleConnection(false), true
	}
}

func sampleDatabase(home finding.Home, typ string) *finding.Database {
	arn := home.ARN()
	arn.Service, arn.Resource = "rds", "db:GeneratedFindingDBInstanceId"
	d := &finding.Database{
		ID: "GeneratedFindingDBInstanceId", Cluster: "GeneratedFindingDBClusterId", ARN: arn.String(), Engine: "GeneratedFindingEngine", Version: "GeneratedFindingEngineVersion",
		User: "GeneratedFindingUserName", Name: "GeneratedFindingDatabaseName", Application: "GeneratedFindingApplicationName", Method: "GeneratedFindingAuthMethod", Remote: sampleRemote,
	}
	if !strings.Contains(typ, "FailedLogin") {
		d.Succeeded = 1
	}
	if !strings.Contains(typ, "SuccessfulLogin") {
		d.Failed = 1
	}
	return d
}

// sampleSequence joins two invented signals about what the sequence is about.
func sampleSequence(out *finding.Suspicion, typ string, at time.Time, call func()) {
	first, second := "CLOUD_TRAIL", "FINDING"
	out.Actor = true
	switch {
	case strings.Contains(typ, ":EC2/"):
		out.Instance, second = sampleHost, "FLOW_LOGS"
	case strings.Contains(typ, ":EKS/"):
		out.Kubernetes = &finding.KubernetesDetails{Cluster: "GeneratedFindingEKSClusterName"}
		second = "EKS_AUDIT_LOGS"
	case strings.Contains(typ, ":S3/"):
		out.Buckets = []finding.Bucket{{Name: "bucketName"}}
		second = "S3_DATA_EVENTS"
	}
	call()
	signal := func(kind string) finding.Signal {
		return finding.Signal{Type: kind, Name: "GeneratedFindingSignalName-" + kind, Tactic: "Discovery", Severity: 5, Count: 1, First: at, Last: at}
	}
	out.Sequence = &finding.Sequence{
		Actors: []string{out.Caller.AccessKey}, Endpoints: []finding.Remote{sampleRemote}, Signals: []finding.Signal{signal(first), signal(second)},
		Indicators: map[string][]string{"ATTACK_TACTIC": {"Discovery"}, "HIGH_RISK_API": {out.API.Operation}},
	}
}
