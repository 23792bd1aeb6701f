// Package massdestruction finds principals that delete much of what holds data.
package massdestruction

import (
	"strconv"
	"strings"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

const typ = "Impact:IAMUser/AnomalousBehavior"

// What is much: a thing that can be had again counts one, what is gone for good
// counts for several.
const (
	enough  = 12
	forGood = 4
	span    = 10 * time.Minute
)

// Rule counts what one principal deletes, in all services.
var Rule = rule.Rule{
	Name: "massdestruction", Types: []string{typ}, Class: record.APIActivity, See: see,
	State: func() rule.State { return window.New(enough, span, 1<<12) },
}

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	if a.ReadOnly || !a.Management || a.Failed() || a.ByService() {
		return
	}
	noun, ok := deletes(a.Operation)
	if !(ok && holdsData(a.Service, noun)) && !stops(a) && !(ok && a.Service == "iam.amazonaws.com" && ofOthers(a, noun)) {
		return
	}
	weight := 1
	if final(a) {
		weight = forGood
	}
	service, _, _ := strings.Cut(a.Service, ".")
	who := a.Actor.Principal()
	counter := s.State.(*window.Counter)
	a.Request.Leaves(func(name, value string) bool {
		if !identifies(name) {
			return true
		}
		for i := range weight {
			e := window.Event{At: r.Time, Value: service + " " + value + " " + strconv.Itoa(i), Note: r.ID}
			if all := counter.Add(who, e); all != nil {
				report(s, r, all)
				counter.Forget(who)
				return false
			}
		}
		return true
	})
}

func report(s *rule.Scene, r *record.Record, all []window.Event) {
	out := s.Call(typ, "DataDestroyed", r)
	services := map[string]bool{}
	seen := map[string]bool{r.ID: true}
	for _, e := range all {
		service, _, _ := strings.Cut(e.Value, " ")
		services[service] = true
		if !seen[e.Note] {
			seen[e.Note] = true
			out.Evidence = append(out.Evidence, finding.Evidence{ID: e.Note, At: e.At})
		}
	}
	out.Severity = 5
	if len(services) > 2 {
		out.Severity = 8 // no clean-up is that broad
	}
	out.Evidence = append(out.Evidence, rule.Evidence(r))
	s.Report(out)
}

// stops reports whether machines are stopped in the middle of what they do; who saves
// money by night lets them end.
func stops(a *record.API) bool {
	return a.Operation == "StopInstances" && a.Request.True("force")
}

// ofOthers reports whether somebody else can no longer come in.
func ofOthers(a *record.API, noun string) bool {
	user := a.Request.Str("userName")
	return user != "" && user != a.Actor.Name && (noun == "User" || noun == "LoginProfile" || noun == "AccessKey")
}

func deletes(operation string) (noun string, ok bool) {
	for _, verb := range [...]string{"Delete", "Terminate", "BatchDelete", "Purge"} {
		if noun, ok = strings.CutPrefix(operation, verb); ok {
			return noun, true
		}
	}
	return "", false
}

// holdsData reports whether what goes by a name holds what somebody would miss,
// and not only tells how something is set up.
func holdsData(service, noun string) bool {
	for _, setUp := range [...]string{"Tag", "Policy", "Group", "Attribute", "Configuration", "Subscription", "Permission", "Endpoint", "Replication", "Encryption", "Cors", "Website", "Lifecycle", "Proxy", "Association", "Event", "Profile", "Window", "Rule"} {
		if strings.Contains(noun, setUp) {
			return false
		}
	}
	for _, data := range [...]string{"Bucket", "Volume", "Snapshot", "Instances", "DBInstance", "DBCluster", "GlobalCluster", "Table", "FileSystem", "Repository", "Secret", "RecoveryPoint", "Vault", "Database", "Backup", "UserPool", "HostedZone", "Domain", "Archive", "Collection", "Queue"} {
		if strings.HasPrefix(noun, data) {
			return true
		}
	}
	return noun == "Cluster" && (strings.HasPrefix(service, "redshift") || strings.HasPrefix(service, "dsql"))
}

// final reports whether a deletion leaves no copy to go back to.
func final(a *record.API) bool {
	switch {
	case a.Request.True("skipFinalSnapshot") && !strings.HasPrefix(a.Operation, "DeleteDBClusterSnapshot"):
		return true
	case a.Request.True("forceDeleteWithoutRecovery"), a.Request.True("deleteAutomatedBackups"):
		return true
	case strings.HasPrefix(a.Operation, "DeleteBackupVault"), strings.HasPrefix(a.Operation, "DeleteFileSystem"):
		return true
	}
	return false
}

// identifies reports whether a field names what is deleted.
func identifies(name string) bool {
	name = strings.ToLower(name)
	if strings.Contains(name, "token") || strings.Contains(name, "final") || strings.Contains(name, "vaultname") && !strings.Contains(name, "backupvaultname") {
		return false
	}
	for _, end := range [...]string{"id", "ids", "name", "names", "arn", "arns", "identifier", "url"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}
