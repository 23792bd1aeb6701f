package report

import (
	"encoding/json"
	"io"
	"net/netip"
	"strconv"

	"sumun.dev/finding"
)

// ocsf names the version of the schema that OCSF writes.
const ocsf = "1.3.0"

// OCSF writes a Detection Finding (class 2004) of the Open Cybersecurity Schema
// Framework a line, with ATT&CK's techniques and the records as evidences.
func OCSF(w io.Writer, found []*finding.Finding) error {
	for _, f := range found {
		if err := encode(w, ocsfOf(f), false); err != nil {
			return err
		}
	}
	return nil
}

type object = map[string]any

func ocsfOf(f *finding.Finding) object {
	id, label := ocsfSeverity(f.Level())
	g := f.GuardDuty()
	info := object{
		"uid": f.ID, "title": title(f), "types": []string{f.Type},
		"created_time": f.Created.UnixMilli(), "modified_time": f.Updated.UnixMilli(),
		"first_seen_time": f.FirstSeen.UnixMilli(), "last_seen_time": f.LastSeen.UnixMilli(),
		"product_uid": f.ARN().String(),
	}
	if g.Description != nil {
		info["desc"] = *g.Description
	}
	if f.Rule != "" {
		info["analytic"] = object{"type_id": 1, "type": "Rule", "uid": f.Rule, "name": name(f)}
	}
	tactic := TacticOf(f)
	var attacks []object
	for _, t := range techniques(f) {
		a := object{"technique": object{"uid": t.ID, "name": t.Name, "src_url": t.URL()}}
		if tactic.ID != "" {
			a["tactic"] = object{"uid": tactic.ID, "name": tactic.Name}
		}
		attacks = append(attacks, a)
	}
	if attacks != nil {
		info["attacks"] = attacks
	}
	out := object{
		"activity_id": 1, "activity_name": "Create", "category_uid": 2, "category_name": "Findings", "class_uid": 2004,
		"class_name": "Detection Finding", "type_uid": 200401, "type_name": "Detection Finding: Create",
		"time": f.LastSeen.UnixMilli(), "start_time": f.FirstSeen.UnixMilli(), "end_time": f.LastSeen.UnixMilli(), "count": f.Count,
		"severity_id": id, "severity": label, "status_id": 1, "status": "New", "message": title(f), "finding_info": info,
		"metadata":  object{"version": ocsf, "product": object{"name": "Sumun", "vendor_name": "Sumun", "feature": object{"name": "detect"}}, "profiles": []string{"cloud"}},
		"cloud":     object{"provider": "AWS", "region": f.Region, "account": object{"uid": f.Account, "type_id": 10, "type": "AWS Account"}},
		"evidences": ocsfEvidences(f),
	}
	if r := ocsfResources(f); r != nil {
		out["resources"] = r
	}
	if f.Signal != "" || f.Unusual != nil {
		out["unmapped"] = object{"signal": f.Signal, "unusual": f.Unusual}
	}
	return out
}

func ocsfSeverity(n float64) (int, string) {
	switch {
	case n >= 9:
		return 5, "Critical"
	case n >= 7:
		return 4, "High"
	case n >= 4:
		return 3, "Medium"
	}
	return 2, "Low"
}

// ocsfEvidences names the records; the first also says who did what, as the
// latest of them has it.
func ocsfEvidences(f *finding.Finding) []object {
	out := []object{}
	for _, e := range f.Evidence {
		data, err := json.Marshal(e)
		if err != nil { // it is plain data
			continue
		}
		out = append(out, object{"data": json.RawMessage(data)})
	}
	if len(out) == 0 {
		out = append(out, object{})
	}
	first := out[0]
	if c := f.Caller; c != nil {
		user := object{"uid": c.ID, "name": c.Name, "type": c.Type, "uid_alt": c.ARN, "credential_uid": c.AccessKey, "account": object{"uid": c.Account}}
		first["actor"] = object{"user": some(user)}
	} else if k := f.Kubernetes; k != nil && k.User != "" {
		first["actor"] = object{"user": object{"name": k.User}}
	}
	from := netip.Addr{}
	if a := f.API; a != nil {
		call := object{"operation": a.Operation, "service": object{"name": a.Service}}
		if a.Error != "" {
			call["response"] = object{"error": a.Error}
		}
		first["api"] = call
		from = a.Remote.Address
		if a.Domain != "" {
			first["src_endpoint"] = object{"svc_name": a.Domain}
		}
	}
	if k := f.KubeCall; k != nil {
		first["api"] = object{"operation": k.Verb, "request": object{"uid": k.URI}}
		if len(k.Sources) > 0 {
			from = k.Sources[0].Address
		}
	}
	if from.IsValid() {
		first["src_endpoint"] = object{"ip": from.String()}
	}
	if d := f.DNS; d != nil {
		first["query"] = object{"hostname": d.Domain}
		if f.Instance.Address.IsValid() {
			first["src_endpoint"] = object{"ip": f.Instance.Address.String()}
		}
	}
	if c := f.Connection; c != nil {
		local, remote := object{}, object{}
		if c.Local.IsValid() {
			local["ip"] = c.Local.String()
		}
		if c.LocalPort != 0 {
			local["port"] = c.LocalPort
		}
		if c.Remote.Address.IsValid() {
			remote["ip"] = c.Remote.Address.String()
		}
		if c.Remote.Port != 0 {
			remote["port"] = c.Remote.Port
		}
		if c.Inbound {
			local, remote = remote, local
		}
		first["src_endpoint"], first["dst_endpoint"] = local, remote
		first["connection_info"] = object{"protocol_name": c.Protocol, "direction_id": 0}
	}
	return out
}

// some leaves out what is empty.
func some(o object) object {
	for k, v := range o {
		if v == "" {
			delete(o, k)
		}
	}
	return o
}

func ocsfResources(f *finding.Finding) []object {
	var out []object
	for _, b := range f.Buckets {
		out = append(out, object{"type": "AWS::S3::Bucket", "uid": "arn:" + f.Partition + ":s3:::" + b.Name, "name": b.Name})
	}
	if f.Instance.ID != "" {
		out = append(out, object{"type": "AWS::EC2::Instance", "uid": f.Instance.ID})
	}
	if k := f.Kubernetes; k != nil {
		out = append(out, object{"type": "AWS::EKS::Cluster", "name": k.Cluster, "uid": k.Cluster, "namespace": k.Namespace})
	}
	return out
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', 1, 64) }
