package guardduty

import (
	"context"
	"math"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
)

// trial is how long what is used for the first time costs nothing. GuardDuty User
// Guide, "Using GuardDuty 30-day free trial".
const trial = 30 * 24 * time.Hour

func (s *Service) getRemainingFreeTrialDays(ctx context.Context, in *guarddutyapi.GetRemainingFreeTrialDaysRequest) (*guarddutyapi.GetRemainingFreeTrialDaysResponse, error) {
	own, err := s.own(ctx, in.DetectorId)
	if err != nil {
		return nil, err
	}
	out := &guarddutyapi.GetRemainingFreeTrialDaysResponse{Accounts: []guarddutyapi.AccountFreeTrialInfo{}}
	out.UnprocessedAccounts, err = each(in.AccountIds, func(id aws.Account) (string, error) {
		d := own
		if id != aws.CallOf(ctx).Account {
			var err error
			if _, d, _, err = s.detectorOf(ctx, id); err != nil || d == nil {
				return notAssociated, err
			}
		}
		out.Accounts = append(out.Accounts, d.trials(id, time.Now()))
		return "", nil
	})
	return out, err
}

// trials tells the days that remain of what the detector has, or has had, on.
func (d *detector) trials(account aws.Account, now time.Time) guarddutyapi.AccountFreeTrialInfo {
	days := func(name string) *int32 {
		since := d.Features[name].First
		switch {
		case foundational(name):
			since = d.Created
		case name == "EC2_RUNTIME_MONITORING" || name == "FARGATE_RUNTIME_MONITORING":
			since = d.Features["RUNTIME_MONITORING"].First
		}
		if since.IsZero() {
			return nil // the trial has not begun
		}
		return new(int32(math.Ceil(max(0, trial-now.Sub(since)).Hours() / 24)))
	}
	source := func(name string) *guarddutyapi.DataSourceFreeTrial {
		n := days(name)
		if n == nil {
			return nil
		}
		return &guarddutyapi.DataSourceFreeTrial{FreeTrialDaysRemaining: n}
	}
	out := guarddutyapi.AccountFreeTrialInfo{AccountId: new(string(account)), Features: []guarddutyapi.FreeTrialFeatureConfigurationResult{}, DataSources: &guarddutyapi.DataSourcesFreeTrial{
		CloudTrail: source("CLOUD_TRAIL"), DnsLogs: source("DNS_LOGS"), FlowLogs: source("FLOW_LOGS"), S3Logs: source("S3_DATA_EVENTS"),
	}}
	if t := source("EKS_AUDIT_LOGS"); t != nil {
		out.DataSources.Kubernetes = &guarddutyapi.KubernetesDataSourceFreeTrial{AuditLogs: t}
	}
	if t := source("EBS_MALWARE_PROTECTION"); t != nil {
		out.DataSources.MalwareProtection = &guarddutyapi.MalwareProtectionDataSourceFreeTrial{ScanEc2InstanceWithFindings: t}
	}
	for _, name := range guarddutyapi.FreeTrialFeatureResult("").Values() {
		if n := days(name); n != nil {
			out.Features = append(out.Features, guarddutyapi.FreeTrialFeatureConfigurationResult{Name: new(guarddutyapi.FreeTrialFeatureResult(name)), FreeTrialDaysRemaining: n})
		}
	}
	return out
}
