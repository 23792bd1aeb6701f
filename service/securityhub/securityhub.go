// Package securityhub is AWS Security Hub (CSPM): findings of many products in one format.
//
// Routes is its table of contents. GuardDuty's findings come by the spine
// (guardduty.go), others by BatchImportFindings (import.go); both are merged with
// what is known (merge.go). GetFindings (get.go) selects by the filters of
// filter.go; customers act on findings by BatchUpdateFindings (update.go). Every
// change is told to EventBridge (publish.go).
package securityhub

import (
	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Service serves Security Hub.
type Service struct {
	env      service.Env
	hubs     *store.Table[hub]
	findings *store.Table[kept]
	changes  *store.Table[change]
	format   schema
	updates  schema // of what customers change
}

// New returns Security Hub.
func New(env service.Env) *Service {
	return &Service{
		env:      env,
		format:   asff(),
		updates:  updates(asff()),
		hubs:     store.NewTable[hub](env.Store, "securityhub.hubs"),
		changes:  store.NewTable[change](env.Store, "securityhub.changes"),
		findings: store.NewTable(env.Store, "securityhub.findings", store.Index(byKey, (*kept).keys), store.Index(byID, (*kept).ids), store.Index(byResource, (*kept).resources), store.Index(byState, (*kept).states)),
	}
}

// Routes lists what Security Hub serves.
func (s *Service) Routes() []wire.Route {
	return []wire.Route{
		securityhubapi.EnableSecurityHub.To(s.enableSecurityHub, s.touchNewHub),
		securityhubapi.DisableSecurityHub.To(s.disableSecurityHub, touchHub[*securityhubapi.DisableSecurityHubRequest](s, "DisableSecurityHub")),
		securityhubapi.DescribeHub.To(s.describeHub, touchHub[*securityhubapi.DescribeHubRequest](s, "DescribeHub")),
		securityhubapi.UpdateSecurityHubConfiguration.To(s.updateSecurityHubConfiguration, touchHub[*securityhubapi.UpdateSecurityHubConfigurationRequest](s, "UpdateSecurityHubConfiguration")),

		securityhubapi.BatchImportFindings.To(s.batchImportFindings, touchImport).Itemised("Findings"),
		securityhubapi.GetFindings.To(s.getFindings, touchHub[*securityhubapi.GetFindingsRequest](s, "GetFindings")),
		securityhubapi.BatchUpdateFindings.To(s.batchUpdateFindings, s.touchUpdate),
		securityhubapi.GetFindingHistory.To(s.getFindingHistory, touchHub[*securityhubapi.GetFindingHistoryRequest](s, "GetFindingHistory")),

		securityhubapi.DescribeProducts.To(s.describeProducts, touchHub[*securityhubapi.DescribeProductsRequest](s, "DescribeProducts")),
		securityhubapi.EnableImportFindingsForProduct.To(s.enableImportFindingsForProduct, touchHub[*securityhubapi.EnableImportFindingsForProductRequest](s, "EnableImportFindingsForProduct")),
		securityhubapi.DisableImportFindingsForProduct.To(s.disableImportFindingsForProduct, touchHub[*securityhubapi.DisableImportFindingsForProductRequest](s, "DisableImportFindingsForProduct")),
		securityhubapi.ListEnabledProductsForImport.To(s.listEnabledProductsForImport, touchHub[*securityhubapi.ListEnabledProductsForImportRequest](s, "ListEnabledProductsForImport")),

		securityhubapi.TagResource.To(s.tagResource, s.touchTag),
		securityhubapi.UntagResource.To(s.untagResource, s.touchUntag),
		securityhubapi.ListTagsForResource.To(s.listTagsForResource, s.touchTags),
	}
}

// Consumers reads what GuardDuty tells of its findings.
func (s *Service) Consumers() []service.Consumer {
	return []service.Consumer{{Name: "securityhub-guardduty", Stream: aws.FindingsStream, Handle: s.fromGuardDuty}}
}

// Jobs forgets findings to which nothing happens any more.
func (s *Service) Jobs() []service.Job {
	return []service.Job{{Kind: jobExpire, Run: s.expireDue}}
}
