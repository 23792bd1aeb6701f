package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// data is what the package says.
type data struct {
	version    string
	services   []string
	names      map[string]string
	foreign    map[string][]string // prefixes of condition keys that are no service's → services that have them
	actions    map[string]map[string]action
	resources  map[string]map[string]resource
	keys       map[string]map[string]key
	globalKeys []key
}

type action struct {
	Name             string   `json:"name"`
	AccessLevel      string   `json:"accessLevel"`
	ConditionKeys    []string `json:"conditionKeys"`
	DependentActions []string `json:"dependentActions"`
	ResourceTypes    []struct {
		Name             string   `json:"name"`
		Required         bool     `json:"required"`
		ConditionKeys    []string `json:"conditionKeys"`
		DependentActions []string `json:"dependentActions"`
	} `json:"resourceTypes"`
}

type resource struct {
	Key           string   `json:"key"`
	ARN           string   `json:"arn"`
	ConditionKeys []string `json:"conditionKeys"`
}

type key struct {
	Key  string `json:"key"`
	Type string `json:"type"`
}

func read(folder string) (*data, error) {
	d := &data{actions: map[string]map[string]action{}, resources: map[string]map[string]resource{}, keys: map[string]map[string]key{}}
	var about struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	err := errors.Join(
		decode(folder, "package.json", &about),
		decode(folder, "data/services.json", &d.services),
		decode(folder, "data/serviceNames.json", &d.names),
		decode(folder, "data/unassociatedConditions.json", &d.foreign),
	)
	if err != nil {
		return nil, err
	}
	if about.Name != packageName {
		return nil, fmt.Errorf("%s holds %q, not %s", folder, about.Name, packageName)
	}
	d.version = about.Version
	for _, s := range d.services {
		a, r, k := map[string]action{}, map[string]resource{}, map[string]key{}
		if err := errors.Join(
			decode(folder, "data/actions/"+s+".json", &a),
			optional(decode(folder, "data/resourceTypes/"+s+".json", &r)),
			optional(decode(folder, "data/conditionKeys/"+s+".json", &k)),
		); err != nil {
			return nil, err
		}
		d.actions[s], d.resources[s], d.keys[s] = a, r, k
	}
	d.globalKeys, err = globals(filepath.Join(folder, "dist/cjs/globalConditionKeys.js"))
	return d, err
}

func decode(folder, name string, into any) error {
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func optional(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

var globalKey = regexp.MustCompile(`key: '(aws:[^']+)',\s*category: '[^']*',\s*type: '([^']+)'`)

// globals reads the global condition keys, which the package has as a program only.
func globals(file string) ([]key, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []key
	for _, m := range globalKey.FindAllStringSubmatch(string(text), -1) {
		all = append(all, key{variable(m[1]), m[2]})
	}
	if len(all) < 40 {
		return nil, fmt.Errorf("%s: only %d global condition keys were found", file, len(all))
	}
	return all, nil
}
