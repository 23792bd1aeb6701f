package cli

import (
	"slices"
	"strings"
)

// text writes x as --output text does: one line an object, its scalars sorted by
// name and divided by tabs, then the objects and lists below it, each line begun
// with the name it stands under. AWS CLI User Guide, "Text output format".
func text(b *strings.Builder, x any, under string, columns []string) {
	switch x := x.(type) {
	case map[string]any:
		textObject(b, x, under, columns)
	case []any:
		textList(b, x, under)
	default:
		b.WriteString(textScalar(x) + "\n")
	}
}

func textObject(b *strings.Builder, m map[string]any, under string, columns []string) {
	var cells, below []string
	for _, name := range columns {
		v, ok := m[name]
		if !ok {
			cells = append(cells, "")
			continue
		}
		cells = append(cells, textScalar(v))
	}
	for _, name := range keys(m) {
		switch {
		case nested(m[name]) || columns != nil && !slices.Contains(columns, name):
			below = append(below, name)
		case columns == nil:
			cells = append(cells, textScalar(m[name]))
		}
	}
	if len(cells) > 0 {
		if under != "" {
			cells = append([]string{strings.ToUpper(under)}, cells...)
		}
		b.WriteString(strings.Join(cells, "\t") + "\n")
	}
	for _, name := range below {
		text(b, m[name], name, nil)
	}
}

func textList(b *strings.Builder, list []any, under string) {
	var scalars []string
	var lists []any
	columns := map[string]bool{}
	objects := false
	for _, item := range list {
		switch item := item.(type) {
		case map[string]any:
			objects = true
			for name, v := range item {
				if !nested(v) {
					columns[name] = true
				}
			}
		case []any:
			lists = append(lists, item)
		default:
			scalars = append(scalars, textScalar(item))
		}
	}
	if objects {
		names := make([]string, 0, len(columns))
		for name := range columns {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, item := range list {
			text(b, item, under, names)
		}
		return
	}
	if len(scalars) > 0 {
		if under == "" {
			b.WriteString(strings.Join(scalars, "\t") + "\n")
		} else {
			for _, s := range scalars {
				b.WriteString(strings.ToUpper(under) + "\t" + s + "\n")
			}
		}
	}
	for _, item := range lists {
		text(b, item, under, nil)
	}
}

func nested(x any) bool {
	switch x.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// textScalar writes Python's str of a value.
func textScalar(x any) string {
	switch x := x.(type) {
	case nil:
		return "None"
	case bool:
		if x {
			return "True"
		}
		return "False"
	case string:
		return x
	}
	return scalar(x)
}
