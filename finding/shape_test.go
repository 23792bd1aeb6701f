package finding

import (
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/wire"
)

// What AWS's own events hold: GuardDuty User Guide, "Processing GuardDuty findings
// with Amazon EventBridge" and the details of each resource and action. Names below a
// list stand below the list's.
const (
	always = `version id detail-type source account time region resources
		detail.accountId detail.arn detail.createdAt detail.description detail.id detail.partition detail.region detail.schemaVersion detail.severity detail.title detail.type detail.updatedAt
		detail.resource.resourceType detail.service.serviceName detail.service.detectorId detail.service.action.actionType detail.service.resourceRole
		detail.service.archived detail.service.count detail.service.eventFirstSeen detail.service.eventLastSeen detail.service.additionalInfo.value detail.service.additionalInfo.type`
	instanceHas = ` detail.resource.instanceDetails.instanceId detail.resource.instanceDetails.instanceType detail.resource.instanceDetails.imageId detail.resource.instanceDetails.availabilityZone
		detail.resource.instanceDetails.networkInterfaces.ipv6Addresses detail.resource.instanceDetails.networkInterfaces.networkInterfaceId detail.resource.instanceDetails.networkInterfaces.privateIpAddress
		detail.resource.instanceDetails.networkInterfaces.privateIpAddresses.privateIpAddress detail.resource.instanceDetails.networkInterfaces.publicIp detail.resource.instanceDetails.networkInterfaces.subnetId
		detail.resource.instanceDetails.networkInterfaces.vpcId`
	keyHas    = ` detail.resource.accessKeyDetails.accessKeyId detail.resource.accessKeyDetails.principalId detail.resource.accessKeyDetails.userName detail.resource.accessKeyDetails.userType`
	remoteHas = ` AT.remoteIpDetails.ipAddressV4 AT.remoteIpDetails.organization.asn AT.remoteIpDetails.organization.asnOrg AT.remoteIpDetails.country.countryCode AT.remoteIpDetails.country.countryName
		AT.remoteIpDetails.city.cityName AT.remoteIpDetails.geoLocation.lat AT.remoteIpDetails.geoLocation.lon`
	threatHas = ` detail.service.evidence.threatIntelligenceDetails.threatListName detail.service.evidence.threatIntelligenceDetails.threatNames`
)

func at(action, names string) string {
	return strings.ReplaceAll(names, "AT", "detail.service.action."+action)
}

// whole are suspicions with all that there can be of their sort.
func whole() map[string]struct {
	Suspicion
	has string
} {
	remote := Remote{Address: netip.MustParseAddr("198.51.100.7"), Port: 443, Country: "DE", City: "Berlin", ASN: 64500, ASOrg: "Example", Latitude: 52.5, Longitude: 13.4}
	host := Instance{ID: "i-0123456789abcdef0", VPC: "vpc-1", Address: netip.MustParseAddr("10.0.0.7"), Image: "ami-1", Type: "m5.large", Zone: "us-east-1a", Subnet: "subnet-1", Interface: "eni-1", Public: netip.MustParseAddr("198.51.100.1")}
	caller := &Caller{AccessKey: "AKIAIOSFODNN7EXAMPLE", ID: "AIDAEXAMPLE", Name: "alice", Type: "IAMUser"}
	threat := Threat{List: "list", Entry: "x", Names: []string{"name"}}
	connection := Connection{Protocol: "TCP", LocalPort: 40000, Local: host.Address, Interface: "eni-1", Remote: remote}
	type one = struct {
		Suspicion
		has string
	}
	return map[string]one{
		"call": {Suspicion{Type: "Recon:IAMUser/MaliciousIPCaller", Caller: caller, Threat: threat, API: &APICall{Service: "iam.amazonaws.com", Operation: "ListUsers", Error: "AccessDenied", Agent: "cli", Remote: remote, OtherAccount: "444455556666", Affected: map[string]string{"AWS::IAM::User": "bob"}}},
			keyHas + threatHas + at("awsApiCallAction", remoteHas+` AT.api AT.serviceName AT.callerType AT.errorCode AT.userAgent AT.affectedResources.AWS::IAM::User AT.remoteAccountDetails.accountId AT.remoteAccountDetails.affiliated`)},
		"connection": {Suspicion{Type: TorClient, Instance: host, Connection: &connection, Threat: threat},
			instanceHas + threatHas + at("networkConnectionAction", remoteHas+` AT.blocked AT.connectionDirection AT.protocol AT.localPortDetails.port AT.localPortDetails.portName AT.localIpDetails.ipAddressV4 AT.localNetworkInterface AT.remotePortDetails.port AT.remotePortDetails.portName`)},
		"probe": {Suspicion{Type: PortProbed, Instance: host, Probe: &PortProbe{Ports: []Connection{connection}}, Threat: threat},
			instanceHas + threatHas + at("portProbeAction", ` AT.blocked`) + at("portProbeAction.portProbeDetails", remoteHas+` AT.localPortDetails.port AT.localPortDetails.portName AT.localIpDetails.ipAddressV4`)},
		"query": {Suspicion{Type: CommandAndControlDNS, Instance: host, DNS: &DNSRequest{Domain: "x.example.com", Protocol: "UDP"}, Threat: threat},
			instanceHas + threatHas + at("dnsRequestAction", ` AT.domain AT.protocol AT.blocked AT.domainWithSuffix AT.vpcOwnerAccountId`)},
		"bucket": {Suspicion{Type: "Discovery:S3/TorIPCaller", Caller: caller, Buckets: []Bucket{{Name: "b", Public: "PUBLIC", Objects: []string{"k"}}}, API: &APICall{Service: "s3.amazonaws.com", Operation: "ListObjects", Remote: remote}},
			keyHas + at("awsApiCallAction", remoteHas+` AT.api AT.serviceName AT.callerType`) + ` detail.resource.s3BucketDetails.arn detail.resource.s3BucketDetails.name detail.resource.s3BucketDetails.type detail.resource.s3BucketDetails.publicAccess.effectivePermission detail.resource.s3BucketDetails.s3ObjectDetails.key`},
		"cluster": {Suspicion{Type: "Discovery:Kubernetes/TorIPCaller", Kubernetes: &KubernetesDetails{Cluster: "c", User: "u", Groups: []string{"g"}, Workload: "w", Namespace: "n", Kind: "pods", Images: []string{"i"}, ContainerName: "x", ServiceAccount: "s"}, KubeCall: &KubernetesCall{Verb: "list", URI: "/api", Resource: "pods", Subresource: "log", Namespace: "n", Name: "w", Agent: "kubectl", Status: 200, Sources: []Remote{remote}}},
			at("kubernetesApiCallAction", remoteHas+` AT.requestUri AT.verb AT.resource AT.subresource AT.namespace AT.resourceName AT.userAgent AT.statusCode AT.sourceIPs`) + ` detail.resource.eksClusterDetails.name detail.resource.kubernetesDetails.kubernetesUserDetails.username detail.resource.kubernetesDetails.kubernetesUserDetails.groups
			detail.resource.kubernetesDetails.kubernetesWorkloadDetails.name detail.resource.kubernetesDetails.kubernetesWorkloadDetails.namespace detail.resource.kubernetesDetails.kubernetesWorkloadDetails.type detail.resource.kubernetesDetails.kubernetesWorkloadDetails.hostNetwork
			detail.resource.kubernetesDetails.kubernetesWorkloadDetails.serviceAccountName detail.resource.kubernetesDetails.kubernetesWorkloadDetails.containers.name detail.resource.kubernetesDetails.kubernetesWorkloadDetails.containers.image detail.resource.kubernetesDetails.kubernetesWorkloadDetails.containers.securityContext.privileged`},
		"database": {Suspicion{Type: "CredentialAccess:RDS/TorIPCaller.FailedLogin", Database: &Database{ID: "d", Cluster: "c", ARN: "arn:aws:rds:us-east-1:111122223333:db:d", Engine: "postgres", Version: "16", User: "u", Name: "n", Application: "psql", Method: "SCRAM", Failed: 3, Remote: remote}},
			at("rdsLoginAttemptAction", remoteHas+` AT.LoginAttributes.user AT.LoginAttributes.application AT.LoginAttributes.failedLoginAttempts AT.LoginAttributes.successfulLoginAttempts`) + ` detail.resource.rdsDbInstanceDetails.dbInstanceIdentifier detail.resource.rdsDbInstanceDetails.dbClusterIdentifier detail.resource.rdsDbInstanceDetails.dbInstanceArn
			detail.resource.rdsDbInstanceDetails.engine detail.resource.rdsDbInstanceDetails.engineVersion detail.resource.rdsDbUserDetails.user detail.resource.rdsDbUserDetails.application detail.resource.rdsDbUserDetails.database detail.resource.rdsDbUserDetails.authMethod`},
		"function": {Suspicion{Type: "UnauthorizedAccess:Lambda/TorClient", Actor: true, Function: &Function{Name: "f", ARN: "arn:aws:lambda:us-east-1:111122223333:function:f", Version: "1", Role: "r", VPC: "vpc-1"}, Connection: &connection},
			at("networkConnectionAction", remoteHas+` AT.blocked AT.connectionDirection AT.protocol AT.localPortDetails.port AT.localPortDetails.portName AT.localIpDetails.ipAddressV4 AT.localNetworkInterface AT.remotePortDetails.port AT.remotePortDetails.portName`) + ` detail.resource.lambdaDetails.functionName detail.resource.lambdaDetails.functionArn detail.resource.lambdaDetails.functionVersion detail.resource.lambdaDetails.role detail.resource.lambdaDetails.vpcConfig.vpcId`},
	}
}

func TestEventsAreSpelledAsGuardDutyDoes(t *testing.T) {
	for name, one := range whole() {
		one.At = noon
		f := Open(home, one.Suspicion, noon)
		e, err := f.Published(home.Account, noon)
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(e.Data, &doc); err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		paths(doc, "", got)
		delete(got, "detail.service.featureName") // newer than the examples
		want := strings.Fields(always + " " + one.has)
		slices.Sort(want)
		if all := slices.Sorted(maps.Keys(got)); !slices.Equal(all, want) {
			for _, p := range all {
				if !slices.Contains(want, p) {
					t.Errorf("%s has %s, which AWS does not", name, p)
				}
			}
			for _, p := range want {
				if !got[p] {
					t.Errorf("%s lacks %s", name, p)
				}
			}
		}
		// Security Hub takes each of them.
		own := ownASFF(f)
		b, err := encodeASFF(ASFF(f.GuardDuty()), own)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wire.DecodeJSONDocument(&securityhubapi.BatchImportFindings, b); err != nil {
			t.Errorf("%s: Security Hub would refuse it: %v", name, err)
		}
		for field := range own.ProductFields {
			if strings.HasPrefix(field, "aws/") {
				t.Errorf("%s: an account's own finding has %s", name, field)
			}
		}
		if r := ASFF(f.GuardDuty()).Resources[0]; r.Type == "AwsAccount" || r.Id == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// paths collects where values stand in a document.
func paths(at any, path string, into map[string]bool) {
	switch v := at.(type) {
	case map[string]any:
		for name, x := range v {
			paths(x, strings.TrimPrefix(path+"."+name, "."), into)
		}
	case []any:
		for _, x := range v {
			paths(x, path, into)
		}
		if len(v) == 0 {
			into[path] = true
		}
	default:
		into[path] = true
	}
}

func TestWhatIsUnusualIsTold(t *testing.T) {
	f := Open(home, Suspicion{Type: "Discovery:IAMUser/AnomalousBehavior", At: noon, Caller: &Caller{AccessKey: "AKIAIOSFODNN7EXAMPLE", Name: "alice"}, API: &APICall{Service: "ec2.amazonaws.com", Operation: "DescribeInstances"},
		Unusual: []Unusual{{Feature: "api", Value: "DescribeInstances", Of: "principal", Total: 90, Score: 1}, {Feature: "network", Value: "64500", Of: "account", Seen: 2, Total: 900, Score: 0.9}}}, noon)
	g := f.GuardDuty()
	var info struct {
		UnusualBehavior map[string]string
		Anomalies       struct {
			AnomalousAPIs string
			Features      []Unusual
		}
	}
	if err := json.Unmarshal([]byte(*g.Service.AdditionalInfo.Value), &info); err != nil {
		t.Fatal(err)
	}
	if info.UnusualBehavior["unusualAPIsUserIdentityProfiling"] != "DescribeInstances" || info.UnusualBehavior["unusualASNsAccountProfiling"] != "64500" || info.Anomalies.AnomalousAPIs != "ec2.amazonaws.com:[DescribeInstances:success]" || len(info.Anomalies.Features) != 2 {
		t.Errorf("%s", *g.Service.AdditionalInfo.Value)
	}
	b := g.Service.Detection.Anomaly.Unusual.Behavior
	if *b["principal"]["api"].ProfileSubtype != "UNSEEN" || *b["account"]["network"].ProfileSubtype != "RARE" {
		t.Errorf("%+v", b)
	}
}

func TestSequencesAreShown(t *testing.T) {
	f := Open(home, Suspicion{Type: "AttackSequence:IAM/CompromisedCredentials", At: noon, Caller: &Caller{AccessKey: "AKIAIOSFODNN7EXAMPLE", ID: "AIDAEXAMPLE", Name: "alice", Type: "IAMUser", Account: "111122223333"}, Sequence: &Sequence{
		Actors: []string{"AKIAIOSFODNN7EXAMPLE"}, Endpoints: []Remote{{Address: netip.MustParseAddr("198.51.100.7"), ASN: 64500, ASOrg: "x", Country: "DE"}},
		Signals:    []Signal{{Type: "CLOUD_TRAIL", Name: "ListUsers", Tactic: "Discovery", Severity: 2, Count: 3, First: noon, Last: noon.Add(time.Minute)}},
		Indicators: map[string][]string{"HIGH_RISK_API": {"iam:ListUsers"}, "ATTACK_TACTIC": {"Discovery"}},
	}}, noon)
	b, err := Encode(f.GuardDuty())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "sequence.json", b)
}
