package policy

import (
	"errors"
	"strings"
	"testing"

	"sumun.dev/aws"
)

const (
	v12  = `{"Version":"2012-10-17","Statement":`
	able = `"Effect":"Allow","Action":"s3:Get","Resource":"*"`
)

func TestMalformed(t *testing.T) {
	const syntaxErrors, legacyParsing = "Syntax errors in policy.", "The policy failed legacy parsing"
	const type_ = "The provided policy document does not meet the requirements of the specified policy type."
	codes := [...]string{
		Identity: "MalformedPolicyDocument", Resource: "MalformedPolicyDocument", Trust: "MalformedPolicyDocument", Endpoint: "MalformedPolicyDocument",
		Key: "MalformedPolicyDocumentException", SCP: "MalformedPolicyDocumentException", RCP: "MalformedPolicyDocumentException", Bucket: "MalformedPolicy",
	}
	resource := func(r string) string {
		return v12 + `{"Effect":"Allow","Action":"s3:Get","Resource":"` + r + `"}}`
	}
	action := func(a string) string { return v12 + `{"Effect":"Allow","Action":"` + a + `","Resource":"*"}}` }
	condition := func(c string) string { return v12 + `{` + able + `,"Condition":` + c + `}}` }
	principal := func(p string) string { return v12 + `{` + able + `,"Principal":` + p + `}}` }
	for _, c := range []struct {
		name string
		kind Kind
		doc  string
		want string
	}{
		{"empty", Identity, ``, syntaxErrors},
		{"no_object", Identity, `[]`, syntaxErrors},
		{"no_statement", Identity, `{"Version":"2012-10-17"}`, syntaxErrors},
		{"empty_list", Identity, v12 + `[]}`, syntaxErrors},
		{"cut_off", Identity, v12 + `[{` + able, syntaxErrors},
		{"trailing", Identity, v12 + `{` + able + `}} x`, syntaxErrors},
		{"two_documents", Identity, v12 + `{` + able + `}} {}`, syntaxErrors},
		{"version", Identity, `{"Version":"2020-01-01","Statement":{` + able + `}}`, syntaxErrors},
		{"version_number", Identity, `{"Version":1,"Statement":{` + able + `}}`, syntaxErrors},
		{"unknown_element", Identity, `{"Statements":{}}`, syntaxErrors},
		{"unknown_statement_element", Identity, v12 + `{` + able + `,"Foo":"x"}}`, syntaxErrors},
		{"case_of_elements", Identity, v12 + `{"effect":"Allow"}}`, syntaxErrors},
		{"duplicate_key", Identity, v12 + `{` + able + `,"Effect":"Deny"}}`, syntaxErrors},
		{"action_and_notaction", Identity, v12 + `{` + able + `,"NotAction":"s3:Put"}}`, syntaxErrors},
		{"deep", Identity, v12 + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, syntaxErrors},
		{"effect_missing", Identity, v12 + `{"Action":"s3:Get","Resource":"*"}}`, syntaxErrors},
		{"effect_unknown", Identity, v12 + `{"Effect":"Maybe","Action":"s3:Get","Resource":"*"}}`, syntaxErrors},
		{"effect_case", Identity, v12 + `{"Effect":"allow","Action":"s3:Get","Resource":"*"}}`, legacyParsing},
		{"action_number", Identity, v12 + `{"Effect":"Allow","Action":1,"Resource":"*"}}`, syntaxErrors},
		{"action_nested", Identity, v12 + `{"Effect":"Allow","Action":[["s3:Get"]],"Resource":"*"}}`, syntaxErrors},
		{"too_long", Identity, strings.Repeat(" ", maxDocument) + v12 + `{` + able + `}}`, syntaxErrors},
		{"sid_twice", Identity, v12 + `[{"Sid":"a",` + able + `},{"Sid":"a",` + able + `}]}`, "Statement IDs (SID) in a single policy must be unique."},
		{"sid_space", Identity, v12 + `{"Sid":"a b",` + able + `}}`, "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"},
		{"no_action", Identity, v12 + `{"Effect":"Allow","Resource":"*"}}`, "Policy statement must contain actions."},
		{"no_other_actions_of_a_key", Key, v12 + `{"Effect":"Allow","Principal":"*","NotAction":[],"Resource":"*"}}`, "Policy statement must contain actions."},
		{"no_other_resources_of_a_key", Key, v12 + `{"Effect":"Allow","Principal":"*","Action":"kms:*","NotResource":[]}}`, "Policy statement must contain resources."},
		{"no_resource", Identity, v12 + `{"Effect":"Allow","Action":"s3:Get","Resource":[]}}`, "Policy statement must contain resources."},
		{"no_vendor", Identity, action("Get"), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{"two_colons", Identity, action("s3:a:b"), "Actions/Condition can contain only one colon."},
		{"vendor_wildcard", Identity, action("s3*:Get"), "Vendor s3* is not valid"},
		{"vendor_empty", Identity, action(":Get"), "Vendor  is not valid"},
		{"not_an_arn", Identity, resource("bucket"), `Resource bucket must be in ARN format or "*".`},
		{"partition", Identity, resource("arn:red:s3:::b"), `Partition "red" is not valid for resource "arn:red:s3:::b".`},
		{"partition_empty", Identity, resource("arn:"), `Partition "" is not valid for resource "arn::*:*:*:*".`},
		{"vendor_missing", Identity, resource("arn:aws"), "Resource vendor must be fully qualified and cannot contain regexes."},
		{"vendor_regex", Identity, resource("arn:aws:s*:::b"), "Resource vendor must be fully qualified and cannot contain regexes."},
		{"five_parts", Identity, resource("arn:aws:sqs:us-east-1:q"), legacyParsing},
		{"no_service", Identity, resource("arn:aws::x"), legacyParsing},
		{"iam_region", Identity, resource("arn:aws:iam:us-east-1:111122223333:user/x"), "IAM resource arn:aws:iam:us-east-1:111122223333:user/x cannot contain region information."},
		{"s3_region", Identity, resource("arn:aws:s3:us-east-1::b"), "Resource arn:aws:s3:us-east-1::b can not contain region information."},
		{"variable_early", Identity, resource("arn:aws:sqs:*:${aws:PrincipalAccount}:q"), legacyParsing},
		{"variable_open", Identity, resource("arn:aws:s3:::${aws:username"), legacyParsing},
		{"variable_open_early", Identity, resource("arn:aws:${x"), legacyParsing},
		{"variable_empty", Identity, resource("arn:aws:s3:::${}"), legacyParsing},
		{"variable_default_unquoted", Identity, resource("arn:aws:s3:::${a:b, c}"), legacyParsing},
		{"variable_default_open", Identity, resource("arn:aws:s3:::${a:b, 'c}"), legacyParsing},
		{"variable_default_unclosed", Identity, resource("arn:aws:s3:::${a:b, 'c' x}"), legacyParsing},
		{"principal", Identity, principal(`"*"`), "Policy document should not specify a principal."},
		{"operator", Identity, condition(`{"StringEqual":{"a:b":"c"}}`), "Invalid Condition type : StringEqual"},
		{"operator_case", Identity, condition(`{"stringequals":{"a:b":"c"}}`), "Invalid Condition type : stringequals"},
		{"null_if_exists", Identity, condition(`{"NullIfExists":{"a:b":"true"}}`), "Invalid Condition type : NullIfExists"},
		{"null_for_all", Identity, condition(`{"ForAllValues:Null":{"a:b":"true"}}`), "Invalid Condition type : ForAllValues:Null"},
		{"operator_empty", Identity, condition(`{"":{}}`), "Invalid Condition type : "},
		{"operator_in_no_json", Identity, v12 + `{` + able + `,"Condition":{"StringEqual":{"a:b":"c"}}`, syntaxErrors},
		{"condition_list", Identity, condition(`[]`), syntaxErrors},
		{"condition_value", Identity, condition(`{"StringEquals":{"a:b":null}}`), syntaxErrors},
		{"condition_object", Identity, condition(`{"StringEquals":{"a:b":{}}}`), syntaxErrors},
		{"condition_twice", Identity, condition(`{"StringEquals":{"a:b":"1","a:b":"2"}}`), syntaxErrors},
		{"number", Identity, condition(`{"NumericEquals":{"a:b":"1e9"}}`), legacyParsing},
		{"number_empty", Identity, condition(`{"NumericEquals":{"a:b":""}}`), legacyParsing},
		{"date", Identity, condition(`{"DateEquals":{"a:b":"tomorrow"}}`), legacyParsing},
		{"bool", Identity, condition(`{"Bool":{"a:b":"yes"}}`), legacyParsing},
		{"binary", Identity, condition(`{"BinaryEquals":{"a:b":"!"}}`), legacyParsing},
		{"address", Identity, condition(`{"IpAddress":{"a:b":"10.0.0.0/33"}}`), legacyParsing},
		{"condition_variable", Identity, condition(`{"StringEquals":{"a:b":"${x"}}`), legacyParsing},
		{"condition_arn_variable", Identity, condition(`{"ArnLike":{"a:b":"arn:aws:iam::1:${x"}}`), legacyParsing},
		{"condition_arn_part", Identity, condition(`{"ArnLike":{"a:b":"arn:aws:iam::1:a:${x"}}`), legacyParsing},
		{"no_principal", Resource, v12 + `{` + able + `}}`, "Missing required field Principal"},
		{"empty_principal", Resource, principal(`{"AWS":[]}`), "Missing required field Principal"},
		{"principal_text", Resource, principal(`"111122223333"`), syntaxErrors},
		{"principal_number", Resource, principal(`{"AWS":1}`), syntaxErrors},
		{"principal_kind", Resource, principal(`{"aws":"*"}`), `Invalid principal in policy: "aws":"*"`},
		{"principal_name", Resource, principal(`{"AWS":"alice"}`), `Invalid principal in policy: "AWS":"alice"`},
		{"principal_wildcard", Resource, principal(`{"AWS":"arn:aws:iam::111122223333:user/*"}`), `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/*"`},
		{"principal_service", Resource, principal(`{"AWS":"arn:aws:s3:::b"}`), `Invalid principal in policy: "AWS":"arn:aws:s3:::b"`},
		{"service_wildcard", Resource, principal(`{"Service":"*"}`), `Invalid principal in policy: "Service":"*"`},
		{"federated_empty", Resource, principal(`{"Federated":""}`), `Invalid principal in policy: "Federated":""`},
		{"notprincipal_allow", Resource, v12 + `{` + able + `,"NotPrincipal":"*"}}`, "Allow with NotPrincipal is not allowed."},
		{"trust_resource", Trust, principal(`"*"`), "Has prohibited field Resource"},
		{"trust_notprincipal", Trust, v12 + `{"Effect":"Deny","Action":"sts:AssumeRole","NotPrincipal":"*"}}`, "Has prohibited field NotPrincipal"},
		{"trust_action", Trust, v12 + `{"Effect":"Allow","Action":"s3:Get","Principal":"*"}}`, "AssumeRole policy may only specify STS AssumeRole actions."},
		{"trust_all", Trust, v12 + `{"Effect":"Allow","Action":"*","Principal":"*"}}`, "AssumeRole policy may only specify STS AssumeRole actions."},
		{"character", Identity, v12 + `{"Sid":"","Effect":"Allow","Action":"s3:Get","Resource":"arn:aws:s3:::€"}}`, syntaxErrors},
		{"control_character", Trust, v12 + "{\"Sid\":\"\",\x0b" + able + `}}`, syntaxErrors},
		{"action_empty", Identity, action("s3:"), legacyParsing},
		{"action_character", Identity, action("s3:${x}"), legacyParsing},
		{"condition_vendor", Identity, condition(`{"StringEquals":{"username":"x"}}`), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{"principal_group", Resource, principal(`{"AWS":"arn:aws:iam::111122223333:group/x"}`), `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:group/x"`},
		{"principal_user_nameless", Resource, principal(`{"AWS":"arn:aws:iam::111122223333:user/"}`), `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/"`},
		{"principal_account_short", Resource, principal(`{"AWS":"arn:aws:iam::1111:user/x"}`), `Invalid principal in policy: "AWS":"arn:aws:iam::1111:user/x"`},
		{"principal_region", Resource, principal(`{"AWS":"arn:aws:iam:us-east-1:111122223333:user/x"}`), `Invalid principal in policy: "AWS":"arn:aws:iam:us-east-1:111122223333:user/x"`},
		{"principal_root_more", Resource, principal(`{"AWS":"arn:aws:iam::111122223333:root/x"}`), `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:root/x"`},
		{"principal_session_short", Resource, principal(`{"AWS":"arn:aws:sts::111122223333:assumed-role/app"}`), `Invalid principal in policy: "AWS":"arn:aws:sts::111122223333:assumed-role/app"`},
		{"principal_session_wild", Resource, principal(`{"AWS":"arn:aws:sts::111122223333:assumed-role/app/*"}`), `Invalid principal in policy: "AWS":"arn:aws:sts::111122223333:assumed-role/app/*"`},
		{"principal_session_id_wild", Resource, principal(`{"AWS":"AROAAPPAPPAPPAPPAPP1:*"}`), `Invalid principal in policy: "AWS":"AROAAPPAPPAPPAPPAPP1:*"`},
		{"principal_in_part", Resource, principal(`{"AWS":"11112222333*"}`), `Invalid principal in policy: "AWS":"11112222333*"`},
		{"service_character", Resource, principal(`{"Service":"s3 amazonaws.com"}`), `Invalid principal in policy: "Service":"s3 amazonaws.com"`},
		{"federated_host", Resource, principal(`{"Federated":"example.com"}`), `Invalid principal in policy: "Federated":"example.com"`},
		{"federated_user", Resource, principal(`{"Federated":"arn:aws:iam::111122223333:user/x"}`), `Invalid principal in policy: "Federated":"arn:aws:iam::111122223333:user/x"`},
		{"canonical_user", Resource, principal(`{"CanonicalUser":"79a5*"}`), `Invalid principal in policy: "CanonicalUser":"79a5*"`},
		{"trust_other_action", Trust, v12 + `{"Effect":"Allow","Action":"sts:GetCallerIdentity","Principal":"*"}}`, "AssumeRole policy may only specify STS AssumeRole actions."},
		{"trust_other_actions", Trust, v12 + `{"Effect":"Allow","Action":["sts:AssumeRole","sts:Get*"],"Principal":"*"}}`, "AssumeRole policy may only specify STS AssumeRole actions."},
		{"scp_syntax", SCP, `{`, type_},
		{"scp_action", SCP, action("Get"), type_},
		{"key_syntax", Key, `{`, syntaxErrors},
		{"key_principal", Key, principal(`{"AWS":"alice"}`), "Policy contains a statement with one or more invalid principals."},
		{"bucket_syntax", Bucket, `[`, "Policies must be valid JSON and the first byte must be '{'"},
		{"bucket_principal", Bucket, principal(`{"AWS":"alice"}`), "Invalid principal in policy"},
		{"bucket_action", Bucket, v12 + `{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}}`, "Policy has invalid action"},
		{"bucket_shape", Bucket, v12 + `{` + able + `}}`, "Missing required field Principal"},
		{"scp_principal", SCP, principal(`"*"`), type_},
		{"scp_no_resource", SCP, v12 + `{"Effect":"Deny","Action":"s3:Get"}}`, type_},
		{"rcp_allow", RCP, principal(`"*"`), type_},
		{"rcp_version", RCP, `{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}`, type_},
		{"rcp_star", RCP, v12 + `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}`, type_},
		{"rcp_principal", RCP, v12 + `{"Effect":"Deny","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}}`, type_},
		{"rcp_notaction", RCP, v12 + `{"Effect":"Deny","Principal":"*","NotAction":"s3:*","Resource":"*"}}`, type_},
	} {
		_, err := Parse([]byte(c.doc), c.kind)
		var e *aws.Error
		if !errors.As(err, &e) || e.Message != c.want || e.Code != codes[c.kind] {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func TestWellFormed(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		doc  string
	}{
		{Identity, `{"Id":"x","Statement":[{"Sid":"",` + able + `,"Condition":{}}]}`},
		{Identity, v12 + `{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:us-west-2:111122223333:accesspoint/x","arn:aws:iam::1:user/x"]}}`},
		{Resource, v12 + `{"Sid":"with space","Effect":"Allow","Principal":{"CanonicalUser":"79a5","AWS":"AIDAABCDEFGHIJKLMNOP"},"Action":"s3:Get","Resource":"execute-api:/*"}}`},
		{SCP, v12 + `{"Effect":"Deny","Action":"*","Resource":"arn:*:iam::*:role/x"}}`},
		{Trust, v12 + `{"Effect":"Allow","Action":["sts:*","sts:AssumeRole*","sts:SetContext"],"Principal":{"AWS":["AROAAPPAPPAPPAPPAPP1:one","arn:aws:sts::111122223333:federated-user/x"],"Federated":["cognito-identity.amazonaws.com","arn:aws:iam::111122223333:saml-provider/corp"]}}}`},
		{Bucket, v12 + `{"Sid":"€","Effect":"Allow","Action":"s3:Get","Resource":"arn:aws:s3:::€","Principal":{"AWS":"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}}}`},
		{Endpoint, v12 + `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`},
	} {
		if _, err := Parse([]byte(c.doc), c.kind); err != nil {
			t.Errorf("%s: %v", c.doc, err)
		}
	}
}

func TestStatementsKnowTheirPlace(t *testing.T) {
	const text = v12 + ` [ {` + able + `} , { "Sid":"b",` + able + `}]}`
	d, err := Parse([]byte(text), Identity)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`{` + able + `}`, `{ "Sid":"b",` + able + `}`} {
		if got := text[d.Statements[i].Start:d.Statements[i].End]; got != want {
			t.Errorf("statement %d is %q, want %q", i, got, want)
		}
	}
}

func TestSizeIgnoresWhiteSpace(t *testing.T) {
	if got := Size([]byte(" {\n\t\"é\": 1 }\r\n")); got != 7 {
		t.Errorf("got %d, want 7", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(typicalStatements), uint8(0))
	f.Add([]byte(v12+`{"Effect":"Deny","NotPrincipal":{"AWS":["111122223333"]},"NotAction":"s3:*","NotResource":"arn:aws:s3:::${a:b, 'c'}/*"}}`), uint8(1))
	f.Add([]byte(v12+`{"Effect":"Allow","Principal":{"Service":"x"},"Action":"sts:AssumeRole"}}`), uint8(3))
	req := benchRequest(f)
	f.Fuzz(func(t *testing.T, doc []byte, kind uint8) {
		d, err := Parse(doc, Kind(kind%8))
		if err != nil {
			return
		}
		a := &Attached{Document: d}
		p := &Policies{Identity: []*Attached{a}, Resource: a, SCPs: [][]*Attached{{a}}}
		if x, _ := Explain(req, p); x != Authorize(req, p) {
			t.Fatalf("Explain and Authorize differ on %s", doc)
		}
	})
}
