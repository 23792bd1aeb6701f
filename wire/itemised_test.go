package wire

import (
	"testing"

	"sumun.dev/aws"
)

func TestElementsOfAnItemisedListAreTheServicesToCheck(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"broken_element", `{"KeyId":"k","Plaintext":"aGk=","Tags":[{"Key":"a"},{"Key":""},{"Value":"v"}]}`, ""},
		{"another_member", `{"KeyId":"","Plaintext":"aGk=","Tags":[{"Key":""}]}`,
			"1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"deeper_member_of_that_name", `{"KeyId":"k","Plaintext":"aGk=","Next":{"KeyId":"k","Plaintext":"aGk=","Tags":[{"Key":""}]}}`,
			"1 validation error detected: Value '' at 'next.tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := target("TrentService.Encrypt", "application/x-amz-json-1.1", c.body)
			m, err := Recognise(r, testIndex())
			if err != nil {
				t.Fatal(err)
			}
			m.Route = new(Route{Operation: m.Operation}.Itemised("Tags"))
			_, err = m.Decode(r, Limits{})
			if err != nil && c.want == "" {
				t.Fatal(err)
			}
			if c.want != "" && (err == nil || err.(*aws.Error).Message != c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
