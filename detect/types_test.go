package detect

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"sumun.dev/finding"
)

// absent are types that nothing raises, and why.
var absent = map[string]string{
	`^[A-Za-z]+:Lambda/.*(C&C|Bitcoin|Blackhole|DropPoint|MaliciousIP|Tor)`: "flow logs do not say which function an interface serves",
	`:RDS/(AnomalousBehavior|MaliciousIPCaller|TorIPCaller)`:                "no log of log-ins to databases is read",
	`PortProbeEMRUnprotectedPort`:                                           "flow logs do not say which instances are of EMR",
	`ResourceCredentialExfiltration`:                                        "CloudTrail does not say where functions and tasks call from",
	`IAMUser/CompromisedCredentials`:                                        "there is no feed of leaked keys",
	`PromptInjection`:                                                       "what models are asked does not stand in CloudTrail",
	`AttackSequence:ECS/`:                                                   "what tasks do is seen by Runtime Monitoring only",
	`WorkloadDeployed$`:                                                     "nothing is learnt of the images that a cluster runs",
}

// TestEveryTypeHasARule goes over the catalogue: each type is raised by a rule, by
// what joins signals, or is absent for a reason; detect/README.md names those.
func TestEveryTypeHasARule(t *testing.T) {
	raised := []string{onCredentials, onData, onCluster, onHosts}
	for _, r := range Rules() {
		raised = append(raised, r.Types...)
	}
	used := map[string]bool{}
	n := 0
	for _, k := range finding.Kinds() {
		if slices.Contains(raised, k.Type) {
			n++
			continue
		}
		reason := ""
		for pattern, why := range absent {
			if regexp.MustCompile(pattern).MatchString(k.Type) {
				reason, used[pattern] = why, true
			}
		}
		if reason == "" {
			t.Errorf("nothing raises %s", k.Type)
		}
	}
	for pattern, why := range absent {
		if !used[pattern] {
			t.Errorf("no type is absent because %s (%s)", why, pattern)
		}
	}
	// The foundational ones of IAM, S3, EC2 and Kubernetes are nearly all there.
	if n < 120 {
		t.Errorf("only %d types are raised", n)
	}
	for _, typ := range raised {
		if _, ok := finding.KindOf(typ); !ok && !strings.HasPrefix(typ, "AttackSequence") {
			t.Errorf("%s is not in the catalogue", typ)
		}
	}
}
