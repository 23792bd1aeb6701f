package wire

import (
	"strings"
	"testing"

	"sumun.dev/aws"
)

func TestConstraintsInTheWordsOfAWS(t *testing.T) {
	json := func(body string) *Request {
		return target("TrentService.Encrypt", "application/x-amz-json-1.1", body)
	}
	long := strings.Repeat("x", 2049)
	for _, c := range []struct {
		name string
		r    *Request
		code string
		want string
	}{
		{"null", json(`{"Plaintext":"aGk="}`), "ValidationException",
			"1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null"},
		{"explicit_null", json(`{"KeyId":null,"Plaintext":"aGk="}`), "ValidationException",
			"1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null"},
		{"several", json(`{}`), "ValidationException",
			"2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; Value null at 'plaintext' failed to satisfy constraint: Member must not be null"},
		{"empty_is_not_null", json(`{"KeyId":"","Plaintext":"aGk="}`), "ValidationException",
			"1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"too_long", json(`{"KeyId":"` + long + `","Plaintext":"aGk="}`), "ValidationException",
			"1 validation error detected: Value '" + long[:2048] + "...' at 'keyId' failed to satisfy constraint: Member must have length less than or equal to 2048"},
		{"characters_count_not_bytes", json(`{"KeyId":"` + strings.Repeat("守", 2048) + `","Plaintext":"aGk="}`), "", ""},
		{"sensitive_is_not_echoed", json(`{"KeyId":"k","Plaintext":""}`), "ValidationException",
			"1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"enum", json(`{"KeyId":"k","Plaintext":"aGk=","Algorithm":"BLUE"}`), "ValidationException",
			"1 validation error detected: Value 'BLUE' at 'algorithm' failed to satisfy constraint: Member must satisfy enum value set: [RED, GREEN]"},
		{"range", json(`{"KeyId":"k","Plaintext":"aGk=","Days":31}`), "ValidationException",
			"1 validation error detected: Value '31' at 'days' failed to satisfy constraint: Member must have value less than or equal to 30"},
		{"inside_list", json(`{"KeyId":"k","Plaintext":"aGk=","Tags":[{"Key":"a"},{"Key":""}]}`), "ValidationException",
			"1 validation error detected: Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"null_inside_list", json(`{"KeyId":"k","Plaintext":"aGk=","Tags":[{"Key":"a"},{"Value":"v"}]}`), "ValidationException",
			"1 validation error detected: Value null at 'tags.2.member.key' failed to satisfy constraint: Member must not be null"},
		{"element", json(`{"KeyId":"k","Plaintext":"aGk=","GrantTokens":["a",""]}`), "ValidationException",
			"1 validation error detected: Value '[a, ]' at 'grantTokens' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 8192, Member must have length greater than or equal to 1]"},
		{"deep", json(`{"KeyId":"k","Plaintext":"aGk=","Next":{"KeyId":"k","Plaintext":"aGk=","Next":{"Plaintext":"aGk="}}}`), "ValidationException",
			"1 validation error detected: Value null at 'next.next.keyId' failed to satisfy constraint: Member must not be null"},
		{"empty_union", json(`{"KeyId":"k","Plaintext":"aGk=","Choice":{"C":1}}`), "ValidationException",
			"1 validation error detected: Value 'choice' at 'choice' failed to satisfy constraint: Member must have exactly one of its members set"},
		{"query", form("iam", "Action=CreateUser&UserName="), "ValidationError",
			"1 validation error detected: Value '' at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"query_null_inside_list", form("iam", "Action=CreateUser&UserName=u&Tags.member.1.Value=v"), "ValidationError",
			"1 validation error detected: Value null at 'tags.1.member.key' failed to satisfy constraint: Member must not be null"},
		{"ec2", form("ec2", "Action=DescribeVpc"), "MissingParameter", "The request must contain the parameter VpcId"},
		{"rest", rest("guardduty", "POST", "/detector/a?maxResults=51", "{}"), "ValidationException",
			"1 validation error detected: Value '51' at 'max' failed to satisfy constraint: Member must have value less than or equal to 50"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := decode(t, c.r)
			if c.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantCode(t, err, c.code)
			if got := err.(*aws.Error).Message; got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

type boundsIn struct {
	Map   map[string]string   `aws:"Map" len:"1:2" klen1:"1:3" kpattern1:"[a-z]*" len1:":2"`
	Enums []colour            `aws:"Enums"`
	Rows  []tag               `aws:"Rows" len:":1"`
	Grid  [][]string          `aws:"Grid" len2:":1"`
	Deep  map[string][]tag    `aws:"Deep"`
	Blob  []byte              `aws:"Blob" len:":2"`
	Word  *string             `aws:"Word" pattern:"[a-z]+|[0-9]+"`
	Pins  map[string][]string `aws:"Pins,sensitive" len:":1"`
	Ratio *float64            `aws:"Ratio" range:"0.5:1"`
}

func TestConstraintsInside(t *testing.T) {
	op := &Operation[*boundsIn, *nothing]{Meta{Service: kms, Name: "Bound"}}
	for _, c := range []struct{ body, want string }{
		{`{"Map":{}}`, "Value '{}' at 'map' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{`{"Map":{"k":"long"}}`, "Value '{k=long}' at 'map' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 2]"},
		{`{"Map":{"K":"x"}}`, "Value '{K=x}' at 'map' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 3, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [a-z]*]"},
		{`{"Enums":["RED","BLUE"]}`, "Value '[RED, BLUE]' at 'enums' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [RED, GREEN]]"},
		{`{"Rows":[{"Key":"a","Value":"b"},{"Key":"c"}]}`, "Value '[tag(key=a, value=b), tag(key=c)]' at 'rows' failed to satisfy constraint: Member must have length less than or equal to 1"},
		{`{"Grid":[["a"],["bb"]]}`, "Value '[bb]' at 'grid.2.member' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 1]"},
		{`{"Deep":{"x":[{"Key":""}]}}`, "Value '' at 'deep.x.member.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{`{"Blob":"AAAA"}`, "Value 'java.nio.HeapByteBuffer[pos=0 lim=3 cap=3]' at 'blob' failed to satisfy constraint: Member must have length less than or equal to 2"},
		{`{"Word":"ab1"}`, "Value 'ab1' at 'word' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+|[0-9]+"},
		{`{"Pins":{"a":[],"b":[]}}`, "Value at 'pins' failed to satisfy constraint: Member must have length less than or equal to 1"},
		{`{"Ratio":"NaN"}`, ""},
		{`{"Ratio":0.25}`, "Value '0.25' at 'ratio' failed to satisfy constraint: Member must have value greater than or equal to 0.5"},
		{`{"Map":{"k":"x"},"Enums":["RED"],"Grid":[["a"]],"Word":"12","Ratio":1}`, "none"},
	} {
		m := &Match{Operation: op, Service: kms, Protocol: JSON}
		_, err := m.Decode(&Request{Body: []byte(c.body)}, Limits{})
		switch {
		case c.want == "none" && err != nil, c.want != "none" && err == nil:
			t.Errorf("%s: got %v", c.body, err)
		case c.want != "none" && c.want != "":
			if got, want := err.(*aws.Error).Message, "1 validation error detected: "+c.want; got != want {
				t.Errorf("%s\ngot  %s\nwant %s", c.body, got, want)
			}
		}
	}
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	json := func(body string) *Request {
		return target("TrentService.Encrypt", "application/x-amz-json-1.1", body)
	}
	deep := strings.Repeat(`{"KeyId":"k","Plaintext":"aGk=","Next":`, 100)
	for _, c := range []struct {
		name string
		r    *Request
		code string
	}{
		{"json_blank", json(` `), "SerializationException"},
		{"json_truncated", json(`{"KeyId":`), "SerializationException"},
		{"json_array", json(`[]`), "SerializationException"},
		{"json_trailing", json(`{} {}`), "SerializationException"},
		{"json_duplicate_name", json(`{"KeyId":"a","KeyId":"b"}`), "SerializationException"},
		{"json_bad_utf8", json("{\"KeyId\":\"\xff\"}"), "SerializationException"},
		{"json_lone_surrogate", json(`{"KeyId":"\ud800"}`), "SerializationException"},
		{"json_number_for_string", json(`{"KeyId":1}`), "SerializationException"},
		{"json_string_for_number", json(`{"Days":"7"}`), "SerializationException"},
		{"json_out_of_range", json(`{"Days":2147483648}`), "SerializationException"},
		{"json_fraction", json(`{"Days":7.5}`), "SerializationException"},
		{"json_bad_base64", json(`{"Plaintext":"a"}`), "SerializationException"},
		{"json_base64_with_newline", json(`{"Plaintext":"aG\nk="}`), "SerializationException"},
		{"json_null_in_list", json(`{"GrantTokens":[null]}`), "SerializationException"},
		{"json_object_for_list", json(`{"GrantTokens":{}}`), "SerializationException"},
		{"json_deep", json(deep), "SerializationException"},
		{"json_deep_document", json(`{"Anything":` + strings.Repeat("[", 5000)), "SerializationException"},
		{"json_many_elements", json(`{"GrantTokens":["x"` + strings.Repeat(`,"x"`, 200_000) + `]}`), "SerializationException"},
		{"json_two_of_a_union", json(`{"Choice":{"A":"x","B":true}}`), "SerializationException"},
		{"json_bad_time", json(`{"From":"yesterday"}`), "SerializationException"},
		{"json_time_out_of_range", json(`{"From":1e300}`), "SerializationException"},
		{"query_duplicate", form("iam", "Action=CreateUser&UserName=a&UserName=b"), "MalformedQueryString"},
		{"query_bad_number", form("iam", "Action=CreateUser&UserName=a&Max=x"), "MalformedInput"},
		{"query_deep", form("iam", "Action=CreateUser&UserName=a&Tags"+strings.Repeat(".a", 5000)+"=1"), "MalformedInput"},
		{"ec2_bad_structure", form("ec2", "Action=DescribeVpc&VpcId.x=1"), "InvalidParameterValue"},
		{"xml_truncated", rest("s3", "PUT", "/b?acl", "<AccessControlPolicy>"), "MalformedXML"},
		{"xml_doctype", rest("s3", "PUT", "/b?acl", `<!DOCTYPE x [<!ENTITY a "b">]><AccessControlPolicy/>`), "MalformedXML"},
		{"xml_entity", rest("s3", "PUT", "/b?acl", `<AccessControlPolicy><Owner>&a;</Owner></AccessControlPolicy>`), "MalformedXML"},
		{"xml_crossed", rest("s3", "PUT", "/b?acl", `<AccessControlPolicy><a><b></a></b></AccessControlPolicy>`), "MalformedXML"},
		{"xml_two_roots", rest("s3", "PUT", "/b?acl", `<AccessControlPolicy/><AccessControlPolicy/>`), "MalformedXML"},
		{"xml_twice", rest("s3", "PUT", "/b?acl", `<AccessControlPolicy><Owner>a</Owner><Owner>b</Owner></AccessControlPolicy>`), "MalformedXML"},
		{"xml_deep", rest("s3", "PUT", "/b?acl", strings.Repeat("<a>", 5000)), "MalformedXML"},
		{"rest_bad_escape", rest("guardduty", "POST", "/detector/%zz", "{}"), "MalformedQueryString"},
		{"rest_parameter_twice", rest("guardduty", "POST", "/detector/a?maxResults=1&maxResults=2", "{}"), "MalformedQueryString"},
		{"rest_bad_body", rest("guardduty", "POST", "/detector/a", "{"), "SerializationException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := decode(t, c.r)
			wantCode(t, err, c.code)
		})
	}
}
