package policy

import (
	"fmt"
	"testing"
)

func TestGuests(t *testing.T) {
	for _, c := range []struct{ doc, want string }{
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`, "[{true [] [] [] [] false}]"},
		{`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}}}`, "[{false [] [] [] [] true}]"},
		{`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}`, "[{true [] [] [] [] true}]"},
		{`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"},{"Effect":"Allow","Principal":{"AWS":["444455556666","arn:aws:iam::777788889999:role/r"],"Service":"logging.s3.amazonaws.com"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`, "[{false [444455556666] [arn:aws:iam::777788889999:role/r] [logging.s3.amazonaws.com] [] false}]"},
	} {
		d, err := Parse([]byte(c.doc), Resource)
		if err != nil {
			t.Fatalf("%s: %v", c.doc, err)
		}
		if got := fmt.Sprint(d.Guests()); got != c.want {
			t.Errorf("%s: got %s, want %s", c.doc, got, c.want)
		}
	}
	d, err := Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`), Identity)
	if err != nil || d.Guests() != nil {
		t.Errorf("an identity policy lets in %v, %v", d.Guests(), err)
	}
}

func TestAdministers(t *testing.T) {
	for statement, want := range map[string]bool{
		`{"Effect":"Allow","Action":"*","Resource":"*"}`:                                                            true,
		`{"Effect":"Allow","Action":["s3:Get*","iam:*"],"Resource":"*"}`:                                            true,
		`{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}`:                                                     false,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`:                                                         false,
		`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b"}`:                                               false,
		`{"Effect":"Deny","Action":"*","Resource":"*"}`:                                                             false,
		`{"Effect":"Allow","NotAction":"*","Resource":"*"}`:                                                         false,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`: false,
	} {
		d, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[`+statement+`]}`), Identity)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Administers(); got != want {
			t.Errorf("%s: %t", statement, got)
		}
	}
}
