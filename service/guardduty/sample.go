package guardduty

import (
	"context"
	"net/netip"
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

func sample(typ string, at time.Time) finding.Suspicion {
	threat := finding.Threat{List: "GeneratedFindingThreatListName", Entry: "GeneratedFindingDomainName", Names: []string{"GeneratedFindingThreatName"}}
	if typ == finding.TransferDataEC2 {
		return finding.Suspicion{
			Type: typ, At: at, Actor: true,
			Caller: &finding.Caller{AccessKey: "GeneratedFindingAccessKeyId", ID: "GeneratedFindingPrincipalId", Name: "GeneratedFindingUserName", Type: "IAMUser"},
			API:    &finding.APICall{Service: "ec2.amazonaws.com", Operation: "GeneratedFindingAPIName", Remote: finding.Remote{Address: netip.AddrFrom4([4]byte{198, 51, 100, 0})}},
		}
	}
	return finding.Suspicion{
		Type: typ, At: at,
		Instance: finding.Instance{ID: "i-99999999", VPC: "GeneratedFindingVPCId", Address: netip.AddrFrom4([4]byte{10, 0, 0, 1})},
		DNS:      &finding.DNSRequest{Domain: "GeneratedFindingDomainName", Protocol: "UDP", Blocked: true},
		Threat:   threat,
	}
}
