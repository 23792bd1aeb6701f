package organizations

import (
	"slices"

	"sumun.dev/api/organizationsapi"
)

// The policies that AWS owns.
const (
	fullSCP = "p-FullAWSAccess"
	fullRCP = "p-RCPFullAWSAccess"
)

const (
	fullSCPDocument = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	fullRCPDocument = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`
)

// owned returns a policy that AWS owns; nil when the id is no such policy's.
func owned(id string) *storedPolicy {
	switch id {
	case fullSCP:
		return &storedPolicy{ID: fullSCP, Name: "FullAWSAccess", Description: "Allows access to every operation",
			Type: organizationsapi.PolicyTypeServiceControlPolicy, Content: fullSCPDocument}
	case fullRCP:
		return &storedPolicy{ID: fullRCP, Name: "RCPFullAWSAccess", Description: "Allows access to every resource",
			Type: organizationsapi.PolicyTypeResourceControlPolicy, Content: fullRCPDocument}
	}
	return nil
}

// fullOf returns the policy that AWS attaches to everything when a type is
// enabled, and to what is made later; empty for types without one.
func fullOf(t organizationsapi.PolicyType) string {
	switch t {
	case organizationsapi.PolicyTypeServiceControlPolicy:
		return fullSCP
	case organizationsapi.PolicyTypeResourceControlPolicy:
		return fullRCP
	}
	return ""
}

// beginnings are the attachments of a new node. AWS's own policies are there from
// the start, whether their type is enabled or not.
func beginnings() []attachment {
	return []attachment{
		{fullSCP, organizationsapi.PolicyTypeServiceControlPolicy, now()},
		{fullRCP, organizationsapi.PolicyTypeResourceControlPolicy, now()},
	}
}

func (o *organization) enabled(t organizationsapi.PolicyType) bool {
	return slices.Contains(o.Enabled, t)
}

// all reports whether the organisation has all features.
func (o *organization) all() bool {
	return o.Features == organizationsapi.OrganizationFeatureSetAll
}
