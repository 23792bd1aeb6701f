package iam

import (
	"encoding/base64"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
)

// entries reads the context of a simulation: each value must be of its type, and
// only list types have several.
func entries(list []iamapi.ContextEntry) (policy.Map, error) {
	m := policy.Map{}
	for _, e := range list {
		if e.ContextKeyName == nil || e.ContextKeyType == nil || len(e.ContextKeyValues) == 0 {
			return nil, invalid("A context entry must have ContextKeyName, ContextKeyType and ContextKeyValues.")
		}
		key := strings.ToLower(*e.ContextKeyName)
		if _, twice := m[key]; twice {
			return nil, invalid("Duplicate context key: %s", *e.ContextKeyName)
		}
		of, many := strings.CutSuffix(string(*e.ContextKeyType), "List")
		if !many && len(e.ContextKeyValues) > 1 {
			return nil, invalid("Context key %s of type %s has more than one value.", *e.ContextKeyName, *e.ContextKeyType)
		}
		for _, v := range e.ContextKeyValues {
			if !typed(of, v) {
				return nil, invalid("Invalid value for context key %s of type %s: %s", *e.ContextKeyName, *e.ContextKeyType, v)
			}
		}
		if many {
			m[key] = policy.Texts(slices.Clone(e.ContextKeyValues))
			continue
		}
		m[key] = policy.Text(e.ContextKeyValues[0])
	}
	return m, nil
}

// typed reports whether a value is of a context key's type.
func typed(of, v string) bool {
	var err error
	switch of {
	case "string":
	case "numeric":
		_, err = strconv.ParseFloat(v, 64)
	case "boolean":
		return v == "true" || v == "false"
	case "ip":
		if _, err = netip.ParsePrefix(v); err != nil {
			_, err = netip.ParseAddr(v)
		}
	case "binary":
		_, err = base64.StdEncoding.DecodeString(v)
	case "date":
		if _, err = strconv.ParseInt(v, 10, 64); err != nil {
			if _, err = time.Parse(time.RFC3339, v); err != nil {
				_, err = time.Parse(time.DateOnly, v)
			}
		}
	default:
		return false
	}
	return err == nil
}

// options are the scenarios of ec2:RunInstances, and the resources that each
// needs. IAM API Reference, SimulateCustomPolicy, ResourceHandlingOption.
func options(option string) []string {
	switch option {
	case "EC2-VPC-InstanceStore":
		return []string{"image", "instance", "network-interface", "security-group"}
	case "EC2-VPC-InstanceStore-Subnet":
		return []string{"image", "instance", "network-interface", "security-group", "subnet"}
	case "EC2-VPC-EBS":
		return []string{"image", "instance", "network-interface", "security-group", "volume"}
	case "EC2-VPC-EBS-Subnet":
		return []string{"image", "instance", "network-interface", "security-group", "subnet", "volume"}
	}
	return nil
}

// checkOption holds a scenario to the resources that it needs.
func checkOption(a *asked) error {
	if a.option == nil {
		return nil
	}
	need := options(*a.option)
	if need == nil {
		return invalid("Invalid ResourceHandlingOption: %s", *a.option)
	}
	if !slices.ContainsFunc(a.actions, func(action string) bool { return strings.EqualFold(action, "ec2:RunInstances") }) {
		return nil
	}
	for _, kind := range need {
		named := slices.ContainsFunc(a.resources, func(r string) bool {
			arn, err := aws.ParseARN(r)
			return err == nil && arn.Service == "ec2" && strings.HasPrefix(arn.Resource, kind+"/")
		})
		if !named {
			return invalid("ResourceHandlingOption %s needs a resource of type %s in ResourceArns.", *a.option, kind)
		}
	}
	return nil
}
