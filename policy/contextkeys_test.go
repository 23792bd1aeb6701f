package policy

import (
	"fmt"
	"testing"
)

func TestContextKeys(t *testing.T) {
	d, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}/*","Condition":{
			"StringLike":{"s3:prefix":["${aws:PrincipalTag/team, 'all'}/*","${*}"],"AWS:UserName":"x"},
			"ArnLike":{"aws:SourceArn":["arn:aws:sns:*:${aws:PrincipalAccount}:*","${saml:sub}"]},
			"Bool":{"aws:SecureTransport":"true"}}},
		{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"s3:prefix":"true"}}}]}`), Identity)
	if err != nil {
		t.Fatal(err)
	}
	const want = "[AWS:UserName aws:SecureTransport aws:SourceArn aws:principalaccount aws:principaltag/team s3:prefix saml:sub]"
	if got := fmt.Sprint(d.ContextKeys()); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	old, err := Parse([]byte(`{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}"}}`), Identity)
	if err != nil || len(old.ContextKeys()) != 0 {
		t.Errorf("the old version has no variables: %v, %v", old.ContextKeys(), err)
	}
}
