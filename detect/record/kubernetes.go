package record

import (
	"net/netip"
	"strings"
)

// A Kubernetes is a call of a Kubernetes API server: "Auditing", audit.k8s.io/v1.
type Kubernetes struct {
	Cluster     string // its name, where the log says
	Stage       string // RequestReceived, ResponseStarted, ResponseComplete, Panic
	Verb        string // get, list, create …
	URI         string
	Group       string // apiGroup of the object
	Resource    string // pods
	Subresource string // exec
	Namespace   string
	Name        string
	User        string
	Groups      []string
	UserID      string
	Extra       Document // of the user: ARN, access key and session on EKS
	Sources     []netip.Addr
	Agent       string
	Code        int
	Decision    string // annotation authorization.k8s.io/decision
	Reason      string
	Request     Document // requestObject
	Response    Document // responseObject
}

// Anonymous reports whether nobody had signed in.
func (k *Kubernetes) Anonymous() bool { return k.User == "system:anonymous" }

// BySystem reports whether the cluster called itself: its control plane, a kubelet,
// or a program in kube-system.
func (k *Kubernetes) BySystem() bool {
	for _, own := range [...]string{"system:serviceaccount:kube-system:", "system:node:", "system:kube-", "eks:"} {
		if strings.HasPrefix(k.User, own) {
			return true
		}
	}
	return k.User == "system:apiserver" || k.User == "system:admin"
}
