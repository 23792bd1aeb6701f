package cli

import (
	"reflect"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"sumun.dev/wire"
)

var (
	pluralAcronym = regexp.MustCompile(`[A-Z]{2,}s$`) // "ARNs", "ACLs"
	wordBegins    = regexp.MustCompile(`(.)([A-Z][a-z]+)`)
	wordEnds      = regexp.MustCompile(`([a-z0-9])([A-Z])`)
)

// kebab writes an operation's or member's name as the CLI does:
// "ListResolverEndpointIpAddresses" becomes "list-resolver-endpoint-ip-addresses".
func kebab(name string) string {
	if strings.Contains(name, "-") {
		return name
	}
	if at := pluralAcronym.FindStringIndex(name); at != nil {
		name = name[:at[0]] + "-" + strings.ToLower(name[at[0]:])
	}
	name = wordBegins.ReplaceAllString(name, "$1-$2")
	return strings.ToLower(wordEnds.ReplaceAllString(name, "$1-$2"))
}

// renamed are options that the CLI calls otherwise than the model does.
var renamed = map[string]string{
	"sns.subscribe.endpoint":                     "notification-endpoint",
	"stepfunctions.send-task-success.output":     "task-output",
	"iam.enable-mfa-device.authentication-code1": "authentication-code-1",
	"iam.enable-mfa-device.authentication-code2": "authentication-code-2",
	"iam.resync-mfa-device.authentication-code1": "authentication-code-1",
	"iam.resync-mfa-device.authentication-code2": "authentication-code-2",
	"lambda.publish-version.code-sha256":         "code-sha-256",
}

// An option is one member of a request, as the command line has it.
type option struct {
	name     string // without the dashes
	field    int
	t        reflect.Type // never a pointer
	required bool
	token    bool // the service's client makes it up when absent
	negative bool // --no-…: false
}

// options lists the options of an operation.
func options(op wire.AnyOperation) map[string]option {
	all := map[string]option{}
	command := serviceCommand(op.About().Service) + "." + kebab(op.About().Name) + "."
	for i := range op.InType().NumField() {
		f := op.InType().Field(i)
		if f.Name == "_" {
			continue
		}
		name := kebab(f.Name)
		if other, ok := renamed[command+name]; ok {
			name = other
		}
		o := option{name: name, field: i, t: f.Type, required: tagged(f, "required"), token: tagged(f, "token")}
		if o.t.Kind() == reflect.Pointer {
			o.t = o.t.Elem()
		}
		all[name] = o
		if o.t.Kind() == reflect.Bool {
			o.name, o.negative, o.required = "no-"+name, true, false
			all[o.name] = o
		}
	}
	return all
}

// Blob reports whether an option of a command is a blob: version 1 of the AWS CLI
// takes those as they are, not in base64.
func (c *CLI) Blob(service, operation, option string) bool {
	op, err := c.operation(service, operation)
	if err != nil {
		return false
	}
	return options(op)[option].t == bytesType
}

// tagged reports whether the model says word of a member.
func tagged(f reflect.StructField, word string) bool {
	_, words, _ := strings.Cut(f.Tag.Get("aws"), ",")
	for w := range strings.SplitSeq(words, ",") {
		if w == word {
			return true
		}
	}
	return false
}

// memberName is what AWS calls a member of a service's structure. JSON services
// have the member's own name on the wire; elsewhere members begin with a capital,
// except in the models of the access portal.
func memberName(s *wire.Service, f reflect.StructField) string {
	if s.Name == "sso" || s.Name == "sso-oidc" {
		return lowerFirst(f.Name)
	}
	if s.Protocols[0] != wire.JSON && s.Protocols[0] != wire.CBOR {
		return f.Name
	}
	name, _, _ := strings.Cut(f.Tag.Get("aws"), ",")
	return name
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}
