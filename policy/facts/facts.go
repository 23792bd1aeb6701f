// Package facts knows every service's actions, resource types and condition keys, as AWS's Service Authorization Reference lists them.
//
// The table is generated (see README.md); a service's part of it is read when it
// is first asked for.
package facts

import (
	"slices"
	"strings"
)

// A Level is what an action does, in AWS's words.
// IAM User Guide, "Understanding access level summaries within policy summaries".
type Level string

// The access levels.
const (
	List        Level = "List"
	Read        Level = "Read"
	Write       Level = "Write"
	Permissions Level = "Permissions management"
	Tagging     Level = "Tagging"
)

var levels = map[string]Level{"L": List, "R": Read, "W": Write, "P": Permissions, "T": Tagging}

// ServiceFacts are the facts of one service.
type ServiceFacts struct {
	Prefix    string // of its actions: "s3"
	Name      string // "Amazon S3"
	Actions   []*ActionFacts
	Resources []*ResourceFacts
	Keys      []*KeyFacts

	byName map[string]*ActionFacts // by lower case
}

// ActionFacts are the facts of one action.
type ActionFacts struct {
	Service   string // "s3"
	Name      string // "GetObject"
	Level     Level
	Resources []ResourceUse // none: only Resource "*" covers it
	Keys      []*KeyFacts   // with every resource type
	Depends   []string      // further actions that it needs, as far as the source has them
}

// String returns "s3:GetObject".
func (a *ActionFacts) String() string { return a.Service + ":" + a.Name }

// A ResourceUse is a resource type in one action.
type ResourceUse struct {
	*ResourceFacts
	Required bool
	Keys     []*KeyFacts // of the action with this resource type
}

// ResourceFacts are the facts of one resource type.
type ResourceFacts struct {
	Name string // "object"
	ARN  string // "arn:${Partition}:s3:::${BucketName}/${ObjectName}"; some have several, with ", " between
	Keys []*KeyFacts
}

// KeyFacts are the facts of one condition key.
type KeyFacts struct {
	Name string // "s3:prefix", "aws:RequestTag/${TagKey}"
	Type string // "String", "ArrayOfString", "ARN", "Bool", "Numeric", "Date", "IPAddress", "ArrayOfARN", "ArrayOfBool"
}

// Multivalued reports whether a request may have several values of the key.
func (k *KeyFacts) Multivalued() bool { return strings.HasPrefix(k.Type, "ArrayOf") }

// Source says where the facts are from: the package and its version.
func Source() string { return facts().source }

// Services returns the prefixes of all services, sorted.
func Services() []string {
	var all []string
	for _, s := range facts().order[1:] { // the first holds the global keys
		prefix, _, _ := strings.Cut(s.text, "\t")
		all = append(all, prefix)
	}
	return all
}

// Service returns the facts of the service whose actions begin with prefix, in
// any case.
func Service(prefix string) (*ServiceFacts, bool) {
	if strings.EqualFold(prefix, "aws") {
		return nil, false
	}
	s := facts().service(prefix)
	return s, s != nil
}

// Resources returns all types of resources whose ARNs name the service, of whatever
// service they are: those of Service Catalog are "arn:aws:catalog:…".
func Resources(service string) []*ResourceFacts {
	var all []*ResourceFacts
	for _, part := range facts().order[1:] {
		if !strings.Contains(part.text, ":"+service+":") {
			continue
		}
		for _, r := range part.read().Resources {
			if strings.Contains(r.ARN, "}:"+service+":") {
				all = append(all, r)
			}
		}
	}
	return all
}

// Action returns the facts of an action such as "s3:GetObject", in any case.
func Action(name string) (*ActionFacts, bool) {
	prefix, name, _ := strings.Cut(name, ":")
	s, known := Service(prefix)
	if !known {
		return nil, false
	}
	a, known := s.byName[strings.ToLower(name)]
	return a, known
}

// Expand returns the actions that a pattern such as "s3:Get*" or "*" means, in
// the table's order.
func Expand(pattern string) []*ActionFacts {
	prefix, name, found := strings.Cut(pattern, ":")
	if !found && strings.Trim(pattern, "*") != "" {
		return nil
	}
	if !found {
		name = "*"
	}
	name = strings.ToLower(name)
	var all []*ActionFacts
	of := []string{prefix}
	if strings.ContainsAny(prefix, "*?") {
		of = slices.DeleteFunc(Services(), func(s string) bool { return !Glob(strings.ToLower(prefix), s) })
	}
	for _, prefix := range of {
		s, known := Service(prefix)
		if !known {
			continue
		}
		if !strings.ContainsAny(name, "*?") {
			if a := s.byName[name]; a != nil {
				all = append(all, a)
			}
			continue
		}
		for _, a := range s.Actions {
			if Glob(name, strings.ToLower(a.Name)) {
				all = append(all, a)
			}
		}
	}
	return all
}

// ConditionKey returns the facts of a condition key, in any case: a global one,
// one of the service that its prefix names, or one that a service has from
// elsewhere, such as saml:aud.
func ConditionKey(name string) (*KeyFacts, bool) {
	prefix, _, _ := strings.Cut(name, ":")
	t := facts()
	for _, of := range append([]string{prefix}, t.others...) {
		if s := t.service(of); s != nil {
			if i := slices.IndexFunc(s.Keys, func(k *KeyFacts) bool { return k.Is(name) }); i >= 0 {
				return s.Keys[i], true
			}
		}
	}
	return nil, false
}

// GlobalKeys returns the condition keys that any request may have.
func GlobalKeys() []*KeyFacts { return facts().service("aws").Keys }

// KnowsKey reports whether a request for the action may have the condition key:
// a global one, the action's own, or one of its resource types. The global keys
// of tags count only where the action or a type has them.
func (a *ActionFacts) KnowsKey(name string) bool {
	is := func(k *KeyFacts) bool { return k.Is(name) }
	if slices.ContainsFunc(a.Keys, is) || slices.ContainsFunc(ofCredentials[:], func(k string) bool { return strings.EqualFold(k, name) }) {
		return true
	}
	for _, r := range a.Resources {
		if slices.ContainsFunc(r.Keys, is) || slices.ContainsFunc(r.ResourceFacts.Keys, is) {
			return true
		}
	}
	return slices.ContainsFunc(GlobalKeys(), func(k *KeyFacts) bool { return k.Is(name) && !k.tagging() })
}

// ofCredentials are the keys that come with the credentials that a service hands to
// what runs in it, and so are in requests to every service. IAM User Guide, "AWS
// global condition context keys", "Cross-service role session context keys".
var ofCredentials = [...]string{
	"codebuild:BuildArn", "codebuild:ProjectArn", "ec2:RoleDelivery", "ec2:SourceInstanceArn", "glue:CredentialIssuingService",
	"glue:RoleAssumedBy", "identitystore:UserId", "lambda:SourceFunctionArn", "ssm:SourceInstanceArn",
}

// tagging reports whether a global key is there only for services that tag.
func (k *KeyFacts) tagging() bool {
	return k.Name == "aws:TagKeys" || strings.HasPrefix(k.Name, "aws:RequestTag/") || strings.HasPrefix(k.Name, "aws:ResourceTag/")
}

// Covers reports whether arn names a resource that the action knows: one of its
// types, or "*" where it knows none.
func (a *ActionFacts) Covers(arn string) bool {
	if len(a.Resources) == 0 {
		return arn == "*"
	}
	return slices.ContainsFunc(a.Resources, func(r ResourceUse) bool { return r.Matches(arn) })
}
