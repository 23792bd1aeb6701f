package wire

import (
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"sumun.dev/aws"
)

// The hand-written types below have the form that tool/awsgen gives to models.

type colour string

func (colour) Values() []string { return []string{"RED", "GREEN"} }

type tag struct {
	Key   string  `aws:"Key,required" len:"1:128"`
	Value *string `aws:"Value" len:"0:256"`
}

type encryptIn struct {
	KeyId             string            `aws:"KeyId,required" len:"1:2048"`
	Plaintext         []byte            `aws:"Plaintext,required,sensitive" len:"1:4096"`
	EncryptionContext map[string]string `aws:"EncryptionContext"`
	GrantTokens       []string          `aws:"GrantTokens" len:"0:10" len1:"1:8192"`
	Algorithm         *colour           `aws:"Algorithm"`
	DryRun            *bool             `aws:"DryRun"`
	Tags              []tag             `aws:"Tags"`
	Days              *int32            `aws:"Days" range:"7:30"`
	Rate              *float64          `aws:"Rate"`
	From              *time.Time        `aws:"From"`
	Next              *encryptIn        `aws:"Next"`
	Choice            *choice           `aws:"Choice"`
	Anything          any               `aws:"Anything"`
}

type choice struct {
	_ struct{} `aws:",union"`
	A *string  `aws:"A"`
	B *bool    `aws:"B"`
}

type encryptOut struct {
	KeyId *string    `aws:"KeyId"`
	Blob  []byte     `aws:"CiphertextBlob"`
	At    *time.Time `aws:"At"`
	Tags  []tag      `aws:"Tags"`
	Names []string   `aws:"Names"`
	Rate  *float64   `aws:"Rate"`
}

type userIn struct {
	UserName string            `aws:"UserName,required" len:"1:64"`
	Path     *string           `aws:"Path"`
	Tags     []tag             `aws:"Tags"`
	Flat     []string          `aws:"Flat,flat"`
	Odd      []string          `aws:"Odd" el1:"entry"`
	Attrs    map[string]string `aws:"Attrs"`
	FlatMap  map[string]string `aws:"Attribute,flat" mk1:"Name" mv1:"Value"`
	Max      *int32            `aws:"Max" range:"1:1000"`
	At       *time.Time        `aws:"At"`
	Blob     []byte            `aws:"Blob"`
}

type userOut struct {
	User *user `aws:"User"`
}

type user struct {
	Name    string     `aws:"UserName,required"`
	Created *time.Time `aws:"CreateDate"`
	Tags    []tag      `aws:"Tags"`
}

type vpcIn struct {
	VpcId string   `aws:"vpcId,required"`
	Ids   []string `aws:"idSet" q:"Id" el1:"item"`
	Tags  []tag    `aws:"tagSet" q:"Tag" el1:"item"`
}

type vpcOut struct {
	VpcId *string `aws:"vpcId"`
	Tags  []tag   `aws:"tagSet" el1:"item"`
}

type detectorIn struct {
	DetectorId string            `aws:"detectorId,required,in=uri" len:"1:300"`
	Max        *int32            `aws:"maxResults,in=query" range:"1:50"`
	Kinds      []string          `aws:"kind,in=query"`
	Trace      *string           `aws:"X-Trace,in=header"`
	Meta       map[string]string `aws:"x-amz-meta-,in=headers"`
	Enable     *bool             `aws:"enable"`
	Tags       map[string]string `aws:"tags"`
	Token      *string           `aws:"clientToken,token"`
}

type detectorOut struct {
	DetectorId *string `aws:"detectorId"`
	Trace      *string `aws:"X-Trace,in=header"`
	Code       *int32  `aws:"code,in=status"`
}

type objectIn struct {
	_      struct{}          `aws:",payload=Body"`
	Bucket string            `aws:"Bucket,required,in=uri"`
	Key    string            `aws:"Key,required,in=uri,greedy"`
	Meta   map[string]string `aws:"x-amz-meta-,in=headers"`
	Until  *time.Time        `aws:"x-until,in=header"`
	Body   io.ReadCloser     `aws:"Body,in=payload,stream"`
}

type aclIn struct {
	_      struct{} `aws:",payload=Policy"`
	Bucket string   `aws:"Bucket,required,in=uri"`
	Policy *acl     `aws:"AccessControlPolicy,in=payload" ns:"http://s3.amazonaws.com/doc/2006-03-01/"`
}

type acl struct {
	Owner  *string `aws:"Owner"`
	Grants []grant `aws:"AccessControlList" el1:"Grant"`
	Flat   []tag   `aws:"Tag,flat"`
}

type grant struct {
	Type *string `aws:"xsi:type,attr"`
	ID   *string `aws:"ID"`
}

type partIn struct {
	_      struct{}      `aws:",payload=Body"`
	Bucket string        `aws:"Bucket,required,in=uri"`
	Key    string        `aws:"Key,required,in=uri,greedy"`
	Part   int32         `aws:"partNumber,required,in=query"`
	Upload string        `aws:"uploadId,required,in=query"`
	Body   io.ReadCloser `aws:"Body,in=payload,stream"`
}

type bucketIn struct {
	Bucket string `aws:"Bucket,required,in=uri"`
}

type nothing struct{}

var (
	kms      = &Service{Prefix: "kms", SigningName: "kms", EndpointPrefix: "kms", Protocols: []Protocol{JSON}, JSONVersion: "1.1", TargetPrefix: "TrentService"}
	iam      = &Service{Prefix: "iam", SigningName: "iam", EndpointPrefix: "iam", Protocols: []Protocol{Query}, APIVersion: "2010-05-08", XMLNamespace: "https://iam.amazonaws.com/doc/2010-05-08/"}
	ec2      = &Service{Prefix: "ec2", SigningName: "ec2", EndpointPrefix: "ec2", Protocols: []Protocol{EC2}, APIVersion: "2016-11-15"}
	guard    = &Service{Prefix: "guardduty", SigningName: "guardduty", EndpointPrefix: "guardduty", Protocols: []Protocol{RestJSON}}
	s3       = &Service{Prefix: "s3", SigningName: "s3", EndpointPrefix: "s3", Protocols: []Protocol{RestXML}, XMLNamespace: "http://s3.amazonaws.com/doc/2006-03-01/"}
	sqs      = &Service{Prefix: "sqs", SigningName: "sqs", EndpointPrefix: "sqs", Protocols: []Protocol{JSON}, JSONVersion: "1.0", TargetPrefix: "AmazonSQS", QueryCompatible: true, APIVersion: "2012-11-05"}
	cborly   = &Service{Prefix: "cb", SigningName: "cb", EndpointPrefix: "cb", Protocols: []Protocol{CBOR, JSON}, TargetPrefix: "com.amazonaws.Cb_2020"}
	notFound = aws.ErrorKind{Code: "NotFoundException", Status: 400}
	noQueue  = aws.ErrorKind{Code: "QueueDoesNotExist", Status: 400, Query: "AWS.SimpleQueueService.NonExistentQueue"}

	encrypt     = &Operation[*encryptIn, *encryptOut]{Meta{Service: kms, Name: "Encrypt", Errors: []aws.ErrorKind{notFound}}}
	createUser  = &Operation[*userIn, *userOut]{Meta{Service: iam, Name: "CreateUser", ResultWrapper: "CreateUserResult"}}
	describeVpc = &Operation[*vpcIn, *vpcOut]{Meta{Service: ec2, Name: "DescribeVpc"}}
	updateDet   = &Operation[*detectorIn, *detectorOut]{Meta{Service: guard, Name: "UpdateDetector", Method: "POST", URI: "/detector/{detectorId}"}}
	listFind    = &Operation[*detectorIn, *detectorOut]{Meta{Service: guard, Name: "ListFindings", Method: "POST", URI: "/detector/{detectorId}/findings"}}
	putObject   = &Operation[*objectIn, *nothing]{Meta{Service: s3, Name: "PutObject", Method: "PUT", URI: "/{Bucket}/{Key+}"}}
	uploadPart  = &Operation[*partIn, *nothing]{Meta{Service: s3, Name: "UploadPart", Method: "PUT", URI: "/{Bucket}/{Key+}"}}
	putACL      = &Operation[*aclIn, *nothing]{Meta{Service: s3, Name: "PutBucketAcl", Method: "PUT", URI: "/{Bucket}?acl"}}
	createBkt   = &Operation[*bucketIn, *nothing]{Meta{Service: s3, Name: "CreateBucket", Method: "PUT", URI: "/{Bucket}"}}
	listBuckets = &Operation[*nothing, *nothing]{Meta{Service: s3, Name: "ListBuckets", Method: "GET", URI: "/"}}
	sendMessage = &Operation[*userIn, *userOut]{Meta{Service: sqs, Name: "SendMessage", Errors: []aws.ErrorKind{noQueue}}}
	cborOp      = &Operation[*encryptIn, *encryptOut]{Meta{Service: cborly, Name: "Encrypt"}}
)

func testIndex() *Index {
	return NewIndex(nil, encrypt, createUser, describeVpc, updateDet, listFind, putObject, uploadPart, putACL, createBkt, listBuckets, sendMessage, cborOp)
}

func target(name, contentType, body string) *Request {
	return &Request{Method: "POST", RawPath: "/", Scope: "kms", Body: []byte(body),
		Header: http.Header{"X-Amz-Target": {name}, "Content-Type": {contentType}}}
}

func form(scope, body string) *Request {
	return &Request{Method: "POST", RawPath: "/", Scope: scope, Body: []byte(body),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}}
}

func rest(scope, method, uri, body string) *Request {
	path, query, _ := strings.Cut(uri, "?")
	return &Request{Method: method, RawPath: path, RawQuery: query, Scope: scope, Body: []byte(body), Header: http.Header{}}
}

func decode(t *testing.T, r *Request) (*Match, any, error) {
	t.Helper()
	m, err := Recognise(r, testIndex())
	if err != nil {
		return m, nil, err
	}
	in, err := m.Decode(r, Limits{})
	return m, in, err
}

func TestRecognise(t *testing.T) {
	sigv4 := func(r *Request) *Request { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 …"); return r }
	rpc := rest("cb", "POST", "/service/Cb_2020/operation/Encrypt", "")
	rpc.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
	host := rest("", "POST", "/detector/d1", "{}")
	host.Host = "guardduty.us-east-1.amazonaws.com"
	vhost := rest("s3", "PUT", "/a/b", "x")
	vhost.Bucket = "bkt"
	get := target("TrentService.Encrypt", "application/x-amz-json-1.1", "{}")
	get.Method = "GET"
	for _, c := range []struct {
		name     string
		r        *Request
		want     string
		protocol Protocol
		code     string
	}{
		{"json_target", sigv4(target("TrentService.Encrypt", "application/x-amz-json-1.1", "{}")), "kms:Encrypt", JSON, ""},
		{"json_target_without_content_type", target("TrentService.Encrypt", "", "{}"), "kms:Encrypt", JSON, ""},
		{"json_unknown_operation", target("TrentService.Enkrypt", "", "{}"), "", JSON, "UnknownOperationException"},
		{"json_by_get", get, "", JSON, "UnknownOperationException"},
		{"query_by_put", rest("iam", "PUT", "/?Action=CreateUser", ""), "", Query, "UnknownOperationException"},
		{"json_without_target", rest("kms", "POST", "/", "{}"), "", JSON, "UnknownOperationException"},
		{"query_action_in_body", form("iam", "Action=CreateUser&Version=2010-05-08&UserName=u"), "iam:CreateUser", Query, ""},
		{"query_action_in_url", rest("iam", "GET", "/?Action=CreateUser&Version=2010-05-08&UserName=u", ""), "iam:CreateUser", Query, ""},
		{"query_unsigned_by_version", form("", "Action=CreateUser&Version=2010-05-08"), "iam:CreateUser", Query, ""},
		{"query_unknown_action", form("iam", "Action=Creat&Version=2010-05-08"), "", Query, "InvalidAction"},
		{"query_no_action", form("iam", "Version=2010-05-08"), "", Query, "MissingAction"},
		{"query_action_twice", form("iam", "Action=CreateUser&Action=DeleteUser"), "", Query, "MalformedQueryString"},
		{"query_bad_escape", form("iam", "Action=%zz"), "", Query, "MalformedQueryString"},
		{"ec2", form("ec2", "Action=DescribeVpc&VpcId=v"), "ec2:DescribeVpc", EC2, ""},
		{"query_to_query_compatible_json", form("sqs", "Action=SendMessage&UserName=u"), "sqs:SendMessage", Query, ""},
		{"rest_label", rest("guardduty", "POST", "/detector/abc", "{}"), "guardduty:UpdateDetector", RestJSON, ""},
		{"rest_label_and_literal", rest("guardduty", "POST", "/detector/abc/findings", "{}"), "guardduty:ListFindings", RestJSON, ""},
		{"rest_slash_at_the_end", rest("guardduty", "POST", "/detector/abc/", "{}"), "guardduty:UpdateDetector", RestJSON, ""},
		{"rest_wrong_method", rest("guardduty", "PATCH", "/detector/abc", "{}"), "", RestJSON, "UnknownOperationException"},
		{"rest_empty_label", rest("guardduty", "POST", "/detector//findings", "{}"), "", RestJSON, "UnknownOperationException"},
		{"rest_unsigned_by_host", host, "guardduty:UpdateDetector", RestJSON, ""},
		{"s3_service", rest("s3", "GET", "/", ""), "s3:ListBuckets", RestXML, ""},
		{"s3_bucket", rest("s3", "PUT", "/bkt", ""), "s3:CreateBucket", RestXML, ""},
		{"s3_bucket_with_slash", rest("s3", "PUT", "/bkt/", ""), "s3:CreateBucket", RestXML, ""},
		{"s3_query_literal", rest("s3", "PUT", "/bkt?acl", ""), "s3:PutBucketAcl", RestXML, ""},
		{"s3_key_with_slashes", rest("s3", "PUT", "/bkt/a/b//c/", ""), "s3:PutObject", RestXML, ""},
		{"s3_required_query_members", rest("s3", "PUT", "/bkt/k?partNumber=1&uploadId=u", ""), "s3:UploadPart", RestXML, ""},
		{"s3_virtual_host", vhost, "s3:PutObject", RestXML, ""},
		{"anonymous_is_s3", rest("", "PUT", "/bkt/k", ""), "s3:PutObject", RestXML, ""},
		{"rpc_v2", rpc, "cb:Encrypt", CBOR, ""},
		{"unknown_service", form("nosuch", "Action=X"), "", Query, "UnknownOperationException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Recognise(c.r, testIndex())
			if m.Protocol != c.protocol {
				t.Errorf("protocol %s, want %s", m.Protocol, c.protocol)
			}
			if c.code != "" {
				wantCode(t, err, c.code)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Operation.About().String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	e, ok := err.(*aws.Error)
	if !ok || e.Code != code {
		t.Fatalf("got %v, want code %s", err, code)
	}
}

// Clients write JSON in their own ways; none of these may be refused.
func TestJSONAsClientsWriteIt(t *testing.T) {
	for _, c := range []struct {
		client, body string
		want         *encryptIn
	}{
		{"botocore_escapes_beyond_ascii", `{"KeyId": "\u5b88\ud83d\ude00\/", "Plaintext": "aGk="}`, &encryptIn{KeyId: "守😀/", Plaintext: []byte("hi")}},
		{"botocore_float_times", `{"KeyId": "k", "Plaintext": "aGk=", "From": 1767323045.0}`, &encryptIn{KeyId: "k", Plaintext: []byte("hi"), From: new(when.Truncate(time.Second))}},
		{"java_scientific_times", `{"KeyId":"k","Plaintext":"aGk=","From":1.767323045E9}`, &encryptIn{KeyId: "k", Plaintext: []byte("hi"), From: new(when.Truncate(time.Second))}},
		{"javascript_fractions", `{"KeyId":"k","Plaintext":"aGk=","From":1767323045.25,"Days":7.0}`, &encryptIn{KeyId: "k", Plaintext: []byte("hi"), From: &when, Days: new(int32(7))}},
		{"text_times", `{"KeyId":"k","Plaintext":"aGk=","From":"2026-01-02T03:04:05.25Z"}`, &encryptIn{KeyId: "k", Plaintext: []byte("hi"), From: &when}},
		{"go_escapes_html", `{"KeyId":"\u003cx\u003e\u0026","Plaintext":"aGk="}`, &encryptIn{KeyId: "<x>&", Plaintext: []byte("hi")}},
		{"nulls_are_absent", `{"KeyId":"k","Plaintext":"aGk=","Tags":null,"Days":null,"Next":null,"Choice":{"A":"x","B":null}}`, &encryptIn{KeyId: "k", Plaintext: []byte("hi"), Choice: &choice{A: new("x")}}},
		{"line_breaks_and_blanks", " {\r\n\t\"KeyId\" : \"k\" , \"Plaintext\":\"aGk=\" }\n", &encryptIn{KeyId: "k", Plaintext: []byte("hi")}},
		{"newer_members", `{"KeyId":"k","Plaintext":"aGk=","New":{"a":[{"b":null}]},"__type":"x"}`, &encryptIn{KeyId: "k", Plaintext: []byte("hi")}},
	} {
		t.Run(c.client, func(t *testing.T) {
			_, got, err := decode(t, target("TrentService.Encrypt", "application/x-amz-json-1.1; charset=UTF-8", c.body))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	meta := rest("s3", "PUT", "/bkt/a%2Fb%20c", "hello")
	meta.Header.Set("x-amz-meta-Colour", "red")
	meta.Header.Set("x-until", "Fri, 02 Jan 2026 03:04:05 GMT")
	det := rest("guardduty", "POST", "/detector/a%2Fb?maxResults=5&kind=x&kind=y", `{"enable":true,"tags":{"a":"b"},"clientToken":"t","unknown":{"x":[1]}}`)
	det.Header.Set("X-Trace", "tr")
	for _, c := range []struct {
		name string
		r    *Request
		want any
	}{
		{"json", target("TrentService.Encrypt", "application/x-amz-json-1.1",
			`{"KeyId":"k","Plaintext":"aGk=","EncryptionContext":{"a":"b","n":null},"GrantTokens":["t"],"Algorithm":"RED","DryRun":true,"Tags":[{"Key":"x","Value":""}],"Days":7,"Rate":"NaN","From":1767323045,"Zzz":[{}],"Anything":{"a":[1,2.5,"x",null,true]},"Next":null}`),
			&encryptIn{KeyId: "k", Plaintext: []byte("hi"), EncryptionContext: map[string]string{"a": "b"}, GrantTokens: []string{"t"}, Algorithm: new(colour("RED")),
				DryRun: new(true), Tags: []tag{{Key: "x", Value: new("")}}, Days: new(int32(7)), From: &when, Anything: map[string]any{"a": []any{int64(1), 2.5, "x", nil, true}}}},
		{"query", form("iam", "Action=CreateUser&Version=2010-05-08&UserName=u&Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.1.Value=v+w&Flat.1=x&Flat.2=y&Odd.entry.1=o&Attrs.entry.1.key=k&Attrs.entry.1.value=v&Attribute.1.Name=n&Attribute.1.Value=w&Max=5&At=2026-01-02T03:04:05Z&Blob=aGk%3D"),
			&userIn{UserName: "u", Tags: []tag{{Key: "a", Value: new("v w")}, {Key: "b"}}, Flat: []string{"x", "y"}, Odd: []string{"o"}, Attrs: map[string]string{"k": "v"},
				FlatMap: map[string]string{"n": "w"}, Max: new(int32(5)), At: &when, Blob: []byte("hi")}},
		{"query_empty_list", form("iam", "Action=CreateUser&UserName=u&Tags="), &userIn{UserName: "u", Tags: []tag{}}},
		{"ec2", form("ec2", "Action=DescribeVpc&VpcId=v&Id.1=a&Id.2=b&Tag.1.Key=k"), &vpcIn{VpcId: "v", Ids: []string{"a", "b"}, Tags: []tag{{Key: "k"}}}},
		{"rest_json", det, &detectorIn{DetectorId: "a/b", Max: new(int32(5)), Kinds: []string{"x", "y"}, Trace: new("tr"), Enable: new(true), Tags: map[string]string{"a": "b"}, Token: new("t")}},
		{"rest_xml", rest("s3", "PUT", "/bkt?acl", `<?xml version="1.0"?><AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner>o</Owner><AccessControlList><Grant xmlns:xsi="u" xsi:type="T"><ID>1</ID></Grant></AccessControlList><Tag><Key>a</Key></Tag><Tag><Key>b</Key></Tag></AccessControlPolicy>`),
			&aclIn{Bucket: "bkt", Policy: &acl{Owner: new("o"), Grants: []grant{{Type: new("T"), ID: new("1")}}, Flat: []tag{{Key: "a"}, {Key: "b"}}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, got, err := decode(t, c.r)
			if err != nil {
				t.Fatal(err)
			}
			if e, ok := got.(*encryptIn); ok && e.Rate != nil {
				if *e.Rate == *e.Rate {
					t.Errorf("Rate is %v, want NaN", *e.Rate)
				}
				e.Rate = nil
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
	t.Run("stream", func(t *testing.T) {
		_, got, err := decode(t, meta)
		if err != nil {
			t.Fatal(err)
		}
		o := got.(*objectIn)
		body, _ := io.ReadAll(o.Body)
		if o.Key != "a/b c" || o.Meta["colour"] != "red" || string(body) != "hello" || !o.Until.Equal(when) {
			t.Errorf("got %+v, body %q", o, body)
		}
	})
}
