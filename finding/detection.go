package finding

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"sumun.dev/api/guarddutyapi"
)

// detection shows what of the finding's behaviour is unusual, and the signals that
// a sequence joins: service.detection. API Reference, "Detection".
func (f *Finding) detection() *guarddutyapi.Detection {
	if f.Sequence == nil && len(f.Unusual) == 0 {
		return nil
	}
	d := &guarddutyapi.Detection{Sequence: f.sequence()}
	if len(f.Unusual) > 0 {
		d.Anomaly = &guarddutyapi.Anomaly{Unusual: &guarddutyapi.AnomalyUnusual{Behavior: f.behavior()}}
	}
	return d
}

// behavior shows unusual features by whose habit they break.
func (f *Finding) behavior() map[string]map[string]guarddutyapi.AnomalyObject {
	all := map[string]map[string]guarddutyapi.AnomalyObject{}
	for _, u := range f.Unusual {
		of := all[u.Of]
		if of == nil {
			of = map[string]guarddutyapi.AnomalyObject{}
			all[u.Of] = of
		}
		rarity := guarddutyapi.ProfileSubtypeUnseen
		if u.Seen > 0 {
			rarity = guarddutyapi.ProfileSubtypeRare
		}
		o, there := of[u.Feature]
		if !there {
			o = guarddutyapi.AnomalyObject{ProfileType: new(guarddutyapi.ProfileTypeFrequency), ProfileSubtype: &rarity, Observations: &guarddutyapi.Observations{}}
		}
		o.Observations.Text = append(o.Observations.Text, u.Value)
		of[u.Feature] = o
	}
	return all
}

// What GuardDuty calls features, and those whose habits they break, in
// service.additionalInfo.unusualBehavior.
var (
	unusualFeatures = map[string]string{"api": "APIs", "network": "ASNs", "userAgent": "UserAgents", "country": "Countries", "region": "Regions", "hour": "Hours", "port": "Ports", "volume": "Volumes"}
	unusualOf       = map[string]string{"account": "AccountProfiling", "principal": "UserIdentityProfiling", "peers": "PeersProfiling", "instance": "InstanceProfiling"}
)

// unusual adds what is unusual to additional information: in the words of the
// User Guide, "IAM anomalous behavior finding details", and with figures.
func (f *Finding) unusual(info map[string]any) {
	if len(f.Unusual) == 0 {
		return
	}
	behavior := map[string]string{}
	for _, u := range f.Unusual {
		key := "unusual" + cmp.Or(unusualFeatures[u.Feature], u.Feature) + cmp.Or(unusualOf[u.Of], u.Of)
		if behavior[key] != "" {
			behavior[key] += ", "
		}
		behavior[key] += u.Value
	}
	anomalies := map[string]any{"features": f.Unusual}
	if a := f.API; a != nil {
		anomalies["anomalousAPIs"] = a.Service + ":[" + a.Operation + ":" + cmp.Or(a.Error, "success") + "]"
	}
	info["unusualBehavior"], info["anomalies"] = behavior, anomalies
}

// sequence shows what is joined. Actors are the keys that were used, all of one
// caller; API Reference, "Sequence".
func (f *Finding) sequence() *guarddutyapi.Sequence {
	q := f.Sequence
	if q == nil {
		return nil
	}
	kind, _ := KindOf(f.Type)
	out := &guarddutyapi.Sequence{Uid: f.ID, Description: f.words(kind.Description), Signals: []guarddutyapi.Signal{}}
	var actors, endpoints, resources []string
	for _, key := range q.Actors {
		a := guarddutyapi.Actor{Id: key}
		if c := f.Caller; c != nil {
			a.User = &guarddutyapi.User{Name: c.Name, Uid: cmp.Or(c.ID, c.ARN, key), Type: c.Type, CredentialUid: &key}
			if c.Account != "" {
				a.User.Account = &guarddutyapi.Account{Uid: c.Account}
			}
		}
		out.Actors, actors = append(out.Actors, a), append(actors, key)
	}
	for i := range q.Endpoints {
		e := q.Endpoints[i].endpoint()
		out.Endpoints, endpoints = append(out.Endpoints, e), append(endpoints, e.Id)
	}
	for _, domain := range q.Domains {
		out.Endpoints, endpoints = append(out.Endpoints, guarddutyapi.NetworkEndpoint{Id: domain, Domain: &domain}), append(endpoints, domain)
	}
	for _, r := range f.joined() {
		out.Resources, resources = append(out.Resources, r), append(resources, r.Uid)
	}
	for i := range q.Signals {
		s := q.Signals[i].shown(f.Home)
		s.ActorIds, s.EndpointIds, s.ResourceUids = actors, endpoints, resources
		out.Signals = append(out.Signals, s)
	}
	for _, key := range slices.Sorted(maps.Keys(q.Indicators)) {
		out.SequenceIndicators = append(out.SequenceIndicators, guarddutyapi.Indicator{Key: guarddutyapi.IndicatorType(key), Values: q.Indicators[key]})
	}
	return out
}

// joined are the resources of a sequence: the caller's key, buckets, instances.
func (f *Finding) joined() []guarddutyapi.ResourceV2 {
	var all []guarddutyapi.ResourceV2
	add := func(uid, name, service string, kind guarddutyapi.FindingResourceType, data *guarddutyapi.ResourceData) {
		all = append(all, guarddutyapi.ResourceV2{
			Uid: uid, Name: optional(name), AccountId: new(string(f.Account)), Region: new(string(f.Region)), Service: &service, CloudPartition: optional(f.Partition), ResourceType: kind, Data: data,
		})
	}
	if c := f.Caller; c != nil && c.AccessKey != "" {
		add(c.AccessKey, c.AccessKey, "iam", guarddutyapi.FindingResourceTypeAccessKey, &guarddutyapi.ResourceData{
			AccessKey: &guarddutyapi.AccessKey{PrincipalId: optional(c.ID), UserName: optional(c.Name), UserType: optional(c.Type)},
		})
	}
	for _, b := range f.Buckets {
		add("arn:"+cmp.Or(f.Partition, "aws")+":s3:::"+b.Name, b.Name, "s3", guarddutyapi.FindingResourceTypeS3Bucket, nil)
	}
	instances := f.Sequence.Instances
	if f.Instance.ID != "" && !slices.Contains(instances, f.Instance.ID) {
		instances = append([]string{f.Instance.ID}, instances...)
	}
	for _, id := range instances {
		add(id, "", "ec2", guarddutyapi.FindingResourceTypeEc2Instance, nil)
	}
	if k := f.Kubernetes; k != nil && k.Cluster != "" {
		add(k.Cluster, k.Cluster, "eks", guarddutyapi.FindingResourceTypeEksCluster, nil)
	}
	return all
}

func (r *Remote) endpoint() guarddutyapi.NetworkEndpoint {
	address := r.Address.String()
	e := guarddutyapi.NetworkEndpoint{Id: address, Ip: &address}
	if r.Port != 0 {
		e.Port = new(int32(r.Port))
	}
	if r.Country != "" || r.City != "" {
		e.Location = &guarddutyapi.NetworkGeoLocation{City: r.City, Country: r.Country, Latitude: r.Latitude, Longitude: r.Longitude}
	}
	if r.ASN != 0 && r.ASN < 1<<31 { // the API's number is a signed one
		e.AutonomousSystem = &guarddutyapi.AutonomousSystem{Name: r.ASOrg, Number: int32(r.ASN)}
	}
	return e
}

func (s *Signal) shown(home Home) guarddutyapi.Signal {
	out := guarddutyapi.Signal{
		Uid: uuidOf(strings.Join([]string{home.Detector, s.Type, s.Name, stamp(s.First)}, "/")), Type: guarddutyapi.SignalType(s.Type), Name: s.Name,
		CreatedAt: s.First.UTC(), UpdatedAt: s.Last.UTC(), FirstSeenAt: s.First.UTC(), LastSeenAt: s.Last.UTC(), Count: s.Count,
	}
	if s.Severity > 0 {
		out.Severity = &s.Severity
	}
	if s.Tactic != "" {
		out.SignalIndicators = []guarddutyapi.Indicator{{Key: guarddutyapi.IndicatorTypeAttackTactic, Values: []string{s.Tactic}}}
	}
	return out
}
