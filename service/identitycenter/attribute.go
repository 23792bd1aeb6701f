package identitycenter

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sumun.dev/api/identitystoreapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

func sameFold(a, b string) bool { return strings.EqualFold(a, b) }

// extension begins the names of attribute groups beside the core ones.
const extension = "aws:identitystore:"

// changed returns a profile to which operations were applied, checked by the
// constraints of CreateUser.
func changed(p *identitystoreapi.CreateUserRequest, operations []identitystoreapi.AttributeOperation) (*identitystoreapi.CreateUserRequest, error) {
	doc, err := wire.EncodeJSONDocument(&identitystoreapi.CreateUser, p)
	if err != nil {
		return nil, err
	}
	for _, op := range operations {
		path := attributePath(op.AttributePath)
		if len(path) == 0 || slices.Contains([]string{"identityStoreId", "userId", "externalIds", "userStatus"}, path[0]) {
			return nil, identitystoreapi.ValidationException.New("The attribute path %s cannot be updated.", op.AttributePath)
		}
		if err := set(doc, path, op.AttributeValue); err != nil {
			return nil, identitystoreapi.ValidationException.New("The attribute path %s is not valid.", op.AttributePath)
		}
	}
	if x, _ := doc["Extensions"].(map[string]any); len(x) == 0 {
		delete(doc, "Extensions")
	}
	out, err := wire.DecodeJSONDocument(&identitystoreapi.CreateUser, doc)
	if err != nil {
		var wrong *aws.Error
		if errors.As(err, &wrong) { // a value of the wrong kind is no request of the wrong form
			return nil, identitystoreapi.ValidationException.New("%s", wrong.Message)
		}
		return nil, err
	}
	next := out.(*identitystoreapi.CreateUserRequest)
	again, err := wire.EncodeJSONDocument(&identitystoreapi.CreateUser, next)
	if err != nil {
		return nil, err
	}
	for _, op := range operations { // what the reader passed over is no attribute of users
		if op.AttributeValue == nil {
			continue
		}
		if _, ok := get(again, attributePath(op.AttributePath)); !ok {
			return nil, identitystoreapi.ValidationException.New("The attribute path %s is not valid.", op.AttributePath)
		}
	}
	return next, nil
}

// attributePath splits "name.givenName" or "aws:identitystore:enterprise.department".
func attributePath(text string) []string {
	if strings.HasPrefix(text, extension) {
		name, rest, deeper := strings.Cut(text, ".")
		path := []string{"extensions", name}
		if deeper {
			path = append(path, strings.Split(rest, ".")...)
		}
		return path
	}
	return strings.Split(text, ".")
}

// member finds the key by which doc knows name, whose first letter may be written
// either way.
func member(doc map[string]any, name string) string {
	if _, ok := doc[name]; ok || name == "" || strings.HasPrefix(name, extension) {
		return name
	}
	if upper := strings.ToUpper(name[:1]) + name[1:]; has(doc, upper) || !has(doc, name) {
		return upper
	}
	return name
}

func has(doc map[string]any, name string) bool { _, ok := doc[name]; return ok }

// set puts value, nil to remove, at path. Of a list there is one element.
func set(doc map[string]any, path []string, value any) error {
	key := path[0]
	inside := len(path) > 1 && path[0] == "extensions"
	key = member(doc, key)
	if len(path) == 1 {
		if value == nil {
			delete(doc, key)
			return nil
		}
		doc[key] = value
		return nil
	}
	switch next := doc[key].(type) {
	case map[string]any:
		if inside && len(path) > 2 {
			return setExtension(next, path[1:], value)
		}
		return set(next, path[1:], value)
	case []any:
		if len(next) != 1 {
			return fmt.Errorf("%d elements", len(next))
		}
		element, ok := next[0].(map[string]any)
		if !ok {
			return fmt.Errorf("no structure")
		}
		return set(element, path[1:], value)
	case nil:
		made := map[string]any{}
		doc[key] = made
		if inside && len(path) > 2 {
			return setExtension(made, path[1:], value)
		}
		return set(made, path[1:], value)
	}
	return fmt.Errorf("no structure")
}

// setExtension is set within an extension, whose members are spelled as they come.
func setExtension(doc map[string]any, path []string, value any) error {
	if len(path) == 1 {
		if value == nil {
			delete(doc, path[0])
			return nil
		}
		doc[path[0]] = value
		return nil
	}
	next, ok := doc[path[0]].(map[string]any)
	if !ok {
		if doc[path[0]] != nil {
			return fmt.Errorf("no structure")
		}
		next = map[string]any{}
		doc[path[0]] = next
	}
	return setExtension(next, path[1:], value)
}

// get returns what is at path; of a list, its first element.
func get(doc map[string]any, path []string) (any, bool) {
	var at any = doc
	for i, name := range path {
		if elements, ok := at.([]any); ok && len(elements) > 0 {
			at = elements[0]
		}
		m, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		key := member(m, name)
		if i >= 2 && path[0] == "extensions" {
			key = name
		}
		if at, ok = m[key]; !ok {
			return nil, false
		}
	}
	return at, true
}

// alternate returns the index value of an AlternateIdentifier.
func alternate(storeID string, a *identitystoreapi.AlternateIdentifier, paths map[string]func(store, value string) string) (string, error) {
	if a.ExternalId != nil {
		return byExternal(storeID, *a.ExternalId), nil
	}
	key := paths[strings.ToLower(a.UniqueAttribute.AttributePath)]
	value, ok := a.UniqueAttribute.AttributeValue.(string)
	if key == nil || !ok {
		return "", identitystoreapi.ValidationException.New("The attribute path %s is not a unique attribute; %s can be used.",
			a.UniqueAttribute.AttributePath, strings.Join(slices.Sorted(maps.Keys(paths)), ", "))
	}
	return key(storeID, value), nil
}
