package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// write writes the table that policy/facts reads. Its lines, with tabs between
// the fields, are described there, in table.go.
func (d *data) write(w io.Writer) {
	fmt.Fprintln(w, "@aws\tGlobal condition keys")
	for _, k := range d.globalKeys {
		fmt.Fprintf(w, "k\t%s\t%s\n", k.Key, k.Type)
	}
	var others []string
	for _, prefix := range slices.Sorted(maps.Keys(d.foreign)) {
		for _, s := range d.foreign[prefix] {
			if !slices.Contains(others, s) {
				others = append(others, s)
			}
		}
	}
	fmt.Fprintf(w, "o\t%s\n", strings.Join(others, " "))
	services := slices.Clone(d.services)
	slices.Sort(services)
	for _, s := range services {
		d.service(w, s)
	}
}

// A numbering gives names numbers, in the order in which they are first listed.
type numbering map[string]int

func (n numbering) list(names []string) string {
	var out []string
	for _, name := range names {
		out = append(out, strconv.Itoa(n[strings.ToLower(variable(name))]))
	}
	return strings.Join(out, " ")
}

func (d *data) service(w io.Writer, s string) {
	fmt.Fprintf(w, "@%s\t%s\n", s, d.names[s])
	keys := numbering{}
	for _, k := range d.allKeys(s) {
		keys[strings.ToLower(k.Key)] = len(keys)
		fmt.Fprintf(w, "k\t%s\t%s\n", k.Key, k.Type)
	}
	types := numbering{}
	for _, name := range slices.Sorted(maps.Keys(d.resources[s])) {
		r := d.resources[s][name]
		types[strings.ToLower(r.Key)] = len(types)
		fmt.Fprintf(w, "r\t%s\t%s\t%s\n", r.Key, r.ARN, keys.list(r.ConditionKeys))
	}
	for _, name := range slices.Sorted(maps.Keys(d.actions[s])) {
		a := d.actions[s][name]
		var resources []string
		depends := slices.Clone(a.DependentActions)
		for _, r := range a.ResourceTypes {
			i, known := types[strings.ToLower(r.Name)]
			if !known {
				continue
			}
			text := strconv.Itoa(i)
			if r.Required {
				text += "*"
			}
			if len(r.ConditionKeys) > 0 {
				text += ":" + keys.list(r.ConditionKeys)
			}
			resources = append(resources, text)
			depends = append(depends, r.DependentActions...)
		}
		slices.Sort(depends)
		fmt.Fprintf(w, "a\t%s\t%s\t%s\t%s\t%s\n", a.Name, level(a.AccessLevel), keys.list(a.ConditionKeys), strings.Join(resources, ","), strings.Join(slices.Compact(depends), " "))
	}
}

// allKeys returns the condition keys of a service, those included that only its
// actions or resource types name.
func (d *data) allKeys(s string) []key {
	found := map[string]key{}
	for _, k := range d.keys[s] {
		k.Key = variable(k.Key)
		found[strings.ToLower(k.Key)] = k
	}
	add := func(names []string) {
		for _, name := range names {
			name = variable(name)
			if _, known := found[strings.ToLower(name)]; !known {
				found[strings.ToLower(name)] = key{name, d.typeOf(name)}
			}
		}
	}
	for _, a := range d.actions[s] {
		add(a.ConditionKeys)
		for _, r := range a.ResourceTypes {
			add(r.ConditionKeys)
		}
	}
	for _, r := range d.resources[s] {
		add(r.ConditionKeys)
	}
	return slices.SortedFunc(maps.Values(found), func(a, b key) int { return strings.Compare(strings.ToLower(a.Key), strings.ToLower(b.Key)) })
}

func (d *data) typeOf(name string) string {
	for _, k := range d.globalKeys {
		if strings.EqualFold(k.Key, name) {
			return k.Type
		}
	}
	return "String"
}

// level is one letter for what AWS calls the access level. Some are two words
// in the data, of which the first says more.
func level(s string) string {
	first, _, _ := strings.Cut(s, ",")
	return first[:1]
}

// variable writes what varies in a key's name in one way: some pages have "<key>"
// or "tag-key" where all others have "${TagKey}".
func variable(name string) string {
	if tag, found := strings.CutSuffix(name, "/tag-key"); found {
		return tag + "/${TagKey}"
	}
	return strings.NewReplacer("<", "${", ">", "}").Replace(name)
}
