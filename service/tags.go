package service

import (
	"iter"
	"slices"
	"strings"

	"sumun.dev/wire"
)

// RequestTags returns the conditions with the tags that a call asks for added:
// aws:RequestTag of each, and aws:TagKeys. Tags to be taken away have keys only.
// IAM User Guide, "Controlling access to AWS resources using tags".
func RequestTags(conditions map[string][]string, tags iter.Seq2[string, string], keys ...string) map[string][]string {
	if conditions == nil {
		conditions = map[string][]string{}
	}
	keys = slices.Clip(keys)
	if tags != nil {
		for key, value := range tags {
			// A key that comes twice keeps both values, which no Allow is met by.
			conditions["aws:RequestTag/"+key] = append(conditions["aws:RequestTag/"+key], value)
			keys = append(keys, key)
		}
	}
	if len(keys) > 0 {
		conditions["aws:TagKeys"] = keys
	}
	return conditions
}

// Pairs yields the tags of a list whose elements are a service's own.
func Pairs[T any](list []T, pair func(T) (key, value string)) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, t := range list {
			if !yield(pair(t)) {
				return
			}
		}
	}
}

// WithTagging adds the right to tag to the touch of something new when the call
// asks for tags: tagging on creation needs both. The action is the service's:
// "events:TagResource".
func WithTagging(action string, made wire.Touch) []wire.Touch {
	if len(made.Conditions["aws:TagKeys"]) == 0 {
		return []wire.Touch{made}
	}
	tagging := made
	tagging.Action, tagging.Conditions = action, map[string][]string{}
	for key, values := range made.Conditions {
		if key == "aws:TagKeys" || strings.HasPrefix(key, "aws:RequestTag/") { // tagging knows no other keys
			tagging.Conditions[key] = values
		}
	}
	return []wire.Touch{made, tagging}
}
