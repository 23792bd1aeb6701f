package pattern

// anythingBut reads the value of anything-but: a string, a number, a list of
// either, or an object that names another operator with a string or a list.
func (p *parser) anythingBut() (condition, error) {
	k := kExact
	t, err := p.next()
	if err != nil {
		return condition{}, err
	}
	nested := t == tObject
	if nested {
		if k, err = p.inner(); err != nil {
			return condition{}, err
		}
		if t, err = p.next(); err != nil {
			return condition{}, err
		}
	}
	var not []condition
	switch t {
	case tArray:
		not, err = p.exclusions(k, nested)
	case tString, tNumber:
		var c condition
		c, err = p.exclusion(t, k, nested)
		not = []condition{c}
	default:
		err = p.fail("Value of anything-but must be an array or single string/number value.")
	}
	if err != nil {
		return condition{}, err
	}
	if err := p.close(tooManyElements); err != nil {
		return condition{}, err
	}
	c := condition{kind: kAnythingBut, not: not}
	if !nested {
		return c, nil
	}
	return c, p.close(tooManyElements)
}

// inner reads the operator inside anything-but.
func (p *parser) inner() (kind, error) {
	t, err := p.next()
	if err != nil {
		return 0, err
	}
	if t != tField {
		return 0, p.fail("Anything-But expression name not found")
	}
	switch p.name {
	case "equals-ignore-case":
		return kEqualFold, nil
	case "prefix":
		return kPrefix, nil
	case "suffix":
		return kSuffix, nil
	case "wildcard":
		return kWildcard, nil
	}
	return 0, p.fail("Unsupported anything-but pattern: %s", p.name)
}

// exclusion makes the condition of one excluded value.
func (p *parser) exclusion(t token, k kind, nested bool) (condition, error) {
	if t == tNumber && !nested {
		v, reason := comparable6(p.text)
		if reason != "" {
			return condition{}, &Error{Reason: reason}
		}
		return condition{kind: kNumber, low: v, high: v}, nil
	}
	if t != tString {
		return condition{}, p.fail("%s", notExcludable(k, nested))
	}
	text, err := p.string()
	if err != nil {
		return condition{}, err
	}
	if text == "" && (k == kPrefix || k == kSuffix) {
		return condition{}, p.fail("Null prefix/suffix not allowed")
	}
	if k == kWildcard {
		if _, reason := wildcardSteps(text); reason != "" {
			return condition{}, &Error{Reason: reason}
		}
	}
	return condition{kind: k, text: text}, nil
}

func notExcludable(k kind, nested bool) string {
	switch {
	case !nested:
		return "Inside anything but list, start|null|boolean is not supported."
	case k == kEqualFold:
		return "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
	case k == kWildcard:
		return "wildcard match pattern must be a string"
	}
	return "prefix/suffix match pattern must be a string"
}

// exclusions reads a list. EventBridge tells the place of a bad element twice.
func (p *parser) exclusions(k kind, nested bool) ([]condition, error) {
	var not []condition
	numbers := 0
	for {
		t, err := p.next()
		if err != nil {
			return nil, err
		}
		if t == tArrayEnd {
			break
		}
		c, err := p.exclusion(t, k, nested)
		if err != nil {
			return nil, p.fail("%s", err.(*Error).Reason)
		}
		if t == tNumber {
			numbers++
		}
		not = append(not, c)
	}
	if !nested && (len(not) == 0 || numbers != 0 && numbers != len(not)) {
		return nil, p.fail("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	if len(not) == 0 {
		return nil, p.fail("Empty arrays are not allowed")
	}
	return not, nil
}
