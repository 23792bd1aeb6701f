// Package guardduty is Amazon GuardDuty: detectors, threat lists, and findings about what the resolver saw.
//
// Routes is its table of contents. DNS queries come by the spine: consume.go
// applies the rules of detect to them and keeps findings; publish.go tells others.
package guardduty

import (
	"context"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/detect"
	"sumun.dev/detect/intel"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Service serves GuardDuty.
type Service struct {
	env       service.Env
	detectors *store.Table[detector]
	findings  *store.Table[kept]
	rules     []detect.DNSRule
	book      *intel.Book
	counts    counts
}

// New returns GuardDuty.
func New(env service.Env) *Service {
	return &Service{
		env:       env,
		detectors: store.NewTable[detector](env.Store, "guardduty.detectors"),
		findings:  store.NewTable[kept](env.Store, "guardduty.findings"),
		rules:     detect.DNSRules(),
		book:      intel.NewBook(intel.Builtin()...),
	}
}

// Routes lists what GuardDuty serves.
func (s *Service) Routes() []wire.Route {
	return []wire.Route{
		guarddutyapi.CreateDetector.To(s.createDetector, touchNewDetector),
		guarddutyapi.GetDetector.To(s.getDetector, touchDetector(s, "guardduty:GetDetector", func(in *guarddutyapi.GetDetectorRequest) string { return in.DetectorId })),
		guarddutyapi.ListDetectors.To(s.listDetectors, touchAll[*guarddutyapi.ListDetectorsRequest]("guardduty:ListDetectors")),
		guarddutyapi.UpdateDetector.To(s.updateDetector, touchDetector(s, "guardduty:UpdateDetector", func(in *guarddutyapi.UpdateDetectorRequest) string { return in.DetectorId })),
		guarddutyapi.DeleteDetector.To(s.deleteDetector, touchDetector(s, "guardduty:DeleteDetector", func(in *guarddutyapi.DeleteDetectorRequest) string { return in.DetectorId })),

		guarddutyapi.ListFindings.To(s.listFindings, touchDetector(s, "guardduty:ListFindings", func(in *guarddutyapi.ListFindingsRequest) string { return in.DetectorId })),
		guarddutyapi.GetFindings.To(s.getFindings, touchDetector(s, "guardduty:GetFindings", func(in *guarddutyapi.GetFindingsRequest) string { return in.DetectorId })),
		guarddutyapi.ArchiveFindings.To(s.archiveFindings, touchDetector(s, "guardduty:ArchiveFindings", func(in *guarddutyapi.ArchiveFindingsRequest) string { return in.DetectorId })),
		guarddutyapi.UnarchiveFindings.To(s.unarchiveFindings, touchDetector(s, "guardduty:UnarchiveFindings", func(in *guarddutyapi.UnarchiveFindingsRequest) string { return in.DetectorId })),
		guarddutyapi.UpdateFindingsFeedback.To(s.updateFindingsFeedback, touchDetector(s, "guardduty:UpdateFindingsFeedback", func(in *guarddutyapi.UpdateFindingsFeedbackRequest) string { return in.DetectorId })),
	}
}

// Consumers lists what GuardDuty reads: the query log of all resolvers.
func (s *Service) Consumers() []service.Consumer {
	return []service.Consumer{{Name: "guardduty-dns", Stream: aws.DNSStream, Handle: s.queries, MaxBatch: 1024}}
}

// Jobs lists what GuardDuty does later.
func (s *Service) Jobs() []service.Job {
	return []service.Job{
		{Kind: jobPublish, Run: s.publishDue},
		{Kind: jobExpire, Run: s.expireDue},
	}
}

// Start has nothing to build yet.
func (s *Service) Start(context.Context) error { return nil }
