package finding

import (
	"cmp"
	"net/netip"

	"sumun.dev/api/guarddutyapi"
)

// An Instance is the EC2 instance that a suspicion is about, as far as it is known.
type Instance struct {
	ID      string
	VPC     string
	Address netip.Addr // private

	Image, Type, Zone string     // "ami-…", "m3.xlarge", "us-east-1a"
	Subnet, Interface string     // "subnet-…", "eni-…"
	Public            netip.Addr // its address on the internet
}

// A Database is a database and who logged in to it, or tried to.
type Database struct {
	ID, Cluster, ARN  string
	Engine, Version   string
	User, Name        string // of the database's own user, and of the database
	Application       string // that connected
	Method            string // by which the user proved who it is
	Failed, Succeeded int32  // log-ins
	Remote            Remote
}

// A Function is a Lambda function.
type Function struct {
	Name, ARN, Version, Role, VPC string
}

// resource shows what the finding is about, in the sections that its type has.
func (f *Finding) resource(kind string) *guarddutyapi.Resource {
	r := &guarddutyapi.Resource{ResourceType: &kind}
	if c := f.Caller; c != nil {
		r.AccessKeyDetails = &guarddutyapi.AccessKeyDetails{
			AccessKeyId: optional(c.AccessKey), PrincipalId: optional(c.ID), UserName: optional(c.Name), UserType: optional(c.Type),
		}
	}
	for _, b := range f.Buckets {
		r.S3BucketDetails = append(r.S3BucketDetails, b.details(f.Partition))
	}
	if k := f.Kubernetes; k != nil {
		r.EksClusterDetails = &guarddutyapi.EksClusterDetails{Name: optional(k.Cluster)}
		r.KubernetesDetails = k.details()
	}
	if d := f.Database; d != nil {
		r.RdsDbInstanceDetails = &guarddutyapi.RdsDbInstanceDetails{
			DbInstanceIdentifier: optional(d.ID), DbClusterIdentifier: optional(d.Cluster), DbInstanceArn: optional(d.ARN), Engine: optional(d.Engine), EngineVersion: optional(d.Version),
		}
		r.RdsDbUserDetails = &guarddutyapi.RdsDbUserDetails{User: optional(d.User), Application: optional(d.Application), Database: optional(d.Name), AuthMethod: optional(d.Method)}
	}
	if l := f.Function; l != nil {
		r.LambdaDetails = &guarddutyapi.LambdaDetails{FunctionName: optional(l.Name), FunctionArn: optional(l.ARN), FunctionVersion: optional(l.Version), Role: optional(l.Role)}
		if l.VPC != "" {
			r.LambdaDetails.VpcConfig = &guarddutyapi.VpcConfig{VpcId: &l.VPC}
		}
	}
	if f.Instance != (Instance{}) || kind == onInstance {
		r.InstanceDetails = f.Instance.details()
	}
	return r
}

func (b *Bucket) details(partition string) guarddutyapi.S3BucketDetail {
	d := guarddutyapi.S3BucketDetail{
		Name: &b.Name, Arn: new("arn:" + cmp.Or(partition, "aws") + ":s3:::" + b.Name), Type: new("Destination"),
		PublicAccess: &guarddutyapi.PublicAccess{EffectivePermission: new(cmp.Or(b.Public, "UNKNOWN"))},
	}
	for _, key := range b.Objects {
		d.S3ObjectDetails = append(d.S3ObjectDetails, guarddutyapi.S3ObjectDetail{Key: &key})
	}
	return d
}

func (k *KubernetesDetails) details() *guarddutyapi.KubernetesDetails {
	d := &guarddutyapi.KubernetesDetails{KubernetesUserDetails: &guarddutyapi.KubernetesUserDetails{Username: optional(k.User), Groups: k.Groups}}
	if k.Workload == "" {
		return d
	}
	w := &guarddutyapi.KubernetesWorkloadDetails{Name: &k.Workload, Namespace: optional(k.Namespace), Type: optional(k.Kind), HostNetwork: &k.HostNet, ServiceAccountName: optional(k.ServiceAccount)}
	for _, image := range k.Images {
		w.Containers = append(w.Containers, guarddutyapi.Container{Name: optional(k.ContainerName), Image: &image, SecurityContext: &guarddutyapi.SecurityContext{Privileged: &k.Privileged}})
	}
	d.KubernetesWorkloadDetails = w
	return d
}

// details shows what is known of an instance.
func (i Instance) details() *guarddutyapi.InstanceDetails {
	d := &guarddutyapi.InstanceDetails{InstanceId: &i.ID, ImageId: optional(i.Image), InstanceType: optional(i.Type), AvailabilityZone: optional(i.Zone)}
	n := guarddutyapi.NetworkInterface{VpcId: optional(i.VPC), SubnetId: optional(i.Subnet), NetworkInterfaceId: optional(i.Interface), Ipv6Addresses: []string{}}
	switch {
	case i.Address.Is4():
		n.PrivateIpAddress = new(i.Address.String())
		n.PrivateIpAddresses = []guarddutyapi.PrivateIpAddressDetails{{PrivateIpAddress: new(i.Address.String())}}
	case i.Address.IsValid():
		n.Ipv6Addresses = []string{i.Address.String()}
	}
	if i.Public.IsValid() {
		n.PublicIp = new(i.Public.String())
	}
	d.NetworkInterfaces = []guarddutyapi.NetworkInterface{n}
	return d
}

// action shows the log-ins to a database.
func (d *Database) action() *guarddutyapi.RdsLoginAttemptAction {
	a := &guarddutyapi.RdsLoginAttemptAction{LoginAttributes: []guarddutyapi.LoginAttribute{
		{User: optional(d.User), Application: optional(d.Application), FailedLoginAttempts: &d.Failed, SuccessfulLoginAttempts: &d.Succeeded},
	}}
	if d.Remote.Address.IsValid() {
		a.RemoteIpDetails = d.Remote.details()
	}
	return a
}
