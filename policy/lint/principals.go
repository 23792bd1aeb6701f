package lint

import (
	"strings"

	"sumun.dev/aws"
	"sumun.dev/policy"
)

func (l *linter) principals(s *statement) {
	n, name := s.principal, "Principal"
	if n == nil {
		n, name = s.notPrincipal, "NotPrincipal"
	}
	switch {
	case n != nil && l.kind == policy.Identity:
		l.add("UNSUPPORTED_PRINCIPAL", n, name)
		return
	case n != nil && l.kind == policy.SCP:
		l.add("SCP_SYNTAX_ERROR_PRINCIPAL", n, name)
		return
	case n == nil && l.kind != policy.Identity && l.kind != policy.SCP:
		l.add("MISSING_PRINCIPAL", s.node)
		return
	case n == nil:
		return
	case l.kind == policy.RCP && name == "NotPrincipal":
		l.add("RCP_SYNTAX_ERROR_NOTPRINCIPAL", n)
		return
	case l.kind == policy.RCP:
		if !everybody(n) {
			l.add("RCP_SYNTAX_ERROR_PRINCIPAL", n)
		}
		return
	case l.kind == policy.Trust && name == "NotPrincipal":
		l.add("ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL", n)
		return
	case name == "NotPrincipal" && s.allows():
		l.add("ALLOW_WITH_NOT_PRINCIPAL", n)
	}
	if !l.want(n, "\"*\" or an object", '"', '{') {
		return
	}
	if n.kind == '"' {
		if n.text != "*" {
			l.add("INVALID_PRINCIPAL_FORMAT", n, n.text)
		}
	}
	if n.kind == '{' && len(n.members) == 0 {
		l.add("EMPTY_OBJECT_PRINCIPAL", n)
	}
	for _, m := range n.members {
		l.principalsOf(s, m)
	}
	if name == "Principal" && s.allows() && everybody(n) && l.kind != policy.Trust && l.kind != policy.Endpoint && !narrowed(s) {
		l.add("UNRESTRICTED_PRINCIPAL", n)
	}
}

// everybody reports whether a Principal is "*", in one of its forms.
func everybody(n *node) bool {
	if n.kind == '"' {
		return n.text == "*"
	}
	for _, item := range n.get("AWS").texts() {
		if item.text == "*" {
			return true
		}
	}
	return false
}

// narrowing are the condition keys by which a policy for everybody can say who is
// meant. S3 User Guide, "The meaning of public".
var narrowing = []string{
	"aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:userid", "aws:username", "aws:sourcearn",
	"aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner", "aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn",
	"aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths", "kms:calleraccount", "kms:viaservice", "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
}

func narrowed(s *statement) bool { return s.hasKey(narrowing...) }

func (l *linter) principalsOf(s *statement, m member) {
	if !l.want(m.value, "A string or a list of strings", '"', '[') {
		return
	}
	if m.value.empty() {
		l.add("EMPTY_ARRAY_PRINCIPAL", m.value)
	}
	for _, item := range m.value.list() {
		if !l.want(item, "A string", '"') {
			continue
		}
		l.noVariables("Principal", item)
		switch m.name {
		case "AWS":
			l.awsPrincipal(item)
		case "Service":
			l.servicePrincipal(s, item)
		case "Federated":
			l.federated(s, item)
		case "CanonicalUser":
			if len(item.text) != 64 || strings.Trim(item.text, "0123456789abcdef") != "" {
				l.add("INVALID_PRINCIPAL_FORMAT", item, item.text)
			}
		default:
			l.add("INVALID_PRINCIPAL_KEY", &node{at: m.at, path: m.value.path}, m.name)
			return
		}
	}
	if m.name == "AWS" && l.kind == policy.Trust {
		l.coveredPrincipals(m.value.texts())
	}
}

func (l *linter) awsPrincipal(n *node) {
	if _, err := aws.ParseAccount(n.text); err == nil || n.text == "*" {
		return
	}
	if strings.ContainsAny(n.text, "*?") {
		l.add("UNSUPPORTED_WILDCARD_IN_PRINCIPAL", n, n.text)
		return
	}
	switch {
	case len(n.text) >= 16 && strings.HasPrefix(n.text, "AIDA"):
		l.add("INVALID_USER_REFERENCE", n, n.text)
		return
	case len(n.text) >= 16 && strings.HasPrefix(n.text, "AROA"):
		l.add("INVALID_ROLE_REFERENCE", n, n.text)
		return
	}
	arn, err := aws.ParseARN(n.text)
	kind, rest, _ := strings.Cut(arn.Resource, "/")
	if _, wrong := aws.ParseAccount(string(arn.Account)); wrong != nil && err == nil {
		err = wrong
	}
	switch arn.Service + ":" + kind {
	case "iam:root":
	case "iam:user", "iam:role", "sts:assumed-role", "sts:federated-user":
		if rest != "" {
			break
		}
		fallthrough
	default:
		l.add("INVALID_PRINCIPAL_FORMAT", n, n.text)
		return
	}
	if err != nil {
		l.add("INVALID_PRINCIPAL_FORMAT", n, n.text)
	}
}

// coveredPrincipals finds principals of an account that is named as a whole.
func (l *linter) coveredPrincipals(all []*node) {
	whole := map[string]string{}
	for _, n := range all {
		if arn, err := aws.ParseARN(n.text); err == nil && arn.Resource == "root" {
			whole[string(arn.Account)] = n.text
		}
		if account, err := aws.ParseAccount(n.text); err == nil {
			whole[string(account)] = n.text
		}
	}
	for _, n := range all {
		if arn, err := aws.ParseARN(n.text); err == nil && arn.Resource != "root" && whole[string(arn.Account)] != "" {
			l.add("REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY", n, n.text, whole[string(arn.Account)])
		}
	}
}

// sourceKeys say on whose behalf a service asks.
var sourceKeys = []string{"aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths"}

func (l *linter) servicePrincipal(s *statement, n *node) {
	if !strings.HasSuffix(n.text, ".amazonaws.com") && !strings.HasSuffix(n.text, ".amazonaws.com.cn") && !strings.HasSuffix(n.text, ".amazon.com") || strings.ContainsAny(n.text, "*? /:") {
		l.add("INVALID_SERVICE_PRINCIPAL_FORMAT", n, n.text)
		return
	}
	if s.allows() && s.principal != nil && l.kind != policy.Trust && !s.hasKey(sourceKeys...) {
		l.add("RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL", n, n.text)
	}
	l.mismatched(s, n, "Service", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity")
}

// builtIn are the web identity providers that IAM knows without an ARN.
var builtIn = map[string]bool{"cognito-identity.amazonaws.com": true, "accounts.google.com": true, "www.amazon.com": true, "graph.facebook.com": true}

func (l *linter) federated(s *statement, n *node) {
	host := n.text
	saml := false
	if arn, err := aws.ParseARN(n.text); err == nil && arn.Service == "iam" {
		kind, name, _ := strings.Cut(arn.Resource, "/")
		host, saml = name, kind == "saml-provider"
		if !saml && kind != "oidc-provider" || name == "" || strings.ContainsAny(name, "*?") {
			l.add("INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY", n, n.text)
			return
		}
	} else if !builtIn[n.text] {
		l.add("INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY", n, n.text)
		return
	}
	if saml {
		l.mismatched(s, n, "Federated (SAML)", "sts:assumerole", "sts:assumerolewithwebidentity")
		return
	}
	l.mismatched(s, n, "Federated (web identity)", "sts:assumerole", "sts:assumerolewithsaml")
	if !s.allows() || l.kind != policy.Trust {
		return
	}
	about := false
	for _, c := range s.conditions() {
		key := strings.ToLower(c.key)
		about = about || strings.HasPrefix(key, strings.ToLower(host)+":")
		if key == gitHub+":sub" {
			l.gitHubSubject(c)
		}
	}
	switch {
	case host == gitHub && !s.hasKey(gitHub+":sub"):
		l.add("MISSING_GITHUB_REPO_CONDITION_KEY", n)
	case !about:
		l.add("MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL", n, host, host, host)
	}
}

const gitHub = "token.actions.githubusercontent.com"

func (l *linter) gitHubSubject(c conditionNode) {
	for _, v := range c.values.texts() {
		owner, _, found := strings.Cut(strings.TrimPrefix(v.text, "repo:"), "/")
		if !found || strings.ContainsAny(owner, "*?") || !strings.HasPrefix(v.text, "repo:") {
			l.add("SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED", v, v.text)
		}
	}
}

// mismatched reports actions, in lower case, that a kind of principal cannot do.
func (l *linter) mismatched(s *statement, n *node, kind string, actions ...string) {
	if l.kind != policy.Trust || !s.allows() || s.action == nil || len(s.principal.list()) == 0 || len(s.principal.members) > 1 {
		return
	}
	for _, a := range s.actions() {
		for _, wrong := range actions {
			if strings.EqualFold(a.text, wrong) {
				l.add("MISMATCHED_ACTION_FOR_PRINCIPAL", n, a.text, kind)
			}
		}
	}
}
