package sigma

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sumun.dev/detect/record"
)

// A field finds what a record says under a name of CloudTrail's: no value when the
// record lacks it.
type field func(r *record.Record) []string

// fields are CloudTrail's that records keep: User Guide, "CloudTrail record contents".
var fields = map[string]field{
	"eventSource":         one(func(r *record.Record) string { return r.API.Service }),
	"eventName":           one(func(r *record.Record) string { return r.API.Operation }),
	"eventType":           one(func(r *record.Record) string { return r.API.Type }),
	"eventTime":           one(func(r *record.Record) string { return r.Time.UTC().Format(time.RFC3339) }),
	"eventID":             one(func(r *record.Record) string { return r.ID }),
	"awsRegion":           one(func(r *record.Record) string { return string(r.Region) }),
	"recipientAccountId":  one(func(r *record.Record) string { return string(r.Account) }),
	"sourceIPAddress":     one(func(r *record.Record) string { return r.API.Source }),
	"userAgent":           one(func(r *record.Record) string { return r.API.Agent }),
	"errorCode":           one(func(r *record.Record) string { return r.API.Error }),
	"errorMessage":        one(func(r *record.Record) string { return r.API.Message }),
	"requestID":           one(func(r *record.Record) string { return r.API.RequestID }),
	"sharedEventID":       one(func(r *record.Record) string { return r.API.SharedID }),
	"vpcEndpointId":       one(func(r *record.Record) string { return r.API.VPCEndpoint }),
	"readOnly":            readOnly,
	"managementEvent":     truth(func(r *record.Record) bool { return r.API.Management }),
	"eventCategory":       one(func(r *record.Record) string { return r.API.Category }),
	"resources.ARN":       each(func(r record.Resource) string { return r.ARN }),
	"resources.accountId": each(func(r record.Resource) string { return r.Account }),
	"resources.type":      each(func(r record.Resource) string { return r.Type }),

	"tlsDetails.clientProvidedHostHeader": one(func(r *record.Record) string { return r.API.Host }),
	"sessionCredentialFromConsole":        one(func(r *record.Record) string { return yes(r.API.Actor.OnConsole) }),

	"userIdentity.type":             of(func(a *record.Actor) string { return a.Type }),
	"userIdentity.principalId":      of(func(a *record.Actor) string { return a.ID }),
	"userIdentity.arn":              of(func(a *record.Actor) string { return a.ARN }),
	"userIdentity.accountId":        of(func(a *record.Actor) string { return a.Account }),
	"userIdentity.accessKeyId":      of(func(a *record.Actor) string { return a.AccessKey }),
	"userIdentity.userName":         of(func(a *record.Actor) string { return a.Name }),
	"userIdentity.invokedBy":        of(func(a *record.Actor) string { return a.InvokedBy }),
	"userIdentity.identityProvider": of(func(a *record.Actor) string { return a.Provider }),

	"userIdentity.onBehalfOf.userId":                                    of(func(a *record.Actor) string { return a.OnBehalfOf }),
	"userIdentity.sessionContext.sourceIdentity":                        of(func(a *record.Actor) string { return a.SourceID }),
	"userIdentity.sessionContext.ec2RoleDelivery":                       of(func(a *record.Actor) string { return a.Delivery }),
	"userIdentity.sessionContext.assumedRoot":                           of(func(a *record.Actor) string { return yes(a.RootOf) }),
	"userIdentity.sessionContext.sessionIssuer.type":                    of(func(a *record.Actor) string { return a.Issuer.Type }),
	"userIdentity.sessionContext.sessionIssuer.principalId":             of(func(a *record.Actor) string { return a.Issuer.ID }),
	"userIdentity.sessionContext.sessionIssuer.arn":                     of(func(a *record.Actor) string { return a.Issuer.ARN }),
	"userIdentity.sessionContext.sessionIssuer.accountId":               of(func(a *record.Actor) string { return a.Issuer.Account }),
	"userIdentity.sessionContext.sessionIssuer.userName":                of(func(a *record.Actor) string { return a.Issuer.Name }),
	"userIdentity.sessionContext.webIdFederationData.federatedProvider": of(func(a *record.Actor) string { return a.Provider }),
	"userIdentity.sessionContext.attributes.creationDate":               of(created),
	"userIdentity.sessionContext.attributes.mfaAuthenticated":           of(authenticated),
}

// documents are the parts that have their own shape for each call.
var documents = map[string]func(a *record.API) *record.Document{
	"requestParameters":   func(a *record.API) *record.Document { return &a.Request },
	"responseElements":    func(a *record.API) *record.Document { return &a.Response },
	"additionalEventData": func(a *record.API) *record.Document { return &a.Additional },
	"serviceEventDetails": func(a *record.API) *record.Document { return &a.Details },
}

// fieldOf returns the field of a name.
func fieldOf(name string) (field, error) {
	if f, ok := fields[name]; ok {
		return f, nil
	}
	first, rest, deeper := strings.Cut(name, ".")
	in, ok := documents[first]
	if !ok {
		return nil, fmt.Errorf("the field %q is none of CloudTrail's that are kept", short(name))
	}
	if !deeper {
		return func(r *record.Record) []string { return whole(in(r.API), nil) }, nil
	}
	path := strings.Split(rest, ".")
	if len(path) > maxNested || slices.Contains(path, "") {
		return nil, fmt.Errorf("the field %q is no path of names", short(name))
	}
	return func(r *record.Record) []string { return whole(in(r.API), path) }, nil
}

// whole returns what stands at a path of a document: of an object or a list its
// JSON and every text in it, so that a rule may look into all of it.
func whole(d *record.Document, path []string) (all []string) {
	if all = d.All(path...); len(path) == 0 && len(all) > 0 {
		all = append(all, string(d.Raw()))
	}
	d.Each(func(v any) { all = leaves(v, all) }, path...)
	return all
}

// leaves adds the texts that stand in an object.
func leaves(v any, to []string) []string {
	m, ok := v.(map[string]any)
	if !ok {
		return to
	}
	for _, e := range m {
		to = texts(e, to)
	}
	return to
}

func texts(v any, to []string) []string {
	switch v := v.(type) {
	case string:
		return append(to, v)
	case []any:
		for _, e := range v {
			to = texts(e, to)
		}
	case map[string]any:
		for _, e := range v {
			to = texts(e, to)
		}
	}
	return to
}

// anywhere is every field: where keywords are looked for.
func anywhere(r *record.Record) (all []string) {
	for _, f := range fields {
		all = append(all, f(r)...)
	}
	for _, in := range documents {
		all = append(all, whole(in(r.API), nil)...)
	}
	return all
}

func one(get func(*record.Record) string) field {
	return func(r *record.Record) []string {
		if s := get(r); s != "" {
			return []string{s}
		}
		return nil
	}
}

func of(get func(*record.Actor) string) field {
	return one(func(r *record.Record) string { return get(&r.API.Actor) })
}

func truth(get func(*record.Record) bool) field {
	return func(r *record.Record) []string {
		if get(r) {
			return []string{"true"}
		}
		return []string{"false"}
	}
}

func each(get func(record.Resource) string) field {
	return func(r *record.Record) (all []string) {
		for _, e := range r.API.Resources {
			if s := get(e); s != "" {
				all = append(all, s)
			}
		}
		return all
	}
}

// yes is what CloudTrail writes where something is so; it leaves out what is not.
func yes(is bool) string {
	if is {
		return "true"
	}
	return ""
}

// readOnly is nothing where a record does not say it, as those of sign-ins once did not.
func readOnly(r *record.Record) []string {
	if !r.API.SaysRead {
		return nil
	}
	return truth(func(r *record.Record) bool { return r.API.ReadOnly })(r)
}

func created(a *record.Actor) string {
	if a.Created.IsZero() {
		return ""
	}
	return a.Created.UTC().Format(time.RFC3339)
}

// authenticated is "false" only of sessions: others have no such attribute.
func authenticated(a *record.Actor) string {
	switch {
	case a.MFA:
		return "true"
	case !a.Created.IsZero():
		return "false"
	}
	return ""
}
