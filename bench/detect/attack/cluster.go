package attack

import (
	"fmt"
	"time"
)

// cluster is what attackers do in Kubernetes, as its audit log tells.
var cluster = []Technique{
	{"kubernetes: all secrets read", []string{"CredentialAccess"}, Kubernetes, func(s *scene) {
		s.kube("list", "/api/v1/secrets?limit=500", "", "secrets", "", "", "", 200, nil)
	}},
	{"kubernetes: role that may do everything", []string{"Persistence", "PrivilegeEscalation", "Policy"}, Kubernetes, func(s *scene) {
		n := s.word()
		s.kube("create", "/apis/rbac.authorization.k8s.io/v1/clusterroles", "rbac.authorization.k8s.io", "clusterroles", "", "", n, 201, m{"kind": "ClusterRole", "metadata": m{"name": n}, "rules": []any{m{"verbs": []any{"*"}, "apiGroups": []any{"*"}, "resources": []any{"*"}}}})
		s.kube("create", "/api/v1/namespaces/kube-system/serviceaccounts", "", "serviceaccounts", "", "kube-system", n, 201, m{"kind": "ServiceAccount", "metadata": m{"name": n}})
		s.kube("create", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", "rbac.authorization.k8s.io", "clusterrolebindings", "", "", n, 201, m{"kind": "ClusterRoleBinding", "metadata": m{"name": n}, "roleRef": m{"kind": "ClusterRole", "name": n}, "subjects": []any{m{"kind": "ServiceAccount", "name": n, "namespace": "kube-system"}}})
	}},
	{"kubernetes: certificate signed for a strong user", []string{"Persistence", "CredentialAccess", "PrivilegeEscalation"}, Kubernetes, func(s *scene) {
		n := s.word()
		s.kube("create", "/apis/certificates.k8s.io/v1/certificatesigningrequests", "certificates.k8s.io", "certificatesigningrequests", "", "", n, 201, m{"metadata": m{"name": n}, "spec": m{"signerName": "kubernetes.io/kube-apiserver-client", "usages": []any{"client auth"}}})
		s.kube("update", "/apis/certificates.k8s.io/v1/certificatesigningrequests/"+n+"/approval", "certificates.k8s.io", "certificatesigningrequests", "approval", "", n, 200, m{"spec": m{"signerName": "kubernetes.io/kube-apiserver-client"}, "status": m{"conditions": []any{m{"type": "Approved"}}}})
	}},
	{"kubernetes: token of a strong service account", []string{"Persistence", "CredentialAccess", "PrivilegeEscalation"}, Kubernetes, func(s *scene) {
		s.kube("create", "/api/v1/namespaces/kube-system/serviceaccounts/clusterrole-aggregation-controller/token", "", "serviceaccounts", "token", "kube-system", "clusterrole-aggregation-controller", 201, m{"spec": m{"expirationSeconds": 31536000}})
	}},
	{"kubernetes: root of the node mounted", []string{"Persistence", "PrivilegeEscalation"}, Kubernetes, func(s *scene) {
		n := s.word()
		s.kube("create", "/api/v1/namespaces/default/pods", "", "pods", "", "default", n, 201, m{"kind": "Pod", "metadata": m{"name": n}, "spec": m{"volumes": []any{m{"name": "v", "hostPath": m{"path": "/"}}}, "containers": []any{m{"name": n, "image": "busybox"}}}})
	}},
	{"kubernetes: privileged pod", []string{"PrivilegeEscalation"}, Kubernetes, func(s *scene) {
		n := s.word()
		s.kube("create", "/api/v1/namespaces/default/pods", "", "pods", "", "default", n, 201, m{"kind": "Pod", "metadata": m{"name": n}, "spec": m{"containers": []any{m{"name": n, "image": "busybox", "securityContext": m{"privileged": true}}}}})
	}},
	{"kubernetes: shell in a pod of the system", []string{"Execution"}, Kubernetes, func(s *scene) {
		n := s.word()
		s.kube("create", "/api/v1/namespaces/kube-system/pods/"+n+"/exec?command=sh", "", "pods", "exec", "kube-system", n, 101, nil)
	}},
	{"kubernetes: kubelet called through the API server", []string{"PrivilegeEscalation", "Execution", "CredentialAccess", "LateralMovement"}, Kubernetes, func(s *scene) {
		n := "ip-10-0-1-" + fmt.Sprint(s.IntN(250)) + ".ec2.internal"
		s.kube("create", "/api/v1/nodes/"+n+"/proxy/run/default/"+s.word()+"/"+s.word(), "", "nodes", "proxy", "", n, 200, nil)
	}},
	{"kubernetes: aws-auth changed", []string{"Persistence", "PrivilegeEscalation"}, Kubernetes, func(s *scene) {
		s.kube("patch", "/api/v1/namespaces/kube-system/configmaps/aws-auth", "", "configmaps", "", "kube-system", "aws-auth", 200, m{"data": m{"mapUsers": "- userarn: arn:aws:iam::" + s.account + ":user/" + s.word() + "\n  groups:\n  - system:masters\n"}})
	}},
	{"kubernetes: everyone becomes administrator", []string{"Policy", "Persistence", "PrivilegeEscalation"}, Kubernetes, func(s *scene) {
		n := s.word()
		s.kube("create", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", "rbac.authorization.k8s.io", "clusterrolebindings", "", "", n, 201, m{"metadata": m{"name": n}, "roleRef": m{"kind": "ClusterRole", "name": "cluster-admin"}, "subjects": []any{m{"kind": "Group", "name": "system:unauthenticated"}}})
	}},
	{"kubernetes: called by somebody who did not sign in", []string{"Discovery", "CredentialAccess"}, Kubernetes, func(s *scene) {
		s.me = m{"username": "system:anonymous", "groups": []any{"system:unauthenticated"}}
		s.kube("list", "/api/v1/namespaces/default/secrets", "", "secrets", "", "default", "", 200, nil)
		s.kube("list", "/api/v1/pods", "", "pods", "", "", "", 200, nil)
	}},
}

// kube records a call of a cluster's API server.
func (s *scene) kube(verb, uri, group, resource, sub, namespace, name string, code int, object m) {
	s.wait(200, 4000)
	user := s.me
	if user["username"] == nil {
		user = m{"username": "kubernetes-" + s.word(), "groups": []any{"system:authenticated"}}
	}
	ref := m{"resource": resource, "apiVersion": "v1"}
	for k, v := range map[string]string{"apiGroup": group, "subresource": sub, "namespace": namespace, "name": name} {
		if v != "" {
			ref[k] = v
		}
	}
	at := s.now.UTC().Format(time.RFC3339Nano)
	r := m{
		"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": s.id(), "stage": "ResponseComplete", "requestURI": uri, "verb": verb, "user": user,
		"sourceIPs": []any{s.ip}, "userAgent": "kubectl/v1.30.1 (linux/amd64) kubernetes/6911225", "objectRef": ref, "responseStatus": m{"code": code},
		"requestReceivedTimestamp": at, "stageTimestamp": at, "annotations": m{"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
	}
	if object != nil {
		r["requestObject"], r["responseObject"] = object, object
	}
	s.add(r)
}
