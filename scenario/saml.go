package scenario

import (
	"encoding/json"
	"fmt"
	"strings"

	"sumun.dev/engine/saml/idp"
)

const signInURL = "https://signin.aws.amazon.com/saml"

// saml metadata FILE | saml login SUBJECT ROLE,PROVIDER [ATTRIBUTE=VALUE]…
//
// saml plays a SAML identity provider of the script's own: it writes what accounts
// are told of it into a file, or prints the response with which somebody who has
// logged in there goes to AssumeRoleWithSAML. A value may stand for several, joined
// by '|'.
func (s *step) saml(args []string) error {
	const use = "usage: saml metadata FILE, or saml login SUBJECT ROLE,PROVIDER [ATTRIBUTE=VALUE]…"
	if s.idp == nil {
		var err error
		if s.idp, err = idp.New("https://idp.example.com/metadata"); err != nil {
			return err
		}
	}
	switch {
	case len(args) == 2 && args[0] == "metadata":
		// IAM takes no metadata of under 1,000 characters (CreateSAMLProvider).
		return s.WriteFile(args[1], []byte(s.idp.Metadata()+"<!-- "+strings.Repeat("The metadata of a scenario's identity provider. ", 8)+"-->"))
	case len(args) >= 3 && args[0] == "login":
		attributes := map[string][]string{
			"https://aws.amazon.com/SAML/Attributes/Role":            {args[2]},
			"https://aws.amazon.com/SAML/Attributes/RoleSessionName": {args[1]},
		}
		for _, a := range args[3:] {
			name, value, ok := strings.Cut(a, "=")
			if !ok {
				return misused(use)
			}
			attributes["https://aws.amazon.com/SAML/Attributes/"+name] = strings.Split(value, "|")
		}
		response, err := s.idp.Respond(s.idp.Login(args[1], signInURL, signInURL, attributes))
		if err != nil {
			return err
		}
		text, err := json.Marshal(map[string]string{"SAMLAssertion": response})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%s\n", text)
		return err
	}
	return misused(use)
}
