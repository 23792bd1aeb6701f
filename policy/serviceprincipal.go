package policy

import "strings"

// isService reports whether name, from a policy, is the service that asks. A
// service has a name for all regions ("logs.amazonaws.com") and may have one for
// each ("logs.eu-central-1.amazonaws.com"): the first is met from everywhere, the
// second only by a request in that region.
// IAM User Guide, "AWS service principals".
func (e *evaluation) isService(name string) bool {
	own := e.principal.Name
	if name == own {
		return true
	}
	general, region, regional := cutRegion(name)
	if !regional {
		of, _, regional := cutRegion(own)
		return regional && of == name
	}
	if general != own {
		return false
	}
	v := e.lookup("aws:requestedregion")
	return v.count() == 1 && v.at(0) == region
}

// serviceNames are all names of the service that asks: aws:PrincipalServiceNamesList.
func (e *evaluation) serviceNames() []string {
	own := e.principal.Name
	if general, _, regional := cutRegion(own); regional {
		return []string{own, general}
	}
	service, domain, found := strings.Cut(own, ".amazonaws.")
	v := e.lookup("aws:requestedregion")
	if !found || v.count() != 1 {
		return []string{own}
	}
	return []string{own, service + "." + v.at(0) + ".amazonaws." + domain}
}

// cutRegion takes the region out of "logs.eu-central-1.amazonaws.com".
func cutRegion(name string) (general, region string, regional bool) {
	head, domain, found := strings.Cut(name, ".amazonaws.")
	dot := strings.LastIndexByte(head, '.')
	if !found || dot < 0 {
		return "", "", false
	}
	region = head[dot+1:]
	if strings.Count(region, "-") < 2 || !digit(region[len(region)-1]) {
		return "", "", false
	}
	return head[:dot] + ".amazonaws." + domain, region, true
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
