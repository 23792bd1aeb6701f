// Package unusuallaunch finds computing power being started as those do who mine with it.
package unusuallaunch

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

const typ = "Impact:IAMUser/AnomalousBehavior"

// What is unusual: machines of some kinds, many at once, or in many regions within
// span.
const (
	machines   = 10  // of EC2, at once
	copies     = 30  // of a container or a group: services are wider than a hand launches
	processors = 256 // at least, of an environment for batches
	regions    = 4
	span       = time.Hour
)

// large is a type of instance with accelerators, or the size of a whole host.
var large = regexp.MustCompile(`^(ml[.])?((p[2-9]|g[3-9]|gr6|trn[0-9]|inf[0-9]|dl[0-9]|vt[0-9]|f[1-9])[a-z0-9-]*[.]|[a-z0-9-]+[.](16|18|24|32|48|56|96|112|224)xlarge$|[a-z0-9-]+[.]metal)`)

// Rule looks at what starts machines in any service.
var Rule = rule.Rule{
	Name: "unusuallaunch", Types: []string{typ}, Class: record.APIActivity, See: see,
	State: func() rule.State { return window.New(regions, span, 1<<12) },
}

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	if a.ReadOnly || a.ByService() || a.Error == "Client.DryRunOperation" || !launches(a) {
		return
	}
	kind, size := what(a)
	if size {
		report(s, r, "UnusualInstancesLaunched", kind, nil)
	}
	if a.Service == "ec2.amazonaws.com" && !a.Failed() && strings.HasPrefix(a.Operation, "RunInstances") {
		who := a.Actor.Principal()
		counter := s.State.(*window.Counter)
		if all := counter.Add(who, window.Event{At: r.Time, Value: string(r.Region), Note: r.ID}); all != nil {
			counter.Forget(who)
			report(s, r, "InstancesInManyRegions", kind, all)
		}
	}
}

// launches reports whether a call starts machines, or has them started.
func launches(a *record.API) bool {
	service, _, _ := strings.Cut(a.Service, ".")
	switch service {
	case "ec2":
		return a.Operation == "RunInstances" || a.Operation == "CreateFleet" || strings.HasPrefix(a.Operation, "RequestSpot")
	case "autoscaling":
		return a.Operation == "CreateAutoScalingGroup" || a.Operation == "CreateLaunchConfiguration"
	case "ecs":
		return a.Operation == "CreateService" || a.Operation == "RunTask"
	case "batch":
		return a.Operation == "CreateComputeEnvironment"
	case "sagemaker":
		return strings.HasPrefix(a.Operation, "Create")
	case "lightsail", "gamelift", "elasticmapreduce":
		return a.Operation == "CreateInstances" || a.Operation == "CreateFleet" || a.Operation == "RunJobFlow"
	}
	return false
}

// what says which machines a call starts, and whether they are large or many. Where
// it offers several types, of which one is taken, all have to be large.
func what(a *record.API) (kind string, unusual bool) {
	types, big := 0, 0
	weighted := false
	n, target, names := 0, 0, 0
	a.Request.Leaves(func(name, value string) bool {
		switch strings.ToLower(name) {
		case "instancetype", "instancetypes":
			types++
			if kind == "" {
				kind = value
			}
			if large.MatchString(value) {
				big++
			}
		case "weightedcapacity":
			weighted = true
		case "instancenames":
			names++
		case "maxcount", "instancecount":
			n = max(n, count(value, machines))
		case "totaltargetcapacity", "targetcapacity":
			target = max(target, count(value, machines))
		case "desiredcapacity", "minsize", "desiredcount", "count":
			n = max(n, count(value, copies))
		case "minvcpus", "desiredvcpus":
			n = max(n, count(value, processors))
		}
		return true
	})
	if !weighted {
		n = max(n, target)
	}
	return kind, n > 0 || types > 0 && big == types || names >= machines
}

// count returns 1 when a value is at least so many.
func count(value string, least int) int {
	if v, err := strconv.Atoi(value); err == nil && v >= least {
		return 1
	}
	return 0
}

func report(s *rule.Scene, r *record.Record, signal, kind string, all []window.Event) {
	out := s.Call(typ, signal, r)
	out.Severity = 5
	for _, e := range all {
		if e.Note != r.ID {
			out.Evidence = append(out.Evidence, finding.Evidence{ID: e.Note, At: e.At})
		}
	}
	if all != nil {
		out.Evidence = append(out.Evidence, rule.Evidence(r))
	}
	if kind != "" && out.API != nil {
		out.API.Affected = map[string]string{"resource": kind}
	}
	s.Report(out)
}
