package inherit

import (
	"maps"
	"slices"
)

// A node is an element of the effective policy while levels are laid over it.
type node struct {
	value    any
	control  *operators // what levels further down may do here; nil: what they may above it
	children map[string]*node
}

// Merge lays the documents of each level over those of the levels before, the
// outermost level first. Within a level documents stand in the order in which
// they were attached: of several that assign, the first counts; what they append
// and remove, and how they limit their children, is taken together. Operators
// that a level above does not allow have no effect. A limit also holds for all
// below its element that has none of its own, and no level below can lift it.
//
// The result holds objects, lists of strings and plain values, ready to be
// encoded. Nil means that nothing is left.
func Merge(levels [][]*Document) map[string]any {
	root := &node{}
	for _, level := range levels {
		var over []*element
		for _, d := range level {
			over = append(over, d.root)
		}
		root.lay(over, mayAll)
	}
	object, _ := root.result().(map[string]any)
	return object
}

// lay puts the elements of one level over n. above is what the levels before
// allow where they say nothing of n itself.
func (n *node) lay(over []*element, above operators) {
	may := above
	if n.control != nil {
		may = *n.control
	}
	n.set(over, may)
	for _, e := range over {
		for _, name := range slices.Sorted(maps.Keys(e.children)) {
			if n.children == nil {
				n.children = map[string]*node{}
			}
			if n.children[name] == nil {
				n.children[name] = &node{}
			}
		}
	}
	for name, child := range n.children {
		var below []*element
		for _, e := range over {
			if c := e.children[name]; c != nil {
				below = append(below, c)
			}
		}
		if len(below) > 0 {
			child.lay(below, may)
		}
	}
	for _, e := range over { // holds for the levels to come, not for this one
		if e.control != nil {
			may &= *e.control
			n.control = &may
		}
	}
}

func (n *node) set(over []*element, may operators) {
	if may&mayAssign != 0 {
		for _, e := range over {
			if e.assign != nil {
				n.value = e.assign
				break
			}
		}
	}
	list, isList := n.value.([]string)
	if n.value != nil && !isList {
		return // append and remove are for lists only
	}
	list = slices.Clone(list)
	for _, e := range over {
		for _, v := range e.append {
			if may&mayAppend != 0 && !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
	}
	for _, e := range over {
		if may&mayRemove != 0 {
			list = slices.DeleteFunc(list, func(v string) bool { return slices.Contains(e.remove, v) })
		}
	}
	if len(list) > 0 || isList {
		n.value = list
	}
}

// result is what n contributes to the effective policy; nil for nothing.
func (n *node) result() any {
	if list, isList := n.value.([]string); isList && len(list) == 0 {
		return nil
	}
	if n.value != nil {
		return n.value
	}
	object := map[string]any{}
	for name, child := range n.children {
		if r := child.result(); r != nil {
			object[name] = r
		}
	}
	if len(object) == 0 {
		return nil
	}
	return object
}
