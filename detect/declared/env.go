package declared

import (
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"sumun.dev/detect/enrich"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
	"sumun.dev/policy"
)

// env is what expressions see: the record under OCSF's names where OCSF has one,
// and functions over it. Of classes other than the record's, all is empty.
type env struct {
	Class    string    `expr:"class"`
	Time     time.Time `expr:"time"`
	Metadata struct {
		UID string `expr:"uid"`
	} `expr:"metadata"`
	Cloud struct {
		Account struct {
			UID string `expr:"uid"`
		} `expr:"account"`
		Region string `expr:"region"`
	} `expr:"cloud"`
	Actor actor    `expr:"actor"`
	API   apiCall  `expr:"api"`
	Src   endpoint `expr:"src_endpoint"`
	Dst   endpoint `expr:"dst_endpoint"`
	HTTP  struct {
		Agent  string `expr:"user_agent"`
		Method string `expr:"http_method"`
		Host   string `expr:"hostname"`
		URL    string `expr:"url"`
		Status int    `expr:"status"`
		Action string `expr:"action"`
	} `expr:"http_request"`
	Query struct {
		Hostname string   `expr:"hostname"`
		Type     string   `expr:"type"`
		Rcode    string   `expr:"rcode"`
		Answers  []string `expr:"answers"`
		Blocked  bool     `expr:"blocked"`
		Instance string   `expr:"instance"`
	} `expr:"query"`
	Traffic struct {
		Protocol  int    `expr:"protocol_num"`
		Bytes     int    `expr:"bytes"`
		Packets   int    `expr:"packets"`
		Rejected  bool   `expr:"rejected"`
		Direction string `expr:"direction"`
		Flags     int    `expr:"tcp_flags"`
		Interface string `expr:"interface"`
		Instance  string `expr:"instance"`
	} `expr:"traffic"`
	Kube struct {
		Verb        string   `expr:"verb"`
		Resource    string   `expr:"resource"`
		Subresource string   `expr:"subresource"`
		Namespace   string   `expr:"namespace"`
		Name        string   `expr:"name"`
		User        string   `expr:"user"`
		Groups      []string `expr:"groups"`
		Code        int      `expr:"code"`
		URI         string   `expr:"uri"`
		Cluster     string   `expr:"cluster"`
		BySystem    bool     `expr:"by_system"`
	} `expr:"kubernetes"`

	// All values at dotted paths of the call's documents, as texts.
	Request    func(...string) []string `expr:"request"`
	Response   func(...string) []string `expr:"response"`
	Additional func(...string) []string `expr:"additional"`

	External func(string) bool                  `expr:"external"` // account or ARN of another account
	Guests   func(string) []string              `expr:"guests"`   // outsiders that a policy document lets in; "*" is everyone
	Admin    func(string) bool                  `expr:"admin"`    // a policy document, or the ARN of a managed policy, that gives everything
	Between  func(int, []string, []string) bool `expr:"between"`  // a number lies between from[i] and to[i], for some i
	Glob     func(string, string) bool          `expr:"glob"`
	Within   func(string, string) bool          `expr:"cidr"`
	Entropy  func(string) float64               `expr:"entropy"` // bits a character
	Unusual  func(string) bool                  `expr:"unusual"` // the actor was never seen with this api, network, userAgent or region

	vm     vm.VM
	scene  *rule.Scene
	rec    *record.Record
	filled bool      // what expressions see is that of rec
	from   *endpoint // source, once somebody asked
	item   string    // # of the list that a test goes over
}

type actor struct {
	Principal string `expr:"principal"` // the same over all sessions of a role
	InvokedBy string `expr:"invoked_by"`
	User      struct {
		Type       string `expr:"type"`
		UID        string `expr:"uid"`
		ARN        string `expr:"arn"`
		Name       string `expr:"name"`
		Account    string `expr:"account"`
		Credential string `expr:"credential_uid"`
	} `expr:"user"`
	Session struct {
		Name    string    `expr:"name"`
		Issuer  string    `expr:"issuer"`
		MFA     bool      `expr:"is_mfa"`
		Created time.Time `expr:"created_time"`
		Root    bool      `expr:"is_root"`
		Console bool      `expr:"is_console"`
	} `expr:"session"`
	ByService bool `expr:"by_service"`
}

type apiCall struct {
	Operation string `expr:"operation"`
	Service   struct {
		Name string `expr:"name"`
	} `expr:"service"`
	Type       string   `expr:"type"`
	ReadOnly   bool     `expr:"read_only"`
	Management bool     `expr:"management"`
	Failed     bool     `expr:"failed"`
	Denied     bool     `expr:"denied"`
	Error      string   `expr:"error"`
	Message    string   `expr:"error_message"`
	Resources  []string `expr:"resources"` // ARNs
}

type endpoint struct {
	IP      string `expr:"ip"`
	Port    int    `expr:"port"`
	Service string `expr:"svc_name"`
	Country string `expr:"country"`
	ASN     int    `expr:"asn"`
	Tor     bool   `expr:"tor"`
	Hidden  bool   `expr:"anonymous"` // Tor, VPN or proxy
	Cloud   string `expr:"cloud"`
	Private bool   `expr:"private"`
}

// compile checks an expression against env. Expressions end: there are no loops
// but over lists, and the number of nodes and the memory of a run are bounded.
func compile(source string, kind expr.Option) (*vm.Program, error) {
	return expr.Compile(source, expr.Env(&env{}), expr.MaxNodes(maxNodes), kind,
		expr.DisableBuiltin("now"), // the time is the record's
		expr.DisableBuiltin("first"), ofList("first", true),
		expr.DisableBuiltin("last"), ofList("last", false),
		expr.Function("json", func(params ...any) (any, error) {
			var v any
			if err := json.Unmarshal([]byte(params[0].(string)), &v); err != nil {
				return nil, nil
			}
			return v, nil
		}, new(func(string) any)))
}

// ofList makes first or last. expr's own take the element of a list of texts for a
// text, and fail to compare it when there is none; but a field that a call leaves
// out is no failure.
func ofList(name string, first bool) expr.Option {
	return expr.Function(name, func(params ...any) (any, error) {
		switch list := params[0].(type) {
		case []string:
			return end(list, first), nil
		case []any:
			return end(list, first), nil
		}
		return nil, nil
	}, new(func([]string) any), new(func([]any) any))
}

// end picks the first or last of a list; nil when there is none.
func end[T any](list []T, first bool) any {
	switch {
	case len(list) == 0:
		return nil
	case first:
		return list[0]
	}
	return list[len(list)-1]
}

// envOf returns what expressions see of a record; all rules of one scene share it.
func envOf(s *rule.Scene, r *record.Record) *env {
	if e, ok := s.Shared.(*env); ok && e.rec == r {
		return e
	}
	e, ok := s.Spare.(*env)
	if !ok {
		e = &env{}
		s.Spare = e
	}
	e.scene, e.rec, e.filled, e.from, e.item = s, r, false, nil, ""
	s.Shared = e
	return e
}

// run works out an expression.
func (e *env) run(p *vm.Program) (any, error) {
	if !e.filled {
		e.fill()
	}
	return e.vm.Run(p, e)
}

// fill makes all of the record to be seen.
func (e *env) fill() {
	s, r := e.scene, e.rec
	*e = env{Time: r.Time, vm: e.vm, scene: s, rec: r, filled: true, from: e.from, item: e.item}
	e.Metadata.UID, e.Cloud.Account.UID, e.Cloud.Region = r.ID, string(r.Account), string(r.Region)
	e.Request, e.Response, e.Additional = none, none, none
	switch {
	case r.API != nil:
		e.Class = "api"
		e.call(r.API)
	case r.DNS != nil:
		d := r.DNS
		e.Class, e.Src.IP = "dns", d.Source.String()
		e.Query.Hostname, e.Query.Type, e.Query.Rcode, e.Query.Blocked, e.Query.Instance = d.Domain(), d.Type, d.Rcode, d.Blocked(), d.Instance
		for _, a := range d.Addresses {
			e.Query.Answers = append(e.Query.Answers, a.String())
		}
	case r.Flow != nil:
		f := r.Flow
		e.Class, e.Src, e.Dst = "flow", e.endpoint(f.Src, f.SrcPort), e.endpoint(f.Dst, f.DstPort)
		t := &e.Traffic
		t.Protocol, t.Bytes, t.Packets, t.Rejected = int(f.Protocol), int(min(f.Bytes, math.MaxInt64)), int(min(f.Packets, math.MaxInt64)), f.Rejected
		t.Direction, t.Flags, t.Interface, t.Instance = f.Direction, int(f.Flags), f.Interface, f.Instance
	case r.HTTP != nil:
		h := r.HTTP
		e.Class, e.Src = "http", e.endpoint(h.Client, h.ClientPort)
		e.HTTP.Agent, e.HTTP.Method, e.HTTP.Host, e.HTTP.URL, e.HTTP.Status, e.HTTP.Action = h.Agent, h.Method, h.Host, h.URL, h.Status, h.Action
	case r.Kubernetes != nil:
		k := r.Kubernetes
		e.Class = "kubernetes"
		if len(k.Sources) > 0 {
			e.Src = e.endpoint(k.Sources[0], 0)
		}
		e.HTTP.Agent = k.Agent
		e.Kube.Verb, e.Kube.Resource, e.Kube.Subresource, e.Kube.Namespace, e.Kube.Name = k.Verb, k.Resource, k.Subresource, k.Namespace, k.Name
		e.Request, e.Response = at(&k.Request), at(&k.Response) // the objects
		e.Kube.User, e.Kube.Groups, e.Kube.Code, e.Kube.URI, e.Kube.Cluster = k.User, k.Groups, k.Code, k.URI, k.Cluster
		e.Kube.BySystem = k.BySystem()
	}
	e.Between = between
	e.External, e.Guests, e.Admin = e.external, e.guests, e.admin
	e.Glob = func(s, pattern string) bool {
		ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(s))
		return err == nil && ok
	}
	e.Within, e.Entropy, e.Unusual = within4, Entropy, e.unusual
}

func none(...string) []string { return nil }

func (e *env) call(a *record.API) {
	u := &e.Actor.User
	e.Actor.Principal, e.Actor.InvokedBy, e.Actor.ByService = a.Actor.Principal(), a.Actor.InvokedBy, a.ByService()
	u.Type, u.UID, u.ARN, u.Name, u.Account, u.Credential = a.Actor.Type, a.Actor.ID, a.Actor.ARN, a.Actor.Name, a.Actor.Account, a.Actor.AccessKey
	s := &e.Actor.Session
	s.Name, s.Issuer, s.MFA, s.Created, s.Root, s.Console = a.Actor.Session(), a.Actor.Issuer.ARN, a.Actor.MFA, a.Actor.Created, a.Actor.RootOf, a.Actor.OnConsole
	c := &e.API
	c.Operation, c.Service.Name, c.Type, c.ReadOnly, c.Management = a.Operation, a.Service, a.Type, a.ReadOnly, a.Management
	c.Failed, c.Denied, c.Error, c.Message = a.Failed(), a.Denied(), a.Error, a.Message
	c.Resources, e.Src = e.resources(), *e.source()
	e.HTTP.Agent = a.Agent
	e.Request, e.Response, e.Additional = at(&a.Request), at(&a.Response), at(&a.Additional)
}

// source is where a call came from.
func (e *env) source() *endpoint {
	if e.from == nil {
		a := e.rec.API
		e.from = &endpoint{Service: a.Source}
		if a.IP.IsValid() {
			*e.from = e.endpoint(a.IP, 0)
		}
	}
	return e.from
}

// resources are the ARNs of those that a call names.
func (e *env) resources() (arns []string) {
	for _, r := range e.rec.API.Resources {
		arns = append(arns, r.ARN)
	}
	return arns
}

// at returns all values at dotted paths of a document.
func at(d *record.Document) func(...string) []string {
	return func(paths ...string) (all []string) {
		for _, path := range paths {
			all = append(all, d.All(strings.Split(path, ".")...)...)
		}
		return all
	}
}

func (e *env) endpoint(a netip.Addr, port uint16) endpoint {
	if !a.IsValid() {
		return endpoint{}
	}
	var p enrich.Place
	if e.scene.Net != nil {
		p = e.scene.Net.Look(a)
	}
	return endpoint{
		IP: a.String(), Port: int(port), Country: p.Country, ASN: int(p.ASN), Tor: p.Tor, Hidden: p.Anonymous(), Cloud: p.Cloud,
		Private: a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast(),
	}
}

// external reports whether an account id, or the account of an ARN, is not the
// record's. "*" and "all" are everyone, and so external.
func (e *env) external(who string) bool { return External(string(e.rec.Account), who) }

// External reports whether who, an account id, an ARN, or "*" and "all" for
// everyone, is outside of an account.
func External(account, who string) bool {
	switch {
	case who == "":
		return false
	case who == "*" || strings.EqualFold(who, "all"):
		return true
	case strings.HasPrefix(who, "arn:"):
		parts := strings.SplitN(who, ":", 6)
		return len(parts) == 6 && parts[4] != "" && parts[4] != account
	}
	return isAccount(who) && who != account
}

func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func (e *env) guests(doc string) []string { return Guests(string(e.rec.Account), doc) }

// Guests lists who outside of an account is let in by a policy document: account
// ids, ARNs, identity providers of other accounts, and "*" for everyone. Of a
// document that cannot be read, nobody.
func Guests(account, doc string) []string {
	d := document(doc)
	if d == nil {
		return nil
	}
	var out []string
	for _, g := range d.Guests() {
		if g.Everyone {
			out = append(out, "*")
		}
		for _, a := range g.Accounts {
			if string(a) != account {
				out = append(out, string(a))
			}
		}
		for _, a := range g.ARNs {
			if string(a.Account) != account {
				out = append(out, a.String())
			}
		}
		for _, f := range g.Federated {
			if External(account, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

func document(doc string) *policy.Document {
	for _, kind := range []policy.Kind{policy.Resource, policy.Trust, policy.Identity} {
		if d, err := policy.Parse([]byte(doc), kind); err == nil {
			return d
		}
	}
	return withResource(doc)
}

// withResource reads a policy whose statements need no Resource, since it stands
// at the one that they mean: a repository's, a domain's.
func withResource(doc string) *policy.Document {
	var raw struct {
		Version   string
		Statement []map[string]any
	}
	if err := json.Unmarshal([]byte(doc), &raw); err != nil {
		return nil
	}
	for _, s := range raw.Statement {
		if s["Resource"] == nil && s["NotResource"] == nil {
			s["Resource"] = "*"
		}
	}
	b, err := json.Marshal(raw)
	if err != nil {
		return nil
	}
	d, err := policy.Parse(b, policy.Resource)
	if err != nil {
		return nil
	}
	return d
}

func (e *env) admin(what string) bool { return Admin(what) }

// Admin reports whether a policy document, or the managed policy of an ARN, gives
// everything, or all of IAM, by which everything can be had.
func Admin(what string) bool {
	if strings.HasPrefix(what, "arn:") {
		switch name := what[strings.LastIndexByte(what, '/')+1:]; name {
		case "AdministratorAccess", "IAMFullAccess", "AdministratorAccess-Amplify", "AdministratorAccess-AWSElasticBeanstalk":
			return strings.Contains(what, ":iam::aws:policy/")
		}
		return false
	}
	d := document(what)
	return d != nil && d.Administers()
}

func within4(ip, cidr string) bool {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	p, err := netip.ParsePrefix(cidr)
	return err == nil && p.Contains(a)
}

// between reports whether n lies in one of the ranges from[i] to to[i].
func between(n int, from, to []string) bool {
	for i := range min(len(from), len(to)) {
		low, err1 := strconv.Atoi(from[i])
		high, err2 := strconv.Atoi(to[i])
		if err1 == nil && err2 == nil && low <= n && n <= high {
			return true
		}
	}
	return false
}

// Entropy returns the Shannon entropy of a text, in bits a byte.
func Entropy(s string) float64 {
	var n [256]int
	for i := range len(s) {
		n[s[i]]++
	}
	h := 0.0
	for _, c := range n {
		if c > 0 {
			p := float64(c) / float64(len(s))
			h -= p * math.Log2(p)
		}
	}
	return h
}

func (e *env) unusual(feature string) bool {
	if e.rec.API == nil || e.scene.Normal == nil {
		return false
	}
	for _, f := range e.scene.Normal.Judge(e.rec, e.scene.Net.Look(e.rec.API.IP)).Unusual {
		if f.Name == feature {
			return true
		}
	}
	return false
}

// evidenceNote keeps what names a record until enough of them came.
func evidenceNote(r *record.Record) (string, error) {
	ev := rule.Evidence(r)
	if strings.Contains(ev.ID, "\x00") || strings.Contains(ev.File, "\x00") {
		b, err := json.Marshal(ev)
		return string(b), err
	}
	b := make([]byte, 0, len(ev.ID)+len(ev.File)+len(ev.Told)+48)
	for _, n := range [...]int64{ev.At.Unix(), int64(ev.At.Nanosecond()), int64(ev.Line), ev.Offset} {
		b = append(strconv.AppendInt(b, n, 10), 0)
	}
	b = append(append(b, ev.ID...), 0)
	b = append(append(b, ev.File...), 0)
	return string(append(b, ev.Told...)), nil
}

func readNote(s string) (ev finding.Evidence, err error) {
	if strings.HasPrefix(s, "{") {
		err = json.Unmarshal([]byte(s), &ev)
		return ev, err
	}
	parts := strings.SplitN(s, "\x00", 7)
	if len(parts) < 7 {
		return ev, errors.New("no note of evidence")
	}
	var n [4]int64
	for i := range n {
		if n[i], err = strconv.ParseInt(parts[i], 10, 64); err != nil {
			return ev, err
		}
	}
	return finding.Evidence{
		At: time.Unix(n[0], n[1]).UTC(), Line: int(n[2]), Offset: n[3], ID: parts[4], File: parts[5], Told: parts[6],
	}, nil
}
