package main

import (
	"fmt"
	"strings"
)

// protocols are the names package wire gives to the models' protocols.
var protocols = map[string]string{
	"json": "wire.JSON", "rest-json": "wire.RestJSON", "query": "wire.Query",
	"ec2": "wire.EC2", "rest-xml": "wire.RestXML", "smithy-rpc-v2-cbor": "wire.CBOR",
}

func (g *gen) writeService() (map[string]string, error) {
	md := g.model.Metadata
	list := md.Protocols
	if len(list) == 0 {
		list = []string{md.Protocol}
	}
	var names []string
	for _, p := range list {
		name, ok := protocols[p]
		if !ok {
			return nil, fmt.Errorf("protocol %s is unknown", p)
		}
		names = append(names, name)
	}
	signing := md.SigningName
	if signing == "" {
		signing = md.EndpointPrefix
	}
	var b strings.Builder
	fmt.Fprintf(&b, "// Package %s holds the types and operations of AWS's %s API.\n", g.service.Package(), md.ServiceID)
	fmt.Fprintf(&b, "// Service is what the model says of %s as a whole.\nvar Service = wire.Service{\n", md.ServiceID)
	for _, f := range []struct{ name, value string }{
		{"ID", md.ServiceID}, {"Name", g.service.Name}, {"Prefix", g.service.Prefix}, {"EndpointPrefix", md.EndpointPrefix},
		{"SigningName", signing}, {"EventSource", g.service.EventSource},
	} {
		fmt.Fprintf(&b, "%s: %q,\n", f.name, f.value)
	}
	fmt.Fprintf(&b, "Protocols: []wire.Protocol{%s},\n", strings.Join(names, ", "))
	for _, f := range []struct{ name, value string }{
		{"JSONVersion", md.JSONVersion}, {"TargetPrefix", md.TargetPrefix}, {"APIVersion", md.APIVersion}, {"XMLNamespace", md.XMLNamespace}, {"ValidationCode", g.service.Violation},
	} {
		if f.value != "" {
			fmt.Fprintf(&b, "%s: %q,\n", f.name, f.value)
		}
	}
	if g.service.Global {
		fmt.Fprintln(&b, "Global: true,")
	}
	if md.Query != nil {
		fmt.Fprintln(&b, "QueryCompatible: true,")
	}
	fmt.Fprintln(&b, "}")
	return map[string]string{"service.go": b.String()}, nil
}

func (g *gen) writeOperations() (map[string]string, error) {
	var b strings.Builder
	for _, op := range g.operations {
		in, out := g.empty[op.Name+"/in"], g.empty[op.Name+"/out"]
		if op.Input != nil {
			in = g.goName[op.Input.Shape]
		}
		if op.Output != nil {
			out = g.goName[op.Output.Shape]
		}
		v := g.opVar[op.Name]
		fmt.Fprintf(&b, "// %s is %s:%s.\n", v, g.service.Prefix, op.Name)
		fmt.Fprintf(&b, "var %s = wire.Operation[*%s, *%s]{Meta: wire.Meta{\n%s}}\n\n", v, in, out, g.meta(op))
	}
	fmt.Fprintf(&b, "// Operations lists all operations by name.\nfunc Operations() []wire.AnyOperation {\nreturn []wire.AnyOperation{\n")
	for _, op := range g.operations {
		fmt.Fprintf(&b, "&%s,\n", g.opVar[op.Name])
	}
	fmt.Fprint(&b, "}\n}\n")
	return map[string]string{"operations.go": b.String()}, nil
}

// meta writes the fields of an operation's wire.Meta.
func (g *gen) meta(op *operation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Service: &Service, Name: %q,", op.Name)
	if strings.HasPrefix(g.model.Metadata.Protocol, "rest-") {
		fmt.Fprintf(&b, " Method: %q, URI: %q,", op.HTTP.Method, op.HTTP.RequestURI)
		if op.HTTP.ResponseCode != 0 && op.HTTP.ResponseCode != 200 {
			fmt.Fprintf(&b, " Status: %d,", op.HTTP.ResponseCode)
		}
	}
	b.WriteByte('\n')
	if op.Output != nil && op.Output.ResultWrapper != "" {
		fmt.Fprintf(&b, "ResultWrapper: %q,\n", op.Output.ResultWrapper)
	}
	if op.Endpoint.HostPrefix != "" {
		fmt.Fprintf(&b, "HostPrefix: %q,\n", op.Endpoint.HostPrefix)
	}
	if op.AuthType == "none" || len(op.Auth) == 1 && op.Auth[0] == "smithy.api#noAuth" {
		fmt.Fprintln(&b, "NoAuth: true,")
	}
	if op.AuthType == "v4-unsigned-body" || op.Unsigned {
		fmt.Fprintln(&b, "UnsignedBody: true,")
	}
	if op.Deprecated {
		fmt.Fprintln(&b, "Deprecated: true,")
	}
	if len(op.Errors) > 0 {
		var kinds []string
		for _, e := range op.Errors {
			kinds = append(kinds, g.errVar[e.Shape])
		}
		fmt.Fprintf(&b, "Errors: []aws.ErrorKind{%s},\n", strings.Join(kinds, ", "))
	}
	if p, ok := g.model.pages[op.Name]; ok {
		fmt.Fprintf(&b, "Pages: &wire.Pages{In: %q, Out: %q", string(p.In), string(p.Out))
		for _, f := range []struct {
			name  string
			value names
		}{{"Limit", p.Limit}, {"Result", p.Result}, {"More", p.More}} {
			if f.value != "" {
				fmt.Fprintf(&b, ", %s: %q", f.name, string(f.value))
			}
		}
		fmt.Fprintln(&b, "},")
	}
	return b.String()
}
