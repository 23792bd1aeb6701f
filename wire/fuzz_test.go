package wire

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// again checks that what a decoder accepted, written and decoded again, is the
// same: nothing gets lost, nothing is read in two ways. Values that break
// constraints count too.
func again(t *testing.T, op AnyOperation, protocol Protocol, first any) {
	t.Helper()
	if first == nil {
		return
	}
	req, err := encodeRequest(op, protocol, first, "https://test.example.com")
	if err != nil {
		return // an empty label cannot be written
	}
	m, err := Recognise(req, NewIndex(nil, op))
	if err != nil {
		t.Fatalf("%v\n%+v", err, req)
	}
	m.Protocol = protocol
	second, err := m.Decode(req, Limits{})
	if second == nil {
		t.Fatalf("%v\n%s", err, req.Body)
	}
	if !reflect.DeepEqual(settle(first), settle(second)) {
		t.Fatalf("%s\nfirst  %+v\nsecond %+v", req.Body, first, second)
	}
}

// settle makes values comparable: NaN is not equal to itself.
func settle(x any) any {
	if e, ok := x.(*encryptIn); ok {
		for ; e != nil; e = e.Next {
			if e.Rate != nil && *e.Rate != *e.Rate {
				e.Rate = new(-12345.5)
			}
		}
	}
	return x
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(kmsBody))
	f.Add([]byte(`{"KeyId":"k","Tags":[{"Key":"a"}],"Next":{"Anything":{"a":[1,2.5,null]}},"Rate":"NaN","From":1.5e9,"Days":1e1}`))
	f.Add([]byte(`{"a":{"b":[[]]},"KeyId":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m := &Match{Operation: encrypt, Service: kms, Protocol: JSON}
		in, _ := m.Decode(&Request{Body: body}, Limits{})
		again(t, encrypt, JSON, in)
	})
}

func FuzzCBOR(f *testing.F) {
	in := &encryptIn{KeyId: "k", Plaintext: []byte{1}, Tags: []tag{{Key: "a"}}, Rate: new(1.5), From: &when, Days: new(int32(-7)), EncryptionContext: map[string]string{"a": "b"}, Anything: []any{int64(1), "x", nil, true}}
	f.Add(encodeCBOR(planOf(cborOp.InType()), reflect.ValueOf(in).Elem()))
	f.Add([]byte("\xbf\x65KeyId\x7f\x61a\x61b\xff\x64Rate\xf9\x3c\x00\xff"))
	f.Add([]byte("\xa1\x61x\xdb\xff\xff\xff\xff\xff\xff\xff\xff\xf6"))
	f.Fuzz(func(t *testing.T, body []byte) {
		m := &Match{Operation: cborOp, Service: cborly, Protocol: CBOR}
		in, _ := m.Decode(&Request{Body: body}, Limits{})
		again(t, cborOp, CBOR, in)
	})
}

func FuzzQuery(f *testing.F) {
	f.Add("Action=CreateUser&UserName=u&Tags.member.1.Key=a&Flat.1=x&Attrs.entry.1.key=k&Attrs.entry.1.value=v&Max=5&At=2026-01-02T03:04:05Z&Blob=aGk%3D")
	f.Add("Tags=&Odd.entry.10=b&Odd.entry.9=a&Attribute.1.Name=n&a.b.c=1&&=x")
	f.Fuzz(func(t *testing.T, body string) {
		pairs, err := parsePairs(body, 1000)
		if err != nil {
			return
		}
		m := &Match{Operation: createUser, Service: iam, Protocol: Query, form: pairs}
		in, _ := m.Decode(nil, Limits{})
		again(t, createUser, Query, dropHollow(in))
		m = &Match{Operation: describeVpc, Service: ec2, Protocol: EC2, form: pairs}
		vpc, _ := m.Decode(nil, Limits{})
		again(t, describeVpc, EC2, dropHollow(vpc))
	})
}

// dropHollow returns nil for what a query string has no form for: list elements
// without content come back as an empty list.
func dropHollow(x any) any {
	switch x := x.(type) {
	case *userIn:
		for i := range x.Tags {
			x.Tags[i].Key += "k"
		}
	case *vpcIn:
		for i := range x.Tags {
			x.Tags[i].Key += "k"
		}
	}
	return x
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(`<?xml version="1.0"?><AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner>o</Owner><AccessControlList><Grant xmlns:xsi="u" xsi:type="T"><ID>1</ID></Grant></AccessControlList><Tag><Key>a</Key></Tag></AccessControlPolicy>`))
	f.Add([]byte(`<a:b xmlns:a="u"><Tag/><Tag><Value><![CDATA[<&>]]></Value></Tag>&lt;</a:b>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m := &Match{Operation: putACL, Service: s3, Protocol: RestXML, labelNames: []string{"Bucket"}, labels: []string{"b"}}
		in, _ := m.Decode(&Request{Body: body, Header: http.Header{}}, Limits{})
		again(t, putACL, RestXML, in)
	})
}

func FuzzREST(f *testing.F) {
	f.Add("/detector/a%2Fb", "maxResults=5&kind=x&kind=y", "tr", []byte(`{"enable":true,"tags":{"a":"b"}}`))
	f.Add("/bkt/a/b", "acl&x-id=PutObject", "", []byte(""))
	f.Add("//", "%zz", "=?UTF-8?B?!?=", []byte("{"))
	x := testIndex()
	f.Fuzz(func(t *testing.T, path, query, trace string, body []byte) {
		for _, scope := range []string{"guardduty", "s3", ""} {
			for _, method := range []string{"POST", "PUT"} {
				r := &Request{Method: method, RawPath: path, RawQuery: query, Scope: scope, Header: http.Header{"X-Trace": {strings.TrimSpace(trace)}}, Body: body}
				m, err := Recognise(r, x)
				if err != nil {
					m.EncodeError(unknownOperation("x"), "id")
					continue
				}
				in, _ := m.Decode(r, Limits{})
				if d, ok := in.(*detectorIn); ok && m.Operation == AnyOperation(updateDet) {
					again(t, updateDet, RestJSON, d)
				}
			}
		}
	})
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"KeyId":"k"}`), 200)
	f.Add([]byte(`<CreateUserResponse><CreateUserResult><User><UserName>a</UserName></User></CreateUserResult></CreateUserResponse>`), 200)
	f.Add([]byte(`<ErrorResponse><Error><Code>X</Code></Error></ErrorResponse>`), 400)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		for _, p := range []Protocol{JSON, CBOR, Query, EC2, RestJSON, RestXML} {
			_, _ = decodeResponse(encrypt, p, &Response{Status: status, Header: http.Header{}, Body: body})
		}
	})
}
