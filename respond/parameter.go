package respond

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The types of parameters and outputs. Types such as AWS::IAM::Role::Arn are
// strings, and List<AWS::EC2::Instance::Id> are lists of them.
const (
	String     = "String"
	StringList = "StringList"
	Integer    = "Integer"
	Boolean    = "Boolean"
	StringMap  = "StringMap"
	MapList    = "MapList"
)

// ErrParameters means that a run cannot start with what it is given; the text
// after the prefix is the sentence for the caller.
var ErrParameters = errors.New("parameters")

// A Parameter is what a run is given.
type Parameter struct {
	Name, Type, Description string
	Default                 any // nil: required
	AllowedValues           []any

	pattern            string
	match              *regexp.Regexp
	minItems, maxItems *int
	minChars, maxChars *int
}

func newParameter(name string, in parameter) (Parameter, error) {
	p := Parameter{Name: name, Type: in.Type, Description: in.Description, Default: canonical(in.Default, 0), pattern: in.AllowedPattern,
		minItems: in.MinItems, maxItems: in.MaxItems, minChars: in.MinChars, maxChars: in.MaxChars}
	p.AllowedValues, _ = canonical(in.AllowedValues, 0).([]any)
	if !isName(name) || len(name) > 50 {
		return p, bad("parameter %q: the name is not valid", name)
	}
	if baseType(in.Type) == "" {
		return p, bad("parameter %s: the type %q is not known", name, in.Type)
	}
	if in.AllowedPattern == "" {
		return p, nil
	}
	var err error
	// The whole value must match, or the pattern would guard nothing.
	if p.match, err = regexp.Compile(`^(?:` + in.AllowedPattern + `)$`); err != nil {
		return p, bad("parameter %s: allowedPattern: %v", name, err)
	}
	return p, nil
}

// baseType reduces AWS's resource types to strings and lists of strings; it is
// empty for a type that is not known.
func baseType(t string) string {
	switch t {
	case String, StringList, Integer, Boolean, StringMap, MapList:
		return t
	}
	if strings.HasPrefix(t, "List<AWS::") && strings.HasSuffix(t, ">") {
		return StringList
	}
	if strings.HasPrefix(t, "AWS::") {
		return String
	}
	return ""
}

// Bind checks what a run is given against the runbook's parameters and returns
// their values, defaults among them, by name. Defaults may refer to globals. Every
// error is an ErrParameters.
func (r *Runbook) Bind(given map[string][]string, globals map[string]string) (map[string]any, error) {
	values := make(map[string]any, len(r.Parameters))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.ContainsFunc(r.Parameters, func(p Parameter) bool { return p.Name == name }) {
			return nil, refuse("Parameter %q is not defined in the document %s.", name, r.Name)
		}
	}
	scope := &Scope{Globals: globals}
	for i := range r.Parameters {
		p := &r.Parameters[i]
		words, ok := given[p.Name]
		if !ok && p.Default == nil {
			return nil, refuse("Missing required parameter: %s in user inputs.", p.Name)
		}
		if !ok {
			v, err := scope.Fill(p.Default)
			if err != nil {
				return nil, refuse("The default of parameter %q cannot be resolved: %v.", p.Name, err)
			}
			values[p.Name] = v
			continue
		}
		v, err := p.value(words)
		if err != nil {
			return nil, err
		}
		if err := p.allows(v); err != nil {
			return nil, err
		}
		values[p.Name] = v
	}
	return values, nil
}

// value makes a typed value of the strings that the API carries.
func (p *Parameter) value(words []string) (any, error) {
	base := baseType(p.Type)
	switch base {
	case StringList:
		list := make([]any, len(words))
		for i, w := range words {
			list[i] = w
		}
		return list, nil
	case MapList:
		return p.maps(words)
	}
	if len(words) != 1 {
		return nil, refuse("Parameter %q of type %s takes one value, %d are given.", p.Name, p.Type, len(words))
	}
	word := words[0]
	switch base {
	case Integer:
		i, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return nil, refuse("Parameter %q has value %q, which is not an Integer.", p.Name, word)
		}
		return i, nil
	case Boolean:
		switch strings.ToLower(word) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, refuse("Parameter %q has value %q, which is not a Boolean.", p.Name, word)
	case StringMap:
		v, err := Canonical([]byte(word))
		if m, ok := v.(map[string]any); err == nil && ok {
			return m, nil
		}
		return nil, refuse("Parameter %q is not a JSON object.", p.Name)
	}
	return word, nil
}

// maps reads a list of JSON objects: one a word, or all in one array.
func (p *Parameter) maps(words []string) (any, error) {
	list := []any{}
	for _, w := range words {
		v, err := Canonical([]byte(w))
		if err != nil {
			return nil, refuse("Parameter %q is not a list of JSON objects.", p.Name)
		}
		if l, ok := v.([]any); ok && len(words) == 1 {
			list = l
			continue
		}
		list = append(list, v)
	}
	for _, v := range list {
		if _, ok := v.(map[string]any); !ok {
			return nil, refuse("Parameter %q is not a list of JSON objects.", p.Name)
		}
	}
	return list, nil
}

func (p *Parameter) allows(v any) error {
	items := []any{v}
	if l, ok := v.([]any); ok {
		items = l
		if p.minItems != nil && len(l) < *p.minItems {
			return refuse("Parameter %q has %d items, at least %d are required.", p.Name, len(l), *p.minItems)
		}
		if p.maxItems != nil && len(l) > *p.maxItems {
			return refuse("Parameter %q has %d items, at most %d are allowed.", p.Name, len(l), *p.maxItems)
		}
	}
	for _, item := range items {
		if err := p.allowsOne(item); err != nil {
			return err
		}
	}
	return nil
}

func (p *Parameter) allowsOne(v any) error {
	word := Text(v)
	if len(p.AllowedValues) > 0 && !slices.ContainsFunc(p.AllowedValues, func(a any) bool { return Text(a) == word }) {
		all := make([]string, len(p.AllowedValues))
		for i, a := range p.AllowedValues {
			all[i] = Text(a)
		}
		return refuse("Parameter %q has value %q not found in [%s].", p.Name, word, strings.Join(all, ", "))
	}
	if p.match != nil && !p.match.MatchString(word) {
		return refuse("Parameter %q has value %q not matching the pattern %s.", p.Name, word, p.pattern)
	}
	n := utf8.RuneCountInString(word)
	if p.minChars != nil && n < *p.minChars {
		return refuse("Parameter %q has %d characters, at least %d are required.", p.Name, n, *p.minChars)
	}
	if p.maxChars != nil && n > *p.maxChars {
		return refuse("Parameter %q has %d characters, at most %d are allowed.", p.Name, n, *p.maxChars)
	}
	return nil
}

// Text writes a value as it stands within a longer string: strings as they are,
// everything else as JSON.
func Text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v) // NaN: no JSON document holds one
	}
	return string(b)
}

// Words writes a value as the API carries parameters and outputs: a list of
// strings.
func Words(v any) []string {
	l, ok := v.([]any)
	if !ok {
		return []string{Text(v)}
	}
	words := make([]string, len(l))
	for i, e := range l {
		words[i] = Text(e)
	}
	return words
}

func refuse(format string, args ...any) error { return &parameterError{fmt.Sprintf(format, args...)} }

type parameterError struct{ sentence string }

func (e *parameterError) Error() string   { return e.sentence }
func (e *parameterError) Is(t error) bool { return t == ErrParameters }
