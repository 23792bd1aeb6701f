package organizations

import (
	"maps"
	"slices"

	"sumun.dev/api/organizationsapi"
)

// A fault is what makes an effective policy useless, although each policy that it
// was merged from follows the grammar.
type fault struct{ code, path, message string }

// The codes of faults. AWS does not publish its own.
const (
	faultMissing = "REQUIRED_ELEMENT_MISSING"
	faultType    = "INVALID_ELEMENT_TYPE"
	faultValue   = "INVALID_ELEMENT_VALUE"
)

// faults looks for what the service that reads the policy could not do without,
// sorted by path. Organizations User Guide, "Tag policy syntax", "Backup policy
// syntax", "AI services opt-out policy syntax".
func faults(t organizationsapi.PolicyType, content map[string]any) []fault {
	c := &checker{}
	switch t {
	case organizationsapi.PolicyTypeTagPolicy:
		for name, tag := range c.each("tags", content["tags"]) {
			at := "tags/" + name
			if m := c.object(at, tag); m != nil {
				c.texts(at+"/tag_value", m["tag_value"], false)
				c.texts(at+"/enforced_for", m["enforced_for"], false)
				c.text(at+"/tag_key", m["tag_key"], false)
			}
		}
	case organizationsapi.PolicyTypeBackupPolicy:
		for name, plan := range c.each("plans", content["plans"]) {
			c.plan("plans/"+name, plan)
		}
	case organizationsapi.PolicyTypeAiservicesOptOutPolicy:
		for name, service := range c.each("services", content["services"]) {
			at := "services/" + name
			if m := c.object(at, service); m != nil {
				choice := c.text(at+"/opt_out_policy", m["opt_out_policy"], true)
				if choice != "" && choice != "optIn" && choice != "optOut" {
					c.add(faultValue, at+"/opt_out_policy", "The value must be optIn or optOut.")
				}
			}
		}
	}
	slices.SortFunc(c.faults, func(a, b fault) int {
		if a.path < b.path {
			return -1
		}
		return 1
	})
	return c.faults
}

type checker struct{ faults []fault }

func (c *checker) add(code, path, message string) {
	c.faults = append(c.faults, fault{code, path, message})
}

// plan checks a backup plan: it needs regions, rules with a vault each, and
// something to back up.
func (c *checker) plan(at string, plan any) {
	m := c.object(at, plan)
	if m == nil {
		return
	}
	c.texts(at+"/regions", m["regions"], true)
	for name, rule := range c.each(at+"/rules", m["rules"]) {
		if r := c.object(at+"/rules/"+name, rule); r != nil {
			c.text(at+"/rules/"+name+"/target_backup_vault_name", r["target_backup_vault_name"], true)
		}
	}
	if m["rules"] == nil {
		c.add(faultMissing, at+"/rules", "The element is required.")
	}
	if m["selections"] == nil {
		c.add(faultMissing, at+"/selections", "The element is required.")
	}
}

// each yields the members of an object in order.
func (c *checker) each(at string, v any) func(func(string, any) bool) {
	return func(yield func(string, any) bool) {
		m, _ := v.(map[string]any)
		if v != nil && m == nil {
			c.add(faultType, at, "The element must be an object.")
		}
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(name, m[name]) {
				return
			}
		}
	}
}

func (c *checker) object(at string, v any) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		c.add(faultType, at, "The element must be an object.")
	}
	return m
}

func (c *checker) text(at string, v any, required bool) string {
	s, ok := v.(string)
	c.check(at, v, ok, required, "The element must be a string.")
	return s
}

func (c *checker) texts(at string, v any, required bool) {
	_, ok := v.([]string)
	c.check(at, v, ok, required, "The element must be a list of strings.")
}

func (c *checker) check(at string, v any, ok, required bool, message string) {
	switch {
	case v == nil && required:
		c.add(faultMissing, at, "The element is required.")
	case v != nil && !ok:
		c.add(faultType, at, message)
	}
}
