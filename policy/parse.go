package policy

import (
	"bytes"
	"slices"
	"strings"
)

// maxDocument bounds any document, in bytes. Quotas are tighter, but not for AWS's
// own policies, some of which have more than a hundred kilobytes.
const maxDocument = 1 << 20

// Parse reads and compiles a policy document to be used as kind. Its errors are
// *aws.Error, with the code and words of the service that keeps such documents:
// Malformed for IAM, STS and others, MalformedKey, MalformedBucket and
// MalformedControl for KMS, S3 and Organizations.
func Parse(doc []byte, kind Kind) (*Document, error) {
	d, err := parse(doc, kind)
	if err != nil {
		return nil, inWordsOf(kind, err)
	}
	return d, nil
}

func parse(doc []byte, kind Kind) (*Document, error) {
	if !validCharacters(doc, kind) {
		return nil, syntax()
	}
	raw, err := read(doc)
	if err != nil {
		return nil, err
	}
	d := &Document{Kind: kind, Version: "2008-10-17", ID: raw.id, Statements: make([]Statement, len(raw.statements)), Text: string(doc)}
	if raw.version != "" {
		d.Version = raw.version
	}
	if kind == RCP && d.Version != "2012-10-17" {
		return nil, legacy()
	}
	for i := range raw.statements {
		if err := checkShape(&raw.statements[i], kind); err != nil {
			return nil, err
		}
	}
	if err := checkSids(raw.statements, kind); err != nil {
		return nil, err
	}
	for i := range raw.statements {
		s, err := compileStatement(&raw.statements[i], d)
		if err != nil {
			return nil, err
		}
		s.Index = i
		d.Statements[i] = s
		d.public = d.public || s.public()
	}
	place(doc, d.Statements)
	return d, nil
}

// validCharacters holds a document to what IAM, STS and KMS take: tab, line
// feed, carriage return, U+0020 to U+00FF. IAM API Reference, "CreatePolicy".
func validCharacters(doc []byte, kind Kind) bool {
	if kind != Identity && kind != Trust && kind != Key {
		return true
	}
	return !bytes.ContainsFunc(doc, func(r rune) bool {
		return r > 0xff || r < 0x20 && r != '\t' && r != '\n' && r != '\r'
	})
}

// place notes lines and columns of the statements.
func place(doc []byte, statements []Statement) {
	at, now := 0, Position{1, 1}
	advance := func(to int) Position {
		for _, r := range string(doc[at:to]) {
			now.Column++
			if r == '\n' {
				now = Position{now.Line + 1, 1}
			}
		}
		at = to
		return now
	}
	for i := range statements {
		statements[i].From = advance(statements[i].Start)
		statements[i].To = advance(statements[i].End)
	}
}

// checkSids holds Sids to be unique and, where IAM keeps the document, alphanumeric.
func checkSids(statements []rawStatement, kind Kind) error {
	seen := make(map[string]bool, len(statements))
	for i := range statements {
		sid := statements[i].sid
		if sid == "" {
			continue
		}
		if seen[sid] {
			return Malformed.New("Statement IDs (SID) in a single policy must be unique.")
		}
		seen[sid] = true
		if (kind == Identity || kind == Trust) && strings.ContainsFunc(sid, func(r rune) bool { return !alphanumeric(r) }) {
			return Malformed.New("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
		}
	}
	return nil
}

func alphanumeric(r rune) bool {
	return '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
}

func compileStatement(raw *rawStatement, d *Document) (Statement, error) {
	variables := d.Version == "2012-10-17"
	s := Statement{
		Sid: raw.sid, Deny: raw.effect == "Deny", Start: raw.start, End: raw.end,
		notActions: raw.notActions, notResources: raw.notResources, notPrincipals: raw.notPrincipal,
	}
	for _, r := range raw.resources {
		a, err := compileResource(r, d.Kind, variables)
		if err != nil {
			return Statement{}, err
		}
		s.resources = append(s.resources, a)
		s.anyResource = s.anyResource || a.all && !raw.notResources
	}
	s.anyResource = s.anyResource || d.Kind == Trust
	if len(s.resources) == 1 && s.resources[0].plain && !s.resources[0].open && !raw.notResources {
		s.exact = s.resources[0].begin
	}
	for _, action := range raw.actions {
		if err := checkAction(action, d.Kind); err != nil {
			return Statement{}, err
		}
	}
	s.actions = compileActions(raw.actions)
	if only, single := s.actions.only(); single && !raw.notActions {
		s.only, s.single = only, true
	}
	if raw.principals != nil {
		set, err := compilePrincipals(raw.principals)
		if err != nil {
			return Statement{}, err
		}
		set.trusting = d.Kind == Trust
		s.principals = set
	}
	for i := range raw.conditions {
		c := raw.conditions[i]
		if err := checkCondition(&c); err != nil {
			return Statement{}, err
		}
		if err := c.compile(variables); err != nil {
			return Statement{}, err
		}
		s.conditions = append(s.conditions, c)
	}
	return s, nil
}

// compileResource holds an ARN to the rules of its kind and compiles it.
func compileResource(s string, kind Kind, variables bool) (arnPattern, error) {
	a, err := compileARN(s, variables)
	if err != nil {
		return arnPattern{}, legacy()
	}
	if a.all {
		return a, nil
	}
	if err := checkResource(s, kind); err != nil {
		return arnPattern{}, err
	}
	// Variables stand only behind the fifth colon. In a Deny, one that never
	// matches would silently protect nothing.
	for i := range a.parts[:5] {
		if a.parts[i].mode == templated {
			return arnPattern{}, legacy()
		}
	}
	return a, nil
}

func checkResource(s string, kind Kind) error {
	if kind != Identity && kind != SCP && kind != RCP {
		return nil
	}
	if !strings.HasPrefix(s, "arn:") {
		return Malformed.New("Resource %s must be in ARN format or \"*\".", s)
	}
	parts := strings.SplitN(s, ":", 6)
	if partition := parts[1]; kind == Identity && partition != "aws" && partition != "*" && !strings.HasPrefix(partition, "aws-") {
		full := append(slices.Clone(parts), "*", "*", "*", "*")
		return Malformed.New("Partition \"%s\" is not valid for resource \"%s\".", partition, strings.Join(full[:max(len(parts), 6)], ":"))
	}
	if len(parts) < 3 || strings.ContainsAny(parts[2], "*?") {
		return Malformed.New("Resource vendor must be fully qualified and cannot contain regexes.")
	}
	if len(parts) == 5 || parts[2] == "" {
		return legacy()
	}
	region := ""
	if len(parts) > 3 {
		region = parts[3]
	}
	if region == "" || region == "*" {
		return nil
	}
	switch {
	case parts[2] == "iam":
		return Malformed.New("IAM resource %s cannot contain region information.", s)
	case parts[2] == "s3" && (len(parts) < 6 || parts[4] == ""):
		return Malformed.New("Resource %s can not contain region information.", s)
	}
	return nil
}
