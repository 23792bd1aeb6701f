// Package detect turns records of what happened into suspicions.
//
// source reads records of all kinds into the one model of record. rule has one
// folder for each kind of suspicion with its reasons and evidence; intel holds
// the lists that rules look up, enrich knows where addresses are, baseline what
// is normal. An Engine applies all rules to records in their order of time; this
// package also has the list of them.
package detect

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"sumun.dev/detect/declared"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/rule/abuseddomain"
	"sumun.dev/detect/rule/accessgranted"
	"sumun.dev/detect/rule/bitcoindomain"
	"sumun.dev/detect/rule/bitcointool"
	"sumun.dev/detect/rule/blackhole"
	"sumun.dev/detect/rule/bruteforce"
	"sumun.dev/detect/rule/ccactivity"
	"sumun.dev/detect/rule/commandhidden"
	"sumun.dev/detect/rule/consoletravel"
	"sumun.dev/detect/rule/dataread"
	"sumun.dev/detect/rule/defencesoff"
	"sumun.dev/detect/rule/denialofservice"
	"sumun.dev/detect/rule/dgadomain"
	"sumun.dev/detect/rule/dgalisted"
	"sumun.dev/detect/rule/driveby"
	"sumun.dev/detect/rule/droppoint"
	"sumun.dev/detect/rule/exfiltration"
	"sumun.dev/detect/rule/foreignkey"
	"sumun.dev/detect/rule/instancecredentials"
	"sumun.dev/detect/rule/kubeanonymouscall"
	"sumun.dev/detect/rule/kubelistedcaller"
	"sumun.dev/detect/rule/listedaddress"
	"sumun.dev/detect/rule/listedcaller"
	"sumun.dev/detect/rule/maliciousdomain"
	"sumun.dev/detect/rule/maliciousreputation"
	"sumun.dev/detect/rule/massdestruction"
	"sumun.dev/detect/rule/parametersweep"
	"sumun.dev/detect/rule/pentest"
	"sumun.dev/detect/rule/phishing"
	"sumun.dev/detect/rule/portprobe"
	"sumun.dev/detect/rule/portscan"
	"sumun.dev/detect/rule/portsweep"
	"sumun.dev/detect/rule/rebinding"
	"sumun.dev/detect/rule/reconnaissance"
	"sumun.dev/detect/rule/rootsession"
	"sumun.dev/detect/rule/rootused"
	"sumun.dev/detect/rule/spambot"
	"sumun.dev/detect/rule/suspiciousdomain"
	"sumun.dev/detect/rule/tornode"
	"sumun.dev/detect/rule/trailtampering"
	"sumun.dev/detect/rule/unusualcalls"
	"sumun.dev/detect/rule/unusuallaunch"
	"sumun.dev/detect/rule/unusualresolver"
	"sumun.dev/detect/rule/unusualtraffic"
)

// Rules lists all built-in rules, in alphabetical order of their names.
func Rules() []*rule.Rule { return slices.Clone(all()) }

// declarations are the rules that are written down, not programmed.
//
//go:embed rule/*/rule.yaml
var declarations embed.FS

var all = sync.OnceValue(func() []*rule.Rule {
	out := slices.Clone(programmed)
	files, err := fs.Glob(declarations, "rule/*/rule.yaml")
	if err != nil {
		panic(err) // a constant is wrong
	}
	for _, name := range files {
		b, err := declarations.ReadFile(name)
		if err != nil {
			panic(err) // it is embedded
		}
		r, err := declared.Parse(b)
		if err != nil {
			panic(name + ": " + err.Error()) // a test of detect reads them all
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *rule.Rule) int { return strings.Compare(a.Name, b.Name) })
	return out
})

var programmed = []*rule.Rule{
	&abuseddomain.Rule,
	&accessgranted.Rule,
	&bitcoindomain.Rule,
	&bitcointool.Rule,
	&blackhole.Rule,
	&bruteforce.Rule,
	&ccactivity.Rule,
	&commandhidden.Rule,
	&consoletravel.Rule,
	&dataread.Rule,
	&defencesoff.Rule,
	&denialofservice.Rule,
	&dgadomain.Rule,
	&dgalisted.Rule,
	&driveby.Rule,
	&droppoint.Rule,
	&exfiltration.Rule,
	&foreignkey.Rule,
	&instancecredentials.Rule,
	&kubeanonymouscall.Rule,
	&kubelistedcaller.Rule,
	&listedaddress.Rule,
	&listedcaller.Rule,
	&maliciousdomain.Rule,
	&maliciousreputation.Rule,
	&massdestruction.Rule,
	&parametersweep.Rule,
	&pentest.Rule,
	&phishing.Rule,
	&portprobe.Rule,
	&portscan.Rule,
	&portsweep.Rule,
	&rebinding.Rule,
	&reconnaissance.Rule,
	&rootsession.Rule,
	&rootused.Rule,
	&spambot.Rule,
	&suspiciousdomain.Rule,
	&tornode.Rule,
	&trailtampering.Rule,
	&unusualcalls.Rule,
	&unusuallaunch.Rule,
	&unusualresolver.Rule,
	&unusualtraffic.Rule,
}
