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
		made = append(made, sample(t, time.Now()))
	}
	return &guarddutyapi.CreateSampleFindingsResponse{}, s.keep(ctx, d, made, true)
}

// sample invents a finding of a type, with the sections that its resource has.
func sample(typ string, at time.Time) finding.Suspicion {
	kind, _ := finding.KindOf(typ)
	caller := &finding.Caller{AccessKey: "GeneratedFindingAccessKeyId", ID: "GeneratedFindingPrincipalId", Name: "GeneratedFindingUserName", Type: "IAMUser", Account: "111122223333"}
	remote := finding.Remote{Address: netip.AddrFrom4([4]byte{198, 51, 100, 0}), Port: 80, Country: "ZZ", City: "GeneratedFindingCityName", ASN: 64496, ASOrg: "GeneratedFindingASNOrg"}
	call := &finding.APICall{Service: "GeneratedFindingAPIServiceName", Operation: "GeneratedFindingAPIName", Remote: remote}
	out := finding.Suspicion{Type: typ, At: at}
	switch kind.Resource {
	case "AccessKey", "AttackSequence":
		out.Actor, out.Caller, out.API = true, caller, call
	case "S3Bucket":
		out.Caller, out.API = caller, call
		out.Buckets = []finding.Bucket{{Name: "bucketName", Account: "111122223333"}}
	case "EKSCluster":
		out.Kubernetes = &finding.KubernetesDetails{Cluster: "GeneratedFindingEKSClusterName", User: "GeneratedFindingUserName", Namespace: "GeneratedFindingKubernetesNamespace", Workload: "GeneratedFindingKubernetesWorkloadName"}
		out.KubeCall = &finding.KubernetesCall{Verb: "GeneratedFindingVerb", URI: "GeneratedFindingRequestURI", Status: 200, Sources: []finding.Remote{remote}}
	default:
		out.Instance = finding.Instance{ID: "i-99999999", VPC: "GeneratedFindingVPCId", Address: netip.AddrFrom4([4]byte{10, 0, 0, 1})}
		if strings.HasSuffix(typ, "!DNS") || strings.Contains(typ, "Domain") || strings.Contains(typ, "DNSDataExfiltration") || strings.Contains(typ, "Rebind") {
			out.DNS = &finding.DNSRequest{Domain: "GeneratedFindingDomainName", Protocol: "UDP", Blocked: true}
			out.Threat = finding.Threat{List: "GeneratedFindingThreatListName", Entry: "GeneratedFindingDomainName", Names: []string{"GeneratedFindingThreatName"}}
			break
		}
		out.Connection = &finding.Connection{Protocol: "TCP", LocalPort: 39677, Local: out.Instance.Address, Interface: "eni-bfcffe88", Remote: remote}
	}
	return out
}
