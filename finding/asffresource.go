package finding

import (
	"cmp"
	"strconv"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
)

// resources shows what a finding is about: the resources that it names, or the
// account. ASFF, "Resources".
func resources(f *guarddutyapi.Finding, partition string) []securityhubapi.Resource {
	var all []securityhubapi.Resource
	add := func(typ, id string, details *securityhubapi.ResourceDetails) {
		all = append(all, securityhubapi.Resource{Type: typ, Id: id, Partition: new(securityhubapi.Partition(partition)), Region: &f.Region, Details: details})
	}
	arn := func(service, resource string) string {
		return aws.ARN{Partition: partition, Service: service, Region: aws.Region(f.Region), Account: aws.Account(f.AccountId), Resource: resource}.String()
	}
	r := f.Resource
	if r == nil {
		r = &guarddutyapi.Resource{}
	}
	if i := r.InstanceDetails; i != nil {
		add("AwsEc2Instance", arn("ec2", "instance/"+text(i.InstanceId)), &securityhubapi.ResourceDetails{AwsEc2Instance: instance(i)})
		for _, t := range i.Tags {
			if all[0].Tags == nil {
				all[0].Tags = map[string]string{}
			}
			all[0].Tags[text(t.Key)] = text(t.Value)
		}
	}
	for _, b := range r.S3BucketDetails {
		add("AwsS3Bucket", text(b.Arn), &securityhubapi.ResourceDetails{AwsS3Bucket: &securityhubapi.AwsS3BucketDetails{Name: full(b.Name)}})
	}
	if c := r.EksClusterDetails; c != nil && text(c.Name) != "" {
		add("AwsEksCluster", cmp.Or(text(c.Arn), arn("eks", "cluster/"+text(c.Name))), &securityhubapi.ResourceDetails{AwsEksCluster: &securityhubapi.AwsEksClusterDetails{Name: c.Name}})
	}
	if d := r.RdsDbInstanceDetails; d != nil && text(d.DbInstanceIdentifier) != "" {
		add("AwsRdsDbInstance", cmp.Or(text(d.DbInstanceArn), arn("rds", "db:"+text(d.DbInstanceIdentifier))), &securityhubapi.ResourceDetails{AwsRdsDbInstance: &securityhubapi.AwsRdsDbInstanceDetails{
			DBInstanceIdentifier: d.DbInstanceIdentifier, DBClusterIdentifier: full(d.DbClusterIdentifier), Engine: full(d.Engine), EngineVersion: full(d.EngineVersion),
		}})
	}
	if l := r.LambdaDetails; l != nil && text(l.FunctionName) != "" {
		add("AwsLambdaFunction", cmp.Or(text(l.FunctionArn), arn("lambda", "function:"+text(l.FunctionName))), &securityhubapi.ResourceDetails{AwsLambdaFunction: &securityhubapi.AwsLambdaFunctionDetails{
			FunctionName: l.FunctionName, Role: full(l.Role), Version: full(l.FunctionVersion),
		}})
	}
	if k := r.AccessKeyDetails; k != nil && text(k.AccessKeyId) != "" {
		add("AwsIamAccessKey", "AWS::IAM::AccessKey:"+text(k.AccessKeyId), &securityhubapi.ResourceDetails{AwsIamAccessKey: &securityhubapi.AwsIamAccessKeyDetails{
			PrincipalId: full(k.PrincipalId), PrincipalName: full(k.UserName), PrincipalType: full(k.UserType), AccessKeyId: k.AccessKeyId,
		}})
	}
	if len(all) == 0 {
		add("AwsAccount", "AWS::::Account:"+f.AccountId, nil)
	}
	return all
}

// full is nil for an empty string, which Security Hub refuses.
func full(s *string) *string { return optional(text(s)) }

func instance(i *guarddutyapi.InstanceDetails) *securityhubapi.AwsEc2InstanceDetails {
	d := &securityhubapi.AwsEc2InstanceDetails{Type: i.InstanceType, ImageId: i.ImageId, LaunchedAt: i.LaunchTime}
	for _, n := range i.NetworkInterfaces {
		d.VpcId, d.SubnetId = n.VpcId, n.SubnetId
		d.IpV6Addresses = append(d.IpV6Addresses, n.Ipv6Addresses...)
		for _, address := range []*string{n.PrivateIpAddress, n.PublicIp} {
			if address != nil {
				d.IpV4Addresses = append(d.IpV4Addresses, *address)
			}
		}
	}
	return d
}

// asffAction shows the actions that ASFF knows; it has none for Kubernetes and for
// log-ins to databases.
func asffAction(a *guarddutyapi.Action) *securityhubapi.Action {
	if a == nil {
		return nil
	}
	out := &securityhubapi.Action{ActionType: a.ActionType}
	switch {
	case a.DnsRequestAction != nil:
		d := a.DnsRequestAction
		out.DnsRequestAction = &securityhubapi.DnsRequestAction{Domain: full(d.Domain), Protocol: full(d.Protocol), Blocked: d.Blocked}
	case a.AwsApiCallAction != nil:
		c := a.AwsApiCallAction
		out.AwsApiCallAction = &securityhubapi.AwsApiCallAction{Api: full(c.Api), ServiceName: full(c.ServiceName), CallerType: callerType(c.CallerType), RemoteIpDetails: remoteIP(c.RemoteIpDetails)}
		if c.DomainDetails != nil {
			out.AwsApiCallAction.DomainDetails = &securityhubapi.AwsApiCallActionDomainDetails{Domain: full(c.DomainDetails.Domain)}
		}
	case a.NetworkConnectionAction != nil:
		c := a.NetworkConnectionAction
		out.NetworkConnectionAction = &securityhubapi.NetworkConnectionAction{
			ConnectionDirection: c.ConnectionDirection, Protocol: full(c.Protocol), Blocked: c.Blocked, RemoteIpDetails: remoteIP(c.RemoteIpDetails), LocalPortDetails: localPort(c.LocalPortDetails),
		}
		if p := c.RemotePortDetails; p != nil {
			out.NetworkConnectionAction.RemotePortDetails = &securityhubapi.ActionRemotePortDetails{Port: p.Port, PortName: full(p.PortName)}
		}
	case a.PortProbeAction != nil:
		out.PortProbeAction = &securityhubapi.PortProbeAction{Blocked: a.PortProbeAction.Blocked}
		for _, p := range a.PortProbeAction.PortProbeDetails {
			d := securityhubapi.PortProbeDetail{LocalPortDetails: localPort(p.LocalPortDetails), RemoteIpDetails: remoteIP(p.RemoteIpDetails)}
			if p.LocalIpDetails != nil && p.LocalIpDetails.IpAddressV4 != nil {
				d.LocalIpDetails = &securityhubapi.ActionLocalIpDetails{IpAddressV4: p.LocalIpDetails.IpAddressV4}
			}
			out.PortProbeAction.PortProbeDetails = append(out.PortProbeAction.PortProbeDetails, d)
		}
	default:
		return nil
	}
	return out
}

// callerType is ASFF's word for GuardDuty's: ASFF, "AwsApiCallAction".
func callerType(s *string) *string {
	switch text(s) {
	case "Remote IP":
		return new("remoteIp")
	case "Domain":
		return new("domain")
	}
	return full(s)
}

func localPort(p *guarddutyapi.LocalPortDetails) *securityhubapi.ActionLocalPortDetails {
	if p == nil {
		return nil
	}
	return &securityhubapi.ActionLocalPortDetails{Port: p.Port, PortName: full(p.PortName)}
}

// remoteIP shows an address of IPv4; ASFF has no place for others.
func remoteIP(r *guarddutyapi.RemoteIpDetails) *securityhubapi.ActionRemoteIpDetails {
	if r == nil || r.IpAddressV4 == nil {
		return nil
	}
	out := &securityhubapi.ActionRemoteIpDetails{IpAddressV4: r.IpAddressV4}
	if c := r.Country; c != nil && text(c.CountryCode) != "" {
		out.Country = &securityhubapi.Country{CountryCode: c.CountryCode, CountryName: full(c.CountryName)}
	}
	if c := r.City; c != nil && text(c.CityName) != "" {
		out.City = &securityhubapi.City{CityName: c.CityName}
	}
	if g := r.GeoLocation; g != nil {
		out.GeoLocation = &securityhubapi.GeoLocation{Lat: g.Lat, Lon: g.Lon}
	}
	if o := r.Organization; o != nil {
		if n, err := strconv.ParseInt(text(o.Asn), 10, 32); err == nil {
			out.Organization = &securityhubapi.IpOrganizationDetails{Asn: new(int32(n)), AsnOrg: full(o.AsnOrg)}
		}
	}
	return out
}
