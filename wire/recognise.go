package wire

import (
	"mime"
	"strings"

	"sumun.dev/aws"
)

// Recognise finds out which operation of which service a request asks for, and
// in which protocol. On an error the Match still tells the protocol, and the
// service as far as it is known, so that the error can be written in the
// client's language; the operation is nil then.
func Recognise(r *Request, x *Index) (*Match, error) {
	m := &Match{}
	err := x.recognise(r, m)
	if err != nil && m.Protocol == "" {
		m.Protocol = x.guess(r)
	}
	return m, err
}

func (x *Index) recognise(r *Request, m *Match) (err error) {
	if m.query, err = parsePairs(r.RawQuery, defaultElements); err != nil {
		return err
	}
	switch {
	case r.Header.Get("Smithy-Protocol") != "":
		return x.byRPC(r, m)
	case r.Header.Get("X-Amz-Target") != "":
		return x.byTarget(r, m)
	}
	form, err := r.form()
	if err != nil {
		return err
	}
	action, err := theAction(m.query, form)
	if err != nil {
		return err
	}
	if s := x.unsigned(r, m); s != nil {
		return x.byPath(r, m, s)
	}
	if s := x.rest(r, action != ""); s != nil {
		return x.byPath(r, m, s)
	}
	m.form = form
	return x.byAction(r, m, action)
}

// guess is the protocol to answer in when nothing can be recognised.
func (x *Index) guess(r *Request) Protocol {
	switch ct := contentType(r); {
	case r.Header.Get("Smithy-Protocol") != "":
		return CBOR
	case r.Header.Get("X-Amz-Target") != "", strings.HasPrefix(ct, "application/x-amz-json"):
		return JSON
	case ct == formType:
		return Query
	}
	if list := x.signed[r.Scope]; len(list) > 0 && len(list[0].service.Protocols) > 0 {
		return list[0].service.Protocols[0]
	}
	if r.Scope == "" && x.s3 != nil {
		return RestXML
	}
	return RestJSON
}

const formType = "application/x-www-form-urlencoded"

func contentType(r *Request) string {
	text := r.Header.Get("Content-Type")
	switch text {
	case formType, formType + "; charset=utf-8": // what most clients send is not worth parsing
		return formType
	}
	ct, _, err := mime.ParseMediaType(text)
	if err != nil {
		return ""
	}
	return ct
}

// form reads the body as a form, if it is one. Clients of query services that
// send no Content-Type, or a wrong one, are not understood by AWS either.
func (r *Request) form() ([]pair, error) {
	if contentType(r) != formType || r.Method != "POST" {
		return nil, nil
	}
	return parsePairs(string(r.Body), defaultElements)
}

// theAction returns the one Action of a query request, or "".
func theAction(query, form []pair) (string, error) {
	action, n := "", 0
	for _, list := range [][]pair{query, form} {
		for _, p := range list {
			if p.name == "Action" {
				action, n = p.value, n+1
			}
		}
	}
	if n > 1 {
		return "", &aws.Error{Code: "MalformedQueryString", Status: 400, Message: "The parameter Action is given more than once."}
	}
	return action, nil
}

func (m *Match) settle(x *Index, op AnyOperation) error {
	m.Operation, m.Service, m.Route = op, op.About().Service, x.routes[op]
	return nil
}

// byRPC reads the path of RPC v2: /service/{target prefix}/operation/{name}.
func (x *Index) byRPC(r *Request, m *Match) error {
	m.Protocol = CBOR
	if got := r.Header.Get("Smithy-Protocol"); got != rpcV2 {
		return unknownOperation("The protocol " + clip(got) + " is not spoken here.")
	}
	parts := strings.Split(strings.TrimPrefix(r.RawPath, "/"), "/")
	n := len(parts)
	if n < 4 || parts[n-4] != "service" || parts[n-2] != "operation" || r.Method != "POST" {
		return unknownOperation("The path names no operation.")
	}
	m.Service = x.targets[parts[n-3]]
	op := x.cbor[parts[n-3]+"/"+parts[n-1]]
	if op == nil {
		return unknownOperation("There is no operation " + clip(parts[n-1]) + " of " + clip(parts[n-3]) + ".")
	}
	return m.settle(x, op)
}

const rpcV2 = "rpc-v2-cbor"

func (x *Index) byTarget(r *Request, m *Match) error {
	m.Protocol = JSON
	if r.Method != "POST" {
		return unknownOperation("An operation named by X-Amz-Target is asked for with POST.")
	}
	target := r.Header.Values("X-Amz-Target")
	if len(target) > 1 {
		return unknownOperation("The header X-Amz-Target is given more than once.")
	}
	m.JSONVersion = jsonVersion(r)
	op := x.target[target[0]]
	if op == nil {
		if i := strings.LastIndexByte(target[0], '.'); i > 0 {
			m.Service = x.targets[target[0][:i]]
		}
		return unknownOperation("There is no operation " + clip(target[0]) + ".")
	}
	return m.settle(x, op)
}

func jsonVersion(r *Request) string {
	version, _ := strings.CutPrefix(r.Header.Get("Content-Type"), "application/x-amz-json-")
	version, _, _ = strings.Cut(version, ";")
	return version
}

// unknownOperation is AWS's answer when a request names no operation it has.
func unknownOperation(why string) *aws.Error {
	return &aws.Error{Code: "UnknownOperationException", Status: 404, Message: why}
}

// rest returns the REST service that a request without a target is for, nil
// when it is a query request.
func (x *Index) rest(r *Request, action bool) *served {
	if list := x.signed[r.Scope]; r.Scope != "" {
		for _, s := range list {
			if s.router != nil {
				return s
			}
		}
		return nil
	}
	if action {
		return nil
	}
	name, _, _ := strings.Cut(r.Host, ".")
	for _, s := range x.names[name] {
		if s.router != nil {
			return s
		}
	}
	// Anonymous requests that name no service at all are S3's, whose hosts and
	// paths are whatever a bucket's owner chose.
	return x.s3
}

// unsigned returns the service whose REST operation, one that nobody signs, a
// request is for by its path alone; nil when it is none. Such a request carries a
// JSON body, or a header that the operation requires, which anonymous requests of
// S3 do not.
func (x *Index) unsigned(r *Request, m *Match) *served {
	if r.Scope != "" || len(x.open) == 0 {
		return nil
	}
	for _, s := range x.open {
		l, _ := s.router.find(r, m.query)
		if l != nil && l.op.About().NoAuth && (len(l.header) > 0 || contentType(r) == "application/json") {
			return s
		}
	}
	return nil
}

// byPath asks all REST services that share the scope's name.
func (x *Index) byPath(r *Request, m *Match, first *served) error {
	m.Service, m.Protocol = first.service, first.service.restProtocol()
	path := *r
	if r.Bucket != "" && first.service.isS3() {
		path.RawPath = "/" + r.Bucket + r.RawPath
	}
	list := []*served{first}
	for _, s := range x.signed[first.service.SigningName] {
		if s != first && s.router != nil {
			list = append(list, s)
		}
	}
	for _, s := range list {
		l, labels := s.router.find(&path, m.query)
		if l == nil {
			continue
		}
		m.labels, m.labelNames = labels, l.labels
		m.Protocol = s.service.restProtocol()
		return m.settle(x, l.op)
	}
	return unknownOperation("There is no operation for " + clip(r.Method) + " " + clip(r.RawPath) + ".")
}

func (s *Service) restProtocol() Protocol {
	if s.speaks(RestXML) {
		return RestXML
	}
	return RestJSON
}

func (x *Index) byAction(r *Request, m *Match, action string) error {
	m.Protocol = Query
	list := x.signed[r.Scope]
	if r.Scope == "" {
		name, _, _ := strings.Cut(r.Host, ".")
		list = x.names[name]
	}
	if r.Scope != "" && len(list) == 0 {
		return unknownOperation("There is no service " + clip(r.Scope) + ".")
	}
	if len(list) > 0 {
		m.Service = list[0].service
		m.Protocol = m.Service.queryProtocol()
	}
	if m.Service != nil && !m.Service.speaksQuery() {
		return unknownOperation("The request names no operation.")
	}
	if r.Method != "POST" && r.Method != "GET" {
		return unknownOperation("There is no operation for " + clip(r.Method) + " " + clip(r.RawPath) + ".")
	}
	if action == "" {
		return &aws.Error{Code: "MissingAction", Status: 400, Message: "Could not find operation in request: the parameter Action is missing."}
	}
	version := ""
	for _, pairs := range [][]pair{m.query, m.form} {
		for _, p := range pairs {
			if p.name == "Version" {
				version = p.value
			}
		}
	}
	var op AnyOperation
	for _, s := range list {
		if found := s.actions[action]; found != nil && (op == nil || s.service.APIVersion == version) {
			op = found
		}
	}
	if op == nil && r.Scope == "" {
		op = x.action[version+"/"+action]
	}
	if op == nil {
		return &aws.Error{Code: "InvalidAction", Status: 400, Message: "Could not find operation " + clip(action) + " for version " + orElse(clip(version), "NO_VERSION_SPECIFIED")}
	}
	m.Protocol = op.About().Service.queryProtocol()
	return m.settle(x, op)
}

// speaksQuery reports whether Action parameters reach the service. Services that
// moved from query to JSON still answer clients that did not.
func (s *Service) speaksQuery() bool { return s.speaks(Query) || s.speaks(EC2) || s.QueryCompatible }

// queryProtocol is the protocol of requests that carry neither target nor REST
// path: one of the query protocols, for services that have one.
func (s *Service) queryProtocol() Protocol {
	switch {
	case s.speaks(EC2):
		return EC2
	case s.speaksQuery() || len(s.Protocols) == 0:
		return Query
	}
	return s.Protocols[0]
}
