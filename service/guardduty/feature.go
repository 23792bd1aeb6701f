package guardduty

import (
	"encoding/json"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/detect/record"
)

// additional names the additional configurations of the features that have some.
func additional(name string) []string {
	switch name {
	case "EKS_RUNTIME_MONITORING":
		return []string{"EKS_ADDON_MANAGEMENT"}
	case "RUNTIME_MONITORING":
		return []string{"EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"}
	}
	return nil
}

// configure keeps what a request says of protection plans. Foundational sources
// are always on. Both spellings mean the same plans, but only one may be used.
func (d *detector) configure(sources *guarddutyapi.DataSourceConfigurations, features []guarddutyapi.DetectorFeatureConfiguration, now time.Time) error {
	if sources != nil && len(features) > 0 {
		return bad("InvalidInputException", "The request is rejected because both dataSources and features are specified.")
	}
	set := func(name string, on bool, more map[string]bool) {
		d.turn(name, on, more, now)
	}
	if sources != nil {
		if x := sources.S3Logs; x != nil {
			set("S3_DATA_EVENTS", x.Enable, nil)
		}
		if x := sources.Kubernetes; x != nil && x.AuditLogs != nil {
			set("EKS_AUDIT_LOGS", x.AuditLogs.Enable, nil)
		}
		if x := sources.MalwareProtection; x != nil && x.ScanEc2InstanceWithFindings != nil && x.ScanEc2InstanceWithFindings.EbsVolumes != nil {
			set("EBS_MALWARE_PROTECTION", *x.ScanEc2InstanceWithFindings.EbsVolumes, nil)
		}
	}
	for _, f := range features {
		if f.Name == nil {
			return invalid("features")
		}
		name := string(*f.Name)
		more := map[string]bool{}
		for key, on := range d.Features[name].More {
			more[key] = on
		}
		for _, a := range f.AdditionalConfiguration {
			if !has(additional(name), text(a.Name)) {
				return invalid("features")
			}
			more[text(a.Name)] = text(a.Status) == string(guarddutyapi.FeatureStatusEnabled)
		}
		set(name, text(f.Status) == string(guarddutyapi.FeatureStatusEnabled), more)
	}
	if d.Features["EKS_RUNTIME_MONITORING"].Enabled && d.Features["RUNTIME_MONITORING"].Enabled {
		return bad("InvalidInputException", "The request is rejected because EKS_RUNTIME_MONITORING and RUNTIME_MONITORING cannot both be enabled.")
	}
	return nil
}

// begin turns plans on or off of which nobody has said anything, all but runtime
// monitoring: that is on for who asks for it. API Reference, "CreateDetector".
func (d *detector) begin(on bool, now time.Time) {
	for _, name := range guarddutyapi.DetectorFeature("").Values() {
		if _, said := d.Features[name]; !said && name != "RUNTIME_MONITORING" && name != "EKS_RUNTIME_MONITORING" {
			d.turn(name, on, nil, now)
		}
	}
}

// UnmarshalJSON reads a detector. One that was kept when plans did not decide yet what
// is judged has those on that nobody turned off: it sees no less than it did.
func (d *detector) UnmarshalJSON(b []byte) error {
	type plain detector
	if err := json.Unmarshal(b, (*plain)(d)); err != nil {
		return err
	}
	d.begin(true, d.Created)
	return nil
}

// covers reports whether a record is of a source that the detector watches. Of what
// GuardDuty has no source for in AWS, as other data events, nothing is switched off.
func (d *detector) covers(r *record.Record) bool {
	switch {
	case r.Kubernetes != nil:
		return d.Features["EKS_AUDIT_LOGS"].Enabled
	case r.API != nil && r.API.Service == "s3.amazonaws.com" && !r.API.Management:
		return d.Features["S3_DATA_EVENTS"].Enabled
	}
	return true
}

// turn keeps what a feature is set to.
func (d *detector) turn(name string, on bool, more map[string]bool, now time.Time) {
	if d.Features == nil {
		d.Features = map[string]feature{}
	}
	f := feature{on, now, more, d.Features[name].First}
	if on && f.First.IsZero() {
		f.First = now
	}
	d.Features[name] = f
}

func has(all []string, s string) bool {
	for _, x := range all {
		if x == s {
			return true
		}
	}
	return false
}

// foundational reports whether a feature is a source that every detector has.
func foundational(name string) bool {
	return name == "CLOUD_TRAIL" || name == "DNS_LOGS" || name == "FLOW_LOGS"
}

func status(on bool) guarddutyapi.FeatureStatus {
	if on {
		return guarddutyapi.FeatureStatusEnabled
	}
	return guarddutyapi.FeatureStatusDisabled
}

// features shows all features. The foundational ones are on with the detector.
func (d *detector) features() []guarddutyapi.DetectorFeatureConfigurationResult {
	var all []guarddutyapi.DetectorFeatureConfigurationResult
	for _, name := range guarddutyapi.DetectorFeatureResult("").Values() {
		f := d.Features[name]
		if f.Updated.IsZero() {
			f.Updated = d.Created
		}
		f.Enabled = f.Enabled || foundational(name)
		r := guarddutyapi.DetectorFeatureConfigurationResult{Name: new(guarddutyapi.DetectorFeatureResult(name)), Status: new(status(f.Enabled)), UpdatedAt: &f.Updated}
		for _, key := range additional(name) {
			r.AdditionalConfiguration = append(r.AdditionalConfiguration, guarddutyapi.DetectorAdditionalConfigurationResult{
				Name: new(guarddutyapi.FeatureAdditionalConfiguration(key)), Status: new(status(f.More[key])), UpdatedAt: &f.Updated,
			})
		}
		all = append(all, r)
	}
	return all
}

// dataSources shows the plans in the older spelling.
func (d *detector) dataSources() *guarddutyapi.DataSourceConfigurationsResult {
	on := func(name string) guarddutyapi.DataSourceStatus {
		if d.Features[name].Enabled {
			return guarddutyapi.DataSourceStatusEnabled
		}
		return guarddutyapi.DataSourceStatusDisabled
	}
	return &guarddutyapi.DataSourceConfigurationsResult{
		CloudTrail: &guarddutyapi.CloudTrailConfigurationResult{Status: guarddutyapi.DataSourceStatusEnabled},
		DNSLogs:    &guarddutyapi.DNSLogsConfigurationResult{Status: guarddutyapi.DataSourceStatusEnabled},
		FlowLogs:   &guarddutyapi.FlowLogsConfigurationResult{Status: guarddutyapi.DataSourceStatusEnabled},
		S3Logs:     &guarddutyapi.S3LogsConfigurationResult{Status: on("S3_DATA_EVENTS")},
		Kubernetes: &guarddutyapi.KubernetesConfigurationResult{AuditLogs: &guarddutyapi.KubernetesAuditLogsConfigurationResult{Status: on("EKS_AUDIT_LOGS")}},
		MalwareProtection: &guarddutyapi.MalwareProtectionConfigurationResult{
			ServiceRole:                 nil,
			ScanEc2InstanceWithFindings: &guarddutyapi.ScanEc2InstanceWithFindingsResult{EbsVolumes: &guarddutyapi.EbsVolumesResult{Status: new(on("EBS_MALWARE_PROTECTION"))}},
		},
	}
}
