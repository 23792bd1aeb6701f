package intel

import (
	"slices"
)

// builtin are the domains that AWS publishes so that people can see GuardDuty
// find something: the User Guide names the first (Backdoor:EC2/C&CActivity.B!DNS),
// the amazon-guardduty-tester the others.
var builtin = [...]struct {
	kind    Kind
	domains []string
}{
	{CommandAndControl, []string{"guarddutyc2activityb.com"}},
	{Mining, []string{"pool.minergate.com", "xmr.pool.minergate.com"}},
}

// Builtin returns the lists that are always there.
func Builtin() []*List {
	var lists []*List
	for _, b := range builtin {
		l, err := Below("Built-in test domains", b.kind, slices.Values(b.domains))
		if err != nil {
			panic(err) // a constant is wrong
		}
		l.Threats = []string{"TestDomain"}
		lists = append(lists, l)
	}
	return lists
}
