package wire

import (
	"math"
	"reflect"
	"testing"
	"time"

	"sumun.dev/aws"
)

var when = time.Date(2026, 1, 2, 3, 4, 5, 250e6, time.UTC)

func TestEncode(t *testing.T) {
	kmsOut := &encryptOut{KeyId: new("k\n\"守"), Blob: []byte("hi"), At: &when, Tags: []tag{{Key: "a", Value: new("")}}, Names: []string{}, Rate: new(math.Inf(1))}
	for _, c := range []struct {
		name string
		m    Match
		out  any
		want string
	}{
		{"json", Match{Operation: encrypt, Service: kms, Protocol: JSON}, kmsOut,
			`{"KeyId":"k\n\"守","CiphertextBlob":"aGk=","At":1767323045.25,"Tags":[{"Key":"a","Value":""}],"Names":[],"Rate":"Infinity"}`},
		{"json_empty", Match{Operation: encrypt, Service: kms, Protocol: JSON}, &encryptOut{}, `{}`},
		{"query", Match{Operation: createUser, Service: iam, Protocol: Query}, &userOut{User: &user{Name: "a<b", Created: &when, Tags: []tag{{Key: "k", Value: new("v")}}}},
			`<CreateUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateUserResult><User><UserName>a&lt;b</UserName><CreateDate>2026-01-02T03:04:05.250Z</CreateDate><Tags><member><Key>k</Key><Value>v</Value></member></Tags></User></CreateUserResult><ResponseMetadata><RequestId>rid</RequestId></ResponseMetadata></CreateUserResponse>`},
		{"ec2", Match{Operation: describeVpc, Service: ec2, Protocol: EC2}, &vpcOut{VpcId: new("v"), Tags: []tag{{Key: "k"}}},
			xmlHeader + `<DescribeVpcResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15"><requestId>rid</requestId><vpcId>v</vpcId><tagSet><item><Key>k</Key></item></tagSet></DescribeVpcResponse>`},
		{"rest_json", Match{Operation: updateDet, Service: guard, Protocol: RestJSON}, &detectorOut{DetectorId: new("d"), Trace: new("a\r\nSet-Cookie: x"), Code: new(int32(202))}, `{"detectorId":"d"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := c.m.Encode(c.out, "rid")
			if err != nil {
				t.Fatal(err)
			}
			if string(r.Body) != c.want {
				t.Errorf("got  %s\nwant %s", r.Body, c.want)
			}
			if got := r.Header.Get("X-Amzn-Requestid"); got != "rid" {
				t.Errorf("request id %q", got)
			}
			if c.name == "rest_json" && (r.Status != 202 || r.Header.Get("X-Trace") != "=?UTF-8?B?YQ0KU2V0LUNvb2tpZTogeA==?=") {
				t.Errorf("status %d, headers %v", r.Status, r.Header)
			}
		})
	}
	m := Match{Operation: encrypt, Service: kms, Protocol: JSON}
	if _, err := m.Encode(&userOut{}, ""); err == nil {
		t.Error("a wrong type was encoded")
	}
}

func TestEncodeError(t *testing.T) {
	e := &aws.Error{Code: "NotFoundException", Message: "Key 'x' <does> not exist"}
	more := (&aws.Error{Code: "QueueDoesNotExist", Message: "gone", Status: 400}).With("count", 3).With("Who", []string{"a"})
	lambda := &Service{Protocols: []Protocol{RestJSON}}
	busy := aws.ErrorKind{Code: "TooManyRequestsException", Status: 429, Sentence: "Message", Headers: "retryAfterSeconds=Retry-After"}
	invoke := &Operation[*nothing, *nothing]{Meta{Service: lambda, Name: "Invoke", Errors: []aws.ErrorKind{busy}}}
	for _, c := range []struct {
		name   string
		m      Match
		err    *aws.Error
		header [2]string
		want   string
	}{
		{"json", Match{Operation: encrypt, Service: kms, Protocol: JSON}, e, [2]string{"Content-Type", "application/x-amz-json-1.1"},
			`{"__type":"NotFoundException","message":"Key 'x' <does> not exist"}`},
		{"json_without_service", Match{Protocol: JSON, JSONVersion: "1.0"}, e, [2]string{"Content-Type", "application/x-amz-json-1.0"},
			`{"__type":"NotFoundException","message":"Key 'x' <does> not exist"}`},
		{"json_query_compatible", Match{Operation: sendMessage, Service: sqs, Protocol: JSON}, more, [2]string{"x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender"},
			`{"__type":"QueueDoesNotExist","message":"gone","Who":["a"],"count":3}`},
		{"rest_json", Match{Operation: invoke, Service: lambda, Protocol: RestJSON}, busy.New("slow").With("retryAfterSeconds", "5"), [2]string{"Retry-After", "5"},
			`{"Message":"slow"}`},
		{"query", Match{Operation: createUser, Service: iam, Protocol: Query}, e, [2]string{"Content-Type", "text/xml"},
			`<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NotFoundException</Code><Message>Key 'x' &lt;does&gt; not exist</Message></Error><RequestId>rid</RequestId></ErrorResponse>`},
		{"query_code_of_query_compatible", Match{Operation: sendMessage, Service: sqs, Protocol: Query}, &aws.Error{Code: "QueueDoesNotExist", Status: 500}, [2]string{"Content-Type", "text/xml"},
			`<ErrorResponse><Error><Type>Receiver</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message></Message></Error><RequestId>rid</RequestId></ErrorResponse>`},
		{"ec2", Match{Protocol: EC2}, e, [2]string{"Content-Type", "text/xml;charset=UTF-8"},
			xmlHeader + `<Response><Errors><Error><Code>NotFoundException</Code><Message>Key 'x' &lt;does&gt; not exist</Message></Error></Errors><RequestID>rid</RequestID></Response>`},
		{"s3", Match{Service: s3, Protocol: RestXML}, (&aws.Error{Code: "NoSuchKey", Message: "gone", Status: 404}).With("Key", "k"), [2]string{"x-amz-request-id", "rid"},
			xmlHeader + `<Error><Code>NoSuchKey</Code><Message>gone</Message><Key>k</Key><RequestId>rid</RequestId><HostId>rid</HostId></Error>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := c.m.EncodeError(c.err, "rid")
			if string(r.Body) != c.want {
				t.Errorf("got  %s\nwant %s", r.Body, c.want)
			}
			if got := r.Header.Get(c.header[0]); got != c.header[1] {
				t.Errorf("header %s is %q, want %q", c.header[0], got, c.header[1])
			}
		})
	}
}

// TestThereAndBack sends values through client and server in every protocol.
func TestThereAndBack(t *testing.T) {
	in := &encryptIn{KeyId: "k", Plaintext: []byte("hi"), EncryptionContext: map[string]string{"a": "b", "": "x"}, GrantTokens: []string{"t", "u"}, Algorithm: new(colour("RED")),
		DryRun: new(false), Tags: []tag{{Key: "x", Value: new("")}, {Key: "y"}}, Days: new(int32(7)), Rate: new(0.1), From: &when,
		Next: &encryptIn{KeyId: "n", Plaintext: []byte{0, 255}, Tags: []tag{}}}
	out := &encryptOut{KeyId: new("k \t守"), Blob: []byte("hi"), At: &when, Tags: []tag{{Key: "a", Value: new("v")}}, Names: []string{"n"}, Rate: new(-1.5)}
	for _, protocol := range []Protocol{JSON, Query, EC2, RestJSON, RestXML, CBOR} {
		t.Run(string(protocol), func(t *testing.T) {
			svc := &Service{Prefix: "x", SigningName: "x", EndpointPrefix: "x", Protocols: []Protocol{protocol}, TargetPrefix: "X", APIVersion: "1"}
			meta := Meta{Service: svc, Name: "Op"}
			if protocol == RestJSON || protocol == RestXML {
				meta.Method, meta.URI, svc.TargetPrefix = "PUT", "/op", ""
			}
			op := &Operation[*encryptIn, *encryptOut]{meta}
			req, err := EncodeRequest(op, in, "http://x.example:4566/base")
			if err != nil {
				t.Fatal(err)
			}
			if req.Host != "x.example:4566" || req.RawPath[:5] != "/base" {
				t.Errorf("host %s, path %s", req.Host, req.RawPath)
			}
			req.RawPath = req.RawPath[5:]
			m, err := Recognise(req, NewIndex(nil, op))
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Decode(req, Limits{})
			if err != nil {
				t.Fatalf("%v\n%s", err, req.Body)
			}
			if protocol == Query || protocol == EC2 || protocol == RestXML {
				in.Anything = nil // documents have no form there
			}
			if !reflect.DeepEqual(got, in) {
				t.Errorf("request\ngot  %+v\nwant %+v\n%s", got, in, req.Body)
			}
			resp, err := m.Encode(out, "rid")
			if err != nil {
				t.Fatal(err)
			}
			back, err := DecodeResponse(op, resp)
			if err != nil {
				t.Fatalf("%v\n%s", err, resp.Body)
			}
			if !reflect.DeepEqual(back, out) {
				t.Errorf("response\ngot  %+v\nwant %+v\n%s", back, out, resp.Body)
			}
			fault := (&aws.Error{Code: "GoneException", Message: "it is gone", Status: 410}).With("Detail", "d")
			_, err = DecodeResponse(op, m.EncodeError(fault, "rid"))
			if !reflect.DeepEqual(err, fault) {
				t.Errorf("error\ngot  %+v\nwant %+v", err, fault)
			}
		})
	}
}

func TestDocuments(t *testing.T) {
	doc := map[string]any{"keyId": "k", "Plaintext": "aGk=", "DryRun": "true", "Days": "7", "Tags": []any{map[string]any{"Key": "a"}}}
	got, err := DecodeJSONDocument(encrypt, doc)
	if err != nil {
		t.Fatal(err)
	}
	want := &encryptIn{KeyId: "k", Plaintext: []byte("hi"), DryRun: new(true), Days: new(int32(7)), Tags: []tag{{Key: "a"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	_, err = DecodeJSONDocument(encrypt, []byte(`{"Plaintext":"aGk="}`))
	wantCode(t, err, "ValidationException")

	back, err := EncodeJSONDocument(encrypt, &encryptOut{KeyId: new("k"), At: &when, Tags: []tag{{Key: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]any{"KeyId": "k", "At": "2026-01-02T03:04:05.250Z", "Tags": []any{map[string]any{"Key": "a"}}}; !reflect.DeepEqual(back, want) {
		t.Errorf("got  %v\nwant %v", back, want)
	}
	trail := string(TrailParameters(&encryptIn{KeyId: "k", Plaintext: []byte("secret"), From: &when, Tags: []tag{{Key: "a"}}}))
	if want := `{"keyId":"k","tags":[{"key":"a"}],"from":"Jan 2, 2026, 3:04:05 AM"}`; trail != want {
		t.Errorf("got  %s\nwant %s", trail, want)
	}
	secret := string(TrailParameters(&struct {
		Password *string `aws:"password,sensitive"`
	}{new("x")}))
	if want := `{"password":"HIDDEN_DUE_TO_SECURITY_REASONS"}`; secret != want {
		t.Errorf("got  %s\nwant %s", secret, want)
	}
	answer := string(TrailElements(&struct {
		Key    *string `aws:"key"`
		Secret *string `aws:"secretAccessKey,sensitive"`
	}{new("AKIA"), new("x")}))
	if want := `{"key":"AKIA"}`; answer != want {
		t.Errorf("got  %s\nwant %s", answer, want)
	}
	if TrailParameters(&nothing{}) != nil || TrailParameters(nil) != nil {
		t.Error("nothing should be null")
	}
}
