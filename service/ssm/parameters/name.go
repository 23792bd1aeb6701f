package parameters

import (
	"context"
	"strconv"
	"strings"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
)

// Names: Systems Manager API Reference, PutParameter, "Name".
const (
	maxName  = 1011 // characters of a name, with those of its ARN
	maxDepth = 15

	publicPath = "/aws/service/"
	secretPath = "/aws/reference/secretsmanager/"
)

// A reference is what a caller calls a parameter: a name or an ARN, with a
// selector or without.
type reference struct {
	names    []string // that it may mean: an ARN does not tell "a" from "/a"
	arn      aws.ARN  // of the parameter
	selector string   // a version's number or a label; empty: the current one
}

// referenceOf reads what a caller calls a parameter. What can be no name is that
// of a parameter that is not there.
func referenceOf(ctx context.Context, text string) reference {
	call := aws.CallOf(ctx)
	if arn, err := aws.ParseARN(text); err == nil && arn.Service == "ssm" {
		if rest, ok := strings.CutPrefix(arn.Resource, "parameter/"); ok {
			rest, selector, _ := strings.Cut(rest, ":")
			arn.Resource = "parameter/" + rest
			r := reference{names: []string{"/" + rest}, arn: arn, selector: selector}
			if !strings.Contains(rest, "/") {
				r.names = []string{rest, "/" + rest}
			}
			return r
		}
	}
	name, selector, _ := strings.Cut(text, ":")
	if strings.HasPrefix(name, secretPath) { // ids of secrets may be ARNs
		name, selector = text, ""
	}
	return reference{names: []string{name}, arn: arnOf(call, name), selector: selector}
}

// arnOf is the ARN of the parameter with this name. Public ones belong to no account.
func arnOf(call *aws.Call, name string) aws.ARN {
	arn := call.ARN("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
	if strings.HasPrefix(name, publicPath) {
		arn.Account = ""
	}
	return arn
}

func (r reference) name() string { return r.names[0] }

// public reports whether r names a parameter of AWS's own.
func (r reference) public() bool { return strings.HasPrefix(r.names[0], publicPath) }

// secret returns the secret that r stands for, with its selector.
func (r reference) secret() (string, bool) {
	id, ok := strings.CutPrefix(r.names[0], secretPath)
	if ok && r.selector != "" { // r was an ARN
		id += ":" + r.selector
	}
	return id, ok
}

// here reports whether r is of the region of the call, whosever it is.
func (r reference) here(ctx context.Context) bool {
	call := aws.CallOf(ctx)
	return r.arn.Region == call.Region && r.arn.Partition == call.Partition
}

// own reports whether r is the caller's account's.
func (r reference) own(ctx context.Context) bool {
	return r.here(ctx) && r.arn.Account == aws.CallOf(ctx).Account
}

// shown is the selector as answers have it.
func (r reference) shown() *string {
	if r.selector == "" {
		return nil
	}
	return new(":" + r.selector)
}

// number is the version that the selector names; false when it is a label.
func (r reference) number() (int64, bool) {
	n, err := strconv.ParseInt(r.selector, 10, 64)
	return n, err == nil && n > 0 && len(r.selector) <= 18
}

const nameRules = "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; " +
	"each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_"

// checkName refuses what a new parameter cannot be called.
func checkName(ctx context.Context, name string) error {
	lower := strings.ToLower(strings.TrimPrefix(name, "/"))
	switch {
	case strings.HasPrefix(lower, "aws") && strings.Count(name, "/") > 1 && strings.HasPrefix(lower, "aws/"):
		return aws.AccessDenied.New("No access to reserved parameter name: %s.", name)
	case strings.HasPrefix(lower, "aws") || strings.HasPrefix(lower, "ssm"):
		if strings.Count(name, "/") > 1 {
			return aws.ValidationException.New(nameRules)
		}
		return aws.ValidationException.New("Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).")
	case !wellNamed(name):
		return aws.ValidationException.New(nameRules)
	case strings.Contains(name, "/") && name[0] != '/':
		return aws.ValidationException.New("Parameter name must be a fully qualified name.")
	case depth(name) > maxDepth:
		return ssmapi.HierarchyLevelLimitExceededException.New("A parameter name can have a maximum of %d levels separated by a forward slash (/).", maxDepth)
	case len(arnOf(aws.CallOf(ctx), name).String()) > maxName:
		return aws.ValidationException.New("Parameter name: can't be longer than %d characters, its ARN included.", maxName)
	}
	return nil
}

// wellNamed reports whether name is made of non-empty parts of letters, digits and ".-_".
func wellNamed(name string) bool {
	for part := range strings.SplitSeq(strings.TrimPrefix(name, "/"), "/") {
		if part == "" {
			return false
		}
		for i := range len(part) {
			c := part[i]
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

func depth(name string) int { return strings.Count(strings.TrimPrefix(name, "/"), "/") + 1 }

// checkPath refuses what is no path, and returns it without a slash at its end:
// empty for the root.
func checkPath(path string) (string, error) {
	trimmed := strings.TrimSuffix(path, "/")
	if path == "/" {
		return "", nil
	}
	if path[0] != '/' || !wellNamed(trimmed) {
		return "", aws.ValidationException.New("The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\". " +
			"It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). " +
			"Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: /get/parameters2-/by1./path0_.")
	}
	return trimmed, nil
}

func notFound(name string) error {
	return ssmapi.ParameterNotFound.New("Parameter %s not found.", name)
}

func noVersion(selector, name string) error {
	return ssmapi.ParameterVersionNotFound.New("Systems Manager could not find version %s of %s. Verify the version and try again.", selector, name)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func yes(b *bool) bool { return b != nil && *b }
