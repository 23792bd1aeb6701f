package organizations

import (
	"slices"
	"strings"

	"sumun.dev/api/organizationsapi"
)

// maxTags is how many tags a resource may have. Organizations User Guide,
// "Tagging AWS Organizations resources".
const maxTags = 50

// tagged returns tags with more added, by key.
func tagged(tags []tag, add []organizationsapi.Tag) ([]tag, error) {
	all := slices.Clone(tags)
	seen := map[string]bool{}
	for _, t := range add {
		switch {
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return nil, invalid(organizationsapi.InvalidInputExceptionReasonInvalidSystemTagsParameter,
				"You specified a tag key that is a system tag. You can't add, edit, or delete system tag keys.")
		case seen[t.Key]:
			return nil, invalid(organizationsapi.InvalidInputExceptionReasonDuplicateTagKey, "Tag keys must be unique among the tags attached to the same entity.")
		}
		seen[t.Key] = true
		i, found := slices.BinarySearchFunc(all, t.Key, func(have tag, key string) int { return strings.Compare(have.Key, key) })
		if found {
			all[i].Value = t.Value
			continue
		}
		all = slices.Insert(all, i, tag{t.Key, t.Value})
	}
	if len(all) > maxTags {
		return nil, violates(organizationsapi.ConstraintViolationExceptionReasonMaxTagLimitExceeded,
			"You have exceeded the number of tags allowed on this resource.")
	}
	return all, nil
}

func tagMap(tags []tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}
