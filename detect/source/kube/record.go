// Package kube reads audit logs of Kubernetes: "Auditing", audit.k8s.io/v1.
package kube

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/aws"
	"sumun.dev/detect/record"
)

const (
	maxRecord  = 4 << 20 // bytes; the API server itself cuts objects at 1.5 MiB
	maxSources = 16      // addresses kept: the client's and those of proxies
	maxGroups  = 256
)

// Mark stands in every event: the name of what the API server gives each request.
const Mark = `"auditID"`

type event struct {
	AuditID    string   `json:"auditID"`
	Stage      string   `json:"stage"`
	RequestURI string   `json:"requestURI"`
	Verb       string   `json:"verb"`
	User       user     `json:"user"`
	SourceIPs  []string `json:"sourceIPs"`
	UserAgent  string   `json:"userAgent"`
	ObjectRef  struct {
		Resource    string `json:"resource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		APIGroup    string `json:"apiGroup"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	RequestObject  jsontext.Value    `json:"requestObject"`
	ResponseObject jsontext.Value    `json:"responseObject"`
	Received       string            `json:"requestReceivedTimestamp"`
	At             string            `json:"stageTimestamp"`
	Annotations    map[string]string `json:"annotations"`
}

type user struct {
	Username string         `json:"username"`
	UID      string         `json:"uid"`
	Groups   []string       `json:"groups"`
	Extra    jsontext.Value `json:"extra"`
}

var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Read reads one event, a JSON object. It returns nil for one of the stage
// RequestReceived: a later stage of the same request says the same and what came
// of it.
func Read(b []byte) (*record.Record, error) {
	if len(b) > maxRecord {
		return nil, errors.New("the event is larger than 4 MiB")
	}
	var e event
	if err := json.Unmarshal(b, &e, lenient); err != nil {
		return nil, fmt.Errorf("audit event of Kubernetes: %w", err)
	}
	if e.AuditID == "" || e.Verb == "" {
		return nil, errors.New("audit event of Kubernetes: no auditID or no verb")
	}
	told := e.At
	if told == "" {
		told = e.Received
	}
	at, err := time.Parse(time.RFC3339, told)
	if err != nil {
		return nil, fmt.Errorf("audit event of Kubernetes: stageTimestamp: %w", err)
	}
	if e.Stage == "RequestReceived" {
		return nil, nil
	}
	k := &record.Kubernetes{
		Stage: e.Stage, Verb: e.Verb, URI: e.RequestURI, Group: e.ObjectRef.APIGroup, Resource: e.ObjectRef.Resource,
		Subresource: e.ObjectRef.Subresource, Namespace: e.ObjectRef.Namespace, Name: e.ObjectRef.Name,
		User: e.User.Username, UserID: e.User.UID, Groups: e.User.Groups[:min(len(e.User.Groups), maxGroups)],
		Extra: record.NewDocument(e.User.Extra), Agent: e.UserAgent, Code: e.ResponseStatus.Code,
		Decision: e.Annotations["authorization.k8s.io/decision"], Reason: e.Annotations["authorization.k8s.io/reason"],
		Request: record.NewDocument(e.RequestObject), Response: record.NewDocument(e.ResponseObject),
	}
	for _, s := range e.SourceIPs[:min(len(e.SourceIPs), maxSources)] {
		if a, err := netip.ParseAddr(s); err == nil {
			k.Sources = append(k.Sources, a.Unmap())
		}
	}
	r := &record.Record{Class: record.Orchestration, Time: at.UTC(), ID: e.AuditID, Kubernetes: k}
	r.Account, r.Region = owner(k)
	return r, nil
}

// owner says whose cluster it is, as far as an EKS event tells: by the role that a
// caller of the same account took, which is in the extra of the user.
func owner(k *record.Kubernetes) (aws.Account, aws.Region) {
	for _, name := range []string{"canonicalArn", "arn"} {
		for _, s := range k.Extra.All(name) {
			if parts := strings.SplitN(s, ":", 6); len(parts) == 6 && parts[0] == "arn" && len(parts[4]) == 12 {
				return aws.Account(parts[4]), ""
			}
		}
	}
	return "", ""
}

// Home takes the cluster from the name of a log group, /aws/eks/CLUSTER/cluster.
func Home(group string) string {
	rest, ok := strings.CutPrefix(group, "/aws/eks/")
	if !ok {
		return ""
	}
	name, ok := strings.CutSuffix(rest, "/cluster")
	if !ok || strings.Contains(name, "/") {
		return ""
	}
	return name
}
