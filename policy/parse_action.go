package policy

import "strings"

// checkAction holds an action to be "*" or service:name.
func checkAction(action string, kind Kind) error {
	service, name, found := strings.Cut(action, ":")
	switch {
	case kind == Trust && !assumption(action):
		return Malformed.New("AssumeRole policy may only specify STS AssumeRole actions.")
	case kind == RCP && (!found || service == "*"):
		return legacy()
	case !found && action != "*":
		return Malformed.New("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
	case strings.Contains(name, ":"):
		return Malformed.New("Actions/Condition can contain only one colon.")
	}
	if service != "*" && (service == "" || strings.ContainsFunc(service, func(r rune) bool {
		return !alphanumeric(r) && r != '-' && r != '.'
	})) {
		return Malformed.New("Vendor %s is not valid", service)
	}
	if kind == Bucket && found && service != "*" && !strings.HasPrefix(strings.ToLower(service), "s3") {
		return Malformed.New("Policy has invalid action")
	}
	if found && (name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return !alphanumeric(r) && !strings.ContainsRune("*?-_./", r)
	})) {
		return legacy()
	}
	return nil
}

// assumption reports whether action, which may have wildcards, is one that a
// role's trust policy is about. IAM User Guide, "Roles terms and concepts".
func assumption(action string) bool {
	p, _ := compilePattern(strings.ToLower(action), true, false)
	for _, name := range [...]string{
		"sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity", "sts:tagsession", "sts:setsourceidentity", "sts:setcontext",
	} {
		if p.mode == exactly && p.text == name || p.mode != exactly && p.mode != anything && p.matches(nil, name, false) == yes {
			return true
		}
	}
	return false
}

// checkCondition holds a condition key to have a vendor.
func checkCondition(c *condition) error {
	if !strings.Contains(c.key, ":") {
		return Malformed.New("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
	}
	return nil
}
