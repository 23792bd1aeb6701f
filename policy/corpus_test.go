package policy

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sumun.dev/aws"
)

// A corpus file is a txtar archive. Its sections are "TYPE SOURCE" (SCPs and
// RCPs "scp.LEVEL SOURCE") with a policy each, and "cases", in which each line
// is one decision:
//
//	CALLER ACTION RESOURCE [KEY=VALUE,VALUE…]… => OUTCOME TYPE [SOURCE STATEMENT]
//
// Among the keys, owner= is the resource's account, issuer= the role behind a
// session, tag:NAME= a tag of the principal, use= the types of policy that apply;
// id=, issuerid=, provider=, task= and fact:KEY= are of the principal or its
// session, canonical= and managedkey= of the request, management=,
// resourcemanagement= and restrict= of the policies. An "acl" section has a
// grantee and a permission on each line.
type corpusCase struct {
	line string
	req  *Request
	p    *Policies
	want string
}

var callers = map[string]string{
	"alice":     "arn:aws:iam::111122223333:user/alice",
	"bob":       "arn:aws:iam::111122223333:user/team/bob",
	"root":      "arn:aws:iam::111122223333:root",
	"app":       "arn:aws:sts::111122223333:assumed-role/app/one",
	"slr":       "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s",
	"fed":       "arn:aws:sts::111122223333:federated-user/alice",
	"other":     "arn:aws:iam::444455556666:user/carol",
	"otherapp":  "arn:aws:sts::444455556666:assumed-role/app/two",
	"otherroot": "arn:aws:iam::444455556666:root",
	"ssm":       "ssm.amazonaws.com",
	"anonymous": "*",
	"google":    "accounts.google.com",
	"oidc":      "arn:aws:iam::111122223333:oidc-provider/token.example.com",
	"saml":      "arn:aws:iam::111122223333:saml-provider/corp",
}

var issuers = map[string]string{
	"fed": "arn:aws:iam::111122223333:user/alice",
	"slr": "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
}

func TestCorpus(t *testing.T) {
	total := 0
	for name, cases := range readCorpus(t) {
		total += len(cases)
		for _, c := range cases {
			d := Authorize(c.req, c.p)
			if got := show(d); got != c.want {
				_, why := Explain(c.req, c.p)
				t.Errorf("%s: %s\n got %s\n%+v", name, c.line, got, why)
			}
			if x, _ := Explain(c.req, c.p); x != d {
				t.Errorf("%s: %s\n Explain says %s, Authorize %s", name, c.line, show(x), show(d))
			}
			if got := slowly(c.req, c.p); got != d.Outcome {
				t.Errorf("%s: %s\n the second evaluator says %s", name, c.line, got)
			}
		}
	}
	t.Log(total, "decisions")
	if total < 1200 {
		t.Errorf("the corpus has %d decisions, want 1200 at least", total)
	}
}

func show(d Decision) string {
	return strings.TrimSpace(d.Outcome.String() + " " + d.By.String() + " " + strings.TrimSpace(d.Source()+" "+d.Label()))
}

func readCorpus(t testing.TB) map[string][]corpusCase {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus:", err)
	}
	all := map[string][]corpusCase{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = readCases(t, file, string(text))
	}
	return all
}

func readCases(t testing.TB, file, text string) []corpusCase {
	t.Helper()
	var p Policies
	var cases []corpusCase
	for i, section := range strings.Split("\n"+text, "\n-- ") {
		if i == 0 {
			continue
		}
		name, body, _ := strings.Cut(section, " --\n")
		if name != "cases" {
			kind, source, _ := strings.Cut(name, " ")
			addPolicy(t, &p, kind, source, body)
			continue
		}
		for line := range strings.Lines(body) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			cases = append(cases, readCase(t, file, line, &p))
		}
	}
	return cases
}

func addPolicy(t testing.TB, p *Policies, kind, source, body string) {
	t.Helper()
	kind, level, _ := strings.Cut(kind, ".")
	n, _ := strconv.Atoi(level)
	switch kind {
	case "identity":
		p.Identity = append(p.Identity, must(t, Identity, source, body))
	case "resource":
		p.Resource = must(t, Resource, source, body)
	case "key":
		p.Resource = must(t, Key, source, body)
	case "trust":
		p.Resource = must(t, Trust, source, body)
	case "bucket":
		p.Resource = must(t, Bucket, source, body)
	case "acl":
		l := &ACL{}
		for line := range strings.Lines(body) {
			grantee, permission, _ := strings.Cut(strings.TrimSpace(line), " ")
			l.Grants = append(l.Grants, ACLGrant{grantee, permission})
		}
		p.Grants = append(p.Grants, compileACL(t, l))
	case "grant":
		p.Grants = append(p.Grants, must(t, Resource, source, body))
	case "boundary":
		p.Boundary = must(t, Identity, source, body)
	case "session":
		p.Session = append(p.Session, must(t, Identity, source, body))
	case "endpoint":
		p.Endpoint = must(t, Endpoint, source, body)
	case "scp":
		p.SCPs = addLevel(t, p.SCPs, n, must(t, SCP, source, body))
	case "rcp":
		// RCPFullAWSAccess is AWS's own and need not keep the rules of others.
		a := &Attached{Source: source}
		if source == "full" {
			a.Document = must(t, Resource, source, body).Document
		} else {
			a.Document = must(t, RCP, source, body).Document
		}
		p.RCPs = addLevel(t, p.RCPs, n, a)
	default:
		t.Fatalf("no policy type %q", kind)
	}
}

func addLevel(t testing.TB, levels [][]*Attached, n int, a *Attached) [][]*Attached {
	for len(levels) <= n {
		levels = append(levels, nil)
	}
	levels[n] = append(levels[n], a)
	return levels
}

func readCase(t testing.TB, file, line string, p *Policies) corpusCase {
	t.Helper()
	asked, want, found := strings.Cut(line, " => ")
	fields := strings.Fields(asked)
	if !found || len(fields) < 3 {
		t.Fatalf("%s: cannot read %q", file, line)
	}
	who, issuer := fields[0], issuers[fields[0]]
	if arn, known := callers[who]; known {
		who = arn
	}
	req := &Request{Action: fields[1], Resource: fields[2]}
	tags, context, used := map[string]string{}, map[string][]string{}, *p
	var later []func(*aws.Principal)
	var management, resourceManagement, restrict bool
	for _, f := range fields[3:] {
		key, value, _ := strings.Cut(f, "=")
		value = strings.ReplaceAll(value, "~", " ")
		switch {
		case key == "owner":
			req.ResourceAccount = aws.Account(value)
		case key == "issuer":
			issuer = value
		case key == "use":
			used = use(p, value)
		case key == "id":
			later = append(later, func(p *aws.Principal) { p.ID = value })
		case key == "issuerid":
			later = append(later, func(p *aws.Principal) { p.Session.IssuerID = value })
		case key == "provider":
			later = append(later, func(p *aws.Principal) { p.Session.Provider = value })
		case key == "task":
			later = append(later, func(p *aws.Principal) { p.Session = &aws.Session{TaskPolicy: value} })
		case strings.HasPrefix(key, "fact:"):
			later = append(later, func(p *aws.Principal) { p.Session.Facts = map[string][]string{key[5:]: {value}} })
		case key == "canonical":
			req.CanonicalID = value
		case key == "managedkey":
			req.AWSManagedKey = value == "true"
		case key == "management":
			management = value == "true"
		case key == "resourcemanagement":
			resourceManagement = value == "true"
		case key == "restrict":
			restrict = value == "true"
		case strings.HasPrefix(key, "tag:"):
			tags[key[4:]] = value
		case value == "":
			context[key] = []string{}
		default:
			context[key] = strings.Split(value, ",")
		}
	}
	principal, err := PrincipalOf(who, issuer)
	if err != nil {
		t.Fatalf("%s: %q: %v", file, line, err)
	}
	principal.Tags = tags
	for _, change := range later {
		change(principal)
	}
	used.Management, used.ResourceManagement, used.RestrictPublicBuckets = management, resourceManagement, restrict
	req.Principal, req.Context = principal, MapOf(context)
	return corpusCase{line: line, req: req, p: &used, want: strings.Join(strings.Fields(want), " ")}
}

// use keeps the named types only.
func use(p *Policies, types string) Policies {
	var q Policies
	for _, name := range strings.Split(types, ",") {
		switch name {
		case "identity":
			q.Identity = p.Identity
		case "resource":
			q.Resource = p.Resource
		case "grant":
			q.Grants = p.Grants
		case "boundary":
			q.Boundary = p.Boundary
		case "session":
			q.Session = p.Session
		case "emptysession":
			q.Session = []*Attached{}
		case "endpoint":
			q.Endpoint = p.Endpoint
		case "scp":
			q.SCPs = p.SCPs
		case "noscp":
			q.SCPs = [][]*Attached{}
		case "rcp":
			q.RCPs = p.RCPs
		}
	}
	return q
}
