package declared

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"sumun.dev/detect/record"
)

// Most conditions do not hold for most records, and what rules it out is simple: a
// comparison of a field, a word that a list must have. Those parts of a condition
// are made into functions, which are tried before the expression is run at all.

// A condition is an expression that holds or not.
type condition struct {
	program *vm.Program
	quick   test // nil: nothing is known without running it
	exact   bool // quick says all; else only that the condition may hold
}

// A test says whether a part of an expression holds. It never fails.
type test func(*env) bool

// A text is what a part of an expression is; ok is false for nil.
type text func(*env) (s string, ok bool)

func newCondition(p *vm.Program, class record.Class) *condition {
	q := quick{class}
	c := &condition{program: p}
	c.quick, c.exact = q.test(p.Node())
	return c
}

// holds works out a condition; none holds always. One that cannot be worked out
// does not hold.
func (e *env) holds(c *condition) bool {
	switch {
	case c == nil:
		return true
	case c.quick != nil && !c.quick(e):
		return false
	case c.exact:
		return true
	}
	v, err := e.run(c.program)
	ok, is := v.(bool)
	return err == nil && is && ok
}

// A value is an expression that is asked for its text.
type value struct {
	program *vm.Program
	quick   text // nil: it has to be run
}

func newValue(p *vm.Program, class record.Class) *value {
	q := quick{class}
	s, _ := q.text(p.Node())
	if s == nil {
		s = q.joined(p.Node())
	}
	return &value{p, s}
}

// joined makes a function of texts that are put together. Of nil that fails: so it is
// for values only, which are nothing then.
func (q quick) joined(n ast.Node) text {
	b, ok := n.(*ast.BinaryNode)
	if !ok || b.Operator != "+" {
		s, _ := q.text(n)
		return s
	}
	left, right := q.joined(b.Left), q.joined(b.Right)
	if left == nil || right == nil {
		return nil
	}
	return func(e *env) (string, bool) {
		x, okX := left(e)
		y, okY := right(e)
		if !okX || !okY {
			return "", false
		}
		return x + y, true
	}
}

// quick makes functions of expressions about records of a class.
type quick struct{ class record.Class }

// test makes a function of an expression: nil when that cannot be. What is not exact
// may say true where the expression is false, or fails.
func (q quick) test(n ast.Node) (t test, exact bool) {
	switch n := n.(type) {
	case *ast.BoolNode:
		return func(*env) bool { return n.Value }, true
	case *ast.UnaryNode:
		if t, exact := q.test(n.Node); exact && (n.Operator == "not" || n.Operator == "!") {
			return func(e *env) bool { return !t(e) }, true
		}
	case *ast.BinaryNode:
		return q.binary(n)
	case *ast.VariableDeclaratorNode:
		t, _ := q.test(n.Expr)
		return t, false
	case *ast.MemberNode:
		if t := q.field(name(n)); t != nil {
			return t, true
		}
	case *ast.BuiltinNode:
		return q.builtin(n)
	case *ast.CallNode:
		return q.call(n)
	}
	return nil, false
}

func (q quick) binary(n *ast.BinaryNode) (test, bool) {
	switch n.Operator {
	case "and", "&&":
		a, exactA := q.test(n.Left)
		b, exactB := q.test(n.Right)
		switch {
		case a == nil:
			return b, false
		case b == nil:
			return a, false
		}
		return func(e *env) bool { return a(e) && b(e) }, exactA && exactB
	case "or", "||":
		a, exactA := q.test(n.Left)
		b, exactB := q.test(n.Right)
		if a == nil || b == nil {
			return nil, false
		}
		return func(e *env) bool { return a(e) || b(e) }, exactA && exactB
	case "in":
		return q.in(n)
	case "==", "!=":
		if t, exact := q.equal(n); t != nil {
			if n.Operator == "==" {
				return t, exact
			}
			return func(e *env) bool { return !t(e) }, exact
		}
		return q.number(n)
	case "<", "<=", ">", ">=":
		return q.number(n)
	case "startsWith":
		return q.compare(n, strings.HasPrefix)
	case "endsWith":
		return q.compare(n, strings.HasSuffix)
	case "contains":
		return q.compare(n, strings.Contains)
	case "matches":
		pattern, ok := n.Right.(*ast.StringNode)
		if !ok {
			return nil, false
		}
		re, err := regexp.Compile(pattern.Value)
		if err != nil {
			return nil, false
		}
		return q.of(n.Left, re.MatchString)
	}
	return nil, false
}

// equal compares two texts, or a truth with a constant.
func (q quick) equal(n *ast.BinaryNode) (test, bool) {
	if constant, ok := n.Right.(*ast.BoolNode); ok {
		if t, exact := q.test(n.Left); exact {
			return func(e *env) bool { return t(e) == constant.Value }, true
		}
		return nil, false
	}
	a, _ := q.text(n.Left)
	b, _ := q.text(n.Right)
	if a == nil || b == nil {
		return nil, false
	}
	return func(e *env) bool {
		x, okX := a(e)
		y, okY := b(e)
		return x == y && okX == okY
	}, true
}

func (q quick) compare(n *ast.BinaryNode, how func(s, word string) bool) (test, bool) {
	word, ok := n.Right.(*ast.StringNode)
	if !ok {
		return nil, false
	}
	return q.of(n.Left, func(s string) bool { return how(s, word.Value) })
}

// of asks something of a text. Of nil the expression fails, which is more than that
// this part of it is false; so it is for an element that a list does not have.
func (q quick) of(n ast.Node, ask func(string) bool) (test, bool) {
	s, always := q.text(n)
	if s == nil {
		if m, ok := n.(*ast.MemberNode); ok {
			if at, ok := m.Property.(*ast.IntegerNode); ok && at.Value == 0 {
				if list := q.list(m.Node); list != nil {
					return func(e *env) bool { all := list(e); return len(all) > 0 && ask(all[0]) }, false
				}
			}
		}
		return nil, false
	}
	return func(e *env) bool { v, ok := s(e); return ok && ask(v) }, always
}

func (q quick) in(n *ast.BinaryNode) (test, bool) {
	words := words(n.Right)
	if words == nil {
		return nil, false
	}
	s, always := q.text(n.Left)
	if s == nil {
		return nil, false
	}
	return func(e *env) bool { v, ok := s(e); return ok && slices.Contains(words, v) }, always
}

// words are the texts of a constant list; nil when it is something else.
func words(n ast.Node) (words []string) {
	switch n := n.(type) {
	case *ast.ConstantNode:
		set, _ := n.Value.(map[string]struct{})
		for w := range set {
			words = append(words, w)
		}
		slices.Sort(words)
	case *ast.ArrayNode:
		for _, of := range n.Nodes {
			s, ok := of.(*ast.StringNode)
			if !ok {
				return nil
			}
			words = append(words, s.Value)
		}
	}
	return words
}

// number compares a number with a constant.
func (q quick) number(n *ast.BinaryNode) (test, bool) {
	constant, ok := n.Right.(*ast.IntegerNode)
	if !ok {
		return nil, false
	}
	var left func(*env) int
	switch l := n.Left.(type) {
	case *ast.BuiltinNode:
		if l.Name == "len" && len(l.Arguments) == 1 {
			if list := q.list(l.Arguments[0]); list != nil {
				left = func(e *env) int { return len(list(e)) }
			}
		}
	case *ast.MemberNode:
		if q.class == record.Orchestration && name(l) == "kubernetes.code" {
			left = func(e *env) int { return e.rec.Kubernetes.Code }
		}
	}
	if left == nil {
		return nil, false
	}
	c := constant.Value
	switch n.Operator {
	case "==":
		return func(e *env) bool { return left(e) == c }, true
	case "!=":
		return func(e *env) bool { return left(e) != c }, true
	case "<":
		return func(e *env) bool { return left(e) < c }, true
	case "<=":
		return func(e *env) bool { return left(e) <= c }, true
	case ">":
		return func(e *env) bool { return left(e) > c }, true
	}
	return func(e *env) bool { return left(e) >= c }, true
}

// builtin makes functions of any and none over a list of texts.
func (q quick) builtin(n *ast.BuiltinNode) (test, bool) {
	if len(n.Arguments) != 2 || n.Map != nil || n.Threshold != nil || n.Name != "any" && n.Name != "none" {
		return nil, false
	}
	list := q.list(n.Arguments[0])
	p, ok := n.Arguments[1].(*ast.PredicateNode)
	if list == nil || !ok {
		return nil, false
	}
	t, exact := q.test(p.Node)
	if t == nil || n.Name == "none" && !exact {
		return nil, false
	}
	some := func(e *env) (held bool) {
		outer := e.item
		for _, e.item = range list(e) {
			if held = t(e); held {
				break
			}
		}
		e.item = outer
		return held
	}
	if n.Name == "none" {
		return func(e *env) bool { return !some(e) }, true
	}
	return some, exact
}

// call makes functions of those that the language has for policies and addresses.
func (q quick) call(n *ast.CallNode) (test, bool) {
	f, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || len(n.Arguments) == 0 {
		return nil, false
	}
	s, always := q.text(n.Arguments[0])
	if s == nil || !always {
		return nil, false
	}
	switch f.Value {
	case "external":
		return func(e *env) bool { v, _ := s(e); return e.external(v) }, true
	case "admin":
		return func(e *env) bool { v, _ := s(e); return Admin(v) }, true
	case "cidr":
		if word, ok := n.Arguments[1].(*ast.StringNode); ok && name(n.Arguments[0]) == "src_endpoint.ip" && q.class == record.APIActivity {
			p, err := netip.ParsePrefix(word.Value)
			return func(e *env) bool { return err == nil && p.Contains(e.rec.API.IP) }, true
		}
	}
	return nil, false
}

// list makes a function of what is a list of texts; nil when that cannot be.
func (q quick) list(n ast.Node) func(*env) []string {
	if name(n) == "api.resources" && q.class == record.APIActivity {
		return (*env).resources
	}
	c, ok := n.(*ast.CallNode)
	if !ok {
		return nil
	}
	f, ok := c.Callee.(*ast.IdentifierNode)
	if !ok {
		return nil
	}
	if f.Value == "guests" && len(c.Arguments) == 1 {
		if s, always := q.text(c.Arguments[0]); always {
			return func(e *env) []string { v, _ := s(e); return e.guests(v) }
		}
		return nil
	}
	var paths [][]string
	for _, a := range c.Arguments {
		s, ok := a.(*ast.StringNode)
		if !ok {
			return nil
		}
		paths = append(paths, strings.Split(s.Value, "."))
	}
	var in func(*env) *record.Document
	switch {
	case q.class == record.APIActivity && f.Value == "request":
		in = func(e *env) *record.Document { return &e.rec.API.Request }
	case q.class == record.APIActivity && f.Value == "response":
		in = func(e *env) *record.Document { return &e.rec.API.Response }
	case q.class == record.APIActivity && f.Value == "additional":
		in = func(e *env) *record.Document { return &e.rec.API.Additional }
	case q.class == record.Orchestration && f.Value == "request":
		in = func(e *env) *record.Document { return &e.rec.Kubernetes.Request }
	case q.class == record.Orchestration && f.Value == "response":
		in = func(e *env) *record.Document { return &e.rec.Kubernetes.Response }
	default:
		return nil
	}
	return func(e *env) []string { return in(e).AllOf(paths) }
}

// text makes a function of what is a text; nil when that cannot be. always says
// that it never is nil.
func (q quick) text(n ast.Node) (t text, always bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return func(*env) (string, bool) { return n.Value, true }, true
	case *ast.PointerNode:
		if n.Name == "" {
			return func(e *env) (string, bool) { return e.item, true }, true
		}
	case *ast.MemberNode:
		if f := q.word(name(n)); f != nil {
			return func(e *env) (string, bool) { return f(e), true }, true
		}
	case *ast.BinaryNode:
		if n.Operator == "??" {
			x, _ := q.text(n.Left)
			y, always := q.text(n.Right)
			if x == nil || y == nil {
				return nil, false
			}
			return func(e *env) (string, bool) {
				if s, ok := x(e); ok {
					return s, true
				}
				return y(e)
			}, always
		}
	case *ast.BuiltinNode:
		if n.Name == "lower" && len(n.Arguments) == 1 {
			if s, always := q.text(n.Arguments[0]); always {
				return func(e *env) (string, bool) { v, _ := s(e); return strings.ToLower(v), true }, true
			}
		}
	case *ast.CallNode:
		if f, ok := n.Callee.(*ast.IdentifierNode); ok && f.Value == "first" && len(n.Arguments) == 1 {
			if list := q.list(n.Arguments[0]); list != nil {
				return func(e *env) (string, bool) {
					if all := list(e); len(all) > 0 {
						return all[0], true
					}
					return "", false
				}, false
			}
		}
	}
	return nil, false
}

// name is the dotted name of a field; "" of what is none.
func name(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.MemberNode:
		p, ok := n.Property.(*ast.StringNode)
		if of := name(n.Node); ok && of != "" && !n.Optional {
			return of + "." + p.Value
		}
	}
	return ""
}

// word returns what reads a field that is a text.
func (q quick) word(name string) func(*env) string {
	if q.class == record.Orchestration {
		switch name {
		case "kubernetes.verb":
			return func(e *env) string { return e.rec.Kubernetes.Verb }
		case "kubernetes.resource":
			return func(e *env) string { return e.rec.Kubernetes.Resource }
		case "kubernetes.subresource":
			return func(e *env) string { return e.rec.Kubernetes.Subresource }
		case "kubernetes.namespace":
			return func(e *env) string { return e.rec.Kubernetes.Namespace }
		case "kubernetes.name":
			return func(e *env) string { return e.rec.Kubernetes.Name }
		case "kubernetes.user":
			return func(e *env) string { return e.rec.Kubernetes.User }
		case "kubernetes.uri":
			return func(e *env) string { return e.rec.Kubernetes.URI }
		}
	}
	if q.class != record.APIActivity {
		return nil
	}
	switch name {
	case "metadata.uid":
		return func(e *env) string { return e.rec.ID }
	case "cloud.account.uid":
		return func(e *env) string { return string(e.rec.Account) }
	case "cloud.region":
		return func(e *env) string { return string(e.rec.Region) }
	case "actor.principal":
		return func(e *env) string { return e.rec.API.Actor.Principal() }
	case "actor.invoked_by":
		return func(e *env) string { return e.rec.API.Actor.InvokedBy }
	case "actor.user.type":
		return func(e *env) string { return e.rec.API.Actor.Type }
	case "actor.user.uid":
		return func(e *env) string { return e.rec.API.Actor.ID }
	case "actor.user.arn":
		return func(e *env) string { return e.rec.API.Actor.ARN }
	case "actor.user.name":
		return func(e *env) string { return e.rec.API.Actor.Name }
	case "actor.user.account":
		return func(e *env) string { return e.rec.API.Actor.Account }
	case "actor.user.credential_uid":
		return func(e *env) string { return e.rec.API.Actor.AccessKey }
	case "actor.session.name":
		return func(e *env) string { return e.rec.API.Actor.Session() }
	case "actor.session.issuer":
		return func(e *env) string { return e.rec.API.Actor.Issuer.ARN }
	case "api.operation":
		return func(e *env) string { return e.rec.API.Operation }
	case "api.service.name":
		return func(e *env) string { return e.rec.API.Service }
	case "api.type":
		return func(e *env) string { return e.rec.API.Type }
	case "api.error":
		return func(e *env) string { return e.rec.API.Error }
	case "api.error_message":
		return func(e *env) string { return e.rec.API.Message }
	case "http_request.user_agent":
		return func(e *env) string { return e.rec.API.Agent }
	case "src_endpoint.ip":
		return func(e *env) string { return e.source().IP }
	case "src_endpoint.svc_name":
		return func(e *env) string { return e.source().Service }
	case "src_endpoint.country":
		return func(e *env) string { return e.source().Country }
	case "src_endpoint.cloud":
		return func(e *env) string { return e.source().Cloud }
	}
	return nil
}

// field returns what reads a field that is true or false.
func (q quick) field(name string) test {
	if q.class == record.Orchestration && name == "kubernetes.by_system" {
		return func(e *env) bool { return e.rec.Kubernetes.BySystem() }
	}
	if q.class != record.APIActivity {
		return nil
	}
	switch name {
	case "actor.by_service":
		return func(e *env) bool { return e.rec.API.ByService() }
	case "actor.session.is_mfa":
		return func(e *env) bool { return e.rec.API.Actor.MFA }
	case "actor.session.is_root":
		return func(e *env) bool { return e.rec.API.Actor.RootOf }
	case "actor.session.is_console":
		return func(e *env) bool { return e.rec.API.Actor.OnConsole }
	case "api.read_only":
		return func(e *env) bool { return e.rec.API.ReadOnly }
	case "api.management":
		return func(e *env) bool { return e.rec.API.Management }
	case "api.failed":
		return func(e *env) bool { return e.rec.API.Failed() }
	case "api.denied":
		return func(e *env) bool { return e.rec.API.Denied() }
	case "src_endpoint.tor":
		return func(e *env) bool { return e.source().Tor }
	case "src_endpoint.anonymous":
		return func(e *env) bool { return e.source().Hidden }
	case "src_endpoint.private":
		return func(e *env) bool { return e.source().Private }
	}
	return nil
}

// named are the calls that a condition can hold for.
type named struct {
	operations, services []string // nil: any
}

// demands returns what a condition asks of the call: it holds for none but these.
func demands(n ast.Node) (d named) {
	b, ok := n.(*ast.BinaryNode)
	if let, is := n.(*ast.VariableDeclaratorNode); is {
		return demands(let.Expr)
	}
	if !ok {
		return d
	}
	switch b.Operator {
	case "and", "&&":
		x, y := demands(b.Left), demands(b.Right)
		if d = x; d.operations == nil {
			d.operations = y.operations
		}
		if d.services == nil {
			d.services = y.services
		}
	case "or", "||":
		x, y := demands(b.Left), demands(b.Right)
		if x.operations != nil && y.operations != nil {
			d.operations = slices.Concat(x.operations, y.operations)
		}
		if x.services != nil && y.services != nil {
			d.services = slices.Concat(x.services, y.services)
		}
	case "==":
		if s, ok := b.Right.(*ast.StringNode); ok {
			return namedBy(name(b.Left), []string{s.Value})
		}
	case "in":
		return namedBy(name(b.Left), words(b.Right))
	}
	return d
}

func namedBy(field string, words []string) (d named) {
	switch field {
	case "api.operation":
		d.operations = words
	case "api.service.name":
		d.services = words
	}
	return d
}

// maxDemanded bounds how many calls a rule is put under for what its condition asks.
const maxDemanded = 256

// calls are the calls that a condition can hold for, as Rule.Calls has them; nil for
// all.
func calls(c *condition) (all []string) {
	if c == nil {
		return nil
	}
	d := demands(c.program.Node())
	operations, services := d.operations, d.services
	if operations == nil {
		operations = []string{"*"}
	}
	if services == nil {
		services = []string{"*"}
	}
	if d.operations == nil && d.services == nil || len(operations)*len(services) > maxDemanded {
		return nil
	}
	for _, service := range services {
		for _, operation := range operations {
			name := service + ":" + operation
			if !callForm.MatchString(name) || name == "*:*" {
				return nil
			}
			all = append(all, name)
		}
	}
	return all
}
