package parameters

import (
	"context"
	"slices"
	"strings"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
)

// Filters: API Reference, ParameterStringFilter. Sentences are AWS's as far as they
// are known.

const (
	equals     = "Equals"
	beginsWith = "BeginsWith"
	contains   = "Contains"
	recursive  = "Recursive"
	oneLevel   = "OneLevel"
)

// options are what a filter's key may be combined with; the first is the default.
var options = map[string][]string{
	"Name": {equals, beginsWith, contains}, "Path": {oneLevel, recursive}, "Type": {equals, beginsWith}, "KeyId": {equals, beginsWith},
	"Label": {equals}, "Tier": {equals}, "DataType": {equals}, "tag:": {equals},
}

// checkFilters refuses filters that an operation with these keys does not know,
// and returns them with their options.
func checkFilters(filters []ssmapi.ParameterStringFilter, keys ...string) ([]ssmapi.ParameterStringFilter, error) {
	all, seen := slices.Clone(filters), map[string]bool{}
	for i := range all {
		f := &all[i]
		kind := f.Key
		if strings.HasPrefix(kind, "tag:") {
			kind = "tag:"
		}
		if !slices.Contains(keys, kind) {
			return nil, ssmapi.InvalidFilterKey.New("The following filter key is not valid: %s. Valid filter keys include: [%s].", f.Key, strings.Join(keys, ", "))
		}
		if seen[f.Key] {
			return nil, ssmapi.InvalidFilterKey.New("The following filter is duplicated in the request: %s. A request can contain only one occurrence of a specific filter.", f.Key)
		}
		seen[f.Key] = true
		if f.Option == nil {
			f.Option = new(options[kind][0])
		}
		if !slices.Contains(options[kind], *f.Option) {
			return nil, ssmapi.InvalidFilterOption.New("The following filter option is not valid: %s. Valid options include: [%s].", *f.Option, strings.Join(options[kind], ", "))
		}
		if len(f.Values) == 0 && kind != "tag:" {
			return nil, ssmapi.InvalidFilterValue.New("The following filter values are missing : null for filter key %s.", f.Key)
		}
		if err := checkValues(f); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func checkValues(f *ssmapi.ParameterStringFilter) error {
	var possible []string
	switch f.Key {
	case "Type":
		possible = ssmapi.ParameterType("").Values()
	case "Tier":
		possible = ssmapi.ParameterTier("").Values()
	case "Path":
		for i, path := range f.Values {
			trimmed, err := checkPath(path)
			if err != nil {
				return err
			}
			f.Values = slices.Clone(f.Values)
			f.Values[i] = trimmed
		}
		return nil
	}
	if possible == nil || *f.Option != equals {
		return nil
	}
	for _, v := range f.Values {
		if !slices.Contains(possible, v) {
			return ssmapi.InvalidFilterValue.New("The following filter value is not valid: %s. Valid values include: [%s].", v, strings.Join(possible, ", "))
		}
	}
	return nil
}

// meets reports whether one of a filter's values is met by p as v. Labels choose
// versions and are left to pathFilters.
func meets(p *parameter, v *version, f *ssmapi.ParameterStringFilter) bool {
	if key, ok := strings.CutPrefix(f.Key, "tag:"); ok {
		value, has := p.Tags[key]
		return has && (len(f.Values) == 0 || slices.Contains(f.Values, value))
	}
	return slices.ContainsFunc(f.Values, func(want string) bool {
		switch f.Key {
		case "Name":
			return compare(p.Name, want, *f.Option) || p.Name[0] == '/' && *f.Option != contains && compare(p.Name[1:], want, *f.Option)
		case "Path":
			return under(p.Name, want, *f.Option == recursive)
		case "Type":
			return compare(string(v.Type), want, *f.Option)
		case "KeyId":
			return v.KeyID != "" && compare(v.KeyID, want, *f.Option)
		case "Tier":
			return string(v.tier()) == want
		case "DataType":
			return v.dataType() == want
		}
		return false
	})
}

func compare(value, want, option string) bool {
	switch option {
	case beginsWith:
		return strings.HasPrefix(value, want)
	case contains:
		return strings.Contains(value, want)
	}
	return value == want
}

// under reports whether a name stands under a path, or directly in it.
func under(name, path string, deep bool) bool {
	if !deep {
		return folderOf(name) == path || path == "" && folderOf(name) == "/"
	}
	return path == "" || strings.HasPrefix(name, path+"/")
}

// pathFilters returns what decides which version of a parameter, if any,
// GetParametersByPath returns.
func pathFilters(filters []ssmapi.ParameterStringFilter) (func(context.Context, *Service, reference, *parameter) (*version, error), error) {
	all, err := checkFilters(filters, "Type", "KeyId", "Label", "DataType")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, s *Service, r reference, p *parameter) (*version, error) {
		v := &p.version
		for i := range all {
			if all[i].Key != "Label" {
				continue
			}
			label := slices.IndexFunc(all[i].Values, func(label string) bool { return p.Labels[label] > 0 })
			if label < 0 {
				return nil, nil
			}
			var err error
			if v, err = s.numbered(ctx, r, p, p.Labels[all[i].Values[label]]); v == nil {
				return nil, err
			}
		}
		for i := range all {
			if all[i].Key != "Label" && !meets(p, v, &all[i]) {
				return nil, nil
			}
		}
		return v, nil
	}, nil
}

// fromOld puts DescribeParameters' older filters into the form of the newer ones.
func fromOld(in *ssmapi.DescribeParametersRequest) ([]ssmapi.ParameterStringFilter, error) {
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, aws.ValidationException.New("You can use either Filters or ParameterFilters in a single request.")
	}
	if len(in.Filters) == 0 {
		return in.ParameterFilters, nil
	}
	var all []ssmapi.ParameterStringFilter
	for _, f := range in.Filters {
		all = append(all, ssmapi.ParameterStringFilter{Key: string(f.Key), Values: f.Values})
	}
	return all, nil
}

// filterText says what filters there are, for the binding of page tokens.
func filterText(filters []ssmapi.ParameterStringFilter) string {
	var b strings.Builder
	for _, f := range filters {
		b.WriteString(f.Key + "\x00" + text(f.Option) + "\x00" + strings.Join(f.Values, "\x01") + "\x02")
	}
	return b.String()
}
