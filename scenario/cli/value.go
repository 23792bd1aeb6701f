package cli

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

var (
	timeType   = reflect.TypeFor[time.Time]()
	bytesType  = reflect.TypeFor[[]byte]()
	streamType = reflect.TypeFor[io.ReadCloser]()
	anyType    = reflect.TypeFor[any]()
)

// target returns the value that a member points to, made if need be.
func target(v reflect.Value) reflect.Value {
	if v.Kind() != reflect.Pointer {
		return v
	}
	if v.IsNil() {
		v.Set(reflect.New(v.Type().Elem()))
	}
	return v.Elem()
}

// load reads the file that a value names: file:// holds text, fileb:// bytes.
func (cmd *Command) load(value string) (text string, raw bool, err error) {
	name, isText := strings.CutPrefix(value, "file://")
	if !isText {
		if name, raw = strings.CutPrefix(value, "fileb://"); !raw {
			return value, false, nil
		}
	}
	data, err := cmd.files.ReadFile(name)
	if err != nil {
		return "", raw, usage("Error parsing parameter: Unable to load paramfile %s: %v", value, err)
	}
	return string(data), raw, nil
}

// set puts the words after an option into the request's member.
func (cmd *Command) set(v reflect.Value, o option, words []string) error {
	if o.t.Kind() == reflect.Bool {
		if len(words) > 0 {
			return usage("Unknown options: %s", strings.Join(words, ", "))
		}
		target(v).SetBool(!o.negative)
		return nil
	}
	if isList(o.t) {
		return cmd.setList(target(v), o.name, words)
	}
	if len(words) != 1 {
		return usage("argument --%s: expected one argument", o.name)
	}
	if o.t == streamType {
		data, err := cmd.files.ReadFile(words[0])
		if err != nil {
			return usage("argument --%s: %v", o.name, err)
		}
		v.Set(reflect.ValueOf(io.NopCloser(strings.NewReader(string(data)))))
		return nil
	}
	text, raw, err := cmd.load(words[0])
	if err != nil {
		return err
	}
	v = target(v)
	switch {
	case raw && o.t == bytesType:
		v.SetBytes([]byte(text))
		return nil
	case complexType(o.t):
		return setComplex(v, text, o.name)
	}
	return setScalar(v, text, o.name)
}

// setList reads a list: a JSON array, or one element a word. A file is the list and
// never one element of it: the AWS CLI takes the characters of any other text for
// the elements, which nobody means, so that it is refused here.
func (cmd *Command) setList(v reflect.Value, name string, words []string) error {
	if len(words) == 1 {
		text, _, err := cmd.load(words[0])
		if err != nil {
			return err
		}
		if strings.HasPrefix(strings.TrimSpace(text), "[") {
			return setComplex(v, text, name)
		}
		if text != words[0] {
			return usage("argument --%s: the file of a list holds a JSON list, and %s holds none", name, words[0])
		}
	}
	list := reflect.MakeSlice(v.Type(), len(words), len(words))
	for i, word := range words {
		el, at := list.Index(i), name+"["+strconv.Itoa(i)+"]"
		set := setScalar
		if complexType(el.Type()) {
			set = setComplex
		}
		if err := set(el, word, at); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

func isList(t reflect.Type) bool { return t.Kind() == reflect.Slice && t != bytesType }

func complexType(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		return t != timeType
	case reflect.Map, reflect.Interface:
		return true
	}
	return isList(t)
}

// setComplex reads JSON, or else the shorthand syntax.
func setComplex(v reflect.Value, text, name string) error {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return usage("Error parsing parameter '--%s': it is empty", name)
	}
	if trimmed[0] == '{' || trimmed[0] == '[' {
		var x any
		d := json.NewDecoder(strings.NewReader(trimmed))
		d.UseNumber()
		if err := d.Decode(&x); err != nil {
			return usage("Error parsing parameter '--%s': Invalid JSON: %v", name, err)
		}
		if d.More() {
			return usage("Error parsing parameter '--%s': Invalid JSON: text follows it", name)
		}
		return assign(v, x, name, false)
	}
	x, err := shorthand(text)
	if err != nil {
		return usage("Error parsing parameter '--%s': %v", name, err)
	}
	return assign(v, x, name, true)
}

// assign puts a JSON value into a typed one. loose is for the shorthand, which
// knows strings only and has no brackets around a list of one.
func assign(v reflect.Value, x any, at string, loose bool) error {
	if v.Kind() == reflect.Pointer {
		if x == nil {
			return nil
		}
		v = target(v)
	}
	t := v.Type()
	switch {
	case t == anyType:
		if x != nil {
			v.Set(reflect.ValueOf(plain(x)))
		}
		return nil
	case isList(t):
		return assignList(v, x, at, loose)
	case t.Kind() == reflect.Map:
		return assignMap(v, x, at, loose)
	case complexType(t):
		return assignStruct(v, x, at, loose)
	}
	switch x := x.(type) {
	case string:
		if !loose && t.Kind() != reflect.String && t != bytesType && t != timeType {
			return invalid(at, x, t)
		}
		return setScalar(v, x, at)
	case json.Number:
		if t.Kind() == reflect.String || t.Kind() == reflect.Bool {
			return invalid(at, x, t)
		}
		return setScalar(v, x.String(), at)
	case bool:
		if t.Kind() != reflect.Bool {
			return invalid(at, x, t)
		}
		v.SetBool(x)
		return nil
	}
	return invalid(at, x, t)
}

func invalid(at string, x any, t reflect.Type) error {
	return usage("Parameter validation failed: Invalid type for parameter %s, value: %v, valid type: %s", at, x, t)
}

func assignList(v reflect.Value, x any, at string, loose bool) error {
	items, ok := x.([]any)
	if !ok {
		if !loose {
			return invalid(at, x, v.Type())
		}
		items = []any{x}
	}
	list := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		if err := assign(list.Index(i), item, at+"["+strconv.Itoa(i)+"]", loose); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

func assignMap(v reflect.Value, x any, at string, loose bool) error {
	members, ok := x.(map[string]any)
	if !ok {
		return invalid(at, x, v.Type())
	}
	m := reflect.MakeMap(v.Type())
	for name, item := range members {
		el := reflect.New(v.Type().Elem()).Elem()
		if err := assign(el, item, at+"."+name, loose); err != nil {
			return err
		}
		m.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), el)
	}
	v.Set(m)
	return nil
}

func assignStruct(v reflect.Value, x any, at string, loose bool) error {
	members, ok := x.(map[string]any)
	if !ok {
		return invalid(at, x, v.Type())
	}
	for name, item := range members {
		f, ok := fieldNamed(v.Type(), name)
		if !ok {
			return usage("Parameter validation failed: Unknown parameter in %s: \"%s\", must be one of: %s", at, name, memberList(v.Type()))
		}
		if err := assign(v.FieldByIndex(f.Index), item, at+"."+name, loose); err != nil {
			return err
		}
	}
	return nil
}

// fieldNamed finds a member by its AWS name, whose first letter is small in some
// services.
func fieldNamed(t reflect.Type, name string) (reflect.StructField, bool) {
	for f := range t.Fields() {
		if f.IsExported() && (f.Name == name || lowerFirst(f.Name) == name) {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func memberList(t reflect.Type) string {
	var names []string
	for f := range t.Fields() {
		if f.IsExported() {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, ", ")
}

// setScalar reads a string, number, boolean, timestamp or blob.
func setScalar(v reflect.Value, text, name string) error {
	v = target(v)
	switch {
	case v.Type() == timeType:
		at, err := timestamp(text)
		if err != nil {
			return usage("Parameter validation failed: Invalid type for parameter %s, value: %s, valid type: timestamp", name, text)
		}
		v.Set(reflect.ValueOf(at))
		return nil
	case v.Type() == bytesType:
		data, err := base64.StdEncoding.DecodeString(strings.TrimRight(text, "\n"))
		if err != nil {
			return usage("Invalid base64: \"%s\"", text)
		}
		v.SetBytes(data)
		return nil
	}
	var err error
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return nil
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(strings.ToLower(text))
		v.SetBool(b)
	case reflect.Int32, reflect.Int64:
		var n int64
		n, err = strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
	case reflect.Float32, reflect.Float64:
		var x float64
		x, err = strconv.ParseFloat(text, v.Type().Bits())
		v.SetFloat(x)
	default:
		return usage("argument --%s: a value of this kind cannot be given", name)
	}
	if err != nil {
		return usage("argument --%s: invalid value: '%s'", name, text)
	}
	return nil
}

// timestamp reads what the CLI does: ISO 8601, with or without time and zone
// (UTC then), or seconds since 1970.
func timestamp(text string) (time.Time, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(seconds) < 1e12 {
		whole, fraction := math.Modf(seconds)
		return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), nil
	}
	var err error
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		var at time.Time
		if at, err = time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, err
}

// plain makes Go numbers of JSON's.
func plain(x any) any {
	switch x := x.(type) {
	case map[string]any:
		for name := range x {
			x[name] = plain(x[name])
		}
	case []any:
		for i := range x {
			x[i] = plain(x[i])
		}
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return n
		}
		f, _ := x.Float64() // JSON's grammar leaves only numbers out of range: they become infinite
		return f
	}
	return x
}
