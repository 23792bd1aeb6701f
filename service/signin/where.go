package signin

import (
	"net/http"
	"slices"
	"strings"

	"sumun.dev/aws"
)

// prefix is where the pages are under names of the plane that are no sign-in endpoint's.
const prefix = "/_signin"

// Mine reports whether a request is for the sign-in pages and not for an API: below
// /_signin/ everywhere, and at AWS's own paths where the host is that of a sign-in
// endpoint, unless the request is signed, as an API's are.
func Mine(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, prefix+"/") {
		return true
	}
	_, ok := endpoint(r.Host)
	return ok && pages[r.Method+" "+r.URL.Path] != nil && r.Header.Get("Authorization") == "" && !r.URL.Query().Has("X-Amz-Signature")
}

// baseOf splits the path of a request into what stands before the pages' own, and those.
func baseOf(r *http.Request) (base, path string) {
	if rest, ok := strings.CutPrefix(r.URL.Path, prefix); ok {
		return prefix, rest
	}
	return "", r.URL.Path
}

// endpoint returns what a host names before "signin": nothing, a region, an account or
// its alias. A bucket of such a name is S3's.
func endpoint(host string) (before string, ok bool) {
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	before, rest, ok := strings.Cut("."+host, ".signin.")
	before = strings.TrimPrefix(before, ".")
	if !ok || rest == "" || strings.Contains(before, ".") || slices.ContainsFunc(strings.Split(rest, "."), isS3) {
		return "", false
	}
	return before, true
}

func isS3(label string) bool { return label == "s3" || strings.HasPrefix(label, "s3-") }

// where is at which endpoint somebody signs in.
type where struct {
	region  aws.Region // empty: the global one
	account string     // number or alias, when the host names it
}

// whereOf reads the host, and the region that somebody asks for as in
// https://alias.signin.aws.amazon.com/console?region=eu-central-1. IAM User Guide,
// "Logging IAM and AWS STS API calls with AWS CloudTrail".
func whereOf(r *http.Request) where {
	w := where{}
	before, ok := endpoint(r.Host)
	switch {
	case ok && aws.KnownRegion(aws.Region(before)):
		w.region = aws.Region(before)
	case ok:
		w.account = before
	}
	return w
}

// in returns where the trail shows an IAM user's sign-in: the global endpoint is in
// us-east-1. CloudTrail User Guide, "AWS Management Console sign-in events".
func (w where) in(asked string) aws.Region {
	switch {
	case w.region != "":
		return w.region
	case aws.KnownRegion(aws.Region(asked)):
		return aws.Region(asked)
	}
	return "us-east-1"
}
